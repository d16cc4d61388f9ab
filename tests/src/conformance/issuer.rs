//! What every [`Issuer`] does, as its documentation promises. Chains, keys and names are judged by OpenSSL.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use certwright::{
    Cancel, Certificate, ErrorKind, Identifier, Issued, Issuer, KeyAlgorithm, LineageName, PrivateKey, Request,
    RevocationReason, Sans, Timestamp,
};

use super::{Outcome, must, refused, secrets, stopped, suite, tells, within};
use crate::openssl::{self, Verify};
use crate::until::until;

/// An issuer that was not asked anything yet, and the authority behind it.
pub struct Bench {
    /// The issuer under test.
    pub issuer: Arc<dyn Issuer>,
    /// The other side.
    pub authority: Arc<dyn Authority>,
    /// The roots to which its chains lead, PEM; asked for when a chain was issued.
    pub roots: Box<dyn Fn() -> certwright::Result<Vec<u8>> + Send + Sync>,
    /// The time of the authority's clock.
    pub now: Timestamp,
    /// What it issues for: each set is asked for on its own. At least one.
    pub names: Vec<Sans>,
    /// How long an answer is waited for that has to come.
    pub patience: Duration,
}

/// What the seam does not tell about an issuer.
pub trait Authority: Send + Sync {
    /// How it is from now on.
    ///
    /// # Errors
    ///
    /// When it cannot be made so.
    fn set(&self, mood: Mood) -> io::Result<()>;

    /// What has been begun at the authority and in the issuer's own state: another text after anything was.
    fn traces(&self) -> String;

    /// Whether a call waits for it now, in the mood of silence.
    ///
    /// # Errors
    ///
    /// When none does.
    fn is_waited_for(&self) -> io::Result<()>;

    /// What nobody may be shown: its keys in PEM, tokens as they are.
    fn secrets(&self) -> Vec<Vec<u8>>;

    /// Where it is, as an error about it must say: a path, a URL.
    fn place(&self) -> String;

    /// Identifiers that it refuses, when there are any.
    fn refuses(&self) -> Option<Sans>;
}

/// How an authority answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// As wished.
    Willing,
    /// With a failure of its own.
    Failing,
    /// Not at all.
    Silent,
}

suite! {
    issuer_suite of issuer {
        the_name_stays,
        a_chain_belongs_to_the_key_and_the_names,
        a_key_of_any_kind_is_certified,
        the_same_request_is_answered_again,
        it_goes_on_after_a_failure,
        a_failure_names_the_place_and_the_next_step,
        what_it_may_not_issue_is_refused_by_name,
        nothing_is_begun_when_stopped_before,
        a_wait_ends_when_stopped,
        several_threads_are_served_at_once,
        no_secret_is_shown,
        renewal_information_is_a_window_or_nothing,
        a_revocation_is_done_or_said_to_be_impossible,
    }
}

impl Bench {
    fn first(&self) -> Result<Sans, String> {
        self.names.first().cloned().ok_or_else(|| "the bench has no names to ask for".to_owned())
    }

    /// A chain for the first names and a new key.
    fn leaf(&self) -> Result<(PrivateKey, Issued), Box<dyn std::error::Error>> {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
        let issued = ask(&*self.issuer, &self.first()?, &key, &Cancel::new())?;
        Ok((issued.key.clone().unwrap_or(key), issued))
    }

    /// The chain is for this key and exactly these names, and a TLS client that trusts the roots would take it.
    fn fits(&self, issued: &Issued, names: &Sans, key: &PrivateKey) -> Outcome {
        let key = issued.key.as_ref().unwrap_or(key);
        let leaf = issued.chain.leaf_pem();
        let theirs = openssl::public_key_of_certificate(leaf.as_bytes())?;
        let ours = openssl::public_key_of_key(key.to_pem().expose())?;
        must!(theirs == ours, "the leaf for {names} has the public key of somebody else");
        must!(names_in(leaf.as_bytes())? == wanted(names), "asked for {names}: {:?}", names_in(leaf.as_bytes())?);
        let roots = (self.roots)()?;
        let chain = issued.chain.chain_pem();
        let verify = Verify {
            leaf: leaf.as_bytes(),
            intermediates: chain.as_bytes(),
            roots: &roots,
            at: Some(self.now.unix()),
            name: None,
        };
        verify.as_server()?;
        Ok(())
    }
}

fn ask(issuer: &dyn Issuer, names: &Sans, key: &PrivateKey, cancel: &Cancel) -> certwright::Result<Issued> {
    let lineage: LineageName = "www".parse()?;
    issuer.issue(&Request::new(&lineage, names, key), cancel)
}

/// The subject alternative names that OpenSSL reads, sorted.
fn names_in(leaf: &[u8]) -> io::Result<Vec<String>> {
    let text = openssl::x509(leaf, &["-ext", "subjectAltName"])?;
    let mut names: Vec<String> =
        text.lines().skip(1).flat_map(|line| line.split(',')).map(|name| name.trim().to_owned()).collect();
    names.sort_unstable();
    Ok(names)
}

