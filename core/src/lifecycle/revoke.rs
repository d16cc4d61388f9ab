//! `revoke`: declare the certificate that is active invalid.

use super::Lifecycle;
use super::report::RevokeReport;
use crate::ground::error::{Error, ErrorKind, Result};
use crate::ground::id::LineageName;
use crate::issue::issuer::{Held, RevocationReason};
use crate::pki::chain::Chain;
use crate::pki::key::PrivateKey;
use crate::pki::material::Material;
use crate::place::lineage::Current;
use crate::place::store::Store;
use crate::plan::spec::Form;

impl Lifecycle {
    /// Ask the issuer of the active certificate to declare it invalid (RFC 5280 §5.3.1). Nothing changes on this machine: the
    /// certificate is served until another one takes its place.
    ///
    /// # Errors
    ///
    /// `NotFound` when the lineage is not configured, nothing is active, or the issuer that issued it is not configured any
    /// more; `Unsupported` when the issuer cannot revoke; what the authority says.
    ///
    /// # Effects
    ///
    /// Network; reads the disk.
    pub fn revoke(&self, lineage: &LineageName, reason: RevocationReason) -> Result<RevokeReport> {
        let spec = self.config.lineage(lineage)?;
        let nothing = || Error::new(ErrorKind::NotFound, "no certificate is active here").context("lineage", lineage);
        let store = Store::open(&self.tools.fs, &self.config.root)?.ok_or_else(nothing)?;
        let directory = store.lineage(lineage)?.ok_or_else(nothing)?;
        let Current::Generation(id) = directory.current()? else { return Err(nothing()) };
        let node = directory.generation(id)?.ok_or_else(nothing)?;
        let damaged = |why: String| {
            Error::new(ErrorKind::Unfit, "the active generation cannot be read")
                .context("lineage", lineage)
                .context("generation", id)
                .source(why)
        };
        let manifest = directory.manifest(&node, id)?.map_err(damaged)?;
        let name = Form::Fullchain.file_name();
        let pem = directory.read(&node, name)?.ok_or_else(|| damaged(format!("{name} is not there")))?;
        let chain = Chain::from_pem(&pem)?;
        let issuer = manifest.issuer.as_ref().or_else(|| spec.issuers.first()).and_then(|name| self.issuers.get(name));
        let issuer = issuer.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "the issuer of this certificate is not configured")
                .context("lineage", lineage)
                .context("certificate", chain.leaf().fingerprint())
                .hint("configure the issuer that issued it, or revoke it with the client that obtained it")
        })?;
        // The key is proof enough for some authorities; one that cannot be read is no reason not to ask.
        let key = directory.read(&node, Form::Key.file_name()).ok().flatten().map(zeroize::Zeroizing::new);
        let held = key.and_then(|key| Material::new(PrivateKey::from_pem(&key).ok()?, chain.clone()).ok());
        let revoked = match &held {
            Some(material) => issuer.revoke_held(Held::new(material), reason, &self.tools.cancel),
            None => issuer.revoke(chain.leaf(), reason, &self.tools.cancel),
        };
        revoked.map_err(|error| error.context("lineage", lineage).context("generation", id))?;
        Ok(RevokeReport::new(lineage, id, issuer.id(), chain.leaf(), reason))
    }
}
