//! Private keys: made, read in the three usual encodings, written in one, wiped when dropped.

use std::fmt;

use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair};
use zeroize::Zeroizing;

pub use super::algorithm::KeyAlgorithm;
use super::digest::sha256;
use super::key_form::KeyForm;
use super::sign::Signer;
use super::{key_form, pem};
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::ground::id::Fingerprint;
use crate::ground::secret::SecretBytes;

/// More than any key that is accepted; what is longer is not read.
const MAX_INPUT: usize = 64 * 1024;

/// A private key that signs TLS handshakes and certificate requests.
///
/// Whatever encoding it came in, it is held as PKCS#8 in memory that is wiped when dropped, its private part was found to
/// match its public part, and `Debug` shows the public part alone.
///
/// # Examples
///
/// ```
/// use certwright::{KeyAlgorithm, PrivateKey};
///
/// let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
/// let again = PrivateKey::from_pem(key.to_pem().expose())?;
/// assert_eq!(again.fingerprint(), key.fingerprint());
/// # Ok::<(), certwright::Error>(())
/// ```
#[derive(Clone)]
pub struct PrivateKey(KeyForm);

impl PrivateKey {
    /// A fresh key from the operating system's random numbers.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] for RSA when the feature `rsa-keys` is off; [`ErrorKind::Io`] when the operating system
    /// has no random numbers.
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self> {
        let no_randomness = || Error::new(ErrorKind::Io, "the operating system gave no random numbers");
        let random = SystemRandom::new();
        let curve = match algorithm {
            KeyAlgorithm::EcdsaP256 => &ECDSA_P256_SHA256_ASN1_SIGNING,
            KeyAlgorithm::EcdsaP384 => &ECDSA_P384_SHA384_ASN1_SIGNING,
            KeyAlgorithm::Ed25519 => {
                let mut seed = Zeroizing::new([0; 32]);
                random.fill(&mut *seed).map_err(|_| no_randomness())?;
                return key_form::from_ed25519_seed(&*seed).map(Self);
            }
            KeyAlgorithm::Rsa2048 => return generate_rsa(2048),
            KeyAlgorithm::Rsa3072 => return generate_rsa(3072),
            KeyAlgorithm::Rsa4096 => return generate_rsa(4096),
        };
        let document = EcdsaKeyPair::generate_pkcs8(curve, &random).map_err(|_| no_randomness())?;
        // What the generator wrote is consistent: reading it costs no arithmetic on the curve.
        key_form::read(document.as_ref()).map(Self)
    }

    /// From a PEM file that holds one private key: PKCS#8 (`PRIVATE KEY`), SEC 1 (`EC PRIVATE KEY`, RFC 5915) or PKCS#1
    /// (`RSA PRIVATE KEY`, RFC 8017). Certificates, curve parameters and text beside it are ignored.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unfit`] when there is no key, more than one, an encrypted or a damaged one, or its private part does
    /// not match its public part; [`ErrorKind::Unsupported`] for algorithms and sizes other than [`KeyAlgorithm`] has.
    pub fn from_pem(text: &[u8]) -> Result<Self> {
        check_size(text)?;
        let sections = pem::sections(text)?;
        let mut keys = sections.iter().filter(|section| section.label.ends_with("PRIVATE KEY"));
        let section = keys.next().ok_or_else(|| pem::nothing_found(text, "a private key"))?;
        if keys.next().is_some() {
            return Err(Error::new(ErrorKind::Unfit, "there is more than one private key")
                .hint("leave the one key that belongs to the certificate"));
        }
        if section.label.starts_with("ENCRYPTED") || section.has_encryption_header() {
            return Err(Error::new(ErrorKind::Unfit, "the private key is encrypted with a pass phrase").hint(
                "decrypt it with `openssl pkey -in ENCRYPTED -out KEY`, into a directory that nobody else can read",
            ));
        }
        Self::from_section(section)
    }

    /// From one PEM section that is not encrypted.
    pub(super) fn from_section(section: &pem::Section<'_>) -> Result<Self> {
        match section.label {
            "PRIVATE KEY" | "EC PRIVATE KEY" | "RSA PRIVATE KEY" => Self::from_der(&section.decode()?),
            other => Err(Error::new(ErrorKind::Unsupported, "this kind of private key cannot be used for TLS here")
                .context("section", Public(other))
                .hint("convert it with `openssl pkey -in KEY -out PKCS8`, or make a key of another kind")),
        }
    }

