//! The seam to certificate authorities.

use std::fmt;
use std::sync::OnceLock;

use super::solver::Challenge;
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Result};
use crate::ground::id::{IssuerName, LineageName};
use crate::ground::name::Sans;
use crate::ground::time::{Timestamp, Window};
use crate::pki::chain::Chain;
use crate::pki::csr::Csr;
use crate::pki::key::PrivateKey;
use crate::pki::leaf::Certificate;
use crate::pki::material::Material;

/// A source of certificates.
///
/// Implementers must keep to this:
///
/// - **Repeating.** A second `issue` of the same request is allowed after any failure. It may bring a second certificate;
///   where the authority can resume an order in flight, it should, so that a crash costs no second one.
/// - **Partial success.** What was left behind at the authority by a failed call (an account, an order, a valid
///   authorization) may be used by the next and must not hinder it. A certificate is either returned whole or not at all.
/// - **Cancelling.** Waits look at `cancel` at least every second, and a cancelled call returns
///   [`ErrorKind::Cancelled`] without having started anything new.
/// - **Threads.** Calls may come from several threads and processes at once, for the same and for other requests.
/// - **Logs.** Private keys, tokens and key authorizations are in no log, no error and no `Debug` output.
/// - **Errors.** [`Error::retry_when`] says when to come back, by the authority's own word where it gives one.
///
/// What is returned is checked by the caller like anything from outside: an issuer is not trusted to have met the request.
///
/// # Examples
///
/// A source that asks a function:
///
/// ```
/// use certwright::{Cancel, Chain, Issued, Issuer, IssuerName, Request, Result};
///
/// #[derive(Debug)]
/// struct Asking {
///     name: IssuerName,
///     ask: fn(csr_pem: &str) -> Result<Vec<u8>>,
/// }
///
/// impl Issuer for Asking {
///     fn id(&self) -> &IssuerName {
///         &self.name
///     }
///
///     fn issue(&self, request: &Request<'_>, cancel: &Cancel) -> Result<Issued> {
///         cancel.check()?;
///         let answer = (self.ask)(&request.csr()?.pem())?;
///         Ok(Issued::new(Chain::from_pem(&answer)?))
///     }
/// }
/// ```
pub trait Issuer: fmt::Debug + Send + Sync {
    /// The stable name of this configuration.
    fn id(&self) -> &IssuerName;

    /// Obtain a certificate.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Refused`], [`ErrorKind::RateLimited`], [`ErrorKind::ChallengeFailed`], [`ErrorKind::Network`],
    /// [`ErrorKind::Timeout`], [`ErrorKind::Cancelled`] and what reading the answer brings.
    ///
    /// # Effects
    ///
    /// Network, and disk for the issuer's own state, as the implementation says.
    fn issue(&self, request: &Request<'_>, cancel: &Cancel) -> Result<Issued>;

    /// Whether [`Issuer::renewal_info`] can ever have an answer; it is not called otherwise. Asks nobody.
    fn suggests_renewals(&self) -> bool {
        false
    }

    /// When the authority suggests to renew this leaf (RFC 9773); `None` where it has no opinion, which holds for a day. It is
    /// asked when its last `check_again` has come, at most once a minute and at least once a day.
    ///
    /// # Errors
    ///
    /// As [`Issuer::issue`]. A failure is no reason not to renew; it is asked again after six hours, or at
    /// [`Error::retry_when`].
    fn renewal_info(&self, leaf: &Certificate, cancel: &Cancel) -> Result<Option<RenewalInfo>> {
        let _ = leaf;
        cancel.check().map(|()| None)
    }

    /// Take away the answer to a challenge that an earlier call left behind, because it was killed or because taking it away
    /// failed. It may be gone already.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when nobody is left who could; it is not asked again then. Whatever else hinders it: it is asked
    /// again at the next run.
    fn take_away(&self, answer: &Challenge) -> Result<()> {
        let _ = answer;
        Ok(())
    }

    /// Declare a leaf invalid before its time (RFC 5280 §5.3.1).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] where the authority cannot, which is the default; otherwise as [`Issuer::issue`].
    fn revoke(&self, leaf: &Certificate, reason: RevocationReason, cancel: &Cancel) -> Result<()> {
        let _ = reason;
        cancel.check()?;
        Err(Error::new(ErrorKind::Unsupported, "this issuer cannot revoke certificates")
            .context("issuer", self.id())
            .context("certificate", leaf.fingerprint())
            .hint("replace the certificate and its key with `certwright apply`"))
    }

    /// Look whether it can be used, without asking for a certificate: one finding after the other, up to the first that
    /// makes the next impossible. Empty when there is nothing to look at.
    ///
    /// # Effects
    ///
    /// As [`Issuer::issue`], but for the certificate.
    fn examine(&self, cancel: &Cancel) -> Vec<Examined> {
        let _ = cancel;
        Vec::new()
    }

    /// The same for a certificate whose key is here, which some authorities take as proof enough.
    ///
    /// # Errors
    ///
    /// As [`Issuer::revoke`], which it is when nothing else is said.
    fn revoke_held(&self, held: Held<'_>, reason: RevocationReason, cancel: &Cancel) -> Result<()> {
        self.revoke(held.chain().leaf(), reason, cancel)
    }
}

/// What is asked of an issuer: public facts, and proof that the requester holds the key.
///
/// The private key cannot be reached through it. The certificate request is made, and signed, when it is first asked for:
/// an issuer inside this process needs none, since the request itself was made with the key.
pub struct Request<'a> {
    lineage: &'a LineageName,
    identifiers: &'a Sans,
    key: &'a PrivateKey,
    csr: OnceLock<Csr>,
    replaced: Option<&'a Certificate>,
    held: Option<Held<'a>>,
    order: Option<&'a dyn OrderInFlight>,
}

