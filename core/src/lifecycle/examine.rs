//! Whether an issuer can be used: what it says of itself, and a certificate for a throw-away name.

use super::Lifecycle;
use super::report::IssuerReport;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::ground::id::IssuerName;
use crate::ground::name::{DnsName, Identifier, Sans};
use crate::issue::issuer::{Examined, Request};
use crate::pki::check::Requirements;
use crate::pki::key::{KeyAlgorithm, PrivateKey};
use crate::pki::material::Material;
use crate::plan::spec::IssuerSpec;

/// What is ordered when an issuer is tested.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Trial {
    /// A certificate for a throw-away name where that costs nothing: the embedded CA and step-ca, not an ACME server.
    #[default]
    Usual,
    /// A certificate for this name, wherever it is.
    Name(DnsName),
    /// Nothing.
    Nothing,
}

impl Lifecycle {
    /// Look whether an issuer can be used: can it be reached and trusted, does it know what it is convinced with, is the time
    /// the same there, does it issue. One finding for each; what the first one makes impossible is not looked at.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is no issuer of this name. What is wrong with the issuer is in the report.
    ///
    /// # Effects
    ///
    /// Those of [`Issuer::examine`](crate::Issuer::examine) and, for the certificate, of
    /// [`Issuer::issue`](crate::Issuer::issue). The certificate and its key are thrown away.
    pub fn test_issuer(&self, name: &IssuerName, trial: &Trial) -> Result<IssuerReport> {
        let issuer = self.issuers.get(name).ok_or_else(|| {
            let names: Vec<&str> = self.issuers.keys().map(IssuerName::as_str).collect();
            Error::new(ErrorKind::NotFound, "there is no issuer of this name")
                .context("issuer", name)
                .context("configured", Public(&names.join(", ")))
                .hint("name one that is configured")
        })?;
        let mut found = issuer.examine(&self.tools.cancel);
        if found.iter().all(|one| one.found.is_ok())
            && let Some(throw_away) = self.throw_away(name, trial)?
        {
            let issued = self.issue_for_nothing(name, &throw_away);
            found.push(Examined::new("certificate", issued));
        }
        Ok(IssuerReport::new(name, found))
    }

    fn throw_away(&self, name: &IssuerName, trial: &Trial) -> Result<Option<Identifier>> {
        let below = |above: &str| format!("certwright-test.{above}").parse::<Identifier>();
        Ok(match (trial, self.config.issuers.get(name)) {
            (Trial::Name(wished), _) => Some(Identifier::Dns(wished.clone())),
            (Trial::Usual, Some(IssuerSpec::Local(wish))) => {
                Some(below(wish.permitted.first().map_or("invalid", DnsName::as_str))?)
            }
            // A token from outside is for the names in it, and for one certificate.
            (Trial::Usual, Some(IssuerSpec::StepCa(wish))) => match &wish.credential {
                Some(crate::plan::spec::StepCredential::Token(_)) | None => None,
                Some(_) => Some(below("invalid")?),
            },
            _ => None,
        })
    }

    fn issue_for_nothing(&self, name: &IssuerName, identifier: &Identifier) -> Result<String> {
        let issuer = self.issuers.get(name).ok_or_else(|| Error::new(ErrorKind::Bug, "an issuer is gone"))?;
        let (lineage, names) = ("certwright-test".parse()?, Sans::new(vec![identifier.clone()])?);
        let key = PrivateKey::generate(KeyAlgorithm::default())?;
        let issued = issuer.issue(&Request::new(&lineage, &names, &key), &self.tools.cancel)?;
        let material = Material::new(issued.key.unwrap_or(key), issued.chain)?;
        // Judged as what a lineage would get, at the authority's time: the clock has a finding of its own.
        let now = issued.authority_time.unwrap_or_else(|| self.tools.clock.now());
        Requirements::new(&names, now).check(&material)?;
        let window = material.chain().leaf().window();
        Ok(format!("for `{identifier}`, valid from {} until {}", window.start, window.end))
    }
}
