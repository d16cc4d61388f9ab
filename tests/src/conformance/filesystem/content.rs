//! Bytes.

use std::ffi::OsStr;
use std::io::ErrorKind;

use certwright::{Open, Rename};
use rustix::io::Errno;

use super::{Bench, Outcome, errno};

pub(super) fn reading_has_a_limit(b: &Bench) -> Outcome {
    b.file("f", b"0123456789")?;
    let file = b.open("f", Open::Read)?;
    assert_eq!(b.fs.read(&file, 10)?, b"0123456789");
    assert_eq!(b.fs.read(&file, 10)?, b"0123456789", "from the beginning each time");
    let error = b.fs.read(&file, 9).map_err(|error| error.kind());
    assert_eq!(error.err(), Some(ErrorKind::FileTooLarge));
    b.file("empty", b"")?;
    assert_eq!(b.fs.read(&b.open("empty", Open::Read)?, 0)?, b"");
    Ok(())
}

pub(super) fn writing_continues(b: &Bench) -> Outcome {
    let file = b.file("f", b"one ")?;
    b.fs.write(&file, b"")?;
    b.fs.write(&file, b"two")?;
    assert_eq!(b.fs.read(&file, 100)?, b"one two");
    b.fs.write(&file, b"!")?;
    assert_eq!(b.content("f")?, b"one two!", "reading does not move the position");
    assert_eq!(b.fs.stat(&file)?.size, 8);
    Ok(())
}

pub(super) fn appending_goes_to_the_end(b: &Bench) -> Outcome {
    b.file("f", b"old")?;
    let (first, second) = (b.open("f", Open::Append)?, b.open("f", Open::Append)?);
    b.fs.write(&first, b" one")?;
    b.fs.write(&second, b" two")?;
    b.fs.write(&first, b" three")?;
    assert_eq!(b.fs.read(&second, 100)?, b"old one two three");
    Ok(())
}

pub(super) fn a_handle_for_reading_does_not_write(b: &Bench) -> Outcome {
    b.file("f", b"old")?;
    assert_eq!(errno(b.fs.write(&b.open("f", Open::Read)?, b"new")), Some(Errno::BADF));
    assert_eq!(errno(b.fs.write(&b.root()?, b"new")), Some(Errno::BADF));
    assert_eq!(b.content("f")?, b"old");
    Ok(())
}

pub(super) fn an_open_file_outlives_its_name(b: &Bench) -> Outcome {
    let root = b.root()?;
    b.file("f", b"content")?;
    let (reader, writer) = (b.open("f", Open::Read)?, b.open("f", Open::Append)?);
    b.fs.remove_file(&root, OsStr::new("f"))?;
    b.fs.write(&writer, b" and more")?;
    assert_eq!(b.fs.read(&reader, 100)?, b"content and more");
    assert_eq!(b.fs.stat(&reader)?.links, 0);
    assert_eq!(errno(b.open("f", Open::Read)), Some(Errno::NOENT));
    Ok(())
}

pub(super) fn a_handle_follows_a_rename(b: &Bench) -> Outcome {
    let root = b.root()?;
    let file = b.file("old", b"a")?;
    let directory = b.directory("d", 0o700)?;
    b.fs.rename(&root, OsStr::new("old"), &directory, OsStr::new("new"), Rename::NoReplace)?;
    b.fs.rename(&root, OsStr::new("d"), &root, OsStr::new("e"), Rename::NoReplace)?;
    b.fs.write(&file, b"b")?;
    b.fs.make_directory(&directory, OsStr::new("made"), 0o700)?;
    assert_eq!(b.content("e/new")?, b"ab");
    assert_eq!(b.fs.list(&b.open("e", Open::Directory)?)?, ["made", "new"]);
    Ok(())
}

pub(super) fn syncs_are_accepted(b: &Bench) -> Outcome {
    let file = b.file("f", b"content")?;
    b.fs.sync(&file)?;
    b.fs.sync(&b.open("f", Open::Read)?)?;
    b.fs.sync(&b.root()?)?;
    b.fs.sync_all(&b.root()?)?;
    assert_eq!(b.content("f")?, b"content");
    Ok(())
}
