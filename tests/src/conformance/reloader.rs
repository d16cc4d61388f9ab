//! What every [`Reloader`] does. Which certificate the service uses is asked of the service, not of the reloader.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use certwright::{Cancel, Error, ErrorKind, GenerationId, LineageName, Material, ReloadContext, Reloaded, Reloader};

use super::{Outcome, must, refused, secrets, stopped, suite, tells, within};
use crate::materials::Authority;
use crate::served::Leaf;
use crate::stage_play::START;
use crate::until::until;

/// A reloader, and the service that it is for, which uses nothing yet.
pub struct Bench {
    /// The reloader under test.
    pub reloader: Arc<dyn Reloader>,
    /// The same with a short time limit of its own, where one can be set.
    pub hurried: Option<Arc<dyn Reloader>>,
    /// The other side.
    pub service: Arc<dyn Service>,
    /// How long is waited for what has to come.
    pub patience: Duration,
}

/// A service under the hands of a bench.
pub trait Service: Send + Sync {
    /// Makes this the active material on disk; the service is told nothing.
    ///
    /// # Errors
    ///
    /// When it cannot be.
    fn activate(&self, material: &Material) -> io::Result<()>;

    /// How it is from now on; whether it can be so at all.
    ///
    /// # Errors
    ///
    /// When it cannot be made so.
    fn set(&self, mood: Mood) -> io::Result<bool>;

    /// The certificate that it uses.
    ///
    /// # Errors
    ///
    /// When it cannot be seen, or it uses none.
    fn uses(&self) -> io::Result<Leaf>;

    /// How often it was told so far, where that can be counted.
    fn told(&self) -> Option<usize>;

    /// Whether a call stands before it now, when it hangs.
    ///
    /// # Errors
    ///
    /// When none does.
    fn is_reached(&self) -> io::Result<()>;

    /// What an error about it and a description must name: a program, a file, a unit, a socket.
    fn thing(&self) -> String;

    /// What everybody on the machine could see of the calls: arguments, environment.
    fn seen(&self) -> String;
}

/// How a service takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// As wished.
    Well,
    /// It says no.
    Refusing,
    /// It is told, does nothing, and does not say so.
    Deaf,
    /// It never comes to an end.
    Hanging,
    /// It is not there.
    Gone,
}

suite! {
    reloader_suite of reloader {
        the_service_uses_what_is_active,
        once_more_changes_nothing,
        it_goes_back_as_well,
        looking_beforehand_changes_nothing,
        nothing_is_told_when_stopped_before,
        a_wait_ends_when_stopped,
        a_wait_ends_by_itself,
        a_refusal_is_an_error_that_names_the_thing,
        a_service_that_is_gone_is_named,
        only_what_was_seen_is_confirmed,
        it_is_described_in_one_line,
        no_secret_is_shown,
    }
}

impl Bench {
    /// New material, active on disk.
    fn next(&self) -> Result<Material, Box<dyn std::error::Error>> {
        let now = START.parse()?;
        let material = Authority::new(now).leaf(&["www.example.org"], now);
        self.service.activate(&material)?;
        Ok(material)
    }

    /// Reload for this material, and see it used.
    fn taken(&self, material: &Material) -> Outcome {
        let reloaded = call(&*self.reloader, material, &Cancel::new())?;
        self.used(material)?;
        must!(matches!(reloaded, Reloaded::Asked | Reloaded::Confirmed), "an answer that is none: {reloaded:?}");
        Ok(())
    }

    fn used(&self, material: &Material) -> Outcome {
        let wanted = leaf(material);
        let look = || match self.service.uses()? {
            used if used == wanted => Ok(()),
            used => Err(io::Error::other(format!("it uses {used:?} for {wanted:?}"))),
        };
        Ok(until(self.patience, "the service uses what is active", look)?)
    }

    /// The one that is active has to be told exactly so often more.
    fn told(&self, before: Option<usize>, times: usize, what: &str) -> Outcome {
        let now = self.service.told();
        let wanted = before.map(|before| before + times);
        must!(now == wanted, "{what}: the service was told {now:?} times, not {wanted:?}");
        Ok(())
    }
}

fn leaf(material: &Material) -> Leaf {
    Leaf::of(&material.chain().leaf().der().into())
}

