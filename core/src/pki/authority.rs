//! A certificate authority's own acts: make a root, make an intermediate, sign a leaf. Times are handed in, never read.

use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose, IsCa,
    KeyIdMethod, KeyUsagePurpose, PublicKeyData, SerialNumber, SignatureAlgorithm,
};
use ring::rand::{SecureRandom, SystemRandom};
use x509_parser::time::ASN1Time;

use super::algorithm::PublicKey;
use super::constraints::{self, Constraints};
use super::csr::alt_names;
use super::der::{OID, SEQUENCE, element};
use super::digest::sha256;
use super::key::{KeyAlgorithm, PrivateKey};
use super::leaf::Certificate;
use super::name::{self, Name};
use super::sign::Signer;
use super::signed::public_bits;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::ground::name::{DnsName, Identifier, Sans};
use crate::ground::time::{Timestamp, Window};

/// How far a certificate's beginning lies before the moment it was made, for clients whose clock is slow.
pub(crate) const BACKDATED: Duration = Duration::from_secs(60);

/// The validity of a certificate made at `now`: begins a minute earlier, and is `lifetime` long with both ends included
/// (RFC 5280 §4.1.2.5).
pub(crate) fn validity(now: Timestamp, lifetime: Duration) -> Window {
    let start = now.saturating_sub(BACKDATED);
    Window::new(start, start.saturating_add(lifetime.saturating_sub(Duration::from_secs(1))))
}

/// A CA certificate with its key loaded, ready to sign. It keeps no record and asks nobody: the embedded CA is one with a
/// place on disk.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use certwright::{Authority, Clock, KeyAlgorithm, PrivateKey, Sans, SystemClock, Window};
///
/// let now = SystemClock.now();
/// let year = Window::new(now, now.saturating_add(Duration::from_secs(365 * 86_400)));
/// let (root_key, leaf_key) =
///     (PrivateKey::generate(KeyAlgorithm::EcdsaP256)?, PrivateKey::generate(KeyAlgorithm::EcdsaP256)?);
/// let root = Authority::root(&root_key, "Example", &[], year)?;
/// let authority = Authority::load(root, &root_key)?;
/// let names = Sans::new(vec!["www.example.org".parse()?])?;
/// let leaf = authority.sign_leaf(leaf_key.public_key_der(), &names, year)?;
/// assert_eq!(leaf.issuer(), authority.certificate().subject());
/// # Ok::<(), certwright::Error>(())
/// ```
pub struct Authority {
    certificate: Certificate,
    constraints: Constraints,
    issuer: rcgen::Issuer<'static, Signer>,
}

impl Authority {
    /// A self-signed root for `organization`, under which intermediates may issue, only at and below `permitted` when that
    /// is not empty (RFC 5280 §4.2.1.10).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] when the operating system has no random numbers.
    pub fn root(key: &PrivateKey, organization: &str, permitted: &[DnsName], validity: Window) -> Result<Certificate> {
        let mut params = ca_params(&subject(organization, "root", key), 1, validity)?;
        params.name_constraints = constraints::only_below(permitted);
        let signer = key.signer()?;
        let made = params.self_signed(&signer).map_err(failed)?;
        Certificate::from_der(made.der())
    }

    /// An intermediate for `key`, under which nothing but leaves for servers may be issued, with the constraints of the root.
    /// Roots of the same organization make intermediates of the same name for the same key: a leaf below it has a chain to
    /// each of them.
    ///
    /// # Errors
    ///
    /// As [`Authority::root`].
    pub fn intermediate(&self, key: &PrivateKey, validity: Window) -> Result<Certificate> {
        let own = Name::new(self.certificate.subject_der());
        let organization = own.values(ORGANIZATION).next().unwrap_or_default();
        let mut params = ca_params(&subject(&organization, "intermediate", key), 0, validity)?;
        let permitted =
            self.constraints.permitted_names().iter().map(|name| name.parse()).collect::<Result<Vec<_>>>()?;
        params.name_constraints = constraints::only_below(&permitted);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let public = SubjectKey::read(key.public_key_der())?;
        let made = params.signed_by(&public, &self.issuer).map_err(failed)?;
        Certificate::from_der(made.der())
    }

