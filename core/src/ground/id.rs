//! Names and numbers of our own things, each a type of its own so that they cannot be swapped. Reading them is in `parse`.

use std::fmt;

macro_rules! plain_name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub(super) Box<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }
    };
}

plain_name! {
    /// The name of a lineage: the managed identity over time, one spec and many generations.
    ///
    /// # Examples
    ///
    /// ```
    /// use certwright::LineageName;
    ///
    /// assert!("www.example.org".parse::<LineageName>().is_ok());
    /// assert!("../etc".parse::<LineageName>().is_err());
    /// ```
    LineageName
}

plain_name! {
    /// The name of a configured issuer.
    IssuerName
}

/// A SHA-256 fingerprint: of a certificate's DER, or of a public key's SubjectPublicKeyInfo.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// From the 32 bytes of the digest.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes of the digest.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// One immutable numbered set of files of a lineage: `0008-1f3a9c20`, the sequence number and the first four bytes of the
/// leaf's fingerprint.
///
/// Order is by sequence number, never by time. Numbers are never reused.
///
/// # Examples
///
/// ```
/// use certwright::GenerationId;
///
/// let id: GenerationId = "0008-1f3a9c20".parse()?;
/// assert_eq!(id.sequence(), 8);
/// assert_eq!(id.to_string(), "0008-1f3a9c20");
/// # Ok::<(), certwright::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GenerationId {
    pub(super) sequence: u64,
    pub(super) short: [u8; 4],
}

impl GenerationId {
    /// The generation with this number and leaf.
    pub fn new(sequence: u64, leaf: &Fingerprint) -> Self {
        let [a, b, c, d, ..] = *leaf.as_bytes();
        Self { sequence, short: [a, b, c, d] }
    }

    /// The number: 1 for the first, one more for each later one.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Whether its leaf may be the one with this fingerprint.
    pub fn matches(&self, leaf: &Fingerprint) -> bool {
        leaf.as_bytes().starts_with(&self.short)
    }
}

impl fmt::Display for GenerationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:08x}", self.sequence, u32::from_be_bytes(self.short))
    }
}

impl fmt::Debug for GenerationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
