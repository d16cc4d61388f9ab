//! What every [`Probe`] does. What is really served is told by another client, and its facts by OpenSSL.

use std::io;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use certwright::{Cancel, ErrorKind, Observation, Probe, Seen, Timestamp};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::{Outcome, must, refused, stopped, suite, tells, within};
use crate::materials::Authority;
use crate::openssl;
use crate::stage_play::START;
use crate::until::until;

/// A probe, and the service that it asks.
pub struct Bench {
    /// The probe under test. It asks one place, for the name `www.example.org` where it asks for a name.
    pub probe: Arc<dyn Probe>,
    /// The same with a short time limit, where one can be set.
    pub hurried: Option<Arc<dyn Probe>>,
    /// The same for the name `other.example.org`, where it asks for a name.
    pub other_name: Option<Arc<dyn Probe>>,
    /// The other side.
    pub service: Arc<dyn Service>,
    /// How long is waited for what has to come.
    pub patience: Duration,
}

/// A service under the hands of a bench.
pub trait Service: Send + Sync {
    /// What it serves from now on; whether it can do that at all.
    ///
    /// # Errors
    ///
    /// When it cannot be made so.
    fn set(&self, mood: Mood) -> io::Result<bool>;

    /// The certificates that another client sees when it asks for `www.example.org`, PEM, leaf first.
    ///
    /// # Errors
    ///
    /// When it sees none.
    fn seen_by_another(&self) -> io::Result<Vec<u8>>;

    /// How often it was asked so far, where that can be counted.
    fn asked(&self) -> Option<usize>;

    /// Whether somebody waits for it now, when it is silent.
    ///
    /// # Errors
    ///
    /// When nobody does.
    fn is_reached(&self) -> io::Result<()>;

    /// Where it is, as errors and descriptions must say.
    fn place(&self) -> String;
}

/// A key and a chain, PEM.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The key.
    pub key: Vec<u8>,
    /// Leaf and intermediates.
    pub chain: Vec<u8>,
}

/// What a service does with whoever asks.
#[derive(Clone, Debug)]
pub enum Mood {
    /// Serves this.
    Serving(Shown),
    /// Serves the first for `www.example.org`, and the second for every other name.
    ByName(Shown, Shown),
    /// Shows this chain, with a key that does not belong to it.
    Forging(Shown),
    /// Listens, and says nothing.
    Silent,
    /// Is not there.
    Gone,
}

suite! {
    probe_suite of probe {
        it_sees_what_another_client_sees,
        it_looks_anew_each_time,
        another_name_is_another_certificate,
        who_does_not_hold_the_key_is_not_believed,
        a_place_where_nobody_is_has_its_error,
        silence_ends_at_the_limit,
        a_wait_ends_when_stopped,
        nothing_is_asked_when_stopped_before,
        several_threads_look_at_once,
        it_is_described_in_one_line,
    }
}

/// From an authority that nobody trusts, with an intermediate, not yet valid.
fn to_come() -> Result<Shown, Box<dyn std::error::Error>> {
    let now: Timestamp = START.parse()?;
    let later = now.saturating_add(Duration::from_secs(3_000 * 86_400));
    let material = Authority::new(later).leaf(&["www.example.org"], later);
    let key = material.key().to_pem().expose().to_vec();
    Ok(Shown { key, chain: material.chain().fullchain_pem().into_bytes() })
}

/// Signed by itself.
fn alone() -> Result<Shown, Box<dyn std::error::Error>> {
    let (key, chain) = openssl::self_signed("www.example.org")?;
    Ok(Shown { key, chain })
}

impl Bench {
    fn serve(&self, shown: &Shown) -> Outcome {
        must!(self.service.set(Mood::Serving(shown.clone()))?, "the bench cannot serve");
        Ok(())
    }

    /// The one certificate that is seen in the one place.
    fn seen(&self, probe: &dyn Probe) -> Result<Seen, Box<dyn std::error::Error>> {
        Ok(self.one(probe.observe(&Cancel::new())?)?.seen?)
    }

