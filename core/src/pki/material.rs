//! What is deployed: a key and the chain that belongs to it.

use zeroize::Zeroizing;

use super::chain::Chain;
use super::key::PrivateKey;
use crate::ground::error::{Error, ErrorKind, Result};
use crate::ground::secret::SecretBytes;

/// A private key and the chain whose leaf was issued for it. There is none whose key and leaf do not belong together.
///
/// # Examples
///
/// ```no_run
/// use certwright::{Chain, Material, PrivateKey};
///
/// # fn main() -> certwright::Result<()> {
/// # let (key, fullchain) = ([], []);
/// let material = Material::new(PrivateKey::from_pem(&key)?, Chain::from_pem(&fullchain)?)?;
/// let haproxy = material.bundle_pem();
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Material {
    key: PrivateKey,
    chain: Chain,
}

impl Material {
    /// Bring key and chain together.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unfit`] when the leaf was issued for another key.
    pub fn new(key: PrivateKey, chain: Chain) -> Result<Self> {
        if key.public_key_der() != chain.leaf().spki_der() {
            return Err(Error::new(ErrorKind::Unfit, "the private key does not belong to the certificate")
                .context("key", key.fingerprint())
                .context("certificate_key", chain.leaf().key_fingerprint())
                .hint("bring the key that the certificate was requested with, or request a new certificate"));
        }
        Ok(Self { key, chain })
    }

    /// The private key.
    pub fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// Leaf and intermediates.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Key, leaf and intermediates in one PEM text, in this order.
    pub fn bundle_pem(&self) -> SecretBytes {
        let key = self.key.to_pem();
        let chain = self.chain.fullchain_pem();
        // The size is known, so that no copy of the key is left behind by a reallocation.
        let mut text = Zeroizing::new(Vec::with_capacity(key.expose().len() + chain.len()));
        text.extend_from_slice(key.expose());
        text.extend_from_slice(chain.as_bytes());
        SecretBytes::from(text)
    }
}
