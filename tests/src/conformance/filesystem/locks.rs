//! The lock belongs to the open file (flock(2)).

use std::ffi::OsStr;

use certwright::{Open, Rename};

use super::{Bench, Outcome};

pub(super) fn one_handle_has_the_lock(b: &Bench) -> Outcome {
    b.file("l", b"")?;
    let (first, second) = (b.open("l", Open::Append)?, b.open("l", Open::Read)?);
    assert!(b.fs.try_lock(&first)?);
    assert!(b.fs.try_lock(&first)?, "who has it, has it");
    assert!(b.fs.try_lock(&first.clone())?, "a clone is the same handle");
    assert!(!b.fs.try_lock(&second)?);
    drop(b.open("l", Open::Append)?);
    assert!(!b.fs.try_lock(&second)?, "closing another handle does not lose it, as it would a record lock");
    let (third, fourth) = (b.root()?, b.root()?);
    assert!(b.fs.try_lock(&third)?, "a directory can be locked");
    assert!(!b.fs.try_lock(&fourth)?);
    Ok(())
}

pub(super) fn a_lock_ends_with_its_last_handle(b: &Bench) -> Outcome {
    let first = b.file("l", b"")?;
    let clone = first.clone();
    let second = b.open("l", Open::Append)?;
    assert!(b.fs.try_lock(&first)?);
    drop(first);
    assert!(!b.fs.try_lock(&second)?);
    drop(clone);
    assert!(b.fs.try_lock(&second)?);
    Ok(())
}

pub(super) fn locks_of_two_files_are_apart(b: &Bench) -> Outcome {
    let (one, two) = (b.file("1", b"")?, b.file("2", b"")?);
    assert!(b.fs.try_lock(&one)? && b.fs.try_lock(&two)?);
    Ok(())
}

pub(super) fn a_replaced_lock_file_excludes_nobody(b: &Bench) -> Outcome {
    let root = b.root()?;
    let old = b.file("l", b"")?;
    assert!(b.fs.try_lock(&old)?);
    b.file("new", b"")?;
    b.fs.rename(&root, OsStr::new("new"), &root, OsStr::new("l"), Rename::Replace)?;
    let new = b.open("l", Open::Append)?;
    assert!(b.fs.try_lock(&new)?);
    assert_ne!(b.fs.stat(&old)?.identity, b.fs.stat(&new)?.identity, "which is how a holder can tell");
    Ok(())
}