    fn one(&self, observations: Vec<Observation>) -> Result<Observation, String> {
        let place = self.service.place();
        match <[Observation; 1]>::try_from(observations) {
            Ok([one]) if one.place.to_string() == place => Ok(one),
            Ok([one]) => Err(format!("seen at {}, and not at {place}", one.place)),
            Err(many) => Err(format!("one place was asked, and reported is {many:?}")),
        }
    }

    /// Why nothing was seen.
    fn unseen(&self, what: &str, probe: &dyn Probe) -> Result<certwright::Error, Box<dyn std::error::Error>> {
        let one = self.one(probe.observe(&Cancel::new())?)?;
        let error = refused(what, one.seen)?;
        tells(what, &error, &self.service.place())?;
        Ok(error)
    }
}

/// The facts of what is served as OpenSSL tells them.
fn expect(seen: &Seen, chain: &[u8]) -> Outcome {
    let told = openssl::x509(chain, &["-fingerprint", "-sha256", "-dates", "-dateopt", "iso_8601"])?;
    let line = |lead: &str| told.lines().find_map(|line| line.strip_prefix(lead)).unwrap_or_default().to_owned();
    let fingerprint = line("sha256 Fingerprint=").replace(':', "").to_lowercase();
    must!(seen.fingerprint.to_string() == fingerprint, "the leaf is {fingerprint}, seen was {}", seen.fingerprint);
    for (what, moment) in [("notBefore=", seen.window.start), ("notAfter=", seen.window.end)] {
        let wanted: Timestamp = line(what).replacen(' ', "T", 1).parse()?;
        must!(moment == wanted, "{what}{wanted}, seen was {moment}");
    }
    let key = openssl::key_digest(chain)?;
    must!(seen.key_fingerprint.to_string() == key, "the key is {key}, seen was {}", seen.key_fingerprint);
    let length = CertificateDer::pem_slice_iter(chain).count();
    must!(seen.chain_length == length, "{length} certificates are sent, seen were {}", seen.chain_length);
    Ok(())
}

/// Fingerprints, validity and length are those of what is really served, trusted or not, valid or not; and asking changes
/// nothing.
pub fn it_sees_what_another_client_sees(b: &Bench) -> Outcome {
    for shown in [to_come()?, alone()?] {
        b.serve(&shown)?;
        let before = b.service.seen_by_another()?;
        expect(&b.seen(&*b.probe)?, &before)?;
        must!(b.service.seen_by_another()? == before, "asking has changed what is served");
    }
    Ok(())
}

/// Nothing is remembered from one look to the next.
pub fn it_looks_anew_each_time(b: &Bench) -> Outcome {
    let (first, second) = (alone()?, alone()?);
    for shown in [&first, &second, &first] {
        b.serve(shown)?;
        expect(&b.seen(&*b.probe)?, &shown.chain)?;
    }
    Ok(())
}

/// Whoever asks for another name sees what is served for that, and takes it for nothing else.
pub fn another_name_is_another_certificate(b: &Bench) -> Outcome {
    let (ours, theirs) = (alone()?, alone()?);
    let Some(other) = &b.other_name else { return Ok(()) };
    must!(b.service.set(Mood::ByName(ours.clone(), theirs.clone()))?, "the bench knows no names");
    expect(&b.seen(&*b.probe)?, &ours.chain)?;
    expect(&b.seen(&**other)?, &theirs.chain)
}

/// A certificate that is shown by somebody without its key is not seen.
pub fn who_does_not_hold_the_key_is_not_believed(b: &Bench) -> Outcome {
    if !b.service.set(Mood::Forging(alone()?))? {
        return Ok(());
    }
    b.unseen("a certificate without its key", &*b.probe).map(drop)
}

