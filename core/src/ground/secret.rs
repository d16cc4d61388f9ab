//! Bytes that are wiped when dropped and never shown.

use std::fmt;

use zeroize::Zeroizing;

/// Secret bytes: wiped on drop, silent in `Debug`, compared in constant time by nobody (they are never compared).
///
/// # Examples
///
/// ```
/// use certwright::SecretBytes;
///
/// let key = SecretBytes::from(b"very secret".to_vec());
/// assert_eq!(format!("{key:?}"), "SecretBytes(..)");
/// assert_eq!(key.expose().len(), 11);
/// ```
#[derive(Clone)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// The bytes themselves. The name is long on purpose: a reader of the code should notice each use.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl From<Zeroizing<Vec<u8>>> for SecretBytes {
    fn from(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(..)")
    }
}
