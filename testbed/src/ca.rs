//! The authority behind the server: roots, one intermediate key below all of them, and the leaves it signs.

use std::time::Duration;

use certwright::{Authority, Certificate, Identifier, KeyAlgorithm, PrivateKey, Result, Sans, Timestamp, Window};

const ORGANIZATION: &str = "certwright test bed";
const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// Wide enough for every certificate of the past and of the future that a test may want.
pub(crate) fn era(now: Timestamp) -> Window {
    Window::new(now.saturating_sub(10 * YEAR), now.saturating_add(100 * YEAR))
}

#[derive(Debug)]
pub(crate) struct Ca {
    /// The one of the intermediate.
    key: PrivateKey,
    roots: Vec<Certificate>,
    /// The certificate of the intermediate below each root.
    intermediates: Vec<Certificate>,
    issuing: Authority,
    /// For chains that lead nowhere.
    stranger: Certificate,
}

impl Ca {
    pub(crate) fn new(alternates: u8, now: Timestamp) -> Result<Self> {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
        Self::restore(key, Vec::new(), Vec::new(), alternates, now)
    }

    /// One with this key below these roots, and more roots when there are too few.
    pub(crate) fn restore(
        key: PrivateKey,
        mut roots: Vec<Certificate>,
        mut intermediates: Vec<Certificate>,
        alternates: u8,
        now: Timestamp,
    ) -> Result<Self> {
        for _ in roots.len()..=usize::from(alternates) {
            let root = root(now)?;
            intermediates.push(root.intermediate(&key, era(now))?);
            roots.push(root.certificate().clone());
        }
        let own = root(now)?.intermediate(&key, era(now))?;
        let issuing = Authority::load(intermediates.first().unwrap_or(&own).clone(), &key)?;
        let stranger = root(now)?.intermediate(&PrivateKey::generate(KeyAlgorithm::EcdsaP256)?, era(now))?;
        Ok(Self { key, roots, intermediates, issuing, stranger })
    }

    pub(crate) fn intermediates(&self) -> &[Certificate] {
        &self.intermediates
    }

    /// A leaf; the caller has looked at the request.
    pub(crate) fn sign(&self, public_key: &[u8], identifiers: &[Identifier], window: Window) -> Result<Certificate> {
        self.issuing.sign_leaf(public_key, &Sans::new(identifiers.to_vec())?, window)
    }

    /// The key that everything but the roots and the intermediates is signed with.
    pub(crate) const fn key(&self) -> &PrivateKey {
        &self.key
    }

    pub(crate) fn roots(&self) -> &[Certificate] {
        &self.roots
    }

    /// The intermediate below a root.
    pub(crate) fn intermediate(&self, root: usize) -> Option<&Certificate> {
        self.intermediates.get(root)
    }

    pub(crate) const fn stranger(&self) -> &Certificate {
        &self.stranger
    }
}

fn root(now: Timestamp) -> Result<Authority> {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    Authority::load(Authority::root(&key, ORGANIZATION, &[], era(now))?, &key)
}

#[cfg(test)]
mod tests {
    use certwright::{Chain, Clock, Roots, SystemClock};

    use super::*;

    #[test]
    fn one_leaf_has_a_chain_to_every_root_and_to_no_other() {
        let now = SystemClock.now();
        let ca = Ca::new(2, now).unwrap();
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let names = ["a.example".parse().unwrap()];
        let leaf = ca.sign(key.public_key_der(), &names, Window::new(now, now.saturating_add(YEAR))).unwrap();
        for (number, root) in ca.roots().iter().enumerate() {
            let chain = Chain::from_certificates(vec![leaf.clone(), ca.intermediate(number).unwrap().clone()]).unwrap();
            Roots::from_pem(root.pem().as_bytes()).unwrap().check(&chain, now).unwrap();
            for other in ca.roots().iter().filter(|other| other.pem() != root.pem()) {
                assert!(Roots::from_pem(other.pem().as_bytes()).unwrap().check(&chain, now).is_err());
            }
        }
        assert!(ca.intermediate(3).is_none());
    }
}
