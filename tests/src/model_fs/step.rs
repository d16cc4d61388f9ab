//! The numbering of calls, what may go wrong at each, and the record of what was done.

use std::error::Error;
use std::fmt;
use std::io;

use rustix::io::Errno;

/// The calls of the trait, by the name of what they change or ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Call {
    /// `open` of what exists.
    Open,
    /// `open` that made the file.
    Create,
    /// `make_directory`.
    MakeDirectory,
    /// `read`.
    Read,
    /// `write`: two steps, the first half and the rest.
    Write,
    /// `stat` and `stat_at`.
    Stat,
    /// `set_owner`.
    SetOwner,
    /// `set_mode`.
    SetMode,
    /// `acl`.
    Acl,
    /// `set_acl`.
    SetAcl,
    /// `sync`.
    Sync,
    /// `sync_all`.
    SyncAll,
    /// `rename`.
    Rename,
    /// `make_link`.
    MakeLink,
    /// `read_link`.
    ReadLink,
    /// `remove_file`.
    RemoveFile,
    /// `remove_directory`.
    RemoveDirectory,
    /// `list`.
    List,
    /// `try_lock`.
    TryLock,
    /// `space`.
    Space,
    /// `can_open_as`.
    CanOpenAs,
}

impl Call {
    /// Whether it changes something, or makes it durable.
    pub const fn mutates(self) -> bool {
        match self {
            Self::Create
            | Self::MakeDirectory
            | Self::Write
            | Self::SetOwner
            | Self::SetMode
            | Self::SetAcl
            | Self::Sync
            | Self::SyncAll
            | Self::Rename
            | Self::MakeLink
            | Self::RemoveFile
            | Self::RemoveDirectory => true,
            Self::Open
            | Self::Read
            | Self::Stat
            | Self::Acl
            | Self::ReadLink
            | Self::List
            | Self::TryLock
            | Self::Space
            | Self::CanOpenAs => false,
        }
    }
}

/// One mutating step that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Op {
    /// Its number, from 1, among the mutating steps of its process.
    pub number: u64,
    /// Which call.
    pub call: Call,
    /// On what, for people: the paths as they were when the handles were opened.
    pub what: String,
    /// The error number, when it failed.
    pub failed: Option<i32>,
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>3} {:?} {}", self.number, self.call, self.what)?;
        match self.failed {
            Some(number) => write!(f, " failed: {}", io::Error::from_raw_os_error(number)),
            None => Ok(()),
        }
    }
}

/// What goes wrong, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The process is dead after this many mutating steps: from the next one on, every call fails with [`Dead`].
    StopAfter(u64),
    /// A numbered call fails.
    Errno {
        /// Its number, from 1, among those that `counted` counts.
        at: u64,
        /// With which error.
        errno: Errno,
        /// Which calls have numbers.
        counted: Counted,
        /// Only that one, or each one from there on.
        lasting: Lasting,
    },
    /// Calls of one sort on a path with this text in it fail.
    On {
        /// Which call.
        call: Call,
        /// Text in its [`Op::what`].
        text: String,
        /// With which error.
        errno: Errno,
        /// Only the first such call, or each one.
        lasting: Lasting,
    },
}

/// Which calls have numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Counted {
    /// Those that change something, syncs included.
    Mutating,
    /// Every call.
    Every,
}

/// How long a fault lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lasting {
    /// One call.
    Once,
    /// From there on.
    Forever,
}

/// The error of every call of a dead process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dead;

impl Dead {
    /// Whether this error, or one that it was made from, says that the process is dead.
    pub fn caused(error: &(dyn Error + 'static)) -> bool {
        let mut next = Some(error);
        while let Some(error) = next {
            if error.is::<Self>() {
                return true;
            }
            // The source of an error in `io::Error` is what is below it, so ask for the error itself.
            let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            next = inside.map_or_else(|| error.source(), |inner| Some(inner as &(dyn Error + 'static)));
        }
        false
    }

    pub(super) fn error() -> io::Error {
        io::Error::other(Self)
    }
}

impl fmt::Display for Dead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the process of this handle is dead")
    }
}

impl Error for Dead {}

/// Counts, faults and record of one process.
#[derive(Debug, Default)]
pub(super) struct Progress {
    pub(super) calls: u64,
    pub(super) steps: u64,
    pub(super) dead: bool,
    pub(super) faults: Vec<Fault>,
    pub(super) log: Vec<Op>,
}

impl Progress {
    /// Counts a call, and says how it fails.
    pub(super) fn call(&mut self, call: Call, what: &str) -> io::Result<()> {
        if self.dead {
            return Err(Dead::error());
        }
        self.calls += 1;
        let number = self.calls;
        self.strike(number, Counted::Every, call, what)
    }

    /// Counts a mutating step, and says how it fails.
    pub(super) fn step(&mut self, call: Call, what: &str) -> io::Result<()> {
        let stop = |fault: &Fault| matches!(fault, Fault::StopAfter(steps) if self.steps >= *steps);
        if self.dead || self.faults.iter().any(stop) {
            self.dead = true;
            return Err(Dead::error());
        }
        self.steps += 1;
        let number = self.steps;
        let struck = self.strike(number, Counted::Mutating, call, what);
        if let Err(error) = &struck {
            self.record(call, what, Some(error));
        }
        struck
    }

    pub(super) fn record(&mut self, call: Call, what: &str, error: Option<&io::Error>) {
        let failed = error.map(|error| error.raw_os_error().unwrap_or_default());
        self.log.push(Op { number: self.steps, call, what: what.to_owned(), failed });
    }

    fn strike(&mut self, number: u64, counting: Counted, call: Call, what: &str) -> io::Result<()> {
        let hit = self.faults.iter().position(|fault| match fault {
            Fault::StopAfter(_) => false,
            Fault::Errno { at, counted, lasting, .. } => {
                *counted == counting && (number == *at || (number > *at && *lasting == Lasting::Forever))
            }
            // A mutating call passes here twice, as a call and as a step.
            Fault::On { call: on, text, .. } => {
                *on == call && call.mutates() == (counting == Counted::Mutating) && what.contains(text)
            }
        });
        let Some(hit) = hit else { return Ok(()) };
        let (errno, lasting) = match self.faults.get(hit) {
            Some(Fault::Errno { errno, lasting, .. } | Fault::On { errno, lasting, .. }) => (*errno, *lasting),
            Some(Fault::StopAfter(_)) | None => return Ok(()),
        };
        if lasting == Lasting::Once {
            self.faults.remove(hit);
        }
        Err(errno.into())
    }
}
