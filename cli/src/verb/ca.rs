//! `certwright ca`.

use std::sync::Arc;

use certwright::{Error, ErrorKind, IssuerName, IssuerSpec, LocalCa, OsFilesystem, SystemClock};

use crate::args::{Ca, CaVerb, Shared};
use crate::failure::{Done, Failure};
use crate::load;
use crate::screen::Screen;
use crate::signals::Signals;

pub(crate) fn run(shared: &Shared, these: &Ca, screen: &mut Screen) -> Done {
    let CaVerb::Export { issuer } = &these.verb;
    let config = load::config(shared)?;
    let local = config.issuers.iter().filter_map(|(name, spec)| match spec {
        IssuerSpec::Local(wish) => Some((name, wish)),
        _ => None,
    });
    let found: Vec<_> = local.filter(|(name, _)| issuer.as_ref().is_none_or(|wanted| wanted == *name)).collect();
    let [(name, wish)] = found.as_slice() else { return Err(Failure::Usage(not_one(issuer.as_ref(), &found))) };
    let (fs, clock) = (Arc::new(OsFilesystem::new()), Arc::new(SystemClock));
    let ca = LocalCa::new((*name).clone(), (*wish).clone(), fs, &config.root, clock);
    let signals = Signals::watch()?;
    screen.text(&ca.root_pem(&signals.cancel())?);
    Ok(0)
}

fn not_one<T>(issuer: Option<&IssuerName>, found: &[(&IssuerName, T)]) -> Error {
    let names: Vec<String> = found.iter().map(|(name, _)| name.to_string()).collect();
    match issuer {
        Some(name) => Error::new(ErrorKind::InvalidSpec, "there is no embedded CA of this name")
            .context("issuer", name)
            .hint("name an issuer of `type = \"local\"`"),
        None if names.is_empty() => Error::new(ErrorKind::InvalidSpec, "no embedded CA is configured")
            .hint("write a table `[issuer.NAME]` with `type = \"local\"`"),
        None => Error::new(ErrorKind::InvalidSpec, "there are several embedded CAs")
            .hint(format!("name one of {}", names.join(", "))),
    }
}