fn call(reloader: &dyn Reloader, material: &Material, cancel: &Cancel) -> certwright::Result<Reloaded> {
    let lineage: LineageName = "www".parse()?;
    let fingerprint = material.chain().leaf().fingerprint();
    let bundle = material.bundle_pem();
    reloader.reload(&ReloadContext::new(&lineage, GenerationId::new(8, &fingerprint), fingerprint, &bundle), cancel)
}

/// After a reload the service uses what is active.
pub fn the_service_uses_what_is_active(b: &Bench) -> Outcome {
    for _ in 0..2 {
        b.taken(&b.next()?)?;
    }
    Ok(())
}

/// A second call for the same generation, as after a crash, leaves what one call leaves.
pub fn once_more_changes_nothing(b: &Bench) -> Outcome {
    let material = b.next()?;
    for _ in 0..3 {
        b.taken(&material)?;
    }
    b.used(&material)
}

/// The previous generation is taken as well as a new one.
pub fn it_goes_back_as_well(b: &Bench) -> Outcome {
    let first = b.next()?;
    b.taken(&first)?;
    b.taken(&b.next()?)?;
    b.service.activate(&first)?;
    b.taken(&first)
}

/// Whether it could be done is asked without doing it.
pub fn looking_beforehand_changes_nothing(b: &Bench) -> Outcome {
    let first = b.next()?;
    b.taken(&first)?;
    let next = b.next()?;
    let told = b.service.told();
    b.reloader.preflight(&Cancel::new())?;
    must!(b.service.uses()? == leaf(&first), "looking beforehand, the service took what is active");
    b.taken(&next)?;
    // Had it been told beforehand, it would have been told twice by now.
    b.told(told, 1, "looking beforehand")
}

/// A call that is stopped before it begins returns `Cancelled`, and tells the service nothing.
pub fn nothing_is_told_when_stopped_before(b: &Bench) -> Outcome {
    b.taken(&b.next()?)?;
    let (next, told) = (b.next()?, b.service.told());
    let answers =
        [("reload", call(&*b.reloader, &next, &stopped()).map(drop)), ("preflight", b.reloader.preflight(&stopped()))];
    for (what, answer) in answers {
        let error = refused(what, answer)?;
        must!(error.kind() == ErrorKind::Cancelled, "{what}, stopped before: {:?}: {error:#}", error.kind());
    }
    b.taken(&next)?;
    b.told(told, 1, "stopped before")
}

/// A wait for a service that does not come to an end is ended by asking.
pub fn a_wait_ends_when_stopped(b: &Bench) -> Outcome {
    b.taken(&b.next()?)?;
    let next = b.next()?;
    if !b.service.set(Mood::Hanging)? {
        return Ok(());
    }
    let cancel = Cancel::new();
    let (reloader, service, theirs, patience) = (b.reloader.clone(), b.service.clone(), cancel.clone(), b.patience);
    let stop = thread::spawn(move || {
        let reached = until(patience, "a call that waits", || service.is_reached());
        cancel.cancel();
        reached
    });
    let material = next.clone();
    let answer = within(b.patience, move || call(&*reloader, &material, &theirs));
    let reached = stop.join().map_err(|_| "a thread panicked")?;
    b.service.set(Mood::Well)?;
    let Some(answer) = answer else { return Err("it waits on, though it was asked to stop".into()) };
    let error = refused("a call that was stopped", answer)?;
    must!(error.kind() == ErrorKind::Cancelled, "a call that was stopped: {:?}: {error:#}", error.kind());
    reached?;
    b.taken(&next)
}

/// A wait for a service that does not come to an end ends at the limit, naming the thing.
pub fn a_wait_ends_by_itself(b: &Bench) -> Outcome {
    let Some(hurried) = b.hurried.clone() else { return Ok(()) };
    let next = b.next()?;
    must!(b.service.set(Mood::Hanging)?, "a time limit can be set, and nothing hangs");
    let material = next.clone();
    let answer = within(b.patience, move || call(&*hurried, &material, &Cancel::new()));
    b.service.set(Mood::Well)?;
    let Some(answer) = answer else { return Err("it waits on after its own limit".into()) };
    let error = refused("a service that hangs", answer)?;
    must!(error.kind() == ErrorKind::Timeout, "a service that hangs: {:?}: {error:#}", error.kind());
    tells("a service that hangs", &error, &b.service.thing())?;
    b.taken(&next)
}

