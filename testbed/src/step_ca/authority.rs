//! The roots of the stand-in, its own TLS below them, and what it has issued.

use std::collections::{BTreeMap, BTreeSet};

use certwright::{
    Authority, Certificate, Chain, Identifier, KeyAlgorithm, Material, PrivateKey, Result, Sans, Timestamp, Window,
};

use crate::ca::era;

#[derive(Debug)]
pub(super) struct Ca {
    /// The newest last.
    pub(super) roots: Vec<Certificate>,
    intermediate: Certificate,
    issuing: Authority,
    /// Below the root that was announced.
    next: Option<(Certificate, Authority)>,
    /// By the serial number in hexadecimal digits.
    pub(super) issued: BTreeMap<String, Certificate>,
    pub(super) revoked: BTreeSet<String>,
}

impl Ca {
    pub(super) fn new(now: Timestamp) -> Result<Self> {
        let (root, intermediate, issuing) = family(now)?;
        let (issued, revoked) = (BTreeMap::new(), BTreeSet::new());
        Ok(Self { roots: vec![root], intermediate, issuing, next: None, issued, revoked })
    }

    /// A new root is listed beside the old one, which is in use still.
    pub(super) fn announce(&mut self, now: Timestamp) -> Result<()> {
        let (root, intermediate, issuing) = family(now)?;
        self.roots.push(root);
        self.next = Some((intermediate, issuing));
        Ok(())
    }

    /// The root that was announced is in use from now on.
    pub(super) fn switch(&mut self) {
        if let Some((intermediate, issuing)) = self.next.take() {
            (self.intermediate, self.issuing) = (intermediate, issuing);
        }
    }

    /// The newest root alone is listed.
    pub(super) fn retire(&mut self) {
        let older = self.roots.len().saturating_sub(1);
        self.roots.drain(..older);
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