/// A place where nobody is, is reported with an error that names it; somebody who comes later is seen.
pub fn a_place_where_nobody_is_has_its_error(b: &Bench) -> Outcome {
    must!(b.service.set(Mood::Gone)?, "the bench cannot be gone");
    let error = b.unseen("nobody there", &*b.probe)?;
    let kind = error.kind();
    must!(matches!(kind, ErrorKind::Network | ErrorKind::NotFound), "nobody there: {kind:?}: {error:#}");
    let shown = alone()?;
    b.serve(&shown)?;
    expect(&b.seen(&*b.probe)?, &shown.chain)
}

/// Somebody who says nothing is waited for until the limit, and named then.
pub fn silence_ends_at_the_limit(b: &Bench) -> Outcome {
    let Some(hurried) = b.hurried.clone() else { return Ok(()) };
    must!(b.service.set(Mood::Silent)?, "a time limit can be set, and nobody is silent");
    let answer = within(b.patience, move || hurried.observe(&Cancel::new()));
    let Some(answer) = answer else { return Err("it waits on after its own limit".into()) };
    let error = refused("silence", b.one(answer?)?.seen)?;
    must!(error.kind() == ErrorKind::Timeout, "silence: {:?}: {error:#}", error.kind());
    tells("silence", &error, &b.service.place())
}

/// A wait for somebody who says nothing is ended by asking.
pub fn a_wait_ends_when_stopped(b: &Bench) -> Outcome {
    if !b.service.set(Mood::Silent)? {
        return Ok(());
    }
    let cancel = Cancel::new();
    let (probe, service, theirs, patience) = (b.probe.clone(), b.service.clone(), cancel.clone(), b.patience);
    let stop = thread::spawn(move || {
        let reached = until(patience, "a look that waits", || service.is_reached());
        cancel.cancel();
        reached
    });
    let answer = within(b.patience, move || probe.observe(&theirs));
    stop.join().map_err(|_| "a thread panicked")??;
    let Some(answer) = answer else { return Err("it waits on, though it was asked to stop".into()) };
    let error = refused("a look that was stopped", answer)?;
    must!(error.kind() == ErrorKind::Cancelled, "a look that was stopped: {:?}: {error:#}", error.kind());
    Ok(())
}

/// A look that is stopped before it begins returns `Cancelled`, and nobody is asked.
pub fn nothing_is_asked_when_stopped_before(b: &Bench) -> Outcome {
    let shown = alone()?;
    b.serve(&shown)?;
    let before = b.service.asked();
    let error = refused("stopped before", b.probe.observe(&stopped()))?;
    must!(error.kind() == ErrorKind::Cancelled, "stopped before: {:?}: {error:#}", error.kind());
    expect(&b.seen(&*b.probe)?, &shown.chain)?;
    let (asked, wanted) = (b.service.asked(), before.map(|before| before + 1));
    must!(asked == wanted, "stopped before, it asked: {asked:?} looks, and not {wanted:?}");
    Ok(())
}

/// Several look at once, and each sees what is served.
pub fn several_threads_look_at_once(b: &Bench) -> Outcome {
    let shown = alone()?;
    b.serve(&shown)?;
    let start = Arc::new(Barrier::new(8));
    let looks: Vec<_> = (0..8)
        .map(|_| {
            let (probe, start) = (b.probe.clone(), start.clone());
            thread::spawn(move || {
                start.wait();
                probe.observe(&Cancel::new())
            })
        })
        .collect();
    for look in looks {
        let found = look.join().map_err(|_| "a thread panicked")??;
        expect(&b.one(found)?.seen?, &shown.chain)?;
    }
    Ok(())
}

/// What is asked can be told in a report: in one line, the same at every time, with the place.
pub fn it_is_described_in_one_line(b: &Bench) -> Outcome {
    let before = b.probe.describe();
    b.serve(&alone()?)?;
    b.seen(&*b.probe)?;
    must!(before == b.probe.describe(), "`{before}` became `{}`", b.probe.describe());
    must!(before.lines().count() == 1, "`{before}` is not one line");
    must!(before.contains(&b.service.place()), "`{before}` does not name `{}`", b.service.place());
    Ok(())
}
