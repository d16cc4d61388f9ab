//! Nonces (RFC 8555 §6.5): given out, taken once.

use std::collections::{BTreeSet, VecDeque};

use crate::dice::Dice;

/// How many are waited for; the oldest is forgotten when there are more.
const WAITED_FOR: usize = 20_000;

#[derive(Debug, Default)]
pub(crate) struct Nonces {
    live: BTreeSet<String>,
    order: VecDeque<String>,
}

impl Nonces {
    pub(crate) fn give(&mut self, dice: &mut Dice) -> String {
        let nonce = dice.token();
        self.live.insert(nonce.clone());
        self.order.push_back(nonce.clone());
        if self.order.len() > WAITED_FOR
            && let Some(oldest) = self.order.pop_front()
        {
            self.live.remove(&oldest);
        }
        nonce
    }

    /// Whether it was given out and not taken before.
    pub(crate) fn take(&mut self, nonce: &str) -> bool {
        self.live.remove(nonce)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_taken_once_and_memory_is_bounded() {
        let (mut nonces, mut dice) = (Nonces::default(), Dice::new(1));
        let first = nonces.give(&mut dice);
        assert!(nonces.take(&first) && !nonces.take(&first) && !nonces.take("made-up"));
        let second = nonces.give(&mut dice);
        for _ in 0..2 * WAITED_FOR {
            nonces.give(&mut dice);
        }
        assert!(!nonces.take(&second));
        assert!(nonces.live.len() <= WAITED_FOR && nonces.order.len() <= WAITED_FOR);
    }
}
