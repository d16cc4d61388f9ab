//! `certwright account`.

use certwright::report::AccountReport;
use certwright::{Config, Error, ErrorKind, IssuerName, IssuerSpec};

use crate::args::{Account, AccountVerb, Shared};
use crate::failure::{Done, Failure};
use crate::load;
use crate::screen::{Form, Screen};
use crate::signals::Signals;

pub(crate) fn run(shared: &Shared, these: &Account, screen: &mut Screen) -> Done {
    let signals = Signals::watch()?;
    let lifecycle = load::lifecycle(shared, signals.cancel(), screen.watch())?;
    let issuer = match &these.issuer {
        Some(issuer) => issuer.clone(),
        None => only_one(lifecycle.config()).map_err(Failure::Usage)?,
    };
    let report = match &these.verb {
        AccountVerb::Show => lifecycle.account(&issuer),
        AccountVerb::Rollover => lifecycle.roll_over_account(&issuer),
        AccountVerb::Deactivate => lifecycle.deactivate_account(&issuer),
        AccountVerb::Import { from } => lifecycle.import_account(&issuer, from),
    }?;
    show(&report, screen);
    Ok(0)
}

fn show(report: &AccountReport, screen: &mut Screen) {
    if screen.form() == Form::Json {
        screen.json(report);
        return;
    }
    screen.line(&format!("{}: {} is {}", report.issuer, report.account, report.status));
    screen.detail(&format!("directory: {}", report.directory));
    screen.detail(&format!("key: {}", report.thumbprint));
    if !report.contact.is_empty() {
        screen.detail(&format!("contact: {}", report.contact.join(", ")));
    }
    if let Some(terms) = &report.terms {
        screen.detail(&format!("terms agreed to: {terms}"));
    }
}

/// The only ACME server that is configured.
fn only_one(config: &Config) -> Result<IssuerName, Error> {
    let servers = config.issuers.iter().filter(|(_, spec)| matches!(spec, IssuerSpec::Acme(_)));
    let names: Vec<&IssuerName> = servers.map(|(name, _)| name).collect();
    match names.as_slice() {
        [only] => Ok((*only).clone()),
        [] => Err(Error::new(ErrorKind::InvalidSpec, "no ACME server is configured")
            .hint("write a table `[issuer.NAME]` with `type = \"acme\"`")),
        several => {
            let names: Vec<&str> = several.iter().map(|name| name.as_str()).collect();
            Err(Error::new(ErrorKind::InvalidSpec, "there are several ACME servers")
                .hint(format!("name one of {} with `--issuer`", names.join(", "))))
        }
    }
}