/// Where the URL of an order is kept while it is in flight, together with the key that it is for, so that a crash costs no
/// second order.
pub(crate) trait OrderInFlight: Sync {
    /// The order that an earlier run left in flight with this issuer, for this key and these identifiers.
    fn open(&self, issuer: &IssuerName) -> Option<String>;

    /// Keep this URL and the key, durably, before the order is finalized. An older one is forgotten.
    fn keep(&self, issuer: &IssuerName, url: &str) -> Result<()>;

    /// Write down, durably, that these answers are about to be given.
    fn giving(&self, issuer: &IssuerName, answers: &[Challenge]) -> Result<()>;

    /// Write down that they are gone, but for those that come with an error.
    fn taken(&self, issuer: &IssuerName, answers: &[Challenge], errors: &[(Challenge, Error)]) -> Result<()>;
}

impl<'a> Request<'a> {
    /// A certificate for these identifiers and this key.
    pub fn new(lineage: &'a LineageName, identifiers: &'a Sans, key: &'a PrivateKey) -> Self {
        Self { lineage, identifiers, key, csr: OnceLock::new(), replaced: None, held: None, order: None }
    }

    /// The certificate that the new one is to take the place of (RFC 9773 §5).
    #[must_use]
    pub fn replacing(mut self, leaf: &'a Certificate) -> Self {
        self.replaced = Some(leaf);
        self
    }

    /// The same, with its key: some authorities renew for whoever holds the certificate. The key cannot be reached through
    /// the request.
    #[must_use]
    pub fn replacing_held(mut self, held: Held<'a>) -> Self {
        self.replaced = Some(held.0.chain().leaf());
        self.held = Some(held);
        self
    }

