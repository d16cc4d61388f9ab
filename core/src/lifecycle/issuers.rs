//! The issuers that a configuration names, made ready without touching anything.

use std::path::Path;
use std::sync::Arc;

use crate::deploy::attempt::Tools;
#[cfg(feature = "acme")]
use crate::ground::error::Public;
use crate::ground::error::{Error, ErrorKind, Result};
use crate::ground::id::IssuerName;
#[cfg(feature = "acme")]
use crate::issue::acme::AcmeClient;
use crate::issue::issuer::Issuer;
use crate::issue::local::LocalCa;
#[cfg(feature = "acme")]
use crate::issue::solve::solver;
use crate::issue::solver::Solver;
#[cfg(feature = "step-ca")]
use crate::issue::step_ca::StepCaClient;
#[cfg(feature = "acme")]
use crate::plan::spec::AcmeIssuer;
use crate::plan::spec::IssuerSpec;

/// The issuer of this wish. Whoever puts it together may bring solvers of its `own`.
pub(super) fn configured(
    name: &IssuerName,
    spec: &IssuerSpec,
    own: &[Arc<dyn Solver>],
    root: &Path,
    tools: &Tools,
) -> Result<Arc<dyn Issuer>> {
    Ok(match spec {
        IssuerSpec::Local(local) => {
            Arc::new(LocalCa::new(name.clone(), local.clone(), tools.fs.clone(), root, tools.clock.clone()))
        }
        #[cfg(feature = "acme")]
        IssuerSpec::Acme(wish) if wish.solvers.is_empty() && own.is_empty() => {
            return Err(Error::new(ErrorKind::InvalidSpec, "nobody answers the challenges of this issuer")
                .context("issuer", name)
                .hint("write `solver = { type = \"http-01\", listen = \"[::]:80\" }`, or bring `Builder::solver`"));
        }
        #[cfg(feature = "acme")]
        IssuerSpec::Acme(wish) => Arc::new(acme(name, wish, own, root, tools)?),
        #[cfg(feature = "step-ca")]
        IssuerSpec::StepCa(wish) => {
            let wish = wish.as_ref().clone();
            Arc::new(StepCaClient::new(name.clone(), wish, tools.fs.clone(), root, tools.clock.clone()))
        }
        #[cfg(not(feature = "step-ca"))]
        IssuerSpec::StepCa(_) => {
            return Err(Error::new(ErrorKind::Unsupported, "this build has no client of step-ca")
                .context("issuer", name)
                .hint("build with the feature `step-ca`"));
        }
        #[cfg(not(feature = "acme"))]
        IssuerSpec::Acme(_) => {
            let _ = own;
            return Err(Error::new(ErrorKind::Unsupported, "this build has no ACME client")
                .context("issuer", name)
                .hint("build with the feature `acme`"));
        }
    })
}

/// The ACME server of this wish.
#[cfg(feature = "acme")]
pub(super) fn acme(
    name: &IssuerName,
    wish: &AcmeIssuer,
    own: &[Arc<dyn Solver>],
    root: &Path,
    tools: &Tools,
) -> Result<AcmeClient> {
    let configured = wish.solvers.iter().map(|spec| solver(spec, tools.fs.clone(), tools.clock.clone()));
    let solvers = own.iter().cloned().map(Ok).chain(configured);
    let solvers = solvers.collect::<Result<_>>().map_err(|error| error.context("issuer", name))?;
    Ok(AcmeClient::new(name.clone(), wish.clone(), solvers, tools.fs.clone(), root, tools.clock.clone()))
}

/// The ACME server among the configured issuers that has this name.
///
/// # Errors
///
/// `NotFound` when there is no issuer of this name, `Unsupported` when it is none with an account.
#[cfg(feature = "acme")]
pub(super) fn acme_named(name: &IssuerName, config: &crate::plan::spec::Config, tools: &Tools) -> Result<AcmeClient> {
    match config.issuers.get(name) {
        Some(IssuerSpec::Acme(wish)) => acme(name, wish, &[], &config.root, tools),
        Some(_) => Err(Error::new(ErrorKind::Unsupported, "this issuer has no accounts")
            .context("issuer", name)
            .hint("name an issuer of `type = \"acme\"`")),
        None => {
            let names: Vec<&str> = config.issuers.keys().map(IssuerName::as_str).collect();
            Err(Error::new(ErrorKind::NotFound, "there is no issuer of this name")
                .context("issuer", name)
                .context("configured", Public(&names.join(", ")))
                .hint("name one that is configured"))
        }
    }
}
