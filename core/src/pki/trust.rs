//! Whether a chain leads to a root, or at least holds together as far as it goes.

use std::ops::ControlFlow;

use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage as Purpose};

use super::chain::{self, Chain};
use super::constraints::Constraints;
use super::facts::KeyUsage;
use super::leaf::Certificate;
use super::pem;
use super::signed::SignatureFault;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::ground::time::Timestamp;

/// "TLS WWW server authentication" (RFC 5280 §4.2.1.12).
pub(super) const SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";
/// "anyExtendedKeyUsage" (RFC 5280 §4.2.1.12).
pub(super) const ANY_PURPOSE: &str = "2.5.29.37.0";

/// The roots that a chain may lead to: trust anchors, taken on the word of whoever named the file.
///
/// # Examples
///
/// ```no_run
/// # fn main() -> certwright::Result<()> {
/// # let pem = [];
/// let roots = certwright::Roots::from_pem(&pem)?;
/// println!("{} roots", roots.certificates().len());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Roots(Vec<Certificate>);

impl Roots {
    /// The longest input that is read, in bytes: a distribution's whole trust store fits many times.
    pub const MAX_INPUT: usize = 8 * 1024 * 1024;

    /// From PEM text with one or more certificates, such as a distribution's trust store.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unfit`] when there is none, one is damaged, or beyond [`Roots::MAX_INPUT`].
    pub fn from_pem(text: &[u8]) -> Result<Self> {
        if text.len() > Self::MAX_INPUT {
            return Err(Error::new(ErrorKind::Unfit, "this is too large for a file of roots")
                .context("bytes", text.len())
                .context("at_most", Self::MAX_INPUT));
        }
        let found = chain::read_sections(text, usize::MAX)?;
        if found.is_empty() {
            return Err(pem::nothing_found(text, "a root certificate"));
        }
        Ok(Self(found))
    }

    /// The certificates, in the order of the file.
    pub fn certificates(&self) -> &[Certificate] {
        &self.0
    }

    /// Whether the chain leads to one of these roots at that moment, as a client that knows rustls-webpki would judge it
    /// for a server: signatures, validity, CA flags, path length, name constraints, extended key usage (RFC 5280 §6).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Untrusted`] with the reason.
    pub fn check(&self, chain: &Chain, at: Timestamp) -> Result<()> {
        let between: Vec<&Certificate> = chain.intermediates().iter().collect();
        self.search(chain.leaf(), &between, at, &|_| ControlFlow::Break(())).map_err(|reason| refusal(chain, reason))
    }

    /// Look for paths from `leaf` through some of `between` to a root. Each that validates, leaf first and root last, is shown
    /// to `judge` until it breaks the search off as content; when it never does, that is an error.
    pub(super) fn search(
        &self,
        leaf: &Certificate,
        between: &[&Certificate],
        at: Timestamp,
        judge: &dyn Fn(&[&Certificate]) -> ControlFlow<()>,
    ) -> Result<(), webpki::Error> {
        let ders: Vec<CertificateDer<'_>> = self.0.iter().map(|root| CertificateDer::from(root.der())).collect();
        // A root that webpki cannot read is as if it were not there: other roots of the file must go on working.
        let read = ders
            .iter()
            .zip(&self.0)
            .filter_map(|(der, root)| webpki::anchor_from_trusted_cert(der).ok().map(|anchor| (anchor, root)));
        let (anchors, roots): (Vec<_>, Vec<&Certificate>) = read.unzip();
        let sent: Vec<CertificateDer<'_>> = between.iter().map(|other| CertificateDer::from(other.der())).collect();
        let show = |path: &webpki::VerifiedPath<'_>| {
            let known = |der: &[u8]| between.iter().find(|other| other.der() == der).copied();
            let middle = path.intermediate_certificates().filter_map(|other| known(&other.der()));
            let root = anchors
                .iter()
                .position(|anchor| std::ptr::eq(anchor, path.anchor()))
                .and_then(|place| roots.get(place).copied());
            let path: Vec<&Certificate> = std::iter::once(leaf).chain(middle).chain(root).collect();
            match judge(&path) {
                ControlFlow::Break(()) => Ok(()),
                ControlFlow::Continue(()) => Err(webpki::Error::UnknownIssuer),
            }
        };
        let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(at.unix().try_into().unwrap_or(0)));
        let leaf = CertificateDer::from(leaf.der());
        let algorithms = webpki::ALL_VERIFICATION_ALGS;
        EndEntityCert::try_from(&leaf)?
            .verify_for_usage(algorithms, &anchors, &sent, time, Purpose::server_auth(), None, Some(&show))
            .map(|_| ())
    }
}

