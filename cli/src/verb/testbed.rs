//! `certwright testbed`.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use certwright::report::Outcome;
use certwright_testbed::{Ended, Harness, Isolation, Settings, Story, Wish};
use clap::Args;

use crate::failure::{Done, Failure};
use crate::render::json::Document;
use crate::render::story;
use crate::screen::{Form, Screen};

/// `testbed`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Without COMMAND it prints one line of JSON when it is ready, and stays until SIGINT or SIGTERM. With \
COMMAND it ends as the command ends, and tells on standard error what the client did. The command finds ACME_DIRECTORY, \
ACME_CA_FILE, ACME_ROOT_FILE, ACME_HTTP_PORT and ACME_TLS_PORT in its environment, and the variables by which common clients \
are told whom to trust."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    bed: Bed,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {}

/// The world of the command.
#[derive(Debug, Args)]
struct Bed {
    /// Where the ACME server listens [default: a free port of 127.0.0.1; 127.0.0.1:14000 with --isolate]
    #[arg(long, value_name = "ADDRESS")]
    acme: Option<SocketAddr>,
    /// The port where answers to http-01 are looked for [default: 5002; 80 with --isolate]
    #[arg(long, value_name = "N")]
    http_port: Option<u16>,
    /// The port where answers to tls-alpn-01 are looked for [default: 5001; 443 with --isolate]
    #[arg(long, value_name = "N")]
    tls_port: Option<u16>,
    /// Write ca.pem, roots.pem and the like here, and leave them [default: a directory that is removed at the end]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Run COMMAND in a network of its own, where ports 80 and 443 are free and the test bed is trusted
    #[arg(long, requires = "command")]
    isolate: bool,
    /// Where chance begins: the same number makes the same tokens, nonces and faults
    #[arg(long, value_name = "N", default_value = "1")]
    seed: u64,
    /// The client and its arguments
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub(crate) fn run(these: &Arguments, screen: &mut Screen) -> Done {
    bed(&these.bed, screen)
}

fn bed(these: &Bed, screen: &mut Screen) -> Done {
    let harness = Harness::set_up(Wish {
        acme: these.acme,
        http_port: these.http_port,
        tls_port: these.tls_port,
        dir: these.dir.clone(),
        isolation: if these.isolate { Isolation::Isolated } else { Isolation::Shared },
        settings: Settings { seed: these.seed, ..Settings::default() },
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