    /// A CA certificate made by [`Authority::root`] or [`Authority::intermediate`], with its key.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unfit`] for any other certificate, and when the key is not its key.
    pub fn load(certificate: Certificate, key: &PrivateKey) -> Result<Self> {
        let subject = Name::new(certificate.subject_der());
        let mut distinguished_name = DistinguishedName::new();
        for (oid, kind) in [(ORGANIZATION, DnType::OrganizationName), (COMMON_NAME, DnType::CommonName)] {
            let value = subject.values(oid).next().unwrap_or_default();
            distinguished_name.push(kind, DnValue::Utf8String(value));
        }
        let encoded = encode_subject(&distinguished_name);
        let (Some(id), true, true) =
            (certificate.subject_key_id(), certificate.is_ca(), encoded == certificate.subject_der())
        else {
            return Err(Error::new(ErrorKind::Unfit, "this is not a CA certificate that certwright made")
                .context("subject", Public(&certificate.subject()))
                .hint("put the file back that was there before"));
        };
        if certificate.spki_der() != key.public_key_der() {
            return Err(Error::new(ErrorKind::Unfit, "the key of the CA does not belong to its certificate")
                .context("subject", Public(&certificate.subject()))
                .hint("put the files back that were there before"));
        }
        let mut params = CertificateParams::default();
        params.key_identifier_method = KeyIdMethod::PreSpecified(id.to_vec());
        params.distinguished_name = distinguished_name;
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let constraints = Constraints::of(&certificate);
        Ok(Self { constraints, issuer: rcgen::Issuer::new(params, key.signer()?), certificate })
    }

    /// The CA's own certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The names at and below which it may issue; empty when it may issue for any name.
    pub(crate) fn permitted(&self) -> Vec<String> {
        self.constraints.permitted_names()
    }

    /// The first identifier that its constraints forbid.
    pub(crate) fn forbidden<'a>(&self, identifiers: &'a Sans) -> Option<&'a Identifier> {
        identifiers.iter().find(|identifier| !self.constraints.permit(identifier))
    }

    /// A server certificate for the key with this SubjectPublicKeyInfo. Whoever calls has seen that the requester holds it.
    /// It is never valid when the CA is not: the window is cut. Name constraints are not looked at.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] for a kind of key that is not known; otherwise as [`Authority::root`].
    pub fn sign_leaf(&self, public_key: &[u8], identifiers: &Sans, validity: Window) -> Result<Certificate> {
        let own = self.certificate.window();
        let mut params = params(Window::new(validity.start.max(own.start), validity.end.min(own.end)))?;
        params.subject_alt_names = alt_names(identifiers).map_err(failed)?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = SubjectKey::read(public_key)?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        if key.algorithm == &rcgen::PKCS_RSA_SHA256 {
            // TLS 1.2 without forward secrecy encrypts to the key (RFC 5246 §7.4.2).
            params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
        }
        let made = params.signed_by(&key, &self.issuer).map_err(failed)?;
        Certificate::from_der(made.der())
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

const ORGANIZATION: &str = "2.5.4.10";
const COMMON_NAME: &str = "2.5.4.3";

/// What every certificate has here: a window, a random serial number, no subject.
pub(super) fn params(validity: Window) -> Result<CertificateParams> {
    let time = |moment: Timestamp| {
        let bug = |error: x509_parser::error::X509Error| {
            Error::new(ErrorKind::Bug, "a time cannot be written into a certificate").source(error.to_string())
        };
        ASN1Time::from_timestamp(moment.unix()).map(|time| time.to_datetime()).map_err(bug)
    };
    // 128 random bits: unique without a register, and not to be guessed (RFC 5280 §4.1.2.2, BR §7.1).
    let mut serial = [0; 16];
    SystemRandom::new()
        .fill(&mut serial)
        .map_err(|_| Error::new(ErrorKind::Io, "the operating system gave no random numbers"))?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.not_before = time(validity.start)?;
    params.not_after = time(validity.end)?;
    params.serial_number = Some(SerialNumber::from(serial.to_vec()));
    Ok(params)
}

fn ca_params(subject: &DistinguishedName, path_length: u8, validity: Window) -> Result<CertificateParams> {
    let mut params = params(validity)?;
    params.distinguished_name = subject.clone();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(path_length));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

/// A name that no other CA has: two with the same name and different keys confuse clients.
fn subject(organization: &str, role: &str, key: &PrivateKey) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::OrganizationName, DnValue::Utf8String(organization.to_owned()));
    let unique = name::hex(sha256(key.public_key_der()).as_bytes().first_chunk::<4>().unwrap_or(&[0; 4]));
    subject.push(DnType::CommonName, DnValue::Utf8String(format!("certwright {role} {unique}")));
    subject
}

