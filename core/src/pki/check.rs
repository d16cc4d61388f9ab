//! The gate: what key and chain have to be before anything is deployed. Each refusal is an error of its own.

use super::algorithm::{self, KeyAlgorithm};
use super::chain::Chain;
use super::facts::KeyUsage;
use super::finding::{Finding, Severity};
use super::leaf::Certificate;
use super::lint::{self, Role};
use super::material::Material;
use super::trust::{self, Roots, shown};
use crate::ground::error::{Error, ErrorKind, Public, Result, Retry};
use crate::ground::name::{Identifier, Sans};
use crate::ground::time::Timestamp;

/// 2026-11-01T00:00:00Z: this version was not released before, so a clock that says an earlier time is wrong.
pub(crate) const RELEASED: Timestamp = Timestamp::from_unix(1_793_491_200);

/// What a set of key and chain is measured against.
#[derive(Clone, Debug)]
pub(crate) struct Requirements<'a> {
    /// The identifiers of the spec.
    pub(crate) identifiers: &'a Sans,
    /// Whether the certificate may be for more than these.
    pub(crate) surplus: Surplus,
    /// The algorithm of the key, when one is asked for.
    pub(crate) key: Option<KeyAlgorithm>,
    /// The roots that the chain must lead to; without them its links are checked as far as it goes.
    pub(crate) roots: Option<&'a Roots>,
    /// The time.
    pub(crate) now: Timestamp,
    /// The newest moment that is known to have been, if one is known.
    pub(crate) not_before_known: Option<Timestamp>,
    /// What is active, when going back behind it has to be refused.
    pub(crate) active: Option<&'a Certificate>,
}

/// Whether a certificate may be for more identifiers than were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surplus {
    /// It may: another client brought it, and CAs add names of their own (`www.` beside a bare domain).
    Accepted,
    /// It may not: it was requested for exactly these.
    Refused,
}

impl<'a> Requirements<'a> {
    /// For these identifiers at this time; nothing else is asked for.
    pub(crate) fn new(identifiers: &'a Sans, now: Timestamp) -> Self {
        Self {
            identifiers,
            surplus: Surplus::Accepted,
            key: None,
            roots: None,
            now,
            not_before_known: None,
            active: None,
        }
    }

    /// Whether `material` meets them all. That the key belongs to the leaf is part of being a [`Material`].
    ///
    /// # Errors
    ///
    /// The first failing requirement: [`ErrorKind::Unfit`] when it is about the leaf or key, [`ErrorKind::Untrusted`] when it
    /// is about the chain, [`ErrorKind::Unsupported`] when the clock of this machine cannot be right or a signature is of a
    /// kind that cannot be checked here.
    pub(crate) fn check(&self, material: &Material) -> Result<()> {
        let (leaf, chain) = (material.chain().leaf(), material.chain());
        clock(self.now, self.not_before_known)?;
        self.check_key(material)?;
        self.check_identifiers(leaf)?;
        check_purpose(leaf)?;
        self.check_window(leaf)?;
        self.check_age(leaf)?;
        check_signatures(chain)?;
        match self.roots {
            Some(roots) => roots.check(chain, self.now)?,
            None => trust::check_links(chain, self.now)?,
        }
        check_form(chain, self.now)
    }

    fn check_key(&self, material: &Material) -> Result<()> {
        match self.key {
            Some(wished) if material.key().algorithm() != wished => {
                Err(Error::new(ErrorKind::Unfit, "the key is not of the kind that is wished for")
                    .context("key", material.key().algorithm().word())
                    .context("wished", wished.word())
                    .hint("bring a key of the wished kind, or change `key`"))
            }
            _ => Ok(()),
        }
    }

