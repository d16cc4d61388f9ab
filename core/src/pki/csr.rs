//! Certificate requests: PKCS#10 (RFC 2986).

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use rcgen::{CertificateParams, DistinguishedName, SanType};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::FromDer;

use super::alt_name::AltNames;
use super::key::PrivateKey;
use super::name::Name;
use super::signed::{SignatureFault, Signed, range_of};
use super::{algorithm, pem};
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::ground::name::{Identifier, Sans};

const MAX_INPUT: usize = 512 * 1024;

/// A certificate request whose signature was checked: whoever made it holds the private key. Cloning shares it.
///
/// # Examples
///
/// ```
/// use certwright::{Csr, KeyAlgorithm, PrivateKey, Sans};
///
/// let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
/// let names = Sans::new(vec!["www.example.org".parse()?])?;
/// let csr = Csr::new(&key, &names)?;
/// assert_eq!(Csr::from_pem(csr.pem().as_bytes())?.public_key_der(), key.public_key_der());
/// # Ok::<(), certwright::Error>(())
/// ```
#[derive(Clone)]
pub struct Csr(Arc<Facts>);

struct Facts {
    der: Vec<u8>,
    spki: Range<usize>,
    subject: Range<usize>,
    names: AltNames,
}

impl Csr {
    /// A request for these identifiers, signed by `key`. The subject is empty: names belong into the subjectAltName.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] when the operating system has no random numbers.
    pub fn new(key: &PrivateKey, identifiers: &Sans) -> Result<Self> {
        let failed =
            |error: rcgen::Error| Error::new(ErrorKind::Bug, "the certificate request could not be made").source(error);
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.subject_alt_names = alt_names(identifiers).map_err(failed)?;
        let signer = key.signer()?;
        let request = params.serialize_request(&signer).map_err(failed)?;
        Self::read(request.der().to_vec())
    }

    /// From a PEM file that holds one request (`CERTIFICATE REQUEST`). Text and other sections beside it are ignored.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unfit`] when there is none, more than one, or it is damaged; [`ErrorKind::Untrusted`] when its signature
    /// is not by the key in it.
    pub fn from_pem(text: &[u8]) -> Result<Self> {
        check_size(text)?;
        let sections = pem::sections(text)?;
        let mut requests = sections.iter().filter(|section| is_label(section.label));
        let section = requests.next().ok_or_else(|| pem::nothing_found(text, "a certificate request"))?;
        if requests.next().is_some() {
            return Err(Error::new(ErrorKind::Unfit, "there is more than one certificate request")
                .hint("leave the one that is meant"));
        }
        Self::from_der(&section.decode()?)
    }

    /// From the DER of one request, with nothing after it.
    ///
    /// # Errors
    ///
    /// As [`Csr::from_pem`].
    pub fn from_der(der: &[u8]) -> Result<Self> {
        check_size(der)?;
        let csr = Self::read(der.to_vec())?;
        let signed = Signed::split(der).ok_or_else(damaged)?;
        signed.verify(csr.public_key_der()).map_err(|fault| match fault {
            SignatureFault::Wrong => {
                Error::new(ErrorKind::Untrusted, "the certificate request is not signed by the key in it")
                    .hint("make the request again with the right key")
            }
            SignatureFault::Unsupported(algorithm) => {
                Error::new(ErrorKind::Unsupported, "the signature of the certificate request cannot be checked")
                    .context("algorithm", Public(&algorithm))
                    .context("key", Public(&csr.key_description()))
                    .hint("make the request with an ECDSA, Ed25519 or RSA key and SHA-256")
            }
        })?;
        Ok(csr)
    }

    fn read(der: Vec<u8>) -> Result<Self> {
        let (rest, parsed) =
            X509CertificationRequest::from_der(&der).map_err(|error| damaged().source(error.to_string()))?;
        if !rest.is_empty() {
            return Err(damaged());
        }
        let extensions = parsed.requested_extensions().into_iter().flatten();
        let names = extensions.filter_map(|extension| match extension {
            ParsedExtension::SubjectAlternativeName(names) => Some(AltNames::read(names)),
            _ => None,
        });
        let info = &parsed.certification_request_info;
        let facts = Facts {
            spki: range_of(&der, info.subject_pki.raw).ok_or_else(damaged)?,
            subject: range_of(&der, info.subject.as_raw()).ok_or_else(damaged)?,
            names: names.last().unwrap_or_default(),
            der: Vec::new(),
        };
        Ok(Self(Arc::new(Facts { der, ..facts })))
    }

