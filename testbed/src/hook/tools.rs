//! The programs that a hook uses, seen and broken: each is found first in a directory of ours, where a script writes down who
//! was called with what and then becomes the real one, or fails.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use certwright::Result;

use crate::hook::{give, unmade};

/// Those that only look, speak or compute, whose failure says nothing, and the interpreters of hooks themselves.
const LEFT_ALONE: &[&str] = &[
    "[",
    "ash",
    "awk",
    "base64",
    "basename",
    "bash",
    "busybox",
    "cmp",
    "command",
    "comm",
    "cut",
    "dash",
    "date",
    "diff",
    "dig",
    "dirname",
    "echo",
    "egrep",
    "env",
    "expr",
    "false",
    "fgrep",
    "file",
    "find",
    "gawk",
    "getent",
    "getfacl",
    "getopt",
    "grep",
    "groups",
    "head",
    "host",
    "hostname",
    "id",
    "kill",
    "ksh",
    "logger",
    "logname",
    "ls",
    "mawk",
    "md5sum",
    "mktemp",
    "node",
    "nproc",
    "nslookup",
    "paste",
    "perl",
    "pgrep",
    "php",
    "pidof",
    "printf",
    "ps",
    "pwd",
    "python",
    "python3",
    "readlink",
    "realpath",
    "rm",
    "rmdir",
    "ruby",
    "sed",
    "seq",
    "sh",
    "sha1sum",
    "sha256sum",
    "sleep",
    "sort",
    "stat",
    "stty",
    "tail",
    "test",
    "timeout",
    "tr",
    "true",
    "tty",
    "uname",
    "uniq",
    "wc",
    "whereis",
    "which",
    "who",
    "whoami",
    "xargs",
    "zsh",
];

const SCRIPT: &str = r#"#!/bin/sh
name=${0##*/}
{ printf '%s' "$name"; for word in "$@"; do printf '\037%s' "$word"; done; printf '\036'; } >> LOG
IFS= read -r broken < BROKEN
[ "$broken" != "$name" ] || { echo "$name: broken by the test bed" >&2; exit 1; }
IFS=:
for folder in $PATH; do
    [ "$folder" != HERE ] && [ -x "$folder/$name" ] && [ ! -d "$folder/$name" ] && unset IFS && exec "$folder/$name" "$@"
done
echo "$name: not found" >&2
exit 127
"#;

#[derive(Debug)]
pub(super) struct Tools {
    log: PathBuf,
    broken: PathBuf,
    path: OsString,
}

/// One call of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Used {
    pub(super) name: String,
    pub(super) arguments: Vec<String>,
}

impl Tools {
    pub(super) fn put_in_the_way(base: &Path, user: Option<(u32, u32)>) -> Result<Self> {
        let folder = base.join("bin");
        fs::create_dir_all(&folder).map_err(unmade)?;
        let (log, broken, script) = (base.join("log"), base.join("broken"), base.join("tool"));
        let put = |name: &str, path: &Path| (name.to_owned(), format!("'{}'", path.display()));
        let mut text = SCRIPT.to_owned();
        for (name, path) in [put("LOG", &log), put("BROKEN", &broken), put("HERE", &folder)] {
            text = text.replace(&name, &path);
        }
        fs::write(&script, text).map_err(unmade)?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).map_err(unmade)?;
        let usual = std::env::var_os("PATH").unwrap_or_else(|| "/usr/sbin:/usr/bin:/sbin:/bin".into());
        for name in programs(&usual) {
            symlink(&script, folder.join(name)).map_err(unmade)?;
        }
        let mut path = folder.clone().into_os_string();
        path.push(":");
        path.push(usual);
        let tools = Self { log, broken, path };
        tools.breaks(None)?;
        tools.forget()?;
        give(&tools.log, user)?;
        Ok(tools)
    }

    /// The value of `PATH`.
    pub(super) fn path(&self) -> &OsString {
        &self.path
    }

    /// From now on this one fails.
    pub(super) fn breaks(&self, name: Option<&str>) -> Result<()> {
        fs::write(&self.broken, format!("{}\n", name.unwrap_or_default())).map_err(unmade)
    }

    pub(super) fn forget(&self) -> Result<()> {
        fs::write(&self.log, "").map_err(unmade)
    }

    /// What was called since.
    pub(super) fn used(&self) -> Vec<Used> {
        let text = String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned();
        text.split_terminator('\u{1e}').map(read).collect()
    }
}

fn read(line: &str) -> Used {
    let mut words = line.split('\u{1f}').map(str::to_owned);
    Used { name: words.next().unwrap_or_default(), arguments: words.collect() }
}

/// The names of all programs that are found by this `PATH`.
fn programs(path: &OsString) -> BTreeSet<OsString> {
    let folders = std::env::split_paths(path).filter_map(|folder| fs::read_dir(folder).ok());
    let names = folders.flatten().filter_map(|entry| Some(entry.ok()?.file_name()));
    names.filter(|name| name.to_str().is_some_and(|name| !LEFT_ALONE.contains(&name))).collect()
}
