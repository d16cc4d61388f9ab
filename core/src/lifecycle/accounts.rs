//! The account at an ACME server: shown, given another key, given up, taken over from another client.

use std::path::Path;

use super::Lifecycle;
use super::issuers::acme_named;
use super::report::AccountReport;
use crate::ground::error::Result;
use crate::ground::id::IssuerName;

impl Lifecycle {
    /// The account of an issuer of type `acme`, as it is kept here and as the authority has it.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is no issuer of this name or no account yet, `Unsupported` for an issuer without accounts,
    /// and what the authority says.
    ///
    /// # Effects
    ///
    /// Network; reads the disk.
    pub fn account(&self, issuer: &IssuerName) -> Result<AccountReport> {
        let account = acme_named(issuer, &self.config, &self.tools)?.account(&self.tools.cancel)?;
        Ok(AccountReport::new(issuer, "show", account))
    }

    /// Give the account a fresh key (RFC 8555 §7.3.5).
    ///
    /// # Errors
    ///
    /// As [`account`](Self::account). Until the authority has agreed, the old key goes on.
    ///
    /// # Effects
    ///
    /// Network and disk.
    pub fn roll_over_account(&self, issuer: &IssuerName) -> Result<AccountReport> {
        let account = acme_named(issuer, &self.config, &self.tools)?.roll_over(&self.tools.cancel)?;
        Ok(AccountReport::new(issuer, "rollover", account))
    }

    /// Give the account up for good (RFC 8555 §7.3.6). Certificates stay valid, and nothing is ordered any more.
    ///
    /// # Errors
    ///
    /// As [`account`](Self::account).
    ///
    /// # Effects
    ///
    /// Network and disk.
    pub fn deactivate_account(&self, issuer: &IssuerName) -> Result<AccountReport> {
        let account = acme_named(issuer, &self.config, &self.tools)?.deactivate(&self.tools.cancel)?;
        Ok(AccountReport::new(issuer, "deactivate", account))
    }

    /// Take over the account of certbot, lego, dehydrated or acme.sh, whose directory (or key file) is `from`. A key that is
    /// not on P-256 is replaced by one that is, so that the other client cannot use the account any more.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is no key, `Conflict` when this issuer has an account already, `Refused` when the authority
    /// knows no account with this key; otherwise as [`account`](Self::account).
    ///
    /// # Effects
    ///
    /// Network and disk.
    pub fn import_account(&self, issuer: &IssuerName, from: &Path) -> Result<AccountReport> {
        let account = acme_named(issuer, &self.config, &self.tools)?.import(from, &self.tools.cancel)?;
        Ok(AccountReport::new(issuer, "import", account))
    }
}
