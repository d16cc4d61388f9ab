//! The three bits that everything here is about.

use std::fmt;
use std::ops::{BitAnd, BitOr};

/// A set of read, write and execute (on a directory: list, change and search), as in one octal digit of a mode.
///
/// # Examples
///
/// ```
/// use certwright::access::Permissions;
///
/// let entry = Permissions::READ | Permissions::WRITE;
/// assert_eq!((entry & Permissions::READ).to_string(), "r--");
/// assert!(!entry.contains(Permissions::EXECUTE));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Permissions(u8);

impl Permissions {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Execute a file, search a directory.
    pub const EXECUTE: Self = Self(1);
    /// Change.
    pub const WRITE: Self = Self(2);
    /// Read a file, list a directory.
    pub const READ: Self = Self(4);
    /// All three.
    pub const ALL: Self = Self(7);

    /// From the lowest three bits.
    pub const fn from_bits(bits: u32) -> Self {
        Self((bits & 7) as u8)
    }

    /// As an octal digit, 0 to 7.
    pub const fn bits(self) -> u32 {
        self.0 as u32
    }

    /// Whether every one of `wanted` is in here.
    pub const fn contains(self, wanted: Self) -> bool {
        self.0 & wanted.0 == wanted.0
    }

    /// From `rwx`, `r-x`, `rw`, `-` or an octal digit, as `setfacl` takes them; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        Self::from_text(text.as_bytes())
    }

    pub(super) fn from_text(text: &[u8]) -> Option<Self> {
        if let [digit @ b'0'..=b'7'] = text {
            return Some(Self(digit - b'0'));
        }
        if text.is_empty() || text.len() > 3 {
            return None;
        }
        text.iter().try_fold(Self::NONE, |seen, letter| {
            let bit = match letter {
                b'r' => Self::READ,
                b'w' => Self::WRITE,
                b'x' => Self::EXECUTE,
                b'-' => return Some(seen),
                _ => return None,
            };
            (seen & bit == Self::NONE).then_some(seen | bit)
        })
    }
}

impl BitAnd for Permissions {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl BitOr for Permissions {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Display for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (bit, letter) in [(Self::READ, "r"), (Self::WRITE, "w"), (Self::EXECUTE, "x")] {
            f.write_str(if self.contains(bit) { letter } else { "-" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_shows_and_what_setfacl_takes() {
        for bits in 0..8 {
            let all = Permissions::from_bits(bits);
            assert_eq!(Permissions::parse(&all.to_string()), Some(all));
            assert_eq!(Permissions::parse(&bits.to_string()), Some(all));
        }
        assert_eq!(Permissions::parse("rx"), Some(Permissions::READ | Permissions::EXECUTE));
        assert_eq!(Permissions::parse("-"), Some(Permissions::NONE));
        for bad in ["", "8", "rr", "rwxr", "r w", "R", "77"] {
            assert_eq!(Permissions::parse(bad), None, "{bad}");
        }
    }
}
