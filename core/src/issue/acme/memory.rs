//! What one call learns for the next: the directory, and nonces that were not used.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::session::Carried;
use crate::ground::time::Timestamp;

/// How long a directory is believed without asking again.
const DIRECTORY_AGE: Duration = Duration::from_secs(3600);
/// How far the machine's clock may have been moved before the authority's `Date` is wanted again.
const MOVED: Duration = Duration::from_secs(3600);
/// How many unused nonces are kept.
const NONCES: usize = 64;

/// What is kept between calls.
#[derive(Debug, Default)]
pub(super) struct Memory {
    directory: Option<Fetched>,
    nonces: Vec<String>,
}

/// A directory, and when it was fetched by both kinds of clock.
#[derive(Clone, Debug)]
struct Fetched {
    since: Instant,
    at: Timestamp,
    body: Bytes,
}

impl Memory {
    /// What a call at this time may go on with. A nonce is handed out once.
    pub(super) fn carry(&mut self, now: Timestamp) -> Carried {
        let fresh = self.directory.as_ref().filter(|fetched| fetched.is_fresh(now));
        Carried { directory: fresh.map(|fetched| fetched.body.clone()), nonce: self.nonces.pop() }
    }

    /// What a call at this time has left.
    pub(super) fn keep(&mut self, carried: Carried, now: Timestamp) {
        self.directory = match (carried.directory, self.directory.take()) {
            (Some(body), Some(known)) if known.body == body && known.is_fresh(now) => Some(known),
            (Some(body), _) => Some(Fetched { since: Instant::now(), at: now, body }),
            (None, _) => None,
        };
        if self.nonces.len() < NONCES {
            self.nonces.extend(carried.nonce);
        }
    }
}

impl Fetched {
    /// Whether it is young enough, and the machine's clock has not been moved since.
    fn is_fresh(&self, now: Timestamp) -> bool {
        let expected = self.at.saturating_add(self.since.elapsed());
        let moved = now.since(expected).or_else(|| expected.since(now)).unwrap_or_default();
        self.since.elapsed() < DIRECTORY_AGE && moved < MOVED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_795_507_200);

    fn left(nonce: &str) -> Carried {
        Carried { directory: Some(Bytes::from_static(b"{}")), nonce: Some(nonce.to_owned()) }
    }

    #[test]
    fn a_nonce_is_handed_out_once_and_a_directory_until_the_clock_is_moved() {
        let mut memory = Memory::default();
        assert_eq!((memory.carry(NOW).directory, memory.carry(NOW).nonce), (None, None));
        memory.keep(left("one"), NOW);
        let carried = memory.carry(NOW);
        assert_eq!((carried.directory.is_some(), carried.nonce.as_deref()), (true, Some("one")));
        assert_eq!(memory.carry(NOW).nonce, None);
        let year = Duration::from_secs(365 * 86_400);
        for moved in [NOW.saturating_add(year), NOW.saturating_sub(year)] {
            assert!(memory.carry(moved).directory.is_none(), "{moved}");
        }
        for number in 0..1000 {
            memory.keep(left(&number.to_string()), NOW);
        }
        assert_eq!(memory.nonces.len(), NONCES);
    }
}
