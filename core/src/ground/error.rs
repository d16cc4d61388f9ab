//! The one public error: six facts, one machine word wide.
//!
//! Each file may keep a small private error of its own; at the door it becomes the boxed source of this one.
//! Hints and aftermath are separate facts, drawn by the surface on lines of their own, never glued to the message.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::path::Path;

use super::id::{Fingerprint, GenerationId, IssuerName, LineageName};
use super::time::Timestamp;

/// The result of everything that can fail here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, where, about what, what is true now, what to do, and when to try again.
///
/// `Display` is one line: the arrow, what failed, and the context. The alternate form (`{:#}`) adds the chain of
/// sources. The hint and the aftermath are not part of the line; a surface prints them on their own.
///
/// # Examples
///
/// ```
/// use certwright::{Error, ErrorKind, Phase};
///
/// let error = Error::new(ErrorKind::Permission, "the key cannot be read")
///     .in_phase(Phase::Prove)
///     .context("path", std::path::Path::new("/srv/tls/www"))
///     .hint("add `user:www-data` to `readers`");
/// assert_eq!(error.to_string(), "prove: the key cannot be read (path `/srv/tls/www`)");
/// assert_eq!(error.kind().code(), "permission");
/// ```
pub struct Error(Box<Facts>);

struct Facts {
    kind: ErrorKind,
    phase: Option<Phase>,
    message: Cow<'static, str>,
    context: Vec<(&'static str, String)>,
    aftermath: Aftermath,
    hint: Option<Cow<'static, str>>,
    retry: Retry,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind`. The message is lower-case, without full stop, and does not repeat its source.
    #[cold]
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Facts {
            kind,
            phase: None,
            message: message.into(),
            context: Vec::new(),
            aftermath: Aftermath::Untouched,
            hint: None,
            retry: Retry::Never,
            source: None,
        }))
    }

    /// An error of the operating system, told apart by its number.
    #[cold]
    pub fn io(message: impl Into<Cow<'static, str>>, source: std::io::Error) -> Self {
        let kind = match source.kind() {
            std::io::ErrorKind::NotFound => ErrorKind::NotFound,
            std::io::ErrorKind::PermissionDenied => ErrorKind::Permission,
            std::io::ErrorKind::TimedOut => ErrorKind::Timeout,
            std::io::ErrorKind::Unsupported => ErrorKind::Unsupported,
            _ => ErrorKind::Io,
        };
        Self::new(kind, message).source(source)
    }

    /// Name the arrow in which it happened, unless a lower floor already did.
    #[must_use]
    pub fn in_phase(mut self, phase: Phase) -> Self {
        self.0.phase.get_or_insert(phase);
        self
    }

    /// Add a fact that may be shown. Secrets have no [`ContextValue`], so they cannot get here.
    #[must_use]
    pub fn context(mut self, name: &'static str, value: impl ContextValue) -> Self {
        self.0.context.push((name, value.shown()));
        self
    }

    /// What the reader should do: one imperative sentence without full stop.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// What is true on the machine now that this error was returned.
    #[must_use]
    pub fn left(mut self, aftermath: Aftermath) -> Self {
        self.0.aftermath = aftermath;
        self
    }

    /// When the same call may be tried again.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// The error that caused this one.
    #[must_use]
    pub fn source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The stable kind.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The arrow of the pipeline in which it happened, if it happened in one.
    pub fn phase(&self) -> Option<Phase> {
        self.0.phase
    }

    /// What failed, without phase and context.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Ordered facts about the failure: lineage, path, identifier and the like.
    pub fn facts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.context.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// The value of one fact.
    pub fn fact(&self, name: &str) -> Option<&str> {
        self.facts().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// One sentence that says what to do next.
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// What is true on the machine now.
    pub fn aftermath(&self) -> &Aftermath {
        &self.0.aftermath
    }

    /// When the same call may be tried again.
    pub fn retry_when(&self) -> Retry {
        self.0.retry
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(phase) = self.0.phase {
            write!(f, "{}: ", phase.code())?;
        }
        f.write_str(&self.0.message)?;
        for (at, (name, value)) in self.0.context.iter().enumerate() {
            let lead = if at == 0 { " (" } else { ", " };
            write!(f, "{lead}{name} `{value}`")?;
        }
        if !self.0.context.is_empty() {
            f.write_str(")")?;
        }
        if f.alternate() {
            let mut next = StdError::source(self);
            while let Some(source) = next {
                f.write_str(": ")?;
                f.write_str(&harmless(&source.to_string()))?;
                next = source.source();
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("phase", &self.0.phase)
            .field("message", &self.0.message)
            .field("context", &self.0.context)
            .field("aftermath", &self.0.aftermath)
            .field("hint", &self.0.hint)
            .field("retry", &self.0.retry)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// A value that may be shown in an error. Implemented for public facts only; key material has no such form.
pub trait ContextValue {
    /// The text that is shown.
    fn shown(&self) -> String;
}

macro_rules! shown_by_display {
    ($($type:ty),+ $(,)?) => {$(
        impl ContextValue for $type {
            fn shown(&self) -> String {
                self.to_string()
            }
        }
    )+};
}
shown_by_display!(u16, u32, u64, usize, i32, i64, Fingerprint, GenerationId, IssuerName, LineageName, Timestamp);
shown_by_display!(std::net::SocketAddr);

impl ContextValue for &'static str {
    fn shown(&self) -> String {
        (*self).to_owned()
    }
}

impl ContextValue for &Path {
    fn shown(&self) -> String {
        self.display().to_string()
    }
}

impl ContextValue for std::time::Duration {
    fn shown(&self) -> String {
        format!("{self:?}")
    }
}

impl<T: ContextValue> ContextValue for &T {
    fn shown(&self) -> String {
        (*self).shown()
    }
}

/// Text from outside that the author of the call vouches for as public: a reader's name, a line of a configuration.
#[derive(Clone, Copy, Debug)]
pub struct Public<'a>(pub &'a str);

impl ContextValue for Public<'_> {
    fn shown(&self) -> String {
        escaped(self.0.chars())
    }
}

/// The text of an error of somebody else's, which may repeat at any length what it could not read.
pub(crate) fn harmless(text: &str) -> String {
    const MOST: usize = 2000;
    let shown = escaped(text.chars().take(MOST));
    if text.chars().nth(MOST).is_some() { shown + "…" } else { shown }
}

/// A hostile text must not draw on the terminal of the person who reads the error, nor turn the reading direction round.
fn escaped(text: impl Iterator<Item = char>) -> String {
    let mut shown = String::new();
    for c in text {
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || turns { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

macro_rules! coded {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $number:literal $code:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// Every value, in the order of its number. Surfaces test that they map each one.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable, lower-case name used in reports.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)+
                }
            }

            /// The stable number; never reused, never zero.
            pub const fn number(self) -> u16 {
                match self {
                    $(Self::$variant => $number,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.code())
            }
        }
    };
}

coded! {
    /// What kind of failure it is: the question a program asks.
    ErrorKind {
        /// A configuration or an argument that cannot be meant.
        InvalidSpec = 1 "invalid_spec",
        /// A file, a lineage or a generation that is not there.
        NotFound = 2 "not_found",
        /// Another run holds the lock, or something changed underneath.
        Conflict = 3 "conflict",
        /// The operating system refused this process.
        Permission = 4 "permission",
        /// A declared reader cannot read, or an outsider can.
        AccessMismatch = 5 "access_mismatch",
        /// The disk or the kernel failed.
        Io = 6 "io",
        /// A connection failed.
        Network = 7 "network",
        /// The issuer said no, for good.
        Refused = 8 "refused",
        /// The issuer said not now.
        RateLimited = 9 "rate_limited",
        /// A challenge was not met.
        ChallengeFailed = 10 "challenge_failed",
        /// Key and certificates do not meet the spec.
        Unfit = 11 "unfit",
        /// A signature, chain or fingerprint that is not trusted.
        Untrusted = 12 "untrusted",
        /// The service's check failed, or it could not be made to re-read.
        ReloadFailed = 13 "reload_failed",
        /// The endpoint serves something else.
        ProbeMismatch = 14 "probe_mismatch",
        /// A deadline passed.
        Timeout = 15 "timeout",
        /// The file system, the kernel or the peer cannot do what is needed.
        Unsupported = 16 "unsupported",
        /// The caller asked to stop.
        Cancelled = 17 "cancelled",
        /// A defect in certwright: please report it.
        Bug = 18 "bug",
        /// The peer's answer does not follow the protocol.
        Protocol = 19 "protocol",
    }
}

coded! {
    /// The arrow of the pipeline in which something happened.
    Phase {
        /// Reading the wish and deciding.
        Plan = 1 "plan",
        /// Obtaining key and certificates.
        Issue = 2 "issue",
        /// Writing a generation where nobody can reach it.
        Stage = 3 "stage",
        /// Proving content and access before the switch.
        Prove = 4 "prove",
        /// The switch, the service's check and the reload.
        Activate = 5 "activate",
        /// Asking the service what it serves.
        Probe = 6 "probe",
        /// Making it final.
        Commit = 7 "commit",
        /// Returning to the previous generation.
        Rollback = 8 "rollback",
        /// Writing down what was done.
        Record = 9 "record",
    }
}

/// What is true on the machine after an error.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Aftermath {
    /// What was active before is active now and was not touched.
    #[default]
    Untouched,
    /// A switch was undone; this generation is active again and was observed to be.
    RolledBack(GenerationId),
    /// The new generation stays active although it could not be seen to be served: going back was not possible or
    /// would be worse.
    Kept(GenerationId),
    /// Undoing failed. These commands bring the machine back by hand.
    Stuck {
        /// Commands for an operator, in order.
        commands: Vec<String>,
    },
}

impl Aftermath {
    /// The stable name used in reports.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Untouched => "untouched",
            Self::RolledBack(_) => "rolled_back",
            Self::Kept(_) => "kept",
            Self::Stuck { .. } => "stuck",
        }
    }
}

impl fmt::Display for Aftermath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Untouched => f.write_str("nothing was changed"),
            Self::RolledBack(to) => write!(f, "rolled back to {to}"),
            Self::Kept(at) => write!(f, "{at} stays active"),
            Self::Stuck { commands } => write!(f, "stuck: run `{}`", commands.join("`, then `")),
        }
    }
}

/// When the same call may be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Retry {
    /// Not before something was changed.
    #[default]
    Never,
    /// At once.
    Now,
    /// From this moment on.
    After(Timestamp),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_one_machine_word() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }

    #[test]
    fn no_text_from_outside_draws_on_a_terminal() {
        let hostile = "a\n\u{1b}[2J\0\u{202e}é";
        let error = Error::new(ErrorKind::Protocol, "m")
            .context("c", Public(hostile))
            .source(hostile.to_owned() + &"x".repeat(9000));
        let shown = format!("{error:#}");
        assert!(shown.starts_with(r"m (c `a\n\u{1b}[2J\u{0}\u{202e}é`): a\n\u{1b}[2J\u{0}\u{202e}éx"), "{shown}");
        assert!(shown.ends_with("x…") && shown.len() < 3000);
    }

    #[test]
    fn codes_and_numbers_are_unique_and_never_zero() {
        let mut numbers: Vec<u16> = ErrorKind::ALL.iter().map(|kind| kind.number()).collect();
        let mut codes: Vec<&str> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        assert!(numbers.iter().all(|number| *number != 0));
        let count = ErrorKind::ALL.len();
        numbers.dedup();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!((numbers.len(), codes.len()), (count, count));
    }

    #[test]
    fn alternate_form_prints_the_chain_and_the_lowest_phase_wins() {
        let inner = Error::new(ErrorKind::Io, "cannot write").in_phase(Phase::Stage);
        let outer = Error::new(ErrorKind::Io, "the deployment failed").source(inner.in_phase(Phase::Activate));
        assert_eq!(format!("{outer:#}"), "the deployment failed: stage: cannot write");
    }

    #[test]
    fn text_from_outside_cannot_draw_on_a_terminal() {
        let error = Error::new(ErrorKind::Refused, "no").context("says", Public("\u{1b}[2Jok"));
        assert_eq!(error.fact("says"), Some("\\u{1b}[2Jok"));
    }
}
