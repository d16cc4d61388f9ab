//! What happens on the bench: files as the client writes them, links as it moves them, calls as it makes them.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use certwright::Result;

use crate::hook::{give, unmade};

/// One step.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// A file with this mode; directories above it are made with mode 0700.
    Write(PathBuf, Vec<u8>, u32),
    /// A symbolic link, and where it leads; one that is there is replaced.
    Link(PathBuf, PathBuf),
    /// A call of the hook.
    Fire(Event),
}

/// A call of the hook.
#[derive(Clone, Debug)]
pub(super) struct Event {
    /// What the client calls it.
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) form: Form,
    pub(super) arguments: Vec<OsString>,
    pub(super) variables: Vec<(String, OsString)>,
}

/// How the client starts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Directly, with arguments.
    Program,
    /// As a line that a shell reads.
    Shell,
    /// Read by a shell, which then calls the function of this name after the file.
    Function,
}

/// What the client expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name that it never heard of: 0, and nothing done.
    Unknown,
    /// It is told something.
    Told,
    /// An answer is to be put in place or taken away.
    Challenge,
    /// Material is to be deployed.
    Deploy,
    /// Other material is to be deployed in the same place.
    Renewal,
}

impl Kind {
    /// Whether a failure of it has to be seen by the client.
    pub(super) const fn is_work(self) -> bool {
        matches!(self, Self::Challenge | Self::Deploy | Self::Renewal)
    }
}

impl Event {
    pub(super) fn new(name: &str, kind: Kind) -> Self {
        Self { name: name.to_owned(), kind, form: Form::Program, arguments: Vec::new(), variables: Vec::new() }
    }

    #[must_use]
    pub(super) fn form(self, form: Form) -> Self {
        Self { form, ..self }
    }

    #[must_use]
    pub(super) fn arguments(mut self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    #[must_use]
    pub(super) fn variables<V: Into<OsString>>(
        mut self,
        variables: impl IntoIterator<Item = (&'static str, V)>,
    ) -> Self {
        self.variables.extend(variables.into_iter().map(|(name, value)| (name.to_owned(), value.into())));
        self
    }
}

impl Act {
    /// A step of the client itself.
    pub(super) fn perform(&self, root: &Path, user: Option<(u32, u32)>) -> Result<()> {
        match self {
            Self::Write(path, content, mode) => {
                folders(path.parent().unwrap_or(root), root, user)?;
                let mut options = fs::OpenOptions::new();
                options.write(true).create(true).truncate(true).mode(*mode);
                let mut file = options.open(path).map_err(unmade)?;
                std::io::Write::write_all(&mut file, content).map_err(unmade)?;
                fs::set_permissions(path, fs::Permissions::from_mode(*mode)).map_err(unmade)?;
                give(path, user)
            }
            Self::Link(link, target) => {
                folders(link.parent().unwrap_or(root), root, user)?;
                let _ = fs::remove_file(link);
                symlink(target, link).map_err(unmade)
            }
            Self::Fire(_) => Ok(()),
        }
    }
}

fn folders(folder: &Path, root: &Path, user: Option<(u32, u32)>) -> Result<()> {
    if folder.is_dir() || !folder.starts_with(root) {
        return Ok(());
    }
    folders(folder.parent().unwrap_or(root), root, user)?;
    fs::create_dir(folder).map_err(unmade)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(unmade)?;
    give(folder, user)
}
