//! Who may read a path, and why.

use std::ffi::c_char;
use std::path::Path;

use certwright::access::{Capabilities, PathFacts, PathVerdict, Permissions};
use certwright::{Identity, OsFilesystem};

use crate::error::certwright_error;
use crate::guard::{Failure, look, make};
use crate::handle::{Boxed, free};
use crate::result::certwright_result;
use crate::text::{Text, certwright_str, slice, text};

/// What one identity may do at the end of one path.
#[derive(Debug)]
pub struct certwright_access {
    read: bool,
    write: bool,
    execute: bool,
    why: Text,
}

impl Boxed for certwright_access {}

/// Asks what a process with this user id, group id and these supplementary groups may do with a file or directory, the
/// way there included: mode bits and POSIX ACLs of every component, links followed as the kernel follows them. No
/// capabilities are assumed (acl(5), path_resolution(7)).
///
/// Parameters: `path`, absolute; `groups`, `groups_len` numbers, or NULL with 0.
///
/// Returns: `CERTWRIGHT_RESULT_OK` also when nothing may be done; `CERTWRIGHT_RESULT_NOT_FOUND`,
/// `CERTWRIGHT_RESULT_PERMISSION`, `CERTWRIGHT_RESULT_IO` when the path cannot be looked at;
/// `CERTWRIGHT_RESULT_INVALID_ARGUMENT` when it is not absolute.
///
/// Ownership: `*out` is the caller's, until `certwright_access_free`. Threads: any. Effects: reads the disk.
///
/// # Safety
///
/// Pointers are NULL or point to as much as their lengths say; `out` and `error_out` are NULL or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_access_ask(
    path: *const c_char,
    path_len: usize,
    uid: u32,
    gid: u32,
    groups: *const u32,
    groups_len: usize,
    out: *mut *mut certwright_access,
    error_out: *mut *mut certwright_error,
) -> certwright_result {
    let body = || {
        // SAFETY: the caller's promise.
        let path = unsafe { text("path", path, path_len) }?;
        // SAFETY: the caller's promise.
        let groups = unsafe { slice("groups", groups, groups_len) }?;
        let path = Path::new(path.as_str());
        if !path.is_absolute() {
            return Err(Failure::argument("path", "the path is not absolute"));
        }
        let facts = PathFacts::read(&OsFilesystem::new(), path)?;
        let who = Identity::new(uid, gid, groups.to_vec());
        let verdict = |wanted| facts.explain(&who, Capabilities::NONE, wanted);
        let read = verdict(Permissions::READ);
        Ok(certwright_access {
            read: read.is_allow(),
            write: verdict(Permissions::WRITE).is_allow(),
            execute: verdict(Permissions::EXECUTE).is_allow(),
            why: Text::new(&PathVerdict::to_string(&read)),
        }
        .into_c())
    };
    // SAFETY: the caller's promise.
    unsafe { make(out, error_out, body) }
}

/// Whether it may be read. `false` for NULL, and where that is not certain.
///
/// Threads: any. Effects: none.
///
/// # Safety
///
/// `access` is NULL or points to one that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_access_may_read(access: *const certwright_access) -> bool {
    // SAFETY: the caller's promise.
    look(false, || unsafe { access.as_ref() }.map(|access| access.read))
}

/// Whether it may be written. `false` for NULL, and where that is not certain.
///
/// Threads: any. Effects: none.
///
/// # Safety
///
/// `access` is NULL or points to one that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_access_may_write(access: *const certwright_access) -> bool {
    // SAFETY: the caller's promise.
    look(false, || unsafe { access.as_ref() }.map(|access| access.write))
}

/// Whether it may be executed, or searched where it is a directory. `false` for NULL, and where that is not certain.
///
/// Threads: any. Effects: none.
///
/// # Safety
///
/// `access` is NULL or points to one that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_access_may_execute(access: *const certwright_access) -> bool {
    // SAFETY: the caller's promise.
    look(false, || unsafe { access.as_ref() }.map(|access| access.execute))
}

/// Why it may or may not be read: the component and the entry that decide, in one line.
///
/// Ownership: the text is the object's. Threads: any. Effects: none. No text for NULL.
///
/// # Safety
///
/// `access` is NULL or points to one that lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_access_why(access: *const certwright_access) -> certwright_str {
    // SAFETY: the caller's promise.
    look(certwright_str::NONE, || unsafe { access.as_ref() }.map(|access| access.why.view()))
}

/// Ends it. NULL is nothing.
///
/// # Safety
///
/// `access` is NULL, or came from `certwright_access_ask` and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn certwright_access_free(access: *mut certwright_access) {
    // SAFETY: the caller's promise.
    unsafe { free(access) }
}