/// What the service refuses is an error about it; the next call is not hindered.
pub fn a_refusal_is_an_error_that_names_the_thing(b: &Bench) -> Outcome {
    b.taken(&b.next()?)?;
    let next = b.next()?;
    if !b.service.set(Mood::Refusing)? {
        return Ok(());
    }
    let error = refused("a refusal", call(&*b.reloader, &next, &Cancel::new()))?;
    let kind = error.kind();
    must!(matches!(kind, ErrorKind::ReloadFailed | ErrorKind::Permission), "a refusal: {kind:?}: {error:#}");
    tells("a refusal", &error, &b.service.thing())?;
    b.service.set(Mood::Well)?;
    b.taken(&next)
}

/// A service that is not there is named beforehand and by the call; once it is there again it is told.
pub fn a_service_that_is_gone_is_named(b: &Bench) -> Outcome {
    b.taken(&b.next()?)?;
    let next = b.next()?;
    if !b.service.set(Mood::Gone)? {
        return Ok(());
    }
    // What cannot be foreseen is not told beforehand.
    let beforehand = b.reloader.preflight(&Cancel::new()).err();
    let then = refused("gone", call(&*b.reloader, &next, &Cancel::new()))?;
    for (what, error) in [("gone, beforehand", beforehand), ("gone", Some(then))] {
        let Some(error) = error else { continue };
        // Of a program that only tells the service, its absence says nothing of the service.
        let kind = error.kind();
        must!(matches!(kind, ErrorKind::NotFound | ErrorKind::ReloadFailed), "{what}: {kind:?}: {error:#}");
        tells(what, &error, &b.service.thing())?;
    }
    b.service.set(Mood::Well)?;
    b.taken(&next)
}

/// `Confirmed` is the word of the service itself: what it uses then is what is active.
pub fn only_what_was_seen_is_confirmed(b: &Bench) -> Outcome {
    let first = b.next()?;
    if call(&*b.reloader, &first, &Cancel::new())? == Reloaded::Confirmed {
        must!(b.service.uses()? == leaf(&first), "confirmed, and the service uses another one");
    }
    b.used(&first)?;
    let next = b.next()?;
    if !b.service.set(Mood::Deaf)? {
        return Ok(());
    }
    let answer = call(&*b.reloader, &next, &Cancel::new());
    must!(!matches!(answer, Ok(Reloaded::Confirmed)), "confirmed by a service that did nothing");
    must!(b.service.uses()? == leaf(&first), "the bench is not deaf");
    b.service.set(Mood::Well)?;
    b.taken(&next)
}

/// What is done can be told in a report: in one line, the same at every time, with the thing.
pub fn it_is_described_in_one_line(b: &Bench) -> Outcome {
    let before = b.reloader.describe();
    b.taken(&b.next()?)?;
    must!(before == b.reloader.describe(), "`{before}` became `{}`", b.reloader.describe());
    must!(before.lines().count() == 1, "`{before}` is not one line");
    must!(before.contains(&b.service.thing()), "`{before}` does not name `{}`", b.service.thing());
    Ok(())
}

/// The key is in nothing that is printed, and in nothing that others can see of a call.
pub fn no_secret_is_shown(b: &Bench) -> Outcome {
    let mut texts = vec![format!("{:?} {:#?} {}", b.reloader, b.reloader, b.reloader.describe())];
    let mut hidden = Vec::new();
    let mut told = |error: &Error| texts.push(format!("{error} {error:#} {error:?}"));
    for mood in [Mood::Well, Mood::Refusing, Mood::Gone] {
        let material = b.next()?;
        hidden.push(material.key().to_pem().expose().to_vec());
        if b.service.set(mood)?
            && let Err(error) = call(&*b.reloader, &material, &Cancel::new())
        {
            told(&error);
        }
    }
    texts.push(format!("{:?} {}", b.reloader, b.service.seen()));
    for text in texts {
        must!(!secrets::shown(&hidden, &text), "a secret can be read in: {text}");
    }
    Ok(())
}