/// The DER of a name made by [`subject`].
fn encode_subject(subject: &DistinguishedName) -> Vec<u8> {
    let attribute = |oid: &[u8], kind: DnType| {
        let value = match subject.get(&kind) {
            Some(DnValue::Utf8String(value)) => value.as_bytes(),
            _ => b"",
        };
        element(0x31, &[&element(SEQUENCE, &[&element(OID, &[oid]), &element(0x0c, &[value])])])
    };
    let organization = attribute(&[0x55, 4, 10], DnType::OrganizationName);
    let common_name = attribute(&[0x55, 4, 3], DnType::CommonName);
    element(SEQUENCE, &[&organization, &common_name]).to_vec()
}

/// A public key in the shape that rcgen asks for.
struct SubjectKey<'a> {
    bytes: &'a [u8],
    algorithm: &'static SignatureAlgorithm,
}

impl<'a> SubjectKey<'a> {
    fn read(spki: &'a [u8]) -> Result<Self> {
        let unsupported = || {
            Error::new(ErrorKind::Unsupported, "the CA issues no certificates for keys of this kind")
                .context("key", Public(&super::algorithm::describe_key(spki)))
                .hint("use a key of the kind `ecdsa-p256`")
        };
        let algorithm = match PublicKey::read(spki).and_then(|key| key.algorithm()).ok_or_else(unsupported)? {
            KeyAlgorithm::EcdsaP256 => &rcgen::PKCS_ECDSA_P256_SHA256,
            KeyAlgorithm::EcdsaP384 => &rcgen::PKCS_ECDSA_P384_SHA384,
            KeyAlgorithm::Ed25519 => &rcgen::PKCS_ED25519,
            KeyAlgorithm::Rsa2048 | KeyAlgorithm::Rsa3072 | KeyAlgorithm::Rsa4096 => &rcgen::PKCS_RSA_SHA256,
        };
        Ok(Self { bytes: public_bits(spki).ok_or_else(unsupported)?, algorithm })
    }
}

impl PublicKeyData for SubjectKey<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.bytes
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}

