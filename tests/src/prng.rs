//! Seeded numbers, so that a failing case can be named by its seed and run again.

/// SplitMix64 (Steele, Lea, Flood 2014): one word of state, every seed is good, never for secrets.
#[derive(Clone, Debug)]
pub struct Prng(u64);

impl Prng {
    /// The sequence of this seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 when the bound is 0. The bias of the remainder is below 2⁻³² for the bounds of tests.
    pub const fn below(&mut self, bound: usize) -> usize {
        if bound == 0 {
            return 0;
        }
        (self.next() % bound as u64) as usize
    }

    /// One of these; `None` when there are none.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }

    /// True once in `one_in` times.
    pub const fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::Prng;

    #[test]
    fn the_published_sequence() {
        // First outputs of the reference implementation in C for the seed 1234567 (prng.di.unimi.it/splitmix64.c).
        let mut prng = Prng::new(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| prng.next()).collect();
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn below_stays_below() {
        let mut prng = Prng::new(7);
        assert!((0..1000).all(|_| prng.below(3) < 3));
        assert_eq!(prng.below(0), 0);
    }
}
