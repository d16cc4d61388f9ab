//! Finding a program and judging whether it may be run, before anything is done that would have to be undone.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, FileType, Mode, OFlags, accessat, openat, stat};
use rustix::io::Errno;

use super::SEARCH;
use crate::ground::error::{Error, ErrorKind, Public, Result};

/// How much of a file the kernel looks at to find the interpreter (`BINPRM_BUF_SIZE`, execve(2)).
const HEAD: u64 = 256;

/// How deep interpreters that are scripts themselves may be nested (execve(2)).
const NESTED: u32 = 4;

/// A program that may be run, by its absolute path.
#[derive(Debug)]
pub(super) struct Program(PathBuf);

impl Program {
    /// The program of this name: absolute, or looked for in the fixed search path.
    pub(super) fn find(name: &str) -> Result<Self> {
        let path = locate(name)?;
        judge(&path, NESTED)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

fn locate(name: &str) -> Result<PathBuf> {
    if name.starts_with('/') {
        return Ok(name.into());
    }
    if name.contains('/') {
        return Err(Error::new(ErrorKind::InvalidSpec, "the path of a program must be absolute")
            .context("program", Public(name))
            .hint("write the path from `/` on, or the bare name of a program in the search path"));
    }
    let places = SEARCH.split(':').map(|directory| Path::new(directory).join(name));
    // As execvp(3) does: a match that may not be executed is passed over for a later one.
    places
        .clone()
        .find(|path| may_execute(path).is_ok())
        .or_else(|| places.clone().find(|path| stat(path).is_ok()))
        .ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "the program is not installed")
                .context("program", Public(name))
                .context("searched", SEARCH)
                .hint("install it, or write its absolute path")
        })
}

fn may_execute(path: &Path) -> rustix::io::Result<()> {
    match accessat(CWD, path, Access::EXEC_OK, AtFlags::EACCESS) {
        // Kernels before 5.8 answer for the real ids only; when those differ, execve itself has the last word.
        Err(Errno::NOSYS) => Ok(()),
        other => other,
    }
}

fn judge(path: &Path, nested: u32) -> Result<()> {
    let facts = stat(path).map_err(|source| {
        Error::io("the program cannot be found", source.into())
            .context("program", path)
            .hint("install it, or correct its path")
    })?;
    if FileType::from_raw_mode(facts.st_mode) != FileType::RegularFile {
        return Err(Error::new(ErrorKind::InvalidSpec, "this is not a program but a directory or a special file")
            .context("program", path)
            .hint("name the file that is to be run"));
    }
    may_execute(path).map_err(|source| {
        Error::io("the program may not be executed", source.into()).context("program", path).hint(format!(
            "run `chmod +x {0}`, and see with `findmnt -T {0}` that it is not mounted noexec",
            path.display()
        ))
    })?;
    refuse_writable_by_all(path, facts.st_mode)?;
    judge_content(path, nested)
}

/// Who may replace the program decides what we run: neither it nor a directory above it may be open to everyone.
fn refuse_writable_by_all(path: &Path, mode: u32) -> Result<()> {
    let refuse = |open: &Path| {
        Err(Error::new(ErrorKind::Permission, "everyone may change this program, so it is not run")
            .context("program", path)
            .context("writable", open)
            .hint(format!("run `chmod o-w {}`", open.display())))
    };
    let permissions = Mode::from_raw_mode(mode);
    if permissions.contains(Mode::WOTH) {
        return refuse(path);
    }
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    for directory in path.ancestors().skip(1).chain(real.ancestors().skip(1)) {
        let Ok(facts) = stat(directory) else { continue };
        let permissions = Mode::from_raw_mode(facts.st_mode);
        if permissions.contains(Mode::WOTH) && !permissions.contains(Mode::SVTX) {
            return refuse(directory);
        }
    }
    Ok(())
}

/// Only what the kernel itself can run. A text file without interpreter line would be handed to `/bin/sh` by execvp(3).
fn judge_content(path: &Path, nested: u32) -> Result<()> {
    let head = read_head(path).map_err(|source| {
        // A program may be executable and not readable; then it is no script, whose interpreter must read it.
        (source.kind() != std::io::ErrorKind::PermissionDenied)
            .then(|| Error::io("the program cannot be read", source).context("program", path))
    });
    let head = match head {
        Ok(head) => head,
        Err(None) => return Ok(()),
        Err(Some(error)) => return Err(error),
    };
    if head.starts_with(b"\x7fELF") {
        return Ok(());
    }
    let Some(line) = head.strip_prefix(b"#!") else {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "this is neither a binary nor a script with an interpreter line",
        )
        .context("program", path)
        .hint("begin it with a line such as `#!/bin/sh`"));
    };
    judge_interpreter(path, line, nested)
}

fn judge_interpreter(script: &Path, line: &[u8], nested: u32) -> Result<()> {
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let fault = |kind, message: &'static str, interpreter: &Path| {
        Error::new(kind, message).context("program", script).context("interpreter", interpreter)
    };
    if line.ends_with(b"\r") {
        return Err(Error::new(ErrorKind::Unsupported, "the interpreter line of the script ends as on Windows")
            .context("program", script)
            .hint(format!("run `sed -i 's/\\r$//' {}`", script.display())));
    }
    let mut words = line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
    let interpreter = Path::new(OsStr::from_bytes(words.next().unwrap_or_default()));
    if !interpreter.is_absolute() {
        return Err(fault(
            ErrorKind::Unsupported,
            "the interpreter of the script is not an absolute path",
            interpreter,
        )
        .hint("begin the script with a line such as `#!/bin/sh`"));
    }
    let Some(nested) = nested.checked_sub(1) else {
        return Err(fault(ErrorKind::Unsupported, "the interpreters of the script are nested too deeply", interpreter)
            .hint("name a binary as interpreter"));
    };
    let because = |source: Error| {
        fault(source.kind(), "the interpreter of the script cannot be run", interpreter)
            .hint("install it, or correct the first line of the script")
            .source(source)
    };
    judge(interpreter, nested).map_err(because)?;
    // `#!/usr/bin/env python3` is how most scripts name an interpreter; env looks for it in the search path.
    if let (Some("env"), Some(named), None) =
        (interpreter.file_name().and_then(OsStr::to_str), words.next(), words.next())
        && let Ok(named) = str::from_utf8(named)
        && !named.starts_with('-')
        && !named.contains(['=', '/'])
    {
        let found = locate(named).map_err(because)?;
        judge(&found, nested).map_err(because)?;
    }
    Ok(())
}

fn read_head(path: &Path) -> std::io::Result<Vec<u8>> {
    let file = openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY, Mode::empty())?;
    let mut head = Vec::new();
    File::from(file).take(HEAD).read_to_end(&mut head)?;
    Ok(head)
}
