//! Those who answer challenges: by a file, by listeners of our own, by DNS, by a command of another client.

#[cfg(feature = "acme")]
mod command;
mod desk;
#[cfg(feature = "acme")]
mod dns;
#[cfg(feature = "acme")]
mod dns01;
#[cfg(feature = "acme")]
mod dns_persist01;
mod http01;
mod listener;
#[cfg(test)]
mod tests;
mod tls_alpn01;
#[cfg(feature = "acme")]
mod updates;
#[cfg(feature = "acme")]
mod value;

use std::sync::Arc;

use super::solver::{Challenge, Solver};
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::ground::time::Clock;
use crate::place::filesystem::Filesystem;
use crate::place::webroot::Webroot;
use crate::plan::spec::{ChallengeKind, SolverSpec};

/// Whoever answers challenges as wished. Nothing is connected to, listened on or run before there is one to answer.
///
/// Listeners are shared by everything in this process that answers at the same address.
///
/// # Effects
///
/// Disk: reads the secret of a TSIG key.
///
/// # Errors
///
/// [`ErrorKind::NotFound`], [`ErrorKind::Permission`] and [`ErrorKind::InvalidSpec`] when what the wish names cannot be used.
pub fn solver(spec: &SolverSpec, fs: Arc<dyn Filesystem>, clock: Arc<dyn Clock>) -> Result<Arc<dyn Solver>> {
    Ok(match spec {
        SolverSpec::HttpWebroot(root) => Arc::new(http01::ByWebroot::new(Webroot::new(fs, root.clone()))),
        SolverSpec::HttpListener(address) => Arc::new(http01::ByListener::at(*address)),
        SolverSpec::TlsAlpnListener(address) => Arc::new(tls_alpn01::ByListener::at(*address, clock)),
        #[cfg(feature = "acme")]
        SolverSpec::Rfc2136(wish) => Arc::new(dns01::ByUpdate::new(wish.clone(), fs, clock)),
        #[cfg(feature = "acme")]
        SolverSpec::DnsPersist(wish) => Arc::new(dns_persist01::ByLastingUpdate::new(wish.clone(), fs, clock)),
        #[cfg(feature = "acme")]
        SolverSpec::Command(wish) => Arc::new(command::ByCommand::new(wish.clone(), fs, clock)?),
        #[cfg(not(feature = "acme"))]
        SolverSpec::Rfc2136(_) | SolverSpec::DnsPersist(_) | SolverSpec::Command(_) => {
            return Err(Error::new(ErrorKind::Unsupported, "this solver is not in this build")
                .hint("build with the feature `acme`"));
        }
    })
}

/// Refuse a challenge that this solver does not answer.
fn expect_kind(kinds: &[ChallengeKind], challenge: &Challenge) -> Result<()> {
    if kinds.contains(&challenge.kind()) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Unsupported, "this solver does not answer challenges of this kind")
        .context("identifier", challenge.identifier())
        .context("challenge", Public(challenge.kind().word()))
        .hint("name a solver that does in the issuer's `solver` list"))
}
