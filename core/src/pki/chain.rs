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
#[derive(Clone, Debug)]
pub struct Chain {
    leaf: Certificate,
    intermediates: Arc<[Certificate]>,
    /// A root that was sent along: never served, but good for checking the last signature.
    root: Option<Certificate>,
}

impl PartialEq for Chain {
    fn eq(&self, other: &Self) -> bool {
        self.certificates().eq(other.certificates())
    }
}

impl Eq for Chain {}

impl Chain {
    /// The longest input that is read, in bytes.
    pub const MAX_INPUT: usize = 1024 * 1024;
    /// The most certificates that are read.
    pub const MAX_CERTIFICATES: usize = 20;

    /// From PEM text with the leaf first, as a CA or another client hands it out.
    ///
    /// Text, private keys and other sections in between are ignored, and so are line ends of any kind. What follows the
    /// leaf is brought into order by the names of subject and issuer; duplicates and a self-signed root at the end are
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
    pub(crate) fn assembled(leaf: Certificate, intermediates: Arc<[Certificate]>) -> Self {
        Self { leaf, intermediates, root: None }
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
                rest.iter().position(|above| !is_root(below) && below.names_as_issuer(above))
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
        let (roots, between): (Vec<_>, Vec<_>) = ordered.into_iter().skip(1).partition(is_root);
        Ok(Self { leaf, intermediates: between.into(), root: roots.into_iter().next() })
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

    /// The root that was sent along and left out, if there was one.
    pub(super) fn root(&self) -> Option<&Certificate> {
        self.root.as_ref()
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

/// Whether a path ends here. The name is asked first: it costs nothing.
fn is_root(certificate: &Certificate) -> bool {
    certificate.is_self_issued() && certificate.is_self_signed()
}

/// Every certificate in a PEM text, in its order.
pub(super) fn certificates(text: &[u8]) -> Result<Vec<Certificate>> {
    if text.len() > Chain::MAX_INPUT {
        return Err(Error::new(ErrorKind::Unfit, "this is too large for a certificate chain")
            .context("bytes", text.len())
            .context("at_most", Chain::MAX_INPUT)
            .hint("name the file that holds the leaf and its chain, not a bundle of roots"));
    }
    let found = read_sections(text, Chain::MAX_CERTIFICATES)?;
    if found.is_empty() {
        return Err(pem::nothing_found(text, "a certificate"));
    }
    Ok(found)
}

/// The certificates among the sections of a PEM text, in their order.
pub(super) fn read_sections(text: &[u8], at_most: usize) -> Result<Vec<Certificate>> {
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
        if found.len() == at_most {
            return Err(too_many());
        }
        let certificate = Certificate::from_owned(std::mem::take(&mut *section.decode()?));
        found.push(certificate.map_err(|error| error.context("line", section.line))?);
    }
    Ok(found)
}

fn too_many() -> Error {
    Error::new(ErrorKind::Unfit, "there are too many certificates for one chain")
        .context("at_most", Chain::MAX_CERTIFICATES)
        .hint("name the file that holds the leaf and its chain, not a bundle of roots")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::forge::{Family, Forge, p256};

    fn pem(certificates: &[&Certificate]) -> String {
        certificates.iter().map(|certificate| certificate.pem()).collect()
    }

    fn subjects(chain: &Chain) -> Vec<String> {
        chain.intermediates().iter().map(Certificate::subject).collect()
    }

    /// A leaf below `length` intermediates, leaf first, and the root at the end.
    fn long(length: usize, names: &[&str]) -> Vec<Certificate> {
        let keys: Vec<_> = (0..=length).map(|_| p256()).collect();
        let name = |at: usize| format!("ca {at}");
        let mut all = vec![Forge::authority(&name(0), &keys[0], &name(0), &keys[0]).sign(&keys[0])];
        for at in 1..=length {
            all.push(Forge::authority(&name(at), &keys[at], &name(at - 1), &keys[at - 1]).sign(&keys[at - 1]));
        }
        all.push(Forge::leaf(names, &p256(), &name(length), &keys[length]).sign(&keys[length]));
        all.reverse();
        all
    }

    #[test]
    fn order_duplicates_and_root_are_put_right() {
        let all = long(3, &["a.example"]);
        let [leaf, three, two, one, root] = &all[..] else { panic!() };
        for given in [
            vec![leaf, three, two, one],
            vec![leaf, three, two, one, root],
            vec![leaf, one, root, three, two],
            vec![leaf, three, leaf, three, two, two, one, root, root],
        ] {
            let chain = Chain::from_pem(pem(&given).as_bytes()).unwrap();
            assert_eq!(chain.leaf(), leaf);
            assert_eq!(subjects(&chain), ["CN=ca 3", "CN=ca 2", "CN=ca 1"]);
            assert_eq!(chain.fullchain_pem(), pem(&[leaf, three, two, one]));
            assert_eq!(chain.chain_pem(), pem(&[three, two, one]));
            assert_eq!(chain.leaf_pem(), leaf.pem());
        }
    }

    #[test]
    fn what_is_served_is_canonical_whatever_came() {
        let family = Family::new(&["a.example"]);
        let text = pem(&[&family.leaf, &family.intermediate]);
        let decorated = format!("\u{feff}subject=\r\n{}\r\nkey follows\r\n", text.replace('\n', "\r\n"));
        assert_eq!(Chain::from_pem(decorated.as_bytes()).unwrap().fullchain_pem(), text);
        // A bundle brings its key along.
        let bundle = [family.leaf_key.to_pem().expose(), text.as_bytes()].concat();
        assert_eq!(Chain::from_pem(&bundle).unwrap().fullchain_pem(), text);
    }

    #[test]
    fn a_stranger_is_named() {
        let family = Family::new(&["a.example"]);
        let stranger = p256();
        let stranger = Forge::authority("stranger", &stranger, "elsewhere", &stranger).sign(&stranger);
        let error = Chain::from_pem(pem(&[&family.leaf, &family.intermediate, &stranger]).as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unfit);
        assert_eq!(error.fact("stranger"), Some("CN=stranger"));
    }

    #[test]
    fn a_second_way_to_another_root_follows_the_first() {
        let family = Family::new(&["a.example"]);
        let other = p256();
        let crossed = Forge::authority("root", &family.root_key, "other", &other).sign(&other);
        let chain = Chain::from_pem(pem(&[&family.leaf, &crossed, &family.intermediate]).as_bytes()).unwrap();
        assert_eq!(subjects(&chain), ["CN=between", "CN=root"]);
    }

    #[test]
    fn the_leaf_comes_first() {
        let family = Family::new(&["a.example"]);
        let error = Chain::from_pem(pem(&[&family.intermediate, &family.leaf]).as_bytes()).unwrap_err();
        assert!(error.to_string().contains("not the leaf"), "{error}");
        let alone = Chain::from_pem(pem(&[&family.root]).as_bytes()).unwrap();
        assert!(alone.leaf() == &family.root && alone.intermediates().is_empty());
    }

    #[test]
    fn a_thousand_names_and_ten_certificates_pass_and_more_than_twenty_do_not() {
        let names: Vec<String> = (0..1000).map(|at| format!("host-{at}.of-a-rather-long-domain.example.org")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let all = long(8, &names);
        assert_eq!(all.len(), 10);
        let chain = Chain::from_pem(pem(&all.iter().collect::<Vec<_>>()).as_bytes()).unwrap();
        assert_eq!((chain.leaf().identifiers().len(), chain.intermediates().len()), (1000, 8));

        let many = pem(&[&all[1]]).repeat(21);
        assert!(Chain::from_pem(many.as_bytes()).unwrap_err().to_string().contains("too many"));
        assert!(Chain::from_pem(&vec![b'\n'; Chain::MAX_INPUT + 1]).unwrap_err().to_string().contains("too large"));
    }

    #[test]
    fn what_is_no_chain_says_so() {
        let family = Family::new(&["a.example"]);
        let text = pem(&[&family.leaf]);
        let half = &text[..text.len() / 2];
        let trusted = text.replace("CERTIFICATE", "TRUSTED CERTIFICATE");
        let swapped = text.replacen("MII", "MIJ", 1);
        for (given, word) in [
            ("", "empty"),
            (" \n\n", "empty"),
            ("<html><body>504</body></html>", "HTML"),
            (half, "no end"),
            (&trusted, "trust format"),
            (&swapped, "cannot be read"),
            ("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "empty or damaged"),
            (std::str::from_utf8(family.leaf_key.to_pem().expose()).unwrap(), "nothing of the wanted kind"),
        ] {
            let error = Chain::from_pem(given.as_bytes()).unwrap_err();
            assert!(error.to_string().contains(word), "{error} does not say {word:?}");
            assert!(error.hint_text().is_some(), "{error}");
        }
    }

    #[test]
    fn damaged_certificates_are_errors_and_never_more() {
        let family = Family::new(&["a.example"]);
        let der = family.leaf.der();
        for cut in 0..der.len() {
            assert!(Certificate::from_der(&der[..cut]).is_err(), "{cut}");
        }
        assert!(Certificate::from_der(&[der, &[0]].concat()).unwrap_err().to_string().contains("bytes after"));
        for at in 0..der.len() {
            for bit in 0..8 {
                let mut changed = der.to_vec();
                changed[at] ^= 1 << bit;
                if let Ok(certificate) = Certificate::from_der(&changed) {
                    let _ = (certificate.subject(), certificate.key_description(), certificate.signature_algorithm());
                    let _ = Chain::from_certificates(vec![certificate, family.intermediate.clone()]);
                }
            }
        }
    }
}