    /// The certificate that the new one is to take the place of, when its key is here.
    pub fn held(&self) -> Option<Held<'a>> {
        self.held
    }

    /// Keep the order in flight here.
    pub(crate) fn kept_in(mut self, order: &'a dyn OrderInFlight) -> Self {
        self.order = Some(order);
        self
    }

    /// The certificate that the new one is to take the place of.
    pub fn replaced(&self) -> Option<&Certificate> {
        self.replaced
    }

    /// The URL of the order that an earlier run left in flight with this issuer, for this key and these identifiers.
    pub fn order_in_flight(&self, issuer: &IssuerName) -> Option<String> {
        self.order?.open(issuer)
    }

    /// Keep the URL of an order together with the key, so that a run that dies after the order was finalized costs no
    /// second one. To be called before it is finalized; an older order is forgotten.
    ///
    /// # Errors
    ///
    /// `Io` or `Permission` when it cannot be kept: nothing should be finalized then.
    ///
    /// # Effects
    ///
    /// Disk, when the caller keeps orders; `apply` does.
    pub fn keep_order(&self, issuer: &IssuerName, url: &str) -> Result<()> {
        self.order.map_or(Ok(()), |order| order.keep(issuer, url))
    }

    /// Write down that these answers are about to be given, so that a later run takes away what this one cannot.
    ///
    /// # Errors
    ///
    /// `Io` or `Permission` when it cannot be written: nothing should be given then.
    ///
    /// # Effects
    ///
    /// Disk, when the caller keeps orders; `apply` does.
    pub fn giving_answers(&self, issuer: &IssuerName, answers: &[Challenge]) -> Result<()> {
        self.order.map_or(Ok(()), |order| order.giving(issuer, answers))
    }

    /// Write down that they are gone, but for those that come with an error.
    ///
    /// # Errors
    ///
    /// `Io` or `Permission`: they count as left.
    ///
    /// # Effects
    ///
    /// As [`Request::giving_answers`].
    pub fn took_answers(
        &self,
        issuer: &IssuerName,
        answers: &[Challenge],
        errors: &[(Challenge, Error)],
    ) -> Result<()> {
        self.order.map_or(Ok(()), |order| order.taken(issuer, answers, errors))
    }

    /// The lineage that it is for.
    pub fn lineage(&self) -> &LineageName {
        self.lineage
    }

    /// The identifiers asked for.
    pub fn identifiers(&self) -> &Sans {
        self.identifiers
    }

    /// The public key: DER of its SubjectPublicKeyInfo.
    pub fn public_key_der(&self) -> &[u8] {
        self.key.public_key_der()
    }

    /// The certificate request; the same one at every call.
    ///
    /// # Errors
    ///
    /// As [`Csr::new`].
    pub fn csr(&self) -> Result<&Csr> {
        match self.csr.get() {
            Some(made) => Ok(made),
            None => Csr::new(self.key, self.identifiers).map(|csr| self.csr.get_or_init(|| csr)),
        }
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("lineage", &self.lineage)
            .field("identifiers", &self.identifiers)
            .finish_non_exhaustive()
    }
}

/// A certificate whose key this process holds. That can be shown to an authority by the issuers of this library; the key
/// itself cannot be reached through it.
#[derive(Clone, Copy, Debug)]
pub struct Held<'a>(&'a Material);

impl<'a> Held<'a> {
    /// This key and these certificates.
    pub const fn new(material: &'a Material) -> Self {
        Self(material)
    }

    /// Leaf and intermediates.
    pub fn chain(&self) -> &'a Chain {
        self.0.chain()
    }

    /// Key and certificates, for issuers that prove with them.
    #[cfg(feature = "step-ca")]
    pub(super) const fn material(&self) -> &'a Material {
        self.0
    }
}

/// One thing that was looked at, and what was found.
#[derive(Debug)]
#[non_exhaustive]
pub struct Examined {
    /// What was looked at, in a word: `trust`, `clock`, `account`.
    pub what: &'static str,
    /// What was found, in a sentence, or what is wrong with it.
    pub found: Result<String>,
}

impl Examined {
    /// What was found about `what`.
    pub const fn new(what: &'static str, found: Result<String>) -> Self {
        Self { what, found }
    }
}

/// How far this machine's clock is from an authority's, when both are known at one moment: ours first. More than a minute is
/// wrong: tokens and certificates begin and end by the authority's clock.
#[cfg(feature = "https")]
pub(super) fn clocks(both: Option<(Timestamp, Timestamp)>) -> Result<String> {
    let Some((here, there)) = both else { return Ok("the authority does not tell its time".to_owned()) };
    let (apart, word) = match here.since(there) {
        Some(ahead) => (ahead, "ahead of"),
        None => (there.since(here).unwrap_or_default(), "behind"),
    };
    if apart <= std::time::Duration::from_secs(60) {
        return Ok(format!("{} s {word} the authority's", apart.as_secs()));
    }
    Err(Error::new(ErrorKind::Unsupported, "this machine's clock and the authority's are more than a minute apart")
        .context("here", here)
        .context("there", there)
        .hint("set the clock, by NTP if it can be reached"))
}