/// The same as OpenSSL writes them.
fn wanted(names: &Sans) -> Vec<String> {
    let mut wanted: Vec<String> = names
        .iter()
        .map(|name| match name {
            Identifier::Ip(std::net::IpAddr::V6(address)) => {
                let words: Vec<String> = address.segments().iter().map(|word| format!("{word:X}")).collect();
                format!("IP Address:{}", words.join(":"))
            }
            Identifier::Ip(address) => format!("IP Address:{address}"),
            name => format!("DNS:{name}"),
        })
        .collect();
    wanted.sort_unstable();
    wanted
}

/// The name of the configuration is the same at every time and from every thread.
pub fn the_name_stays(b: &Bench) -> Outcome {
    let before = b.issuer.id().clone();
    b.leaf()?;
    let issuer = b.issuer.clone();
    let elsewhere = thread::spawn(move || issuer.id().clone()).join().map_err(|_| "a thread panicked")?;
    must!(*b.issuer.id() == before && elsewhere == before, "`{before}` became `{}`", b.issuer.id());
    Ok(())
}

/// A chain is for the key of the request, or for the one that is returned with it, and for exactly the names asked for.
pub fn a_chain_belongs_to_the_key_and_the_names(b: &Bench) -> Outcome {
    for names in &b.names {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
        let issued = ask(&*b.issuer, names, &key, &Cancel::new())?;
        b.fits(&issued, names, &key)?;
    }
    Ok(())
}

/// The kind of key is the requester's choice.
pub fn a_key_of_any_kind_is_certified(b: &Bench) -> Outcome {
    let names = b.first()?;
    for algorithm in [KeyAlgorithm::EcdsaP384, KeyAlgorithm::Rsa2048] {
        let key = PrivateKey::generate(algorithm)?;
        b.fits(&ask(&*b.issuer, &names, &key, &Cancel::new())?, &names, &key)?;
    }
    Ok(())
}

/// The same request again is answered by a chain for it, the same or another one.
pub fn the_same_request_is_answered_again(b: &Bench) -> Outcome {
    let (names, key, lineage) = (b.first()?, PrivateKey::generate(KeyAlgorithm::EcdsaP256)?, "www".parse()?);
    let request = Request::new(&lineage, &names, &key);
    for _ in 0..3 {
        b.fits(&b.issuer.issue(&request, &Cancel::new())?, &names, &key)?;
    }
    Ok(())
}

/// What a failed call left behind does not hinder the next one, of the same request and of others.
pub fn it_goes_on_after_a_failure(b: &Bench) -> Outcome {
    let (names, key, lineage) = (b.first()?, PrivateKey::generate(KeyAlgorithm::EcdsaP256)?, "www".parse()?);
    let request = Request::new(&lineage, &names, &key);
    for _ in 0..2 {
        b.authority.set(Mood::Failing)?;
        refused("an authority that fails", b.issuer.issue(&request, &Cancel::new()))?;
    }
    b.authority.set(Mood::Willing)?;
    b.fits(&b.issuer.issue(&request, &Cancel::new())?, &names, &key)?;
    let (key, issued) = b.leaf()?;
    b.fits(&issued, &names, &key)
}

/// A failure says where, and what can be done about it.
pub fn a_failure_names_the_place_and_the_next_step(b: &Bench) -> Outcome {
    b.authority.set(Mood::Failing)?;
    let (names, key) = (b.first()?, PrivateKey::generate(KeyAlgorithm::EcdsaP256)?);
    let what = "an authority that fails";
    let error = refused(what, ask(&*b.issuer, &names, &key, &Cancel::new()))?;
    must!(error.kind() != ErrorKind::Cancelled, "{what}: nobody asked to stop: {error:#}");
    tells(what, &error, &b.authority.place())
}

/// What the authority may not issue is refused, naming the identifier; the next request is not hindered.
pub fn what_it_may_not_issue_is_refused_by_name(b: &Bench) -> Outcome {
    let Some(names) = b.authority.refuses() else { return Ok(()) };
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    let error = refused("forbidden names", ask(&*b.issuer, &names, &key, &Cancel::new()))?;
    must!(error.kind() == ErrorKind::Refused, "forbidden names: {:?}: {error:#}", error.kind());
    let named = names.iter().any(|name| tells("forbidden names", &error, &name.to_string()).is_ok());
    must!(named, "forbidden names: none of {names} is named, or there is no hint: {error:#}");
    b.leaf().map(drop)
}

/// A call that is stopped before it begins returns `Cancelled`, and begins nothing.
pub fn nothing_is_begun_when_stopped_before(b: &Bench) -> Outcome {
    let (_, issued) = b.leaf()?;
    let (names, key) = (b.first()?, PrivateKey::generate(KeyAlgorithm::EcdsaP256)?);
    let before = b.authority.traces();
    let leaf = issued.chain.leaf();
    let answers = [
        ("issue", ask(&*b.issuer, &names, &key, &stopped()).map(drop)),
        ("renewal_info", b.issuer.renewal_info(leaf, &stopped()).map(drop)),
        ("revoke", b.issuer.revoke(leaf, RevocationReason::Superseded, &stopped())),
    ];
    for (call, answer) in answers {
        let error = refused(call, answer)?;
        must!(error.kind() == ErrorKind::Cancelled, "{call}, stopped before: {:?}: {error:#}", error.kind());
    }
    must!(b.authority.traces() == before, "stopped before, it began: {before}\nnow {}", b.authority.traces());
    b.leaf().map(drop)
}

