//! The real programs that suites run, from the table that `cargo xtask services` installs.

use std::path::PathBuf;

use xtask::python::ENVIRONMENTS;
use xtask::services::PROGRAMS;

/// The path of a program of the table in `xtask/src/services.rs`.
///
/// # Panics
///
/// When the table does not name it or it is not installed: a missing program is a failed set-up, never a reason to pass.
#[expect(clippy::panic, reason = "the test that asked cannot go on")]
pub fn program(name: &str) -> PathBuf {
    let Some(row) = PROGRAMS.iter().find(|row| row.name == name) else {
        panic!("`{name}` is not in the table of xtask/src/services.rs; add it with its package");
    };
    row.find().unwrap_or_else(|| {
        panic!("`{name}` is not installed (package {}); run `cargo xtask services` first", row.package)
    })
}

/// The interpreter of a program of the table in `xtask/src/python.rs`.
///
/// # Panics
///
/// As [`program`].
#[expect(clippy::panic, reason = "the test that asked cannot go on")]
pub fn python(name: &str) -> PathBuf {
    let row = ENVIRONMENTS.iter().find(|row| row.name == name);
    row.and_then(xtask::python::Environment::find)
        .unwrap_or_else(|| panic!("the Python program `{name}` is not installed; run `cargo xtask services` first"))
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    #[test]
    fn finds_what_is_on_every_machine_of_the_tests() {
        assert!(program("openssl").is_absolute());
    }

    #[test]
    fn does_not_pass_over_what_nobody_installs() {
        assert!(catch_unwind(|| program("no-such-program")).is_err());
    }
}