/// What an issuer returns.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Issued {
    /// Leaf and intermediates.
    pub chain: Chain,
    /// The private key, when the source brings its own instead of certifying the one of the request.
    pub key: Option<PrivateKey>,
    /// What the authority's clock said while it answered, when it told (the `Date` of RFC 9110 §6.6.1).
    pub authority_time: Option<Timestamp>,
}

impl Issued {
    /// A chain for the key of the request.
    pub fn new(chain: Chain) -> Self {
        Self { chain, key: None, authority_time: None }
    }

    /// A chain for a key that the source made.
    pub fn with_key(chain: Chain, key: PrivateKey) -> Self {
        Self { chain, key: Some(key), authority_time: None }
    }

    /// The same, with what the authority's clock said: this machine's is compared with it.
    #[must_use]
    pub const fn at(mut self, authority_time: Timestamp) -> Self {
        self.authority_time = Some(authority_time);
        self
    }
}

/// When an authority suggests to renew (RFC 9773 §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RenewalInfo {
    /// Renew at a moment in this window, chosen at random.
    pub window: Window,
    /// Ask again at this moment (the authority's `Retry-After`).
    pub check_again: Timestamp,
    /// What the authority's clock said while it answered, when it told.
    pub authority_time: Option<Timestamp>,
}

impl RenewalInfo {
    /// A suggestion, for implementers of [`Issuer`].
    pub const fn new(window: Window, check_again: Timestamp) -> Self {
        Self { window, check_again, authority_time: None }
    }

    /// The same, with what the authority's clock said: this machine's is compared with it.
    #[must_use]
    pub const fn at(mut self, authority_time: Timestamp) -> Self {
        self.authority_time = Some(authority_time);
        self
    }
}

/// Why a certificate is revoked (RFC 5280 §5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum RevocationReason {
    /// No reason is given.
    #[default]
    Unspecified,
    /// Somebody else has, or may have, the private key.
    KeyCompromise,
    /// A newer certificate took its place.
    Superseded,
    /// The names are not used any more.
    CessationOfOperation,
}

impl RevocationReason {
    /// Every reason that can be given.
    pub const ALL: [Self; 4] = [Self::Unspecified, Self::KeyCompromise, Self::Superseded, Self::CessationOfOperation];

    /// The word for it, as on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "key-compromise",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessation-of-operation",
        }
    }

    /// The number of its CRLReason.
    pub const fn number(self) -> u8 {
        match self {
            Self::Unspecified => 0,
            Self::KeyCompromise => 1,
            Self::Superseded => 4,
            Self::CessationOfOperation => 5,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::key::KeyAlgorithm;

    #[derive(Debug)]
    struct Nothing(IssuerName);

    impl Issuer for Nothing {
        fn id(&self) -> &IssuerName {
            &self.0
        }

        fn issue(&self, _: &Request<'_>, _: &Cancel) -> Result<Issued> {
            Err(Error::new(ErrorKind::Refused, "never"))
        }
    }

    #[test]
    fn the_request_is_signed_once_and_shows_no_key() {
        let (lineage, sans) = ("www".parse().unwrap(), Sans::new(vec!["a.example".parse().unwrap()]).unwrap());
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let request = Request::new(&lineage, &sans, &key);
        assert!(std::ptr::eq(request.csr().unwrap(), request.csr().unwrap()));
        assert_eq!(request.csr().unwrap().public_key_der(), request.public_key_der());
        assert!(!format!("{request:?}").contains("key"));
    }

    #[test]
    fn what_an_issuer_does_not_know_is_said() {
        let issuer = Nothing("lab".parse().unwrap());
        let family = crate::pki::forge::Family::new(&["a.example"]);
        assert_eq!(issuer.renewal_info(&family.leaf, &Cancel::new()).unwrap(), None);
        let error = issuer.revoke(&family.leaf, RevocationReason::KeyCompromise, &Cancel::new()).unwrap_err();
        assert_eq!((error.kind(), error.fact("issuer")), (ErrorKind::Unsupported, Some("lab")));
        let cancel = Cancel::new();
        cancel.cancel();
        assert_eq!(issuer.renewal_info(&family.leaf, &cancel).unwrap_err().kind(), ErrorKind::Cancelled);
    }
}
