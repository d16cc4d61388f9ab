//! What a call comes to, as a number.

use std::ffi::CStr;

use certwright::ErrorKind;

use crate::text::certwright_str;

/// What a call came to. 0 is well; the other numbers are never given to anything else.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum certwright_result {
    /// Well.
    Ok = 0,
    /// A configuration or an argument that cannot be meant.
    InvalidSpec = 1,
    /// A file, a lineage or a generation that is not there.
    NotFound = 2,
    /// Another run holds the lock, or something changed underneath.
    Conflict = 3,
    /// The operating system refused this process.
    Permission = 4,
    /// A declared reader cannot read, or an outsider can.
    AccessMismatch = 5,
    /// The disk or the kernel failed.
    Io = 6,
    /// A connection failed.
    Network = 7,
    /// The issuer said no, for good.
    Refused = 8,
    /// The issuer said not now.
    RateLimited = 9,
    /// A challenge was not met.
    ChallengeFailed = 10,
    /// Key and certificates do not meet the spec.
    Unfit = 11,
    /// A signature, chain or fingerprint that is not trusted.
    Untrusted = 12,
    /// The service's check failed, or it could not be made to re-read.
    ReloadFailed = 13,
    /// The endpoint serves something else.
    ProbeMismatch = 14,
    /// A deadline passed.
    Timeout = 15,
    /// The file system, the kernel or the peer cannot do what is needed.
    Unsupported = 16,
    /// The caller asked to stop.
    Cancelled = 17,
    /// A defect in certwright: please report it.
    Bug = 18,
    /// The peer's answer does not follow the protocol.
    Protocol = 19,
    /// A pointer is NULL that must not be.
    NullPointer = 1001,
    /// A text is not UTF-8.
    InvalidUtf8 = 1002,
    /// A length that no object has, a number that the enumeration does not have, or a structure of an unknown version.
    InvalidArgument = 1003,
    /// A defect in certwright that was caught on its way out. What the call was about may be half done; the next `apply`
    /// puts it right.
    Panic = 1004,
}

impl certwright_result {
    /// Every number.
    pub(crate) const ALL: &'static [Self] = &[
        Self::Ok,
        Self::InvalidSpec,
        Self::NotFound,
        Self::Conflict,
        Self::Permission,
        Self::AccessMismatch,
        Self::Io,
        Self::Network,
        Self::Refused,
        Self::RateLimited,
        Self::ChallengeFailed,
        Self::Unfit,
        Self::Untrusted,
        Self::ReloadFailed,
        Self::ProbeMismatch,
        Self::Timeout,
        Self::Unsupported,
        Self::Cancelled,
        Self::Bug,
        Self::Protocol,
        Self::NullPointer,
        Self::InvalidUtf8,
        Self::InvalidArgument,
        Self::Panic,
    ];

    /// The stable name.
    const fn name(self) -> &'static CStr {
        match self {
            Self::Ok => c"ok",
            Self::InvalidSpec => c"invalid_spec",
            Self::NotFound => c"not_found",
            Self::Conflict => c"conflict",
            Self::Permission => c"permission",
            Self::AccessMismatch => c"access_mismatch",
            Self::Io => c"io",
            Self::Network => c"network",
            Self::Refused => c"refused",
            Self::RateLimited => c"rate_limited",
            Self::ChallengeFailed => c"challenge_failed",
            Self::Unfit => c"unfit",
            Self::Untrusted => c"untrusted",
            Self::ReloadFailed => c"reload_failed",
            Self::ProbeMismatch => c"probe_mismatch",
            Self::Timeout => c"timeout",
            Self::Unsupported => c"unsupported",
            Self::Cancelled => c"cancelled",
            Self::Bug => c"bug",
            Self::Protocol => c"protocol",
            Self::NullPointer => c"null_pointer",
            Self::InvalidUtf8 => c"invalid_utf8",
            Self::InvalidArgument => c"invalid_argument",
            Self::Panic => c"panic",
        }
    }
}

impl certwright_result {
    /// The number of a kind of error.
    pub(crate) fn of(kind: ErrorKind) -> Self {
        Self::from_number(u32::from(kind.number())).unwrap_or(Self::Bug)
    }

    pub(crate) fn from_number(number: u32) -> Option<Self> {
        Self::ALL.iter().copied().find(|result| *result as u32 == number)
    }

    /// The kind of error that a callback means by a number.
    pub(crate) fn kind(number: u32) -> ErrorKind {
        ErrorKind::ALL.iter().copied().find(|kind| u32::from(kind.number()) == number).unwrap_or(ErrorKind::Bug)
    }
}

/// The name of a result, such as `not_found`; `unknown` for a number that is none.
///
/// Ownership: the text lives as long as the program. Threads: any. Effects: none.
#[unsafe(no_mangle)]
pub extern "C" fn certwright_result_name(result: u32) -> certwright_str {
    certwright_str::of_static(certwright_result::from_number(result).map_or(c"unknown", certwright_result::name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_error_has_its_number_and_its_name() {
        for kind in ErrorKind::ALL {
            let result = certwright_result::of(*kind);
            assert_eq!((result as u32, result.name().to_str()), (u32::from(kind.number()), Ok(kind.code())));
            assert_eq!(certwright_result::kind(result as u32), *kind);
        }
        assert!(certwright_result::ALL.is_sorted_by_key(|result| *result as u32));
        // One name for each number, the list forgets nobody, and nobody twice.
        let named = (0..2000).filter(|number| view(certwright_result_name(*number)) != "unknown").count();
        assert_eq!(named, certwright_result::ALL.len());
    }

    fn view(text: certwright_str) -> &'static str {
        // SAFETY: names live as long as the program, and have a NUL behind them.
        unsafe { CStr::from_ptr(text.data) }.to_str().unwrap_or_default()
    }
}
