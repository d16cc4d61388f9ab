//! Keys and certificates as an authority issues them, made up for the occasion.

use std::time::Duration;

use certwright::{Chain, Clock as _, Csr, Identifier, KeyAlgorithm, PrivateKey, Result, Sans, SystemClock, Window};

use crate::ca::Ca;

const LIFETIME: Duration = Duration::from_secs(90 * 86_400);

/// An OCSPResponse of the status `unauthorized`, which needs no more (RFC 6960 §4.2.1).
pub(super) const OCSP: [u8; 5] = [0x30, 0x03, 0x0a, 0x01, 0x06];

/// What the hook deploys; PEM.
#[derive(Clone, Debug)]
pub(super) struct Material {
    pub(super) key: Vec<u8>,
    pub(super) leaf: Vec<u8>,
    pub(super) chain: Vec<u8>,
    pub(super) fullchain: Vec<u8>,
    pub(super) csr: Vec<u8>,
}

/// Two issuances for the same names, by the same authority.
pub(super) fn two(names: &[&str]) -> Result<[Material; 2]> {
    let ca = Ca::new(0, SystemClock.now())?;
    Ok([one(&ca, names)?, one(&ca, names)?])
}

fn one(ca: &Ca, names: &[&str]) -> Result<Material> {
    let now = SystemClock.now();
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    let names: Vec<Identifier> = names.iter().map(|name| name.parse()).collect::<Result<_>>()?;
    let window = Window::new(now.saturating_sub(Duration::from_secs(60)), now.saturating_add(LIFETIME));
    let leaf = ca.sign(key.public_key_der(), &names, window)?;
    let certificates = std::iter::once(leaf).chain(ca.intermediate(0).cloned()).collect();
    let chain = Chain::from_certificates(certificates)?;
    Ok(Material {
        key: key.to_pem().expose().to_vec(),
        leaf: chain.leaf_pem().into_bytes(),
        chain: chain.chain_pem().into_bytes(),
        fullchain: chain.fullchain_pem().into_bytes(),
        csr: Csr::new(&key, &Sans::new(names)?)?.pem().into_bytes(),
    })
}
