//! What every [`Filesystem`] does. The kernel is the oracle: the suite runs over the real one on several file systems and
//! over the model, and where they would differ the model is wrong.
//!
//! `filesystem_suite!(|| Bench::model(…))` in a module of a test makes each case a test of its own.

mod access;
mod acls;
mod content;
mod locks;
mod names;
mod walk;
mod wants;

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use certwright::{Filesystem, Identity, Node, Open, OsFilesystem};
use rustix::fs::{CWD, FileType, Mode};
use rustix::io::Errno;

use crate::model_fs::ModelFs;
use crate::scratch::Scratch;

pub use super::Outcome;

/// An empty directory on the file system under test, and what the seam cannot do but cases need.
pub struct Bench {
    pub(crate) fs: Box<dyn Filesystem>,
    outside: Outside,
    root: PathBuf,
}

enum Outside {
    Kernel { _scratch: Option<Scratch> },
    Model(ModelFs),
}

impl Bench {
    /// The model.
    ///
    /// # Errors
    ///
    /// None that is expected.
    pub fn model(fs: ModelFs) -> io::Result<Self> {
        fs.plant_directory("/bench/root", 0o711)?;
        Ok(Self { fs: Box::new(fs.clone()), outside: Outside::Model(fs), root: "/bench/root".into() })
    }

    /// The real one, in a directory that goes away.
    pub fn real(fs: OsFilesystem, scratch: Scratch) -> Self {
        let root = scratch.path().to_owned();
        Self { fs: Box::new(fs), outside: Outside::Kernel { _scratch: Some(scratch) }, root }
    }

    /// The real one, in a directory that somebody else cares for.
    pub fn mounted(fs: OsFilesystem, root: PathBuf) -> Self {
        Self { fs: Box::new(fs), outside: Outside::Kernel { _scratch: None }, root }
    }

    /// A handle on the empty directory.
    fn root(&self) -> io::Result<Node> {
        self.fs.open(None, &self.root, Open::Directory)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn open(&self, name: &str, how: Open) -> io::Result<Node> {
        self.fs.open(Some(&self.root()?), Path::new(name), how)
    }

    /// A file with this content.
    fn file(&self, name: &str, content: &[u8]) -> io::Result<Node> {
        let file = self.open(name, Open::Create)?;
        self.fs.write(&file, content)?;
        Ok(file)
    }

    /// The directory that a path leads to, and the name in it.
    fn place<'p>(&self, path: &'p str) -> io::Result<(Node, &'p OsStr)> {
        match path.rsplit_once('/') {
            Some((above, name)) => Ok((self.open(above, Open::Directory)?, OsStr::new(name))),
            None => Ok((self.root()?, OsStr::new(path))),
        }
    }

    pub(crate) fn directory(&self, path: &str, mode: u32) -> io::Result<Node> {
        let (above, name) = self.place(path)?;
        self.fs.make_directory(&above, name, mode)?;
        self.open(path, Open::Directory)
    }

    fn link(&self, path: &str, target: impl AsRef<Path>) -> io::Result<()> {
        let (above, name) = self.place(path)?;
        self.fs.make_link(&above, name, target.as_ref())
    }

    fn content(&self, name: &str) -> io::Result<Vec<u8>> {
        self.fs.read(&self.open(name, Open::Read)?, 1 << 20)
    }

    fn mode(&self, node: &Node) -> io::Result<u32> {
        Ok(self.fs.stat(node)?.mode)
    }

    fn can_open(&self, uid: u32, gid: u32, groups: &[u32], name: &str) -> io::Result<bool> {
        self.fs.can_open_as(&Identity::new(uid, gid, groups.to_vec()), &self.path(name))
    }

    pub(crate) fn make_fifo(&self, name: &str) -> io::Result<()> {
        match &self.outside {
            Outside::Kernel { .. } => {
                Ok(rustix::fs::mknodat(CWD, self.path(name), FileType::Fifo, Mode::from_raw_mode(0o600), 0)?)
            }
            Outside::Model(model) => model.plant_fifo(self.path(name), 0o600),
        }
    }