/// A wait for an authority that says nothing ends when it is asked to.
pub fn a_wait_ends_when_stopped(b: &Bench) -> Outcome {
    b.authority.set(Mood::Silent)?;
    let (issuer, names, key) = (b.issuer.clone(), b.first()?, PrivateKey::generate(KeyAlgorithm::EcdsaP256)?);
    let cancel = Cancel::new();
    let theirs = cancel.clone();
    let authority = b.authority.clone();
    let patience = b.patience;
    let stop = thread::spawn(move || {
        let waits = until(patience, "a call that waits", || authority.is_waited_for());
        cancel.cancel();
        waits
    });
    let answer = within(b.patience, move || ask(&*issuer, &names, &key, &theirs));
    let waited = stop.join().map_err(|_| "a thread panicked")?;
    b.authority.set(Mood::Willing)?;
    let Some(answer) = answer else { return Err("it waits on, though it was asked to stop".into()) };
    let error = refused("a call that was stopped", answer)?;
    must!(error.kind() == ErrorKind::Cancelled, "a call that was stopped: {:?}: {error:#}", error.kind());
    waited?;
    b.leaf().map(drop)
}

/// Several calls at once, for the same and for other names, each get a chain for their own key.
pub fn several_threads_are_served_at_once(b: &Bench) -> Outcome {
    let start = Arc::new(std::sync::Barrier::new(8));
    let calls: Vec<_> = (0..8)
        .zip(b.names.iter().cycle())
        .map(|(_, names)| {
            let (issuer, names, start) = (b.issuer.clone(), names.clone(), start.clone());
            thread::spawn(move || {
                let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
                start.wait();
                ask(&*issuer, &names, &key, &Cancel::new()).map(|issued| (names, key, issued))
            })
        })
        .collect();
    for call in calls {
        let (names, key, issued) = call.join().map_err(|_| "a thread panicked")??;
        b.fits(&issued, &names, &key)?;
    }
    Ok(())
}

/// Neither what is printed of the issuer and its answers nor an error has a secret in it: not the authority's, not the
/// requester's.
pub fn no_secret_is_shown(b: &Bench) -> Outcome {
    let mut texts = Vec::new();
    let mut told = |error: &certwright::Error| texts.extend([error.to_string(), format!("{error:#} {error:?}")]);
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    let names = b.first()?;
    b.authority.set(Mood::Failing)?;
    told(&refused("an authority that fails", ask(&*b.issuer, &names, &key, &Cancel::new()))?);
    b.authority.set(Mood::Willing)?;
    if let Some(forbidden) = b.authority.refuses() {
        told(&refused("forbidden names", ask(&*b.issuer, &forbidden, &key, &Cancel::new()))?);
    }
    let issued = ask(&*b.issuer, &names, &key, &Cancel::new())?;
    if let Err(error) = b.issuer.revoke(issued.chain.leaf(), RevocationReason::KeyCompromise, &Cancel::new()) {
        told(&error);
    }
    texts.push(format!("{:?} {:#?} {issued:?}", b.issuer, b.issuer));
    let mut hidden = b.authority.secrets();
    must!(!hidden.is_empty(), "the bench tells no secret of the authority");
    hidden.push(key.to_pem().expose().to_vec());
    hidden.extend(issued.key.iter().map(|key| key.to_pem().expose().to_vec()));
    for text in texts {
        must!(!secrets::shown(&hidden, &text), "a secret can be read in: {text}");
    }
    Ok(())
}

/// Renewal information is a window in which there is time, or nothing; asking for it is no order.
pub fn renewal_information_is_a_window_or_nothing(b: &Bench) -> Outcome {
    let (_, issued) = b.leaf()?;
    let leaf: &Certificate = issued.chain.leaf();
    for _ in 0..2 {
        if let Some(info) = b.issuer.renewal_info(leaf, &Cancel::new())? {
            must!(info.window.start < info.window.end, "the window {:?} has no time in it", info.window);
            must!(info.window.start < leaf.window().end, "{:?} begins when the leaf has ended", info.window);
        }
    }
    Ok(())
}

/// A revocation is done, or it is said that this authority cannot.
pub fn a_revocation_is_done_or_said_to_be_impossible(b: &Bench) -> Outcome {
    let (_, issued) = b.leaf()?;
    match b.issuer.revoke(issued.chain.leaf(), RevocationReason::Superseded, &Cancel::new()) {
        Ok(()) => {}
        Err(error) => {
            must!(error.kind() == ErrorKind::Unsupported, "a revocation: {:?}: {error:#}", error.kind());
            tells("a revocation", &error, b.issuer.id().as_str())?;
        }
    }
    // One who was revoked for gets another one.
    b.leaf().map(drop)
}
