//! Programs in C, compiled against the library as it is installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use certwright_tests::program::program;
use xtask::install::{Layout, put};

/// A prefix with the library in it, made once.
pub(crate) fn prefix() -> &'static Path {
    static PREFIX: OnceLock<PathBuf> = OnceLock::new();
    PREFIX.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        sweep(folder);
        let prefix = folder.join(format!("c-{}", std::process::id()));
        put(&built(), &Layout::below(&prefix)).unwrap();
        prefix
    })
}

/// Takes away the prefixes of runs that have ended: nothing of a process runs at its very end.
fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let ended = name.strip_prefix("c-").is_some_and(|pid| !Path::new("/proc").join(pid).exists());
        if ended {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Where cargo builds: the directory above that of the tests.
pub(crate) fn built() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let built = here.parent().and_then(Path::parent).unwrap().to_path_buf();
    let library = built.join("libcertwright_ffi.so");
    assert!(library.exists(), "{} is not there: run `cargo build -p certwright-ffi` first", library.display());
    built
}

/// What `pkg-config` says that a compiler wants to know.
pub(crate) fn flags(which: &[&str]) -> Vec<String> {
    let mut command = Command::new(program("pkg-config"));
    command.args(which).arg("certwright").env("PKG_CONFIG_PATH", prefix().join("lib/pkgconfig"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().split_whitespace().map(str::to_owned).collect()
}

/// Runs a compiler, which may say nothing.
pub(crate) fn compile(compiler: &str, arguments: &[String]) {
    let output = Command::new(program(compiler)).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.is_empty(), "{compiler} {arguments:?}: {said}");
}

/// A source below `ffi/`.
pub(crate) fn source(name: &str) -> PathBuf {
    xtask::root().join("ffi").join(name)
}

/// How a program is built and run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Build {
    /// Against the shared library.
    Plain,
    /// With the static library, AddressSanitizer and UndefinedBehaviorSanitizer: what leaks or strays ends it.
    Sanitized,
    /// Under valgrind: what leaks or strays ends it.
    Valgrind,
}

impl Build {
    /// Compiles one source with the flags that `pkg-config` gives, and every warning an error.
    pub(crate) fn executable(self, compiler: &str, source: &Path, to: PathBuf) -> PathBuf {
        let mut arguments: Vec<String> =
            ["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-g", "-pthread", "-o"]
                .map(str::to_owned)
                .to_vec();
        arguments.extend([to.display().to_string(), source.display().to_string()]);
        if self == Self::Sanitized {
            arguments.extend(["-fsanitize=address,undefined", "-fno-sanitize-recover=all"].map(str::to_owned));
            arguments.extend(flags(&["--cflags"]));
            arguments.extend(flags(&["--variable=static"]));
        } else {
            arguments.extend(flags(&["--cflags", "--libs"]));
        }
        compile(compiler, &arguments);
        to
    }

    /// Runs it in this way.
    pub(crate) fn command(self, executable: &Path) -> Command {
        let mut command = match self {
            Self::Valgrind => {
                let mut command = Command::new(program("valgrind"));
                command.args([
                    "--quiet",
                    "--error-exitcode=99",
                    "--leak-check=full",
                    // Tables that live as long as the program are held by a pointer to their middle: possible is not lost.
                    "--show-leak-kinds=definite,indirect",
                    "--errors-for-leak-kinds=definite,indirect",
                ]);
                command.arg(executable);
                command
            }
            Self::Plain | Self::Sanitized => Command::new(executable),
        };
        command.env("LD_LIBRARY_PATH", prefix().join("lib"));
        command
    }
}
