//! Secrets that must not be shown, in any of the spellings in which they get into a text by accident.

use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;

/// Enough of a secret that it does not stand in a text by chance.
const PART: usize = 12;

/// The bytes of a secret, in their spellings.
#[derive(Debug)]
pub(super) struct Secret {
    spellings: Vec<String>,
}

impl Secret {
    /// A token, a password: text that is secret as it is.
    fn text(text: &str) -> Self {
        Self { spellings: vec![text.to_owned()] }
    }

    /// A private key in PEM: its base64, line by line, and bytes from its secret side in hexadecimal and as a list of
    /// numbers.
    fn key(pem: &str, der: &[u8]) -> Self {
        let mut spellings: Vec<String> =
            pem.lines().filter(|line| !line.starts_with('-') && line.len() > PART).map(str::to_owned).collect();
        if let Some(part) = inner(der) {
            let hex = |upper: bool, between: &str| {
                let bytes = part.iter().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") });
                bytes.collect::<Vec<_>>().join(between)
            };
            spellings.extend([hex(false, ""), hex(true, ""), hex(false, ":"), hex(true, ":")]);
            spellings.push(part.iter().map(u8::to_string).collect::<Vec<_>>().join(", "));
        }
        Self { spellings }
    }

    /// Every private key in this PEM text, or the text itself when it is none.
    pub(super) fn all_in(secret: &[u8]) -> Vec<Self> {
        let text = String::from_utf8_lossy(secret);
        let keys: Vec<Self> = PrivateKeyDer::pem_slice_iter(secret)
            .filter_map(Result::ok)
            .map(|key| {
                let begin = text.find("PRIVATE KEY-----").unwrap_or(0);
                let end = text.rfind("PRIVATE KEY-----").unwrap_or(text.len());
                Self::key(text.get(begin..end).unwrap_or_default(), key.secret_der())
            })
            .collect();
        if keys.is_empty() && text.len() >= PART { vec![Self::text(&text)] } else { keys }
    }

    /// Whether it can be read in this text.
    pub(super) fn shows_in(&self, text: &str) -> bool {
        self.spellings.iter().any(|spelling| text.contains(spelling))
    }
}

/// Bytes of a key in PKCS#8 that are secret: of P-256, P-384 and Ed25519 these are in the middle of the secret number, of
/// RSA, which is longer, in its last coefficient. The beginning tells the kind of key, and the end of an EC key its public
/// side.
fn inner(der: &[u8]) -> Option<&[u8]> {
    let start = if der.len() > 300 { der.len() - 4 * PART } else { 3 * PART };
    der.get(start..start + PART)
}

/// Whether any of these secrets can be read in this text.
pub(super) fn shown(secrets: &[Vec<u8>], text: &str) -> bool {
    secrets.iter().flat_map(|secret| Secret::all_in(secret)).any(|secret| secret.shows_in(text))
}

#[cfg(test)]
mod tests {
    use certwright::{KeyAlgorithm, PrivateKey};

    use super::*;

    #[test]
    fn a_key_is_recognised_in_every_spelling_and_its_public_side_is_none() {
        for algorithm in
            [KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384, KeyAlgorithm::Ed25519, KeyAlgorithm::Rsa2048]
        {
            let key = PrivateKey::generate(algorithm).unwrap();
            let (pem, der) = (key.to_pem(), key.to_der());
            let secrets = [pem.expose().to_vec()];
            let text = String::from_utf8(pem.expose().to_vec()).unwrap();
            let hex: String = der.expose().iter().map(|byte| format!("{byte:02x}")).collect();
            for leak in [format!("{:?}", der.expose()), hex.clone(), hex.to_uppercase(), text] {
                assert!(shown(&secrets, &format!("a {leak} b")), "{algorithm:?}: {leak}");
            }
            for public in [format!("{key:?}"), format!("{:?}", key.public_key_der()), "PRIVATE KEY".to_owned()] {
                assert!(!shown(&secrets, &public), "{algorithm:?}: {public}");
            }
        }
    }

    #[test]
    fn a_token_is_recognised() {
        assert!(shown(&[b"a-one-time-token".to_vec()], "got a-one-time-token back"));
        assert!(!shown(&[b"a-one-time-token".to_vec()], "got nothing back"));
    }
}