/// What is wrong, and what to do about it.
pub(super) fn explain(reason: &webpki::Error) -> (&'static str, &'static str) {
    use webpki::Error as Reason;
    match reason {
        Reason::UnknownIssuer => (
            "the chain does not lead to one of the roots",
            "send the missing intermediate, or name a file with the root that issued the last certificate",
        ),
        Reason::CertExpired { .. } => ("a certificate of the chain has expired", "renew it"),
        Reason::CertNotValidYet { .. } => {
            ("a certificate of the chain is not valid yet", "look at the clocks of this machine and of the CA")
        }
        Reason::InvalidSignatureForPublicKey => {
            ("a signature of the chain is wrong", "fetch the chain again from the issuer")
        }
        Reason::NameConstraintViolation => {
            ("a CA of the chain may not issue for this name", "ask a CA whose name constraints permit it")
        }
        Reason::PathLenConstraintViolated => {
            ("the chain is longer than one of its CAs permits", "fetch the chain again from the issuer")
        }
        Reason::CaUsedAsEndEntity => ("the leaf is a CA certificate", "request a certificate for a server"),
        Reason::EndEntityUsedAsCa => {
            ("a certificate of the chain issued another and is no CA", "fetch the chain again from the issuer")
        }
        Reason::RequiredEkuNotFoundContext(_) | Reason::EmptyEkuExtension => (
            "a certificate of the chain is not for servers",
            "request a certificate with the extended key usage serverAuth",
        ),
        _ => ("the chain was not accepted", "look at it with `certwright inspect`"),
    }
}

fn refusal(chain: &Chain, reason: webpki::Error) -> Error {
    let last = chain.certificates().last().unwrap_or(chain.leaf());
    let (message, hint) = explain(&reason);
    Error::new(ErrorKind::Untrusted, message)
        .context("leaf", Public(&shown(chain.leaf())))
        .context("last", Public(&shown(last)))
        .context("last_issuer", Public(&last.issuer()))
        .hint(hint)
        .source(reason)
}

/// Whether the chain holds together as far as it was sent: each certificate after the first issued one before it, is a CA
/// that may, signed it, and is valid at that moment, as is the leaf. Nothing is said about where it ends.
pub(crate) fn check_links(chain: &Chain, at: Timestamp) -> Result<()> {
    let certificates: Vec<&Certificate> = chain.certificates().chain(chain.root()).collect();
    let mut depth = vec![0_u32; certificates.len()];
    for (place, certificate) in certificates.iter().enumerate() {
        check_window(certificate, at)?;
        let Some(below) =
            (0..place).rev().find(|below| certificates.get(*below).is_some_and(|c| c.names_as_issuer(certificate)))
        else {
            if place == 0 {
                if certificate.is_self_issued() {
                    check_signature(certificate, certificate)?;
                }
                continue;
            }
            return Err(Error::new(ErrorKind::Untrusted, "a certificate of the chain issued none of those before it")
                .context("certificate", Public(&shown(certificate)))
                .hint("send the leaf first and then the intermediates, each after the one that it issued"));
        };
        let Some(issued) = certificates.get(below) else { continue };
        let below_depth = depth.get(below).copied().unwrap_or_default();
        if let Some(own) = depth.get_mut(place) {
            *own = below_depth + 1;
        }
        check_issuer(certificate, below_depth, chain.leaf())?;
        check_signature(issued, certificate)?;
    }
    Ok(())
}

fn check_window(certificate: &Certificate, at: Timestamp) -> Result<()> {
    let window = certificate.window();
    let (message, name, moment, hint) = if at > window.end {
        ("a certificate of the chain has expired", "expired", window.end, "renew it")
    } else if at < window.start {
        (
            "a certificate of the chain is not valid yet",
            "valid_from",
            window.start,
            "look at the clocks of this machine and of the CA",
        )
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::Untrusted, message)
        .context("certificate", Public(&shown(certificate)))
        .context(name, moment)
        .context("now", at)
        .hint(hint))
}

/// Whether a CA certificate may stand where it does, with `below` CA certificates between it and the leaf.
fn check_issuer(certificate: &Certificate, below: u32, leaf: &Certificate) -> Result<()> {
    let refuse = |message: &'static str| {
        Error::new(ErrorKind::Untrusted, message)
            .context("certificate", Public(&shown(certificate)))
            .hint("fetch the chain again from the issuer")
    };
    if !certificate.is_ca() {
        return Err(refuse("a certificate of the chain issued another and is no CA"));
    }
    if certificate.usage().is_some_and(|usage| !usage.has(KeyUsage::KEY_CERT_SIGN)) {
        return Err(refuse("a CA of the chain may not sign certificates"));
    }
    if certificate.path_length().is_some_and(|most| below > most) {
        return Err(refuse("the chain is longer than one of its CAs permits").context("path_length_below", below));
    }
    if !serves(certificate) {
        return Err(refuse("a CA of the chain may not issue for servers"));
    }
    let constraints = Constraints::of(certificate);
    match leaf.identifiers().iter().find(|identifier| !constraints.permit(identifier)) {
        Some(outside) => Err(refuse("a CA of the chain may not issue for this name").context("identifier", outside)),
        None => Ok(()),
    }
}