    /// The request in DER.
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// The request in PEM (RFC 7468 §7), 64 columns, LF.
    pub fn pem(&self) -> String {
        std::mem::take(&mut *pem::encode("CERTIFICATE REQUEST", self.der()))
    }

    /// The identifiers asked for in the subjectAltName, in order.
    pub fn identifiers(&self) -> &[Identifier] {
        &self.0.names.identifiers
    }

    /// Entries of the subjectAltName that are no [`Identifier`], as text.
    pub fn other_names(&self) -> &[String] {
        &self.0.names.others
    }

    /// The subject for people. May be empty.
    pub fn subject(&self) -> String {
        Name::new(self.part(&self.0.subject)).to_string()
    }

    /// The public key: DER of its SubjectPublicKeyInfo.
    pub fn public_key_der(&self) -> &[u8] {
        self.part(&self.0.spki)
    }

    /// The algorithm of its key as text.
    pub fn key_description(&self) -> String {
        algorithm::describe_key(self.public_key_der())
    }

    fn part(&self, range: &Range<usize>) -> &[u8] {
        self.0.der.get(range.clone()).unwrap_or_default()
    }
}

impl fmt::Debug for Csr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Csr").field("identifiers", &self.identifiers()).finish_non_exhaustive()
    }
}

/// Identifiers as rcgen writes them.
pub(super) fn alt_names(identifiers: &Sans) -> Result<Vec<SanType>, rcgen::Error> {
    let entry = |identifier: &Identifier| match identifier {
        Identifier::Ip(address) => Ok(SanType::IpAddress(*address)),
        name => name.to_string().try_into().map(SanType::DnsName),
    };
    identifiers.iter().map(entry).collect()
}

/// Whether a PEM section holds a request; the second spelling is an old one of OpenSSL (RFC 7468 §7).
pub(super) fn is_label(label: &str) -> bool {
    matches!(label, "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST")
}

fn check_size(bytes: &[u8]) -> Result<()> {
    if bytes.len() > MAX_INPUT {
        return Err(Error::new(ErrorKind::Unfit, "this is too large for a certificate request")
            .context("bytes", bytes.len())
            .hint("name the file that holds the request alone"));
    }
    Ok(())
}

fn damaged() -> Error {
    Error::new(ErrorKind::Unfit, "the certificate request cannot be read: it is damaged or no request")
        .hint("make the request again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::key::KeyAlgorithm;

    fn names(names: &[&str]) -> Sans {
        Sans::new(names.iter().map(|name| name.parse().unwrap()).collect()).unwrap()
    }

    #[test]
    fn asks_for_what_was_given_in_its_order() {
        let wanted = names(&["www.example.org", "*.example.org", "192.0.2.1", "2001:db8::1", "bücher.example"]);
        for algorithm in
            [KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384, KeyAlgorithm::Ed25519, KeyAlgorithm::Rsa2048]
        {
            let key = PrivateKey::generate(algorithm).unwrap();
            let csr = Csr::from_der(Csr::new(&key, &wanted).unwrap().der()).unwrap();
            assert!(csr.identifiers().iter().eq(wanted.iter()));
            assert_eq!((csr.subject().as_str(), csr.other_names().len()), ("", 0));
            assert_eq!(csr.public_key_der(), key.public_key_der());
        }
    }

    #[test]
    fn a_changed_request_is_not_trusted() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let csr = Csr::new(&key, &names(&["www.example.org"])).unwrap();
        let at = csr.der().windows(3).position(|three| three == b"www").unwrap();
        let mut changed = csr.der().to_vec();
        changed[at] = b'x';
        assert_eq!(Csr::from_der(&changed).unwrap_err().kind(), ErrorKind::Untrusted);
        for cut in 0..csr.der().len() {
            assert!(Csr::from_der(&csr.der()[..cut]).is_err(), "{cut}");
        }
        assert!(Csr::from_der(&[csr.der(), &[0]].concat()).is_err());
    }
}