    pub(crate) fn make_hard_link(&self, old: &str, new: &str) -> io::Result<()> {
        match &self.outside {
            Outside::Kernel { .. } => std::fs::hard_link(self.path(old), self.path(new)),
            Outside::Model(model) => model.plant_hard_link(self.path(old), self.path(new)),
        }
    }
}

impl fmt::Debug for Bench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} in {}", self.fs, self.root.display())
    }
}

/// The error number of what must fail.
fn errno<T>(result: io::Result<T>) -> Option<Errno> {
    result.err().as_ref().and_then(Errno::from_io_error)
}

/// Declares the cases, and a macro that makes a test of each.
macro_rules! cases {
    ($($file:ident { $($case:ident),* $(,)? })*) => {
        $($(
            #[doc = concat!("The case `", stringify!($case), "`.")]
            ///
            /// # Errors
            ///
            /// What kept it from being tried; what was found wrong is a panic.
            pub fn $case(bench: &Bench) -> Outcome {
                $file::$case(bench)
            }
        )*)*

        /// Makes a test of each case; `$bench` is called for each and gives a [`Bench`].
        #[macro_export]
        macro_rules! filesystem_suite {
            ($bench:expr) => {
                $($(
                    #[test]
                    fn $case() -> $crate::conformance::filesystem::Outcome {
                        $crate::conformance::filesystem::$case(&$bench()?)
                    }
                )*)*
            };
        }
    };
}

cases! {
    names {
        create_is_exclusive,
        a_new_file_is_private,
        an_absent_name_is_not_found,
        the_kind_must_fit,
        a_name_is_one_component,
        rename_replaces,
        rename_keeps_what_it_must_not_replace,
        rename_moves_between_directories,
        rename_of_directories,
        rename_of_one_inode_onto_itself_does_nothing,
        links_are_made_read_and_replaced,
        a_listing_is_sorted,
        removal_needs_the_right_kind,
        a_removed_directory_takes_no_names,
        hard_links_are_counted,
        identity_tells_inodes_apart,
    }
    walk {
        links_beneath_are_refused,
        nothing_leads_out_from_beneath,
        absolute_paths_follow_links,
        a_loop_of_links_ends,
        a_fifo_does_not_hang,
        facts_look_at_the_link_itself,
        facts_are_good_for_nothing_else,
        a_directory_that_is_searched_is_good_for_names_beneath,
    }
    content {
        reading_has_a_limit,
        writing_continues,
        appending_goes_to_the_end,
        a_handle_for_reading_does_not_write,
        an_open_file_outlives_its_name,
        a_handle_follows_a_rename,
        syncs_are_accepted,
    }
    access {
        modes_are_as_asked,
        owner_and_group_change,
        a_new_owner_drops_set_id,
        a_set_group_id_directory_hands_down_its_group,
        readers_by_owner_group_and_other,
        the_owner_bits_are_final,
        readers_by_named_entries,
        bits_of_two_groups_are_not_added_up,
        an_empty_mask_sends_everyone_to_other,
        every_directory_on_the_way_counts,
        links_are_followed_for_readers,
        asking_about_nothing_is_an_error,
    }
    acls {
        an_acl_is_kept_as_written,
        unsorted_and_doubled_entries_are_kept,
        unused_ids_are_normalised,
        an_empty_value_removes,
        an_acl_that_is_a_mode_becomes_one,
        malformed_values_are_refused,
        another_version_is_unsupported,
        writing_an_acl_sets_the_mode,
        chmod_moves_the_mask,
        removal_leaves_the_mask_in_the_mode,
        a_default_acl_is_inherited_shut,
        a_default_acl_goes_down_with_directories,
        a_default_acl_that_is_a_mode_gives_no_acl,
        a_rename_inherits_nothing,
        a_file_has_no_default_acl,
    }
    locks {
        one_handle_has_the_lock,
        a_lock_ends_with_its_last_handle,
        locks_of_two_files_are_apart,
        a_replaced_lock_file_excludes_nobody,
    }
}

pub use wants::{full, read_only, without_acls};
