//! May somebody read this path, and which entry of which directory decides?

use std::fmt;
use std::path::{Path, PathBuf};

use super::model::allows_capable;
use super::permissions::Permissions;
use super::verdict::{Capabilities, Doubt, Rule, Verdict};
use super::walk::{End, Inode, PathFacts, Step};
use crate::ground::error::Result;
use crate::ground::identity::Identity;
use crate::place::filesystem::Filesystem;

/// The answer for a whole path.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PathVerdict {
    /// The answer.
    pub verdict: Verdict,
    /// What decided: the first component that denies, else the first one in doubt, else the file itself.
    pub component: PathBuf,
    /// What was needed there: search on the way, what was asked for at the end.
    pub needed: Permissions,
    /// What the file alone would answer if every directory let everybody pass; `None` when it cannot be looked at. A
    /// secret should be closed by itself too.
    pub alone: Option<Verdict>,
}

impl PathVerdict {
    /// Whether it certainly may.
    pub const fn is_allow(&self) -> bool {
        self.verdict.is_allow()
    }
}

/// One line, such as `deny at /srv/tls: other::--- (needed --x)`.
impl fmt::Display for PathVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.verdict {
            Verdict::Allow(_) => "allow",
            Verdict::Deny(_) => "deny",
            Verdict::Unknown(_) => "unknown",
        };
        write!(f, "{word} at {}: {} (needed {})", self.component.display(), self.verdict, self.needed)
    }
}

impl PathFacts {
    /// Whether `who`, with these capabilities, gets everything in `want` at the end of the path.
    pub fn explain(&self, who: &Identity, held: Capabilities, want: Permissions) -> PathVerdict {
        let (end, last) = match &self.end {
            End::Reached(inode) => (inode.path.as_path(), inode.verdict(who, held, want)),
            End::OutOfSight(path) => (path.as_path(), Verdict::Unknown(Doubt::OutOfSight)),
        };
        let alone = matches!(self.end, End::Reached(_)).then(|| last.clone());
        let way = self.way.iter().filter_map(|step| step.verdict(who, held));
        let mut doubt = None;
        for (path, verdict) in way {
            match verdict {
                Verdict::Allow(_) => {}
                Verdict::Deny(_) => {
                    return PathVerdict { verdict, component: path.to_owned(), needed: Permissions::EXECUTE, alone };
                }
                Verdict::Unknown(_) => {
                    doubt.get_or_insert((path, Permissions::EXECUTE, verdict));
                }
            }
        }
        // A certain "no" at the end counts more than a doubt on the way.
        let doubt = doubt.filter(|_| !last.is_deny());
        let (component, needed, verdict) = doubt.unwrap_or((end, want, last));
        PathVerdict { verdict, component: component.to_owned(), needed, alone }
    }
}

impl Step {
    /// The answer of one thing on the way; `None` for a link, which has no permissions of its own. Capabilities do not
    /// help against a protected one.
    pub(super) fn verdict(&self, who: &Identity, held: Capabilities) -> Option<(&Path, Verdict)> {
        match self {
            Self::Search(directory) => Some((&directory.path, directory.verdict(who, held, Permissions::EXECUTE))),
            Self::Follow { path, owner, protected } => {
                (*protected && *owner != who.uid).then_some((path, Verdict::Deny(Rule::ProtectedLink)))
            }
        }
    }
}

impl Inode {
    pub(super) fn verdict(&self, who: &Identity, held: Capabilities, want: Permissions) -> Verdict {
        match &self.elsewhere {
            Some(kind) => Verdict::Unknown(Doubt::DecidedElsewhere(kind.clone())),
            None => allows_capable(who, held, &self.access, self.kind, want),
        }
    }
}

/// Whether `who`, without capabilities, gets everything in `want` at `path`.
///
/// # Errors
///
/// As [`PathFacts::read`].
///
/// # Effects
///
/// Disk: reads facts, never contents.
///
/// # Examples
///
/// ```
/// use certwright::access::{Permissions, explain};
/// use certwright::{Identity, OsFilesystem};
/// use std::path::Path;
///
/// let files = OsFilesystem::new();
/// let stranger = Identity::new(60_999, 60_999, vec![]);
/// let answer = explain(&files, Path::new("/etc/shadow"), &stranger, Permissions::READ)?;
/// assert!(!answer.is_allow());
/// # Ok::<(), certwright::Error>(())
/// ```
pub fn explain(fs: &dyn Filesystem, path: &Path, who: &Identity, want: Permissions) -> Result<PathVerdict> {
    Ok(PathFacts::read(fs, path)?.explain(who, Capabilities::NONE, want))
}

#[cfg(test)]
mod tests;
