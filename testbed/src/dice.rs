//! Chance that repeats: everything that this world leaves to chance follows from one seed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014). Not for secrets.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Where it has come to.
    pub(crate) const fn state(&self) -> u64 {
        self.0
    }

    /// Goes on from there.
    pub(crate) const fn resume(&mut self, state: u64) {
        self.0 = state;
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Whether something comes true that does so in this many cases of a hundred.
    pub(crate) fn percent(&mut self, chance: u8) -> bool {
        self.roll() % 100 < u64::from(chance)
    }

    /// 128 bits, base64url without padding: what RFC 8555 §8 wants of a token.
    pub(crate) fn token(&mut self) -> String {
        let bytes = [self.roll().to_be_bytes(), self.roll().to_be_bytes()].concat();
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_published_sequence_of_its_seed() {
        // The first outputs for this seed that the authors' C code prints.
        let mut dice = Dice::new(1_234_567);
        let rolled = [dice.roll(), dice.roll(), dice.roll()];
        assert_eq!(rolled, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn never_and_always_mean_what_they_say() {
        let mut dice = Dice::new(1);
        assert!((0..1000).all(|_| dice.percent(100) && !dice.percent(0)));
        assert_eq!(dice.token().len(), 22);
    }
}