    fn check_identifiers(&self, leaf: &Certificate) -> Result<()> {
        let refuse = |message: &'static str, name: &'static str, identifiers: Vec<String>, hint: &'static str| {
            Error::new(ErrorKind::Unfit, message)
                .context(name, Public(&identifiers.join(", ")))
                .context("serial", Public(&leaf.serial()))
                .hint(hint)
        };
        let uncovered = self.identifiers.iter().filter(|wanted| !leaf.covers(wanted));
        let missing: Vec<String> = uncovered.map(Identifier::to_string).collect();
        if !missing.is_empty() {
            return Err(refuse(
                "the certificate does not cover every identifier",
                "missing",
                missing,
                "request a certificate for all of them, or remove them from `identifiers`",
            ));
        }
        let unasked = leaf.identifiers().iter().filter(|have| !self.identifiers.iter().any(|wanted| wanted == *have));
        let mut surplus: Vec<String> = unasked.map(Identifier::to_string).collect();
        surplus.extend(leaf.other_names().iter().cloned());
        if self.surplus == Surplus::Refused && !surplus.is_empty() {
            return Err(refuse(
                "the certificate is for more than was asked for",
                "surplus",
                surplus,
                "ask the issuer why, or add them to `identifiers`",
            ));
        }
        Ok(())
    }

    fn check_window(&self, leaf: &Certificate) -> Result<()> {
        let window = leaf.window();
        if self.now > window.end {
            return Err(Error::new(ErrorKind::Unfit, "the certificate has expired")
                .context("certificate", Public(&shown(leaf)))
                .context("expired", window.end)
                .context("now", self.now)
                .hint("bring a certificate that is valid, or look at the clock of this machine"));
        }
        if self.now < window.start {
            return Err(Error::new(ErrorKind::Unfit, "the certificate is not valid yet")
                .context("certificate", Public(&shown(leaf)))
                .context("valid_from", window.start)
                .context("now", self.now)
                .hint("look at the clocks of this machine and of the CA, and try again when they agree")
                .retry(Retry::After(window.start)));
        }
        Ok(())
    }

    fn check_age(&self, leaf: &Certificate) -> Result<()> {
        let Some(active) = self.active else { return Ok(()) };
        let age = |certificate: &Certificate| (certificate.window().start, certificate.window().end);
        if age(leaf) >= age(active) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Unfit, "the certificate is older than the one that is active")
            .context("valid_from", leaf.window().start)
            .context("active_valid_from", active.window().start)
            .context("until", leaf.window().end)
            .context("active_until", active.window().end)
            .hint("deploy the newest certificate; to go back on purpose use `rollback`"))
    }
}

/// The clock is right enough to be believed about validity: it says no time that is known to have passed.
///
/// # Errors
///
/// [`ErrorKind::Unsupported`] when it does.
pub(crate) fn clock(now: Timestamp, not_before_known: Option<Timestamp>) -> Result<()> {
    let known = not_before_known.map_or(RELEASED, |known| known.max(RELEASED));
    if now >= known {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Unsupported, "the clock of this machine is behind, so validity cannot be judged")
        .context("now", now)
        .context("known_to_have_passed", known)
        .hint("set the clock, by NTP if it can be reached, and try again")
        .retry(Retry::Now))
}

/// The leaf may be used by a TLS server (RFC 5280 §4.2.1.3, §4.2.1.9, §4.2.1.12).
fn check_purpose(leaf: &Certificate) -> Result<()> {
    let refuse = |message: &'static str| {
        Error::new(ErrorKind::Unfit, message)
            .context("certificate", Public(&shown(leaf)))
            .hint("request a certificate for a TLS server")
    };
    if leaf.is_ca() {
        return Err(refuse("the certificate is that of a CA, not of a server"));
    }
    if !trust::serves(leaf) {
        let purposes = algorithm::purpose_names(leaf.extended_key_usage().unwrap_or_default());
        return Err(refuse("the extended key usage of the certificate does not allow servers")
            .context("extended_key_usage", Public(&purposes)));
    }
    let enough = KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT;
    if leaf.usage().is_some_and(|usage| !usage.has(enough)) {
        return Err(refuse("the key usage of the certificate does not allow a TLS handshake")
            .context("key_usage", Public(&leaf.key_usage().unwrap_or_default().join(", "))));
    }
    Ok(())
}

/// Nothing that is served is signed with a broken hash or has a key that is too short (BR §6.1.5, §7.1.3.2). The signature
/// on a root is not looked at by anybody.
fn check_signatures(chain: &Chain) -> Result<()> {
    for certificate in chain.certificates() {
        let signature = certificate.signature_algorithm();
        if algorithm::is_broken(&signature) {
            return Err(Error::new(ErrorKind::Untrusted, "a certificate of the chain is signed with a broken hash")
                .context("certificate", Public(&shown(certificate)))
                .context("signature", Public(&signature))
                .hint("ask the issuer for a chain signed with SHA-256 or better"));
        }
        if let Some(bits) = algorithm::short_rsa(certificate.spki_der()) {
            return Err(Error::new(ErrorKind::Untrusted, "a key of the chain is too short to be safe")
                .context("certificate", Public(&shown(certificate)))
                .context("bits", bits)
                .hint("ask the issuer for a chain with RSA keys of 2048 bits or more"));
        }
    }
    Ok(())
}

/// Findings that no client minds, so that the CAs of private networks go on working.
const FORGIVEN: [&str; 4] =
    ["authority-key-id-missing", "subject-key-id-missing", "basic-constraints-not-critical", "name-malformed"];

