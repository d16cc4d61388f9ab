//! The roots of the stand-in, its own TLS below them, and what it has issued.

use std::collections::{BTreeMap, BTreeSet};

use certwright::{
    Authority, Certificate, Chain, Identifier, KeyAlgorithm, Material, PrivateKey, Result, Sans, Timestamp, Window,
};

use crate::ca::era;

#[derive(Debug)]
pub(super) struct Ca {
    /// The newest first.
    pub(super) roots: Vec<Certificate>,
    intermediate: Certificate,
    issuing: Authority,
    /// By the serial number in hexadecimal digits: the leaf, and how long it was to live.
    pub(super) issued: BTreeMap<String, Certificate>,
    pub(super) revoked: BTreeSet<String>,
}

impl Ca {
    pub(super) fn new(now: Timestamp) -> Result<Self> {
        let (root, intermediate, issuing) = family(now)?;
        let (issued, revoked) = (BTreeMap::new(), BTreeSet::new());
        Ok(Self { roots: vec![root], intermediate, issuing, issued, revoked })
    }

    /// Another root, beside the old ones or in their place.
    pub(super) fn rotate(&mut self, beside: bool, now: Timestamp) -> Result<()> {
        let (root, intermediate, issuing) = family(now)?;
        if !beside {
            self.roots.clear();
        }
        self.roots.insert(0, root);
        (self.intermediate, self.issuing) = (intermediate, issuing);
        Ok(())
    }

    pub(super) fn sign(&mut self, public_key: &[u8], names: &[Identifier], window: Window) -> Result<Vec<String>> {
        let leaf = self.issuing.sign_leaf(public_key, &Sans::new(names.to_vec())?, window)?;
        let chain = vec![leaf.pem(), self.intermediate.pem()];
        self.issued.insert(leaf.serial(), leaf);
        Ok(chain)
    }

    /// Key and chain for the TLS of the server itself.
    pub(super) fn tls(&self, names: &Sans, now: Timestamp) -> Result<Material> {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
        let minute = std::time::Duration::from_secs(60);
        let window = Window::new(now.saturating_sub(minute), now.saturating_add(1_440 * minute));
        let leaf = self.issuing.sign_leaf(key.public_key_der(), names, window)?;
        Material::new(key, Chain::from_certificates(vec![leaf, self.intermediate.clone()])?)
    }
}

fn family(now: Timestamp) -> Result<(Certificate, Certificate, Authority)> {
    let (root_key, key) =
        (PrivateKey::generate(KeyAlgorithm::EcdsaP256)?, PrivateKey::generate(KeyAlgorithm::EcdsaP256)?);
    let root = Authority::load(Authority::root(&root_key, "certwright test bed", &[], era(now))?, &root_key)?;
    let intermediate = root.intermediate(&key, era(now))?;
    let issuing = Authority::load(intermediate.clone(), &key)?;
    Ok((root.certificate().clone(), intermediate, issuing))
}
