//! Programs from the Python Package Index, each in a virtual environment of its own below `target/`.

use std::fs;
use std::path::PathBuf;

use crate::Outcome;
use crate::run::{answer, command, run_logged};
use crate::services::{debian, is_root};

/// One program, with everything that it imports.
pub struct Environment {
    /// Its name.
    pub name: &'static str,
    /// The file that lists what is in it, each at one version.
    pub list: &'static str,
}

/// Every environment.
pub const ENVIRONMENTS: &[Environment] =
    &[Environment { name: "acme2certifier", list: "tests/foreign/acme2certifier.txt" }];

impl Environment {
    /// The interpreter that sees the program, when all of the list was installed.
    pub fn find(&self) -> Option<PathBuf> {
        let installed = fs::read(self.installed()).ok()?;
        let wanted = fs::read(crate::root().join(self.list)).ok()?;
        (installed == wanted).then(|| self.folder().join("bin/python"))
    }

    fn folder(&self) -> PathBuf {
        crate::root().join("target/python").join(self.name)
    }

    /// A copy of the list, written when the last of it was there.
    fn installed(&self) -> PathBuf {
        self.folder().join("installed.txt")
    }

    fn install(&self) -> Outcome {
        println!("services: making a Python environment for {}", self.name);
        let folder = self.folder();
        // `venv` goes by way of `ensurepip`, which Debian has in a package of its own.
        if answer(command("python3", ["-c", "import ensurepip, venv"])).is_none() {
            if !is_root() {
                return Err("run `apt-get install python3-venv` as root".to_owned());
            }
            debian(&["python3", "python3-venv"])?;
        }
        let mut venv = command("python3", ["-m", "venv", "--clear"]);
        venv.arg(&folder);
        run_logged(venv, "python-venv.log")?;
        // Wheels only: nothing is built, and nothing of a stranger's is run to build it.
        let options = ["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--requirement"];
        let python = folder.join("bin/python");
        run_logged(command(&python.to_string_lossy(), options.into_iter().chain([self.list])), "python-pip.log")?;
        fs::copy(crate::root().join(self.list), self.installed())
            .map(drop)
            .map_err(|fault| format!("cannot write `{}`: {fault}", self.installed().display()))
    }
}

/// Make the environments that are not there yet, or were made from another list.
///
/// # Errors
///
/// When the interpreter is missing and cannot be installed, or the index cannot be reached.
pub(crate) fn install() -> Outcome {
    ENVIRONMENTS.iter().filter(|environment| environment.find().is_none()).try_for_each(Environment::install)
}