/// Nothing that is served breaks RFC 5280 or TLS in a way that some clients do not accept. The Baseline Requirements do not
/// bind the CAs of private networks; `inspect` speaks of them.
fn check_form(chain: &Chain, now: Timestamp) -> Result<()> {
    let role = |place: usize| if place == 0 { Role::Leaf } else { Role::Intermediate };
    let path: Vec<(Role, &Certificate)> =
        chain.certificates().enumerate().map(|(place, certificate)| (role(place), certificate)).collect();
    let refused = |finding: &Finding| {
        finding.severity == Severity::Error && finding.reference.starts_with("RFC") && !FORGIVEN.contains(&finding.code)
    };
    match lint::path(&path, now).into_iter().find(refused) {
        None => Ok(()),
        Some(finding) => Err(Error::new(ErrorKind::Unfit, "a certificate breaks a rule that clients hold it to")
            .context("certificate", Public(&finding.about))
            .context("found", Public(&finding.message))
            .context("rule", finding.reference)
            .hint("ask the issuer for a certificate that keeps the rule; `certwright inspect` tells more")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::forge::{
        ALT_NAME, AUTHORITY_KEY_ID, BASIC_CONSTRAINTS, EXTENDED_KEY_USAGE, Family, Forge, KEY_USAGE, NOW, SHA1_RSA,
        SUBJECT_KEY_ID, common_name, p256, purposes,
    };

    fn sans(names: &[&str]) -> Sans {
        Sans::new(names.iter().map(|name| name.parse().unwrap()).collect()).unwrap()
    }

    fn material(family: &Family, leaf: &Certificate) -> Material {
        let chain = Chain::from_certificates(vec![leaf.clone(), family.intermediate.clone()]).unwrap();
        Material::new(family.leaf_key.clone(), chain).unwrap()
    }

    fn refusal(requirements: &Requirements<'_>, material: &Material, kind: ErrorKind, word: &str) {
        let error = requirements.check(material).unwrap_err();
        assert!(error.to_string().contains(word), "{error} does not say {word:?}");
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.hint_text().is_some(), "{error}");
    }

    #[test]
    fn good_material_passes() {
        let family = Family::new(&["a.example", "*.b.example"]);
        let names = sans(&["a.example", "www.b.example"]);
        let roots = Roots::from_pem(family.root.pem().as_bytes()).unwrap();
        let mut wish = Requirements::new(&names, NOW);
        wish.check(&material(&family, &family.leaf)).unwrap();
        wish.roots = Some(&roots);
        wish.key = Some(KeyAlgorithm::EcdsaP256);
        wish.active = Some(&family.leaf);
        wish.not_before_known = Some(NOW);
        wish.check(&material(&family, &family.leaf)).unwrap();
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let family = Family::new(&["a.example"]);
        let chain = Chain::from_certificates(vec![family.leaf.clone()]).unwrap();
        let error = Material::new(p256(), chain).unwrap_err();
        assert!(error.to_string().contains("does not belong to the certificate"), "{error}");
        assert_eq!(error.kind(), ErrorKind::Unfit);
    }

    #[test]
    fn missing_and_surplus_identifiers_are_named() {
        let family = Family::new(&["a.example", "b.example"]);
        let both = material(&family, &family.leaf);
        let names = sans(&["a.example", "c.example", "d.example"]);
        refusal(&Requirements::new(&names, NOW), &both, ErrorKind::Unfit, "missing `c.example, d.example`");
        let names = sans(&["a.example"]);
        let mut wish = Requirements::new(&names, NOW);
        wish.check(&both).unwrap();
        wish.surplus = Surplus::Refused;
        refusal(&wish, &both, ErrorKind::Unfit, "surplus `b.example`");
    }

    #[test]
    fn the_key_is_of_the_kind_wished_for() {
        let family = Family::new(&["a.example"]);
        let names = sans(&["a.example"]);
        let wish = Requirements { key: Some(KeyAlgorithm::Rsa2048), ..Requirements::new(&names, NOW) };
        refusal(&wish, &material(&family, &family.leaf), ErrorKind::Unfit, "not of the kind");
    }

    #[test]
    fn expired_not_yet_valid_and_a_wrong_clock_are_three_things() {
        let family = Family::new(&["a.example"]);
        let good = material(&family, &family.leaf);
        let names = sans(&["a.example"]);
        let window = family.leaf.window();
        let at = |seconds: i64| Requirements::new(&names, Timestamp::from_unix(seconds));
        refusal(&at(window.end.unix() + 1), &good, ErrorKind::Unfit, "has expired");
        refusal(&at(RELEASED.unix() - 1), &good, ErrorKind::Unsupported, "clock of this machine is behind");
        let known = Requirements { not_before_known: Some(Timestamp::from_unix(NOW.unix() + 1)), ..at(NOW.unix()) };
        refusal(&known, &good, ErrorKind::Unsupported, "clock of this machine is behind");
        let later = family.another_leaf(&["a.example"], |forge| forge.valid("261125000000Z", "270101000000Z"));
        refusal(&at(NOW.unix()), &material(&family, &later), ErrorKind::Unfit, "not valid yet");
        let error = at(NOW.unix()).check(&material(&family, &later)).unwrap_err();
        assert_eq!(error.retry_when(), Retry::After(later.window().start));
    }

    #[test]
    fn an_older_certificate_is_refused_where_one_is_active() {
        let family = Family::new(&["a.example"]);
        let names = sans(&["a.example"]);
        let older = family.another_leaf(&["a.example"], |forge| forge.valid("261101000000Z", "270101000000Z"));
        let wish = Requirements { active: Some(&family.leaf), ..Requirements::new(&names, NOW) };
        refusal(&wish, &material(&family, &older), ErrorKind::Unfit, "older than the one that is active");
        let newer = family.another_leaf(&["a.example"], |forge| forge.valid("261124000000Z", "270101000000Z"));
        wish.check(&material(&family, &newer)).unwrap();
    }

    #[test]
    fn a_certificate_for_something_else_is_refused() {
        let family = Family::new(&["a.example"]);
        let names = sans(&["a.example"]);
        let wish = Requirements::new(&names, NOW);
        let with = |number, critical, value: &[u8]| {
            material(&family, &family.another_leaf(&["a.example"], |forge| forge.with(number, critical, value)))
        };
        let client = with(EXTENDED_KEY_USAGE, false, &purposes(&[2]));
        refusal(&wish, &client, ErrorKind::Unfit, "extended key usage");
        for accepted in [purposes(&[2, 1]), purposes(&[0])] {
            wish.check(&with(EXTENDED_KEY_USAGE, false, &accepted)).unwrap();
        }
        let authority = with(BASIC_CONSTRAINTS, true, &[0x30, 3, 1, 1, 0xff]);
        refusal(&wish, &authority, ErrorKind::Unfit, "that of a CA");
        let signs_crls = with(KEY_USAGE, true, &[3, 2, 1, 2]);
        refusal(&wish, &signs_crls, ErrorKind::Unfit, "key usage");
    }

    #[test]
    fn a_subject_that_is_empty_wants_critical_names() {
        let family = Family::new(&["a.example"]);
        let names = sans(&["a.example"]);
        let wish = Requirements::new(&names, NOW);
        let value = [0x30, 11, 0x82, 9, b'a', b'.', b'e', b'x', b'a', b'm', b'p', b'l', b'e'];
        let leaf = family.another_leaf(&["a.example"], |forge| forge.with(ALT_NAME, false, &value));
        refusal(&wish, &material(&family, &leaf), ErrorKind::Unfit, "RFC 5280 §4.2.1.6");
        let named = family.another_leaf(&["a.example"], |forge| Forge {
            subject: common_name("a.example"),
            ..forge.with(ALT_NAME, false, &value)
        });
        wish.check(&material(&family, &named)).unwrap();
    }

    #[test]
    fn what_no_client_minds_is_forgiven() {
        let family = Family::new(&["a.example"]);
        let names = sans(&["a.example"]);
        let leaf = family.another_leaf(&["a.example", "a_b.example"], |forge| {
            forge.without(AUTHORITY_KEY_ID).without(SUBJECT_KEY_ID).without(EXTENDED_KEY_USAGE)
        });
        let between = family.another_intermediate(|forge| {
            forge.without(SUBJECT_KEY_ID).with(BASIC_CONSTRAINTS, false, &[0x30, 3, 1, 1, 0xff])
        });
        let chain = Chain::from_certificates(vec![leaf, between]).unwrap();
        let set = Material::new(family.leaf_key.clone(), chain).unwrap();
        Requirements::new(&names, NOW).check(&set).unwrap();
    }

    #[test]
    fn a_broken_hash_anywhere_in_the_chain_is_refused() {
        let family = Family::new(&["a.example"]);
        let names = sans(&["a.example"]);
        let broken =
            |forge: Forge| Forge { outer_algorithm: SHA1_RSA.to_vec(), inner_algorithm: SHA1_RSA.to_vec(), ..forge };
        let leaf = family.another_leaf(&["a.example"], broken);
        refusal(&Requirements::new(&names, NOW), &material(&family, &leaf), ErrorKind::Untrusted, "broken hash");
        let between = family.another_intermediate(broken);
        let chain = Chain::from_certificates(vec![family.leaf.clone(), between]).unwrap();
        let set = Material::new(family.leaf_key.clone(), chain).unwrap();
        refusal(&Requirements::new(&names, NOW), &set, ErrorKind::Untrusted, "broken hash");
    }
}
