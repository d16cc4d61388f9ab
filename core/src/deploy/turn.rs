//! Turns at one service: how several lineages that use it are activated in one run.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::ground::error::{Error, ErrorKind, Result};
use crate::plan::spec::{Command, CommandScope, Reload, Spec};

/// Where the lineages of one service meet. Everybody whose files are switched and not settled is inside: together with
/// others, or alone.
#[derive(Debug)]
pub(crate) struct Turn {
    joining: Joining,
    inside: RwLock<()>,
    rounds: Mutex<Rounds>,
    changed: Condvar,
}

/// Whether one check and one reload are good for several lineages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Joining {
    /// They look at the whole service.
    Joined,
    /// Each is about one lineage: they go one after the other.
    OneByOne,
}

#[derive(Debug, Default)]
struct Rounds {
    running: bool,
    /// How many rounds have begun.
    begun: u64,
    /// The newest that ended well, and the newest that failed.
    well: u64,
    failed: u64,
    given_up: bool,
}

impl Turn {
    pub(crate) fn new(joining: Joining) -> Self {
        Self { joining, inside: RwLock::new(()), rounds: Mutex::default(), changed: Condvar::new() }
    }

    /// Go in beside others; `None` where everybody goes alone.
    pub(super) fn together(&self) -> Option<RwLockReadGuard<'_, ()>> {
        (self.joining == Joining::Joined).then(|| self.inside.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Go in when everybody else is out.
    pub(super) fn alone(&self) -> RwLockWriteGuard<'_, ()> {
        self.inside.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// That the service keeps nobody else waiting in this run.
    pub(super) fn give_up(&self) {
        self.lock().given_up = true;
    }

    pub(super) fn is_given_up(&self) -> bool {
        self.lock().given_up
    }

    fn lock(&self) -> MutexGuard<'_, Rounds> {
        self.rounds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wait for a check and reload that begin from now on; make them when nobody else does. Whoever returns has its files
    /// in place since before they began.
    ///
    /// # Errors
    ///
    /// Those of `act`, and `ReloadFailed` when somebody else's failed.
    pub(super) fn join(&self, act: impl FnOnce() -> Result<()>) -> Result<()> {
        let mut rounds = self.lock();
        let mine = rounds.begun + 1;
        loop {
            if rounds.failed >= mine {
                return Err(Error::new(ErrorKind::ReloadFailed, "the check or reload for several lineages failed"));
            }
            if rounds.well >= mine {
                return Ok(());
            }
            if !rounds.running {
                break;
            }
            rounds = self.changed.wait(rounds).unwrap_or_else(PoisonError::into_inner);
        }
        rounds.running = true;
        rounds.begun += 1;
        drop(rounds);
        let mut round = Round { turn: self, number: mine, well: false };
        let done = act();
        round.well = done.is_ok();
        done
    }
}

/// A round under way. However it ends, those who wait learn of it.
struct Round<'t> {
    turn: &'t Turn,
    number: u64,
    well: bool,
}

impl Drop for Round<'_> {
    fn drop(&mut self) {
        let mut rounds = self.turn.lock();
        rounds.running = false;
        *(if self.well { &mut rounds.well } else { &mut rounds.failed }) = self.number;
        drop(rounds);
        self.turn.changed.notify_all();
    }
}

/// Whether two lineages use one service, as far as their specs tell: they are reloaded in the same way.
pub(crate) fn same_service(one: &Spec, other: &Spec) -> bool {
    match (&one.reload, &other.reload) {
        // One transaction at a time is open on an admin socket, whichever certificate it is about.
        (Some(Reload::Haproxy { socket: one, .. }), Some(Reload::Haproxy { socket: other, .. })) => one == other,
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

/// Whether lineages of one service may be checked and reloaded for at once.
pub(crate) fn joining<'s>(mut specs: impl Iterator<Item = &'s Spec>) -> Joining {
    let Some(first) = specs.next() else { return Joining::OneByOne };
    let whole = |command: &Command| command.scope == CommandScope::Service;
    let reload = match &first.reload {
        Some(Reload::Signal { .. } | Reload::Unit(_)) => true,
        Some(Reload::Command(command)) => whole(command),
        Some(Reload::Haproxy { .. }) | None => false,
    };
    let check = first.check.as_ref().is_none_or(whole);
    if reload && check && specs.all(|spec| spec.check == first.check) { Joining::Joined } else { Joining::OneByOne }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::channel;

    use super::*;

    /// The files of those who come later may not have been there when the round began.
    #[test]
    fn nobody_is_content_with_a_round_that_began_earlier() {
        let (turn, acts) = (Arc::new(Turn::new(Joining::Joined)), AtomicUsize::new(0));
        let (begun, has_begun) = channel();
        let (go, may_go) = channel::<()>();
        std::thread::scope(|scope| {
            let (first, count) = (&turn, &acts);
            scope.spawn(move || {
                first
                    .join(|| {
                        count.fetch_add(1, Ordering::SeqCst);
                        begun.send(()).unwrap();
                        may_go.recv().unwrap();
                        Ok(())
                    })
                    .unwrap();
            });
            has_begun.recv().unwrap();
            for _ in 0..20 {
                scope.spawn(|| {
                    turn.join(|| {
                        acts.fetch_add(1, Ordering::SeqCst);
                        Ok(())
                    })
                    .unwrap()
                });
            }
            go.send(()).unwrap();
        });
        let acts = acts.load(Ordering::SeqCst);
        assert!((2..=21).contains(&acts), "{acts}");
        assert_eq!(turn.lock().begun, u64::try_from(acts).unwrap());
    }

    #[test]
    fn a_failed_round_fails_for_all_who_waited_and_for_nobody_after() {
        let turn = Turn::new(Joining::Joined);
        turn.lock().running = true;
        turn.lock().begun = 1;
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| turn.join(|| Err(Error::new(ErrorKind::ReloadFailed, "no"))));
            drop(Round { turn: &turn, number: 1, well: true });
            assert_eq!(waits.join().unwrap().unwrap_err().message(), "no");
        });
        assert_eq!(turn.lock().failed, 2);
        turn.join(|| Ok(())).unwrap();
        let rounds = turn.lock();
        assert_eq!((rounds.well, rounds.begun), (3, 3));
    }
}