/// Whether its extended key usage, if it has one, is good for TLS servers.
pub(super) fn serves(certificate: &Certificate) -> bool {
    certificate
        .extended_key_usage()
        .is_none_or(|purposes| purposes.iter().any(|purpose| purpose == SERVER_AUTH || purpose == ANY_PURPOSE))
}

fn check_signature(issued: &Certificate, issuer: &Certificate) -> Result<()> {
    let error = match issued.verify_by(issuer) {
        Ok(()) => return Ok(()),
        Err(SignatureFault::Wrong) => Error::new(ErrorKind::Untrusted, "a signature of the chain is wrong")
            .hint("fetch the chain again from the issuer"),
        Err(SignatureFault::Unsupported(algorithm)) => {
            Error::new(ErrorKind::Unsupported, "a signature of the chain cannot be checked")
                .context("algorithm", Public(&algorithm))
                .context("key", Public(&issuer.key_description()))
                .hint("ask for a chain that is signed with ECDSA on P-256 or P-384, Ed25519 or RSA")
        }
    };
    Err(error.context("certificate", Public(&shown(issued))).context("issuer", Public(&shown(issuer))))
}

/// What people know a certificate by: its subject, or its first name when that is empty.
pub(super) fn shown(certificate: &Certificate) -> String {
    let subject = certificate.subject();
    match (subject.is_empty(), certificate.identifiers().first()) {
        (true, Some(name)) => name.to_string(),
        (true, None) => format!("serial {}", certificate.serial()),
        (false, _) => subject,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::forge::{
        ALT_NAME, BASIC_CONSTRAINTS, EXTENDED_KEY_USAGE, Family, Forge, KEY_USAGE, NOW, p256, purposes,
    };

    fn chain(certificates: &[&Certificate]) -> Chain {
        Chain::from_certificates(certificates.iter().map(|certificate| (*certificate).clone()).collect()).unwrap()
    }

    fn roots(certificates: &[&Certificate]) -> Roots {
        let text: String = certificates.iter().map(|certificate| certificate.pem()).collect();
        Roots::from_pem(text.as_bytes()).unwrap()
    }

    /// Both ways of checking refuse with these words; `None` where one has nothing to object.
    fn refuses(chain: &Chain, root: &Certificate, by_path: Option<&str>, by_links: Option<&str>) {
        for (result, word) in [(roots(&[root]).check(chain, NOW), by_path), (check_links(chain, NOW), by_links)] {
            match (result, word) {
                (Ok(()), None) => {}
                (Err(error), Some(word)) => {
                    assert_eq!(error.kind(), ErrorKind::Untrusted);
                    assert!(error.to_string().contains(word), "{error} does not say {word:?}");
                }
                (result, word) => panic!("{result:?} instead of {word:?}"),
            }
        }
    }

    #[test]
    fn a_good_chain_passes_with_and_without_roots() {
        let family = Family::new(&["a.example"]);
        let good = chain(&[&family.leaf, &family.intermediate]);
        refuses(&good, &family.root, None, None);
        let other = p256();
        let stranger = Forge::authority("other", &other, "other", &other).sign(&other);
        roots(&[&stranger, &family.root]).check(&good, NOW).unwrap();
        refuses(&chain(&[&family.leaf]), &family.root, Some("does not lead to one of the roots"), None);
        refuses(&good, &stranger, Some("does not lead to one of the roots"), None);
    }

    #[test]
    fn a_signature_by_another_key_is_found_on_every_link() {
        let family = Family::new(&["a.example"]);
        let thief = p256();
        let leaf = Forge::leaf(&["a.example"], &family.leaf_key, "between", &family.intermediate_key).sign(&thief);
        let forged = chain(&[&leaf, &family.intermediate]);
        // Path building goes on looking for another issuer, so it says either.
        assert!(roots(&[&family.root]).check(&forged, NOW).is_err());
        assert!(check_links(&forged, NOW).unwrap_err().to_string().contains("signature of the chain is wrong"));

        let between = Forge::authority("between", &family.intermediate_key, "root", &family.root_key).sign(&thief);
        let forged = chain(&[&family.leaf, &between, &family.root]);
        assert!(roots(&[&family.root]).check(&forged, NOW).is_err());
        assert!(check_links(&forged, NOW).unwrap_err().to_string().contains("signature of the chain is wrong"));
    }

    #[test]
    fn time_is_looked_at_on_every_certificate() {
        let family = Family::new(&["a.example"]);
        for (start, end, word) in
            [("260101000000Z", "261101000000Z", "has expired"), ("261201000000Z", "270101000000Z", "not valid yet")]
        {
            let leaf = family.another_leaf(&["a.example"], |forge| forge.valid(start, end));
            refuses(&chain(&[&leaf, &family.intermediate]), &family.root, Some(word), Some(word));
            let between = family.another_intermediate(|forge| forge.valid(start, end));
            refuses(&chain(&[&family.leaf, &between]), &family.root, Some(word), Some(word));
        }
        let good = chain(&[&family.leaf, &family.intermediate]);
        let window = family.leaf.window();
        for (at, good_then) in [
            (window.start, true),
            (window.end, true),
            (Timestamp::from_unix(window.start.unix() - 1), false),
            (Timestamp::from_unix(window.end.unix() + 1), false),
        ] {
            assert_eq!(roots(&[&family.root]).check(&good, at).is_ok(), good_then, "{at}");
            assert_eq!(check_links(&good, at).is_ok(), good_then, "{at}");
        }
    }

    #[test]
    fn a_certificate_that_is_no_ca_issues_nothing() {
        let family = Family::new(&["a.example"]);
        let word = Some("issued another and is no CA");
        let no_ca = family.another_intermediate(|forge| forge.with(BASIC_CONSTRAINTS, true, &[0x30, 0]));
        refuses(&chain(&[&family.leaf, &no_ca]), &family.root, word, word);
        let absent = family.another_intermediate(|forge| forge.without(BASIC_CONSTRAINTS));
        refuses(&chain(&[&family.leaf, &absent]), &family.root, word, word);
        let silent = family.another_intermediate(|forge| forge.with(KEY_USAGE, true, &[3, 2, 7, 0x80]));
        // webpki does not look at the key usage of a CA (its documentation says so); we do.
        refuses(&chain(&[&family.leaf, &silent]), &family.root, None, Some("may not sign certificates"));
        let for_mail = family.another_intermediate(|forge| forge.with(EXTENDED_KEY_USAGE, false, &purposes(&[4])));
        refuses(
            &chain(&[&family.leaf, &for_mail]),
            &family.root,
            Some("not for servers"),
            Some("may not issue for servers"),
        );
    }

    #[test]
    fn path_length_and_name_constraints_hold() {
        let family = Family::new(&["a.example"]);
        let short_key = p256();
        let zero = [0x30, 6, 1, 1, 0xff, 2, 1, 0];
        let short = Forge::authority("short", &short_key, "root", &family.root_key)
            .with(BASIC_CONSTRAINTS, true, &zero)
            .sign(&family.root_key);
        let between = Forge::authority("between", &family.intermediate_key, "short", &short_key).sign(&short_key);
        let word = Some("longer than one of its CAs permits");
        refuses(&chain(&[&family.leaf, &between, &short]), &family.root, word, word);

        // permittedSubtrees { dNSName "b.example" } (RFC 5280 §4.2.1.10)
        let constraint = [&[0x30, 15, 0xa0, 13, 0x30, 11, 0x82, 9][..], b"b.example"].concat();
        let narrow = family.another_intermediate(|forge| forge.with(30, true, &constraint));
        let word = Some("may not issue for this name");
        refuses(&chain(&[&family.leaf, &narrow]), &family.root, word, word);
        let inside = family.another_leaf(&["www.b.example"], |forge| forge);
        refuses(&chain(&[&inside, &narrow]), &family.root, None, None);
        let beside = family.another_leaf(&["www.b.example"], |forge| {
            forge.with(ALT_NAME, true, &[0x30, 11, 0x82, 9, b'x', b'b', b'.', b'e', b'x', b'a', b'm', b'p', b'l'])
        });
        refuses(&chain(&[&beside, &narrow]), &family.root, word, word);
    }

    #[test]
    fn a_self_signed_leaf_has_its_own_signature_checked() {
        let key = p256();
        let own =
            Forge { subject: crate::pki::forge::common_name("own"), ..Forge::leaf(&["a.example"], &key, "own", &key) };
        check_links(&chain(&[&own.sign(&key)]), NOW).unwrap();
        let error = check_links(&chain(&[&own.sign(&p256())]), NOW).unwrap_err();
        assert!(error.to_string().contains("signature of the chain is wrong"), "{error}");
    }

    #[test]
    fn a_file_of_roots_may_be_long_and_must_hold_some() {
        let family = Family::new(&["a.example"]);
        let text = family.root.pem().repeat(200);
        assert_eq!(Roots::from_pem(text.as_bytes()).unwrap().certificates().len(), 200);
        assert!(Roots::from_pem(b"").is_err());
        assert!(Roots::from_pem(b"<html>").is_err());
    }
}
