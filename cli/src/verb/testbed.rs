//! `certwright testbed`.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use certwright::ErrorKind;
use certwright::report::Outcome;
use certwright_testbed::{
    Contract, Ended, ExternalAccount, Harness, HookWish, Isolation, Settings, Story, Wish, try_hook,
};
use clap::Args;

use crate::failure::{Done, Failure};
use crate::render::json::Document;
use crate::render::{self, story};
use crate::screen::{Form, Screen};

/// `testbed`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Without COMMAND it prints one line of JSON when it is ready, and stays until SIGINT or SIGTERM. With \
COMMAND it ends as the command ends, and tells on standard error what the client did. The command finds ACME_DIRECTORY, \
ACME_CA_FILE, ACME_ROOT_FILE, ACME_DNS, ACME_TSIG, ACME_MANAGEMENT, ACME_HTTP_PORT and ACME_TLS_PORT in its environment, and the variables by which common clients \
are told whom to trust."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    bed: Bed,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Try a hook: every event that its client has, with good material, in a directory of its own, and with broken tools
    Hook(Hook),
}

/// `testbed hook`.
#[derive(Debug, Args)]
#[command(
    after_help = "The hook is run some thirty times. It is told paths below a directory of its own, which is removed; what it \
does elsewhere is done. It ends with 0 when nothing is wrong with the hook and with 3 when something is."
)]
struct Hook {
    /// The hook
    #[arg(value_name = "SCRIPT")]
    script: PathBuf,
    /// The client that it was written for: dehydrated, certbot, lego or acme.sh [default: by what it mentions]
    #[arg(long, value_name = "CLIENT", value_parser = contract)]
    contract: Option<Contract>,
    /// How long one call may take, such as 30s
    #[arg(long, value_name = "DURATION", value_parser = crate::args::duration, default_value = "30s")]
    limit: Duration,
    /// Run it as this user; only root can
    #[arg(long, value_name = "USER")]
    user: Option<String>,
}

fn external(text: &str) -> Result<ExternalAccount, String> {
    ExternalAccount::parse(text).map_err(|error| error.message().to_owned())
}

fn contract(text: &str) -> Result<Contract, String> {
    text.parse().map_err(|error: certwright::Error| error.hint_text().unwrap_or_default().to_owned())
}

/// The world of the command.
#[derive(Debug, Args)]
struct Bed {
    /// Where the ACME server listens [default: a free port of 127.0.0.1; 127.0.0.1:14000 with --isolate]
    #[arg(long, value_name = "ADDRESS")]
    acme: Option<SocketAddr>,
    /// Where the name server listens [default: a free port of 127.0.0.1; 127.0.0.1:53 with --isolate]
    #[arg(long, value_name = "ADDRESS")]
    dns: Option<SocketAddr>,
    /// The port where answers to http-01 are looked for [default: 5002; 80 with --isolate]
    #[arg(long, value_name = "N")]
    http_port: Option<u16>,
    /// The port where answers to tls-alpn-01 are looked for [default: 5001; 443 with --isolate]
    #[arg(long, value_name = "N")]
    tls_port: Option<u16>,
    /// Write ca.pem, roots.pem and the like here, and leave them [default: a directory that is removed at the end]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Run COMMAND in a network of its own, where its usual ports are free, names resolve and trust is set
    #[arg(long, requires = "command")]
    isolate: bool,
    /// Let in nobody but accounts that are bound to this id by this key in base64url (external account binding)
    #[arg(long, value_name = "ID:KEY", value_parser = external)]
    eab: Option<ExternalAccount>,
    /// Where chance begins: the same number makes the same tokens, nonces and faults
    #[arg(long, value_name = "N", default_value = "1")]
    seed: u64,
    /// The client and its arguments
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub(crate) fn run(these: &Arguments, screen: &mut Screen) -> Done {
    match &these.verb {
        None => bed(&these.bed, screen),
        Some(Verb::Hook(these)) => hook(these, screen),
    }
}

fn hook(these: &Hook, screen: &mut Screen) -> Done {
    let mut wish = HookWish::new(&these.script);
    (wish.contract, wish.limit, wish.user) = (these.contract, these.limit, these.user.clone());
    let report = try_hook(&wish).map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::InvalidSpec => Failure::Usage(error),
        _ => Failure::Run(error),
    })?;
    let outcome = if report.findings.is_empty() { Outcome::Well } else { Outcome::Finding };
    if screen.form() == Form::Json {
        screen.json(&Document::new("testbed hook", outcome, report.document()));
    } else {
        render::hook::lines(&report).iter().for_each(|line| screen.line(line));
    }
    Ok(outcome.exit_status())
}

fn bed(these: &Bed, screen: &mut Screen) -> Done {
    let harness = Harness::set_up(Wish {
        acme: these.acme,
        dns: these.dns,
        http_port: these.http_port,
        tls_port: these.tls_port,
        dir: these.dir.clone(),
        isolation: if these.isolate { Isolation::Isolated } else { Isolation::Shared },
        settings: Settings {
            seed: these.seed,
            external_accounts: these.eab.iter().cloned().collect(),
            ..Settings::whole()
        },
    })?;
    if these.command.is_empty() {
        screen.text(&harness.ready().to_string());
        screen.flush();
        harness.stay()?;
        return Ok(0);
    }
    let status = match harness.run(&these.command)? {
        Ended::Status(status) => status,
        Ended::NotStarted(status, error) => {
            screen.failure(&Failure::Usage(error));
            return Ok(status);
        }
        _ => 1,
    };
    let told = harness.story();
    harness.keep(&told)?;
    tell(&told, screen);
    Ok(status)
}

/// Standard output belongs to the command.
fn tell(told: &Story, screen: &mut Screen) {
    match screen.form() {
        Form::Silent => {}
        Form::Json => {
            let document = Document::new("testbed", Outcome::Well, told.document());
            screen.aside(&format!("{}\n", serde_json::to_string(&document).unwrap_or_default()));
        }
        Form::Table | Form::Lines => {
            for line in story::lines(told) {
                screen.aside(&format!("{line}\n"));
            }
        }
    }
}
