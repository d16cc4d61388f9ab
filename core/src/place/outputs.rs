//! Files outside the lineage directory: each is prepared beside its target under a dot name, then put in place by one
//! rename. One file is atomic; several are not, and recovery rolls them forward or back together.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use super::access::inode::Access;
use super::access::trust::trusted_place;
use super::atomic::found;
use super::filesystem::{Filesystem, Node, NodeKind, Open, Rename};
use super::lineage::FILE_LIMIT;
use super::txn::PreparedOutput;
use crate::ground::error::{Error, ErrorKind, Result};

/// How the name of a file ends that waits beside its target.
const WAITING: &str = ".certwright-next";

/// What a file outside shall be.
#[derive(Debug)]
pub(crate) enum Content<'a> {
    /// A regular file with these bytes and this access.
    File(&'a [u8], &'a Access),
    /// A symbolic link to this path.
    Link(&'a Path),
}

/// How a file outside compares with what it shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// It is exactly so.
    Same,
    /// It is not there.
    Missing,
    /// It is otherwise, in this way.
    Other(String),
}

/// The open directory of a target, and the target's name in it.
#[derive(Debug)]
struct Place {
    directory: Node,
    name: OsString,
    path: PathBuf,
}

impl Place {
    fn of(fs: &dyn Filesystem, path: &Path) -> Result<Self> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(Error::new(ErrorKind::InvalidSpec, "an output has no file name").context("path", path));
        };
        let directory = fs.open(None, parent, Open::Directory).map_err(|source| {
            Error::io("the directory of an output cannot be opened", source)
                .context("path", path)
                .hint(format!("make the directory `{}`, or change the output's `path`", parent.display()))
        })?;
        Ok(Self { directory, name: name.to_owned(), path: path.to_owned() })
    }

    /// The dot keeps services that load a whole directory from reading a file that only waits.
    fn prepared(&self) -> String {
        format!(".{}{WAITING}", self.name.to_string_lossy())
    }

    fn fault(&self, message: &'static str, source: io::Error) -> Error {
        Error::io(message, source).context("path", self.path.as_path())
    }
}

/// Compare a file outside with what it shall be.
pub(crate) fn compare(fs: &dyn Filesystem, path: &Path, content: &Content<'_>) -> Result<Found> {
    let place = Place::of(fs, path)?;
    compare_at(fs, &place, content)
}

fn compare_at(fs: &dyn Filesystem, place: &Place, content: &Content<'_>) -> Result<Found> {
    let stat =
        found(fs.stat_at(&place.directory, &place.name)).map_err(|e| place.fault("an output cannot be read", e))?;
    let Some(stat) = stat else { return Ok(Found::Missing) };
    match (content, stat.kind) {
        (Content::Link(target), NodeKind::Link) => {
            let leads =
                fs.read_link(&place.directory, &place.name).map_err(|e| place.fault("an output cannot be read", e))?;
            Ok(if leads == *target { Found::Same } else { Found::Other(format!("it leads to `{}`", leads.display())) })
        }
        (Content::File(bytes, access), NodeKind::File) => {
            let file = fs
                .open(Some(&place.directory), Path::new(&place.name), Open::Read)
                .map_err(|e| place.fault("an output cannot be read", e))?;
            let same_content = match fs.read(&file, FILE_LIMIT) {
                Ok(have) => have == *bytes,
                Err(error) if error.kind() == io::ErrorKind::FileTooLarge => false,
                Err(error) => return Err(place.fault("an output cannot be read", error)),
            };
            if !same_content {
                return Ok(Found::Other("its content is another".to_owned()));
            }
            let have = Access::read(fs, &file)?;
            Ok(if have == **access {
                Found::Same
            } else {
                Found::Other(format!("its access is {have}, wished is {access}"))
            })
        }
        (_, kind) => Ok(Found::Other(format!("it is {}", kind_text(kind)))),
    }
}

