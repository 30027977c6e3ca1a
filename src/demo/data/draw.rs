//! Owns: chance without chance. The same stream and number always draw the same, on every machine; a person's draws do
//! not move when another person's change.

/// A stream of numbers of its own (splitmix64).
pub(super) struct Draw(u64);

impl Draw {
    /// The stream of `index` within `purpose`.
    pub(super) fn new(purpose: &str, index: u32) -> Self {
        const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
        const PRIME: u64 = 0x0000_0100_0000_01b3;
        let purpose = purpose.bytes().fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
        let mut draw = Self(purpose ^ u64::from(index).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        draw.next();
        draw
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end` (0 if there is none).
    pub(super) fn below(&mut self, end: u32) -> u32 {
        let scaled = (self.next() >> 32) * u64::from(end);
        u32::try_from(scaled >> 32).unwrap_or(0)
    }

    /// A day between `first` and `last`, both included.
    pub(super) fn day(&mut self, first: i32, last: i32) -> i32 {
        first.saturating_add_unsigned(self.below(last.abs_diff(first) + 1))
    }

    /// True in `percent` of a hundred cases.
    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// One of `all`, which must not be empty.
    pub(super) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(u32::try_from(all.len()).unwrap_or(u32::MAX)) as usize]
    }

    /// One of `all`, each as often as its weight says.
    pub(super) fn weighted<'a, T>(&mut self, all: &'a [(u32, T)]) -> &'a T {
        let mut left = self.below(all.iter().map(|(weight, _)| weight).sum());
        for (weight, value) in all {
            match left.checked_sub(*weight) {
                Some(rest) => left = rest,
                None => return value,
            }
        }
        &all[all.len() - 1].1
    }
}
