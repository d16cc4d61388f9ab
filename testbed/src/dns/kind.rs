//! Types of records.

use std::fmt;
use std::str::FromStr;

use certwright::{Error, ErrorKind, Public, Result};
use hickory_proto::rr::RecordType;

/// The type of a record, by its number in IANA's registry "Resource Record (RR) TYPEs".
///
/// # Examples
///
/// ```
/// use certwright_testbed::RecordKind;
///
/// assert_eq!("txt".parse::<RecordKind>()?, RecordKind::TXT);
/// assert_eq!(RecordKind::new(65_280).to_string(), "TYPE65280");
/// # Ok::<(), certwright::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKind(u16);

#[expect(missing_docs, reason = "each is described where the registry says")]
impl RecordKind {
    pub const A: Self = Self(1);
    pub const NS: Self = Self(2);
    pub const CNAME: Self = Self(5);
    pub const SOA: Self = Self(6);
    pub const PTR: Self = Self(12);
    pub const MX: Self = Self(15);
    pub const TXT: Self = Self(16);
    pub const AAAA: Self = Self(28);
    pub const SRV: Self = Self(33);
    pub const SSHFP: Self = Self(44);
    pub const TLSA: Self = Self(52);
    pub const SVCB: Self = Self(64);
    pub const HTTPS: Self = Self(65);
    pub const CAA: Self = Self(257);
    /// In a question: every type.
    pub const ANY: Self = Self(255);
}

/// Those that have a name here, beside the number that they have everywhere.
const NAMED: &[(u16, &str)] = &[
    (1, "A"),
    (2, "NS"),
    (5, "CNAME"),
    (6, "SOA"),
    (12, "PTR"),
    (13, "HINFO"),
    (15, "MX"),
    (16, "TXT"),
    (28, "AAAA"),
    (33, "SRV"),
    (35, "NAPTR"),
    (39, "DNAME"),
    (41, "OPT"),
    (43, "DS"),
    (44, "SSHFP"),
    (46, "RRSIG"),
    (47, "NSEC"),
    (48, "DNSKEY"),
    (52, "TLSA"),
    (64, "SVCB"),
    (65, "HTTPS"),
    (99, "SPF"),
    (250, "TSIG"),
    (251, "IXFR"),
    (252, "AXFR"),
    (255, "ANY"),
    (257, "CAA"),
];

impl RecordKind {
    /// The one of this number.
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// Whether it stands for records at all, and not for a question or for something about the message (RFC 6895 §3.1).
    pub(crate) const fn is_data(self) -> bool {
        !matches!(self.0, 0 | 41 | 128..=255)
    }

    pub(crate) fn wire(self) -> RecordType {
        RecordType::from(self.0)
    }
}

impl From<RecordType> for RecordKind {
    fn from(kind: RecordType) -> Self {
        Self(u16::from(kind))
    }
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMED.iter().find(|(number, _)| *number == self.0) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "TYPE{}", self.0),
        }
    }
}

impl fmt::Debug for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for RecordKind {
    type Err = Error;

    /// Its name, in either case, or `TYPE` and its number (RFC 3597 §5).
    fn from_str(text: &str) -> Result<Self> {
        let upper = text.to_ascii_uppercase();
        let named = NAMED.iter().find(|(_, name)| *name == upper).map(|(number, _)| *number);
        let number = named.or_else(|| upper.strip_prefix("TYPE")?.parse().ok());
        number.map(Self).ok_or_else(|| {
            Error::new(ErrorKind::InvalidSpec, "there is no such type of record")
                .context("type", Public(text))
                .hint("write its name as in a zone file, or `TYPE` and its number")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_lead_to_each_other() {
        for number in [1, 16, 28, 257, 65_280] {
            let kind = RecordKind::new(number);
            assert_eq!(kind.to_string().parse::<RecordKind>().unwrap(), kind);
        }
        // The numbers of the library are the registry's.
        assert_eq!(RecordKind::from(RecordType::CAA), RecordKind::CAA);
        assert_eq!(RecordKind::HTTPS.wire(), RecordType::HTTPS);
        assert!("TXTT".parse::<RecordKind>().is_err() && "TYPE70000".parse::<RecordKind>().is_err());
    }
}
