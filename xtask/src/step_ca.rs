//! step-ca for the suites: Debian has its code as a library alone, so a small program of our own makes a server of it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::run::{answer, command, run_logged};

/// The program's source.
const SOURCE: &str = include_str!("../../tests/step-ca/main.go");
/// The package that brings the code of step-ca, and where it puts it.
pub(crate) const PACKAGE: &str = "golang-github-smallstep-certificates-dev";
const CODE: &str = "/usr/share/gocode/src/github.com/smallstep/certificates/ca";

/// Whether the code of step-ca is installed.
pub(crate) fn has_code() -> bool {
    Path::new(CODE).is_dir()
}

/// The version of step-ca that is installed, as Debian counts; `None` when none is.
pub fn version() -> Option<String> {
    answer(command("dpkg-query", ["--show", "--showformat=${Version}", PACKAGE])).filter(|version| !version.is_empty())
}

/// Where the program is once it is built: below `target/`, by the content of its source and the version of step-ca.
pub fn path() -> PathBuf {
    let mut hasher = DefaultHasher::new();
    (SOURCE, version()).hash(&mut hasher);
    crate::root().join(format!("target/step-ca/{:016x}/step-ca", hasher.finish()))
}

/// Build it, unless that was done.
///
/// # Errors
///
/// When the compiler is missing or refuses.
pub(crate) fn build() -> Outcome {
    let path = path();
    if path.is_file() {
        return Ok(());
    }
    println!("services: building step-ca {} for the tests, which takes a minute", version().unwrap_or_default());
    let folder = path.parent().unwrap_or(&path);
    std::fs::create_dir_all(folder).map_err(|fault| format!("cannot make `{}`: {fault}", folder.display()))?;
    // Built beside it and renamed: a build that was cut off is not taken for a program.
    let made = path.with_extension("new");
    let mut go = command("go", ["build", "-trimpath", "-ldflags=-s -w", "-o"]);
    go.arg(&made).arg("./tests/step-ca");
    go.env("GO111MODULE", "off").env("GOPATH", "/usr/share/gocode").env("GOFLAGS", "");
    run_logged(go, "step-ca-build.log")?;
    std::fs::rename(&made, &path).map_err(|fault| format!("cannot name `{}`: {fault}", path.display()))
}