    /// From one DER object in any of the encodings of [`PrivateKey::from_pem`].
    ///
    /// # Errors
    ///
    /// As [`PrivateKey::from_pem`].
    pub fn from_der(bytes: &[u8]) -> Result<Self> {
        check_size(bytes)?;
        let key = Self(key_form::read(bytes)?);
        // Loading is what compares the private with the public part.
        key.signer()?;
        Ok(key)
    }

    /// The key in PEM, as PKCS#8 (`PRIVATE KEY`, RFC 5208), 64 columns, LF.
    pub fn to_pem(&self) -> SecretBytes {
        let mut text = pem::encode("PRIVATE KEY", &self.0.pkcs8);
        SecretBytes::from(std::mem::take(&mut *text).into_bytes())
    }

    /// The key in DER, as PKCS#8 (RFC 5208).
    pub fn to_der(&self) -> SecretBytes {
        SecretBytes::from(self.0.pkcs8.clone())
    }

    /// Its algorithm and size.
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.0.algorithm
    }

    /// The public part: DER of its SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).
    pub fn public_key_der(&self) -> &[u8] {
        &self.0.spki
    }

    /// The SHA-256 of [`PrivateKey::public_key_der`].
    pub fn fingerprint(&self) -> Fingerprint {
        sha256(&self.0.spki)
    }

    /// The key ready to sign. Whoever signs often keeps it.
    pub(super) fn signer(&self) -> Result<Signer> {
        Signer::load(self.0.algorithm, &self.0.pkcs8)
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("algorithm", &self.0.algorithm)
            .field("fingerprint", &self.fingerprint())
            .finish_non_exhaustive()
    }
}

fn check_size(bytes: &[u8]) -> Result<()> {
    if bytes.len() > MAX_INPUT {
        return Err(Error::new(ErrorKind::Unfit, "this is too large for a private key")
            .context("bytes", bytes.len())
            .hint("name the file that holds the key alone"));
    }
    Ok(())
}

#[cfg(not(feature = "rsa-keys"))]
fn generate_rsa(_bits: usize) -> Result<PrivateKey> {
    Err(Error::new(ErrorKind::Unsupported, "this build cannot make RSA keys")
        .hint("build with the feature `rsa-keys`, or use `ecdsa-p256`"))
}

/// The `rsa` crate makes the numbers, and nothing else: ring checks, loads and signs.
#[cfg(feature = "rsa-keys")]
fn generate_rsa(bits: usize) -> Result<PrivateKey> {
    use rsa::pkcs1::EncodeRsaPrivateKey;

    let failed = || Error::new(ErrorKind::Bug, "an RSA key could not be made").context("bits", bits);
    let key = rsa::PrivateKey::new(&mut OsRandom(SystemRandom::new()), bits).map_err(|error| failed().source(error))?;
    let pkcs1 = key.to_pkcs1_der().map_err(|error| failed().source(error.to_string()))?;
    PrivateKey::from_der(pkcs1.as_bytes())
}

/// The operating system's random numbers in the shape that the `rsa` crate asks for.
#[cfg(feature = "rsa-keys")]
struct OsRandom(SystemRandom);

#[cfg(feature = "rsa-keys")]
impl rsa::rand_core::TryRng for OsRandom {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_ne_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_ne_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        // The shape knows no failure. getrandom(2) has none but "not yet", and going on without is not an option.
        while self.0.fill(bytes).is_err() {
            std::hint::spin_loop();
        }
        Ok(())
    }
}

#[cfg(feature = "rsa-keys")]
impl rsa::rand_core::TryCryptoRng for OsRandom {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::der::{BIT_STRING, INTEGER, OCTET_STRING, OID, SEQUENCE, context, element};

    /// RFC 8410 §10.3, the first example, and the public key of §10.1 that belongs to it.
    const PLAIN: &str = "-----BEGIN PRIVATE KEY-----\n\
                         MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
                         -----END PRIVATE KEY-----\n";
    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n\
                          MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
                          -----END PUBLIC KEY-----\n";
    /// The second example: the same with an attribute and the public key beside it.
    const COMPLETE: &str = "-----BEGIN PRIVATE KEY-----\n\
                            MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
                            oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB\n\
                            Z9w7lshQhqowtrbLDFw4rXAxZuE=\n\
                            -----END PRIVATE KEY-----\n";