pub(super) fn failed(error: rcgen::Error) -> Error {
    Error::new(ErrorKind::Bug, "a certificate could not be made").source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_795_507_200);
    const DAY: Duration = Duration::from_secs(86_400);

    fn sans(names: &[&str]) -> Sans {
        Sans::new(names.iter().map(|name| name.parse().unwrap()).collect()).unwrap()
    }

    fn key(algorithm: KeyAlgorithm) -> PrivateKey {
        PrivateKey::generate(algorithm).unwrap()
    }

    /// A root and an intermediate of `algorithm`.
    fn authorities(algorithm: KeyAlgorithm, permitted: &[&str]) -> (Authority, Authority) {
        let permitted: Vec<DnsName> = permitted.iter().map(|name| name.parse().unwrap()).collect();
        let root_key = key(algorithm);
        let root = Authority::root(&root_key, "lab", &permitted, validity(NOW, 20 * DAY)).unwrap();
        let root = Authority::load(root, &root_key).unwrap();
        let intermediate_key = key(algorithm);
        let intermediate = root.intermediate(&intermediate_key, validity(NOW, 10 * DAY)).unwrap();
        (root, Authority::load(intermediate, &intermediate_key).unwrap())
    }

    #[test]
    fn each_certificate_has_the_shape_of_its_role() {
        for algorithm in
            [KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384, KeyAlgorithm::Ed25519, KeyAlgorithm::Rsa2048]
        {
            let (root, intermediate) = authorities(algorithm, &[]);
            let (root, issuing) = (root.certificate(), intermediate.certificate());
            let subject_key = key(algorithm);
            let names = sans(&["www.example.org", "*.example.org", "192.0.2.1", "2001:db8::1"]);
            let leaf = intermediate.sign_leaf(subject_key.public_key_der(), &names, validity(NOW, DAY)).unwrap();

            assert_eq!((root.is_ca(), root.path_length(), root.is_self_issued()), (true, Some(1), true));
            assert_eq!((issuing.is_ca(), issuing.path_length(), issuing.is_self_issued()), (true, Some(0), false));
            assert_eq!((leaf.is_ca(), leaf.path_length()), (false, None));
            assert!(root.subject().starts_with("O=lab, CN=certwright root "));
            assert_eq!((issuing.issuer(), leaf.issuer()), (root.subject(), issuing.subject()));
            assert_eq!(leaf.subject(), "");
            assert!(issuing.names_as_issuer(root) && leaf.names_as_issuer(issuing));
            assert_eq!(leaf.authority_key_id(), issuing.subject_key_id());
            assert_eq!(leaf.key_fingerprint(), subject_key.fingerprint());
            assert!(leaf.identifiers().iter().eq(names.iter()));
            assert_eq!(root.key_usage().unwrap(), ["keyCertSign", "cRLSign"]);
            let expected: &[&str] = if algorithm == KeyAlgorithm::Rsa2048 {
                &["digitalSignature", "keyEncipherment"]
            } else {
                &["digitalSignature"]
            };
            assert_eq!(leaf.key_usage().unwrap(), expected);
            assert_eq!(
                (leaf.window().start, leaf.window().length()),
                (NOW.saturating_sub(BACKDATED), DAY - Duration::from_secs(1))
            );
            // 128 random bits begin with 32 zeros once in four thousand million times.
            assert!((24..=34).contains(&leaf.serial().len()), "{}", leaf.serial());
        }
    }

    #[test]
    fn a_leaf_never_outlives_its_issuer() {
        let (_, intermediate) = authorities(KeyAlgorithm::EcdsaP256, &[]);
        let leaf_key = key(KeyAlgorithm::EcdsaP256);
        let wish = validity(NOW.saturating_sub(5 * DAY), 1000 * DAY);
        let leaf = intermediate.sign_leaf(leaf_key.public_key_der(), &sans(&["a.example"]), wish).unwrap();
        assert_eq!(leaf.window(), intermediate.certificate().window());
    }

    #[test]
    fn serial_numbers_differ() {
        let (_, intermediate) = authorities(KeyAlgorithm::EcdsaP256, &[]);
        let leaf_key = key(KeyAlgorithm::EcdsaP256);
        let sign =
            || intermediate.sign_leaf(leaf_key.public_key_der(), &sans(&["a.example"]), validity(NOW, DAY)).unwrap();
        assert_ne!(sign().serial(), sign().serial());
    }

    #[test]
    fn constraints_go_from_the_root_to_the_intermediate_and_shut_out_addresses() {
        let (root, intermediate) = authorities(KeyAlgorithm::EcdsaP256, &["example.org", "example.net"]);
        for authority in [root, intermediate] {
            assert_eq!(authority.permitted(), ["example.org", "example.net"]);
            assert_eq!(authority.forbidden(&sans(&["example.net", "*.a.example.org"])), None);
            for outside in ["example.com", "192.0.2.1", "2001:db8::1", "*.org.example"] {
                let both = sans(&["www.example.org", outside]);
                assert_eq!(authority.forbidden(&both).map(Identifier::to_string).as_deref(), Some(outside));
            }
        }
    }

    #[test]
    fn another_key_or_a_foreign_certificate_is_refused() {
        let (root, intermediate) = authorities(KeyAlgorithm::EcdsaP256, &[]);
        let error = Authority::load(root.certificate().clone(), &key(KeyAlgorithm::EcdsaP256)).unwrap_err();
        assert!(error.to_string().contains("does not belong"), "{error}");
        let leaf_key = key(KeyAlgorithm::EcdsaP256);
        let leaf =
            intermediate.sign_leaf(leaf_key.public_key_der(), &sans(&["a.example"]), validity(NOW, DAY)).unwrap();
        assert!(Authority::load(leaf, &leaf_key).unwrap_err().to_string().contains("not a CA certificate"));
    }
}
