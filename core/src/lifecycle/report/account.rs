//! `account` and `revoke`: what an authority was asked about an account or a certificate.

use serde::Serialize;

use super::REPORT_VERSION;
use crate::ground::id::{GenerationId, IssuerName, LineageName};
use crate::issue::issuer::RevocationReason;
use crate::pki::leaf::Certificate;

/// `account`: an account at an ACME server.
#[cfg(feature = "acme")]
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct AccountReport {
    /// The version of this shape.
    pub version: u32,
    /// What was done: `show`, `rollover`, `deactivate`, `import`.
    pub verb: String,
    /// The issuer.
    pub issuer: String,
    /// The URL of the directory.
    pub directory: String,
    /// The account's URL.
    pub account: String,
    /// The status by the authority: `valid`, `deactivated`, `revoked`.
    pub status: String,
    /// The contacts that the authority has.
    pub contact: Vec<String>,
    /// The thumbprint of the account's key (RFC 7638).
    pub thumbprint: String,
    /// The terms of service that were agreed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<String>,
}

#[cfg(feature = "acme")]
impl AccountReport {
    pub(crate) fn new(issuer: &IssuerName, verb: &str, account: crate::issue::acme::AcmeAccount) -> Self {
        Self {
            version: REPORT_VERSION,
            verb: verb.to_owned(),
            issuer: issuer.to_string(),
            directory: account.directory,
            account: account.url,
            status: account.status,
            contact: account.contact,
            thumbprint: account.thumbprint,
            terms: account.terms,
        }
    }
}

/// `revoke`: a certificate that was declared invalid.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct RevokeReport {
    /// The version of this shape.
    pub version: u32,
    /// The lineage.
    pub lineage: String,
    /// The generation, which stays active until another one is issued.
    pub generation: String,
    /// The issuer that was asked.
    pub issuer: String,
    /// The serial number of the leaf, in hexadecimal digits.
    pub serial: String,
    /// The SHA-256 of the leaf.
    pub fingerprint: String,
    /// The number of the reason (RFC 5280 §5.3.1).
    pub reason: u8,
}

impl RevokeReport {
    pub(crate) fn new(
        lineage: &LineageName,
        generation: GenerationId,
        issuer: &IssuerName,
        leaf: &Certificate,
        reason: RevocationReason,
    ) -> Self {
        Self {
            version: REPORT_VERSION,
            lineage: lineage.to_string(),
            generation: generation.to_string(),
            issuer: issuer.to_string(),
            serial: leaf.serial(),
            fingerprint: leaf.fingerprint().to_string(),
            reason: reason.number(),
        }
    }
}