    #[test]
    fn the_examples_of_rfc_8410_become_one_spelling() {
        for text in [PLAIN, COMPLETE] {
            let key = PrivateKey::from_pem(text.as_bytes()).unwrap();
            assert_eq!(key.to_pem().expose(), PLAIN.as_bytes());
            assert_eq!(*pem::encode("PUBLIC KEY", key.public_key_der()), PUBLIC);
        }
        let section = pem::sections(COMPLETE.as_bytes()).unwrap()[0];
        let mut other = section.decode().unwrap();
        *other.last_mut().unwrap() ^= 1;
        assert_eq!(PrivateKey::from_der(&other).unwrap_err().kind(), ErrorKind::Unfit);
    }

    /// A SEC 1 key on P-256 of these parts, or the parts of one.
    fn sec1(scalar: &[u8], point: &[u8]) -> Vec<u8> {
        let curve = element(context(0), &[&element(OID, &[&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]])]);
        let public = element(context(1), &[&element(BIT_STRING, &[&[0], point])]);
        element(SEQUENCE, &[&[INTEGER, 1, 1], &element(OCTET_STRING, &[scalar]), &curve, &public]).to_vec()
    }

    /// Scalar and point of a fresh key, as [`key_form`] lays them out.
    fn parts(key: &PrivateKey) -> (Vec<u8>, Vec<u8>) {
        let (pkcs8, spki) = (key.to_der(), key.public_key_der());
        (pkcs8.expose()[36..68].to_vec(), spki[spki.len() - 65..].to_vec())
    }

    #[test]
    fn parts_that_do_not_belong_together_are_refused() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let (scalar, point) = parts(&key);
        assert_eq!(PrivateKey::from_der(&sec1(&scalar, &point)).unwrap().fingerprint(), key.fingerprint());
        let (_, other) = parts(&PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap());
        for (scalar, point) in [(&scalar[..], &other[..]), (&[0; 32], &point), (&[0xff; 32], &point)] {
            let error = PrivateKey::from_der(&sec1(scalar, point)).unwrap_err();
            assert!(error.to_string().contains("do not belong together"), "{error}");
        }
    }

    #[test]
    fn zeros_before_the_scalar_may_be_missing_or_too_many() {
        // A scalar with a leading zero turns up once in 256 keys.
        let mut keys = (0..10_000).map(|_| PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap());
        let key = keys.find(|key| parts(key).0[0] == 0).unwrap();
        let (scalar, point) = parts(&key);
        for scalar in [&scalar[1..], &scalar, &[&[0; 2], &scalar[..]].concat()] {
            assert_eq!(PrivateKey::from_der(&sec1(scalar, &point)).unwrap().to_pem().expose(), key.to_pem().expose());
        }
    }

    #[test]
    fn nothing_shows_the_private_part() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let shown = format!("{key:?}");
        assert_eq!(
            shown,
            format!("PrivateKey {{ algorithm: EcdsaP256, fingerprint: Fingerprint({}), .. }}", key.fingerprint())
        );
    }

    #[test]
    fn damaged_keys_are_errors_and_never_more() {
        for algorithm in [KeyAlgorithm::EcdsaP256, KeyAlgorithm::Ed25519] {
            let key = PrivateKey::generate(algorithm).unwrap();
            let der = key.to_der();
            for cut in 0..der.expose().len() {
                assert!(PrivateKey::from_der(&der.expose()[..cut]).is_err(), "{cut}");
            }
            for at in 0..der.expose().len() {
                for flip in [0x01, 0x80, 0xff] {
                    let mut changed = der.expose().to_vec();
                    changed[at] ^= flip;
                    let _ = PrivateKey::from_der(&changed);
                }
            }
        }
    }

    #[test]
    fn words_are_read_back() {
        for algorithm in KeyAlgorithm::ALL {
            assert_eq!(algorithm.word().parse::<KeyAlgorithm>().unwrap(), algorithm);
        }
        let error = "rsa-1024".parse::<KeyAlgorithm>().unwrap_err();
        assert!(error.hint_text().unwrap().contains("`rsa-2048`"));
    }
}