/// Prepare a file beside its target, with owner, ACL and content final and durable. `None` when the target is so already.
pub(crate) fn prepare(fs: &dyn Filesystem, path: &Path, content: &Content<'_>) -> Result<Option<PreparedOutput>> {
    let place = Place::of(fs, path)?;
    refuse_strange(fs, &place, content)?;
    let prepared = place.prepared();
    let name = OsStr::new(&prepared);
    let left_over = found(fs.remove_file(&place.directory, name));
    left_over.map_err(|e| place.fault("a left-over of an output cannot be removed", e))?;
    if compare_at(fs, &place, content)? == Found::Same {
        return Ok(None);
    }
    let fault = |source| place.fault("an output cannot be prepared", source);
    match content {
        Content::Link(target) => fs.make_link(&place.directory, name, target).map_err(fault)?,
        Content::File(bytes, access) => {
            let file = fs.open(Some(&place.directory), Path::new(name), Open::Create).map_err(fault)?;
            let written = fs.write(&file, bytes).map_err(fault).and_then(|()| {
                access.apply(fs, &file).map_err(|error| error.context("path", path))?;
                fs.sync(&file).map_err(fault)
            });
            if let Err(error) = written {
                let _ = fs.remove_file(&place.directory, name);
                return Err(error);
            }
        }
    }
    fs.sync(&place.directory).map_err(fault)?;
    Ok(Some(PreparedOutput { path: path.to_owned(), prepared }))
}

/// A hard link, a directory, a device: nothing that is followed or overwritten on somebody's word.
fn refuse_strange(fs: &dyn Filesystem, place: &Place, content: &Content<'_>) -> Result<()> {
    let stat =
        found(fs.stat_at(&place.directory, &place.name)).map_err(|e| place.fault("an output cannot be read", e))?;
    let Some(stat) = stat else { return Ok(()) };
    let what = match (content, stat.kind) {
        (Content::File(..), NodeKind::File) if stat.links > 1 => "a file with several hard links",
        (Content::File(..), NodeKind::File) | (Content::Link(_), NodeKind::Link) => return Ok(()),
        (_, kind) => kind_text(kind),
    };
    Err(Error::new(ErrorKind::Conflict, format!("the place of an output is taken by {what}"))
        .context("path", place.path.as_path())
        .hint(format!("move `{}` away, then run it again", place.path.display())))
}

/// Put a prepared file in place: one rename, made durable. Nothing is done when it was put in place before.
pub(crate) fn put_in_place(fs: &dyn Filesystem, output: &PreparedOutput) -> Result<()> {
    let place = Place::of(fs, &output.path)?;
    let renamed = found(fs.rename(
        &place.directory,
        OsStr::new(&output.prepared),
        &place.directory,
        &place.name,
        Rename::Replace,
    ));
    renamed
        .and_then(|_| fs.sync(&place.directory))
        .map_err(|source| place.fault("an output cannot be put in place", source))
}

/// See that nobody but root and this process can put something else in the place of an output. A directory that is not there
/// is for [`prepare`] to tell.
///
/// # Errors
///
/// `AccessMismatch` naming the component of the path.
pub(crate) fn safe_place(fs: &dyn Filesystem, path: &Path) -> Result<()> {
    let Some(parent) = path.parent() else { return Ok(()) };
    match trusted_place(fs, parent, fs.identity().uid) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        judged => judged.map_err(|error| error.context("output", path)),
    }
}

/// Whether something prepared for this target still waits: a run died, or is at work.
pub(crate) fn is_waiting(fs: &dyn Filesystem, path: &Path) -> Result<bool> {
    let place = Place::of(fs, path)?;
    let stat = found(fs.stat_at(&place.directory, OsStr::new(&place.prepared())));
    stat.map(|stat| stat.is_some()).map_err(|e| place.fault("an output cannot be read", e))
}

/// Remove what was prepared for this target and never put in place. A directory that is gone holds nothing.
pub(crate) fn discard(fs: &dyn Filesystem, path: &Path) -> Result<()> {
    let Ok(place) = Place::of(fs, path) else { return Ok(()) };
    match found(fs.remove_file(&place.directory, OsStr::new(&place.prepared()))) {
        Ok(None) => Ok(()),
        Ok(Some(())) => {
            fs.sync(&place.directory).map_err(|e| place.fault("a left-over of an output cannot be removed", e))
        }
        Err(error) => Err(place.fault("a left-over of an output cannot be removed", error)),
    }
}

/// The path under which a prepared file waits, for the proof of its access.
pub(crate) fn waiting_path(output: &PreparedOutput) -> PathBuf {
    output.path.with_file_name(&output.prepared)
}

/// The target of a prepared file, when the path is one.
pub(crate) fn settled_path(waiting: &Path) -> Option<PathBuf> {
    let name = waiting.file_name()?.to_str()?.strip_prefix('.')?.strip_suffix(WAITING)?;
    Some(waiting.with_file_name(name))
}

fn kind_text(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::File => "a regular file",
        NodeKind::Directory => "a directory",
        NodeKind::Link => "a symbolic link",
        NodeKind::Other => "a FIFO, socket or device",
    }
}
