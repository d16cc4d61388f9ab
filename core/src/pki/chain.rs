//! A leaf and its intermediates, in the order in which they are served.

use std::sync::Arc;

use super::leaf::Certificate;
use super::pem;
use crate::ground::error::{Error, ErrorKind, Public, Result};

/// A leaf and the certificates that lead from it towards a root: leaf side first, each once, the root left out.
///
/// # Examples
///
/// ```no_run
/// use certwright::Chain;
///
/// # fn main() -> certwright::Result<()> {
/// # let fullchain = [];
/// let chain = Chain::from_pem(&fullchain)?;
/// println!("{} and {} more", chain.leaf().subject(), chain.intermediates().len());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    leaf: Certificate,
    intermediates: Arc<[Certificate]>,
}

impl Chain {
    /// The longest input that is read, in bytes.
    pub const MAX_INPUT: usize = 1024 * 1024;
    /// The most certificates that are read.
    pub const MAX_CERTIFICATES: usize = 20;

    /// From PEM text with the leaf first, as a CA or another client hands it out.
    ///
    /// Text, private keys and other sections in between are ignored, and so are line ends of any kind. What follows the
    /// leaf is brought into order by the names of subject and issuer; duplicates and a self-issued root at the end are
    /// left out. No signature is checked here.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unfit`] when there is no certificate, a damaged one, one that did not issue any before it (its subject
    /// is named), when the first is not the leaf, and beyond [`Chain::MAX_INPUT`] and [`Chain::MAX_CERTIFICATES`].
    pub fn from_pem(text: &[u8]) -> Result<Self> {
        Self::in_order(certificates(text)?)
    }

    /// From DER certificates with the leaf first; otherwise as [`Chain::from_pem`].
    ///
    /// # Errors
    ///
    /// As [`Chain::from_pem`].
    pub fn from_der<'a>(certificates: impl IntoIterator<Item = &'a [u8]>) -> Result<Self> {
        let certificates = certificates.into_iter().take(Self::MAX_CERTIFICATES + 1).map(Certificate::from_der);
        Self::in_order(certificates.collect::<Result<_>>()?)
    }

    /// From certificates with the leaf first; otherwise as [`Chain::from_pem`].
    ///
    /// # Errors
    ///
    /// As [`Chain::from_pem`].
    pub fn from_certificates(certificates: Vec<Certificate>) -> Result<Self> {
        Self::in_order(certificates)
    }

    /// A chain that is known to be in order.
    pub(super) fn assembled(leaf: Certificate, intermediates: Arc<[Certificate]>) -> Self {
        Self { leaf, intermediates }
    }

    fn in_order(mut given: Vec<Certificate>) -> Result<Self> {
        if given.len() > Self::MAX_CERTIFICATES {
            return Err(too_many());
        }
        let mut at = 0;
        while at < given.len() {
            let (before, rest) = given.split_at(at);
            if rest.first().is_some_and(|candidate| before.contains(candidate)) {
                given.remove(at);
            } else {
                at += 1;
            }
        }
        let mut rest = given.into_iter();
        let Some(leaf) = rest.next() else {
            return Err(pem::nothing_found(b"", "a certificate"));
        };
        let mut rest: Vec<Certificate> = rest.collect();
        if let Some(issued) = rest.iter().find(|other| other.names_as_issuer(&leaf) && !leaf.is_self_issued()) {
            return Err(Error::new(
                ErrorKind::Unfit,
                "the first certificate is not the leaf: it issued another one here",
            )
            .context("first", Public(&leaf.subject()))
            .context("issued", Public(&issued.subject()))
            .hint("put the server's own certificate first"));
        }
        // Depth first, so that a second path to another root (a cross-signed intermediate) comes after the first.
        let mut ordered = vec![leaf.clone()];
        let mut tip = leaf.clone();
        while !rest.is_empty() {
            let next = |below: &Certificate, rest: &[Certificate]| {
                rest.iter().position(|above| !below.is_self_issued() && below.names_as_issuer(above))
            };
            let found = next(&tip, &rest).or_else(|| ordered.iter().find_map(|below| next(below, &rest)));
            let Some(found) = found else {
                let strangers: Vec<String> = rest.iter().map(Certificate::subject).collect();
                return Err(Error::new(ErrorKind::Unfit, "a certificate does not belong to the chain")
                    .context("stranger", Public(&strangers.join("; ")))
                    .context("leaf", Public(&leaf.subject()))
                    .context("leaf_issuer", Public(&leaf.issuer()))
                    .hint("leave the leaf and the certificates that lead from it to the root"));
            };
            tip = rest.remove(found);
            ordered.push(tip.clone());
        }
        // Clients have their own copy of the root, and must not take ours.
        let intermediates = ordered.into_iter().skip(1).filter(|above| !above.is_self_issued()).collect();
        Ok(Self { leaf, intermediates })
    }

    /// The end-entity certificate.
    pub fn leaf(&self) -> &Certificate {
        &self.leaf
    }

    /// What leads from the leaf towards the root, leaf side first, without the root. May be empty.
    pub fn intermediates(&self) -> &[Certificate] {
        &self.intermediates
    }

    /// The leaf and the intermediates.
    pub fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        std::iter::once(&self.leaf).chain(self.intermediates.iter())
    }

    /// The leaf in canonical PEM.
    pub fn leaf_pem(&self) -> String {
        self.leaf.pem()
    }

    /// The intermediates in canonical PEM; empty when there are none.
    pub fn chain_pem(&self) -> String {
        self.intermediates.iter().map(Certificate::pem).collect()
    }

    /// Leaf and intermediates in canonical PEM.
    pub fn fullchain_pem(&self) -> String {
        self.certificates().map(Certificate::pem).collect()
    }
}

/// Every certificate in a PEM text, in its order.
pub(crate) fn certificates(text: &[u8]) -> Result<Vec<Certificate>> {
    if text.len() > Chain::MAX_INPUT {
        return Err(Error::new(ErrorKind::Unfit, "this is too large for a certificate chain")
            .context("bytes", text.len())
            .context("at_most", Chain::MAX_INPUT)
            .hint("name the file that holds the leaf and its chain, not a bundle of roots"));
    }
    let mut found = Vec::new();
    for section in pem::sections(text)? {
        match section.label {
            "CERTIFICATE" | "X509 CERTIFICATE" => {}
            "TRUSTED CERTIFICATE" => {
                return Err(Error::new(ErrorKind::Unsupported, "this is a certificate in OpenSSL's own trust format")
                    .context("line", section.line)
                    .hint("convert it with `openssl x509 -in FILE -out CERTIFICATE`"));
            }
            _ => continue,
        }
        if found.len() == Chain::MAX_CERTIFICATES {
            return Err(too_many());
        }
        let certificate = Certificate::from_owned(std::mem::take(&mut *section.decode()?));
        found.push(certificate.map_err(|error| error.context("line", section.line))?);
    }
    if found.is_empty() {
        return Err(pem::nothing_found(text, "a certificate"));
    }
    Ok(found)
}

fn too_many() -> Error {
    Error::new(ErrorKind::Unfit, "there are too many certificates for one chain")
        .context("at_most", Chain::MAX_CERTIFICATES)
        .hint("name the file that holds the leaf and its chain, not a bundle of roots")
}
