//! `cargo xtask install`: the C library where C compilers and `pkg-config` look for it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::run::{cargo, run};
use crate::{Outcome, root};

const USAGE: &str = "takes `--prefix DIR` (`/usr/local`), `--libdir DIR` below it (`lib`), `--destdir DIR`, and `--built DIR` \
                     with what was built before";

/// What a program that is linked statically needs beside: what `rustc --print native-static-libs` says on Linux.
pub const NATIVE: &str = "-lgcc_s -lutil -lrt -lpthread -lm -ldl -lc";

/// Where the library goes.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Where everything is once it is installed.
    pub prefix: PathBuf,
    /// The directory of libraries below it: `lib`, or `lib/x86_64-linux-gnu`.
    pub libdir: PathBuf,
    /// A directory that stands for `/` while a package is made.
    pub destdir: Option<PathBuf>,
}

/// What is asked for on the command line.
#[derive(Clone, Debug)]
struct Wish {
    layout: Layout,
    /// What was built before; it is built where nothing is said.
    built: Option<PathBuf>,
}

impl Wish {
    fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut wish = Self { layout: Layout::below("/usr/local"), built: None };
        let mut rest = arguments.iter();
        while let Some(option) = rest.next() {
            let value = rest.next().ok_or_else(|| USAGE.to_owned())?;
            match option.as_str() {
                "--prefix" => wish.layout.prefix = value.into(),
                "--libdir" => wish.layout.libdir = value.into(),
                "--destdir" => wish.layout.destdir = Some(value.into()),
                "--built" => wish.built = Some(value.into()),
                _ => return Err(USAGE.to_owned()),
            }
        }
        if !wish.layout.prefix.is_absolute() || wish.layout.libdir.is_absolute() {
            return Err("the prefix is absolute, and the directory of libraries is below it".to_owned());
        }
        Ok(wish)
    }
}

impl Layout {
    /// Below this prefix.
    pub fn below(prefix: impl Into<PathBuf>) -> Self {
        Self { prefix: prefix.into(), libdir: "lib".into(), destdir: None }
    }

    /// Where this directory below the prefix is written.
    fn folder(&self, below: &Path) -> PathBuf {
        let place = self.prefix.join(below);
        match &self.destdir {
            Some(destdir) => destdir.join(place.strip_prefix("/").unwrap_or(&place)),
            None => place,
        }
    }
}

/// The verb.
///
/// # Errors
///
/// When it does not build or cannot be written.
pub fn verb(arguments: &[String]) -> Outcome {
    let Wish { layout, built } = Wish::parse(arguments)?;
    let built = match built {
        Some(built) => built,
        None => {
            run(cargo(["build", "--release", "--package", "certwright-ffi"]))?;
            let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
            target.join("release")
        }
    };
    put(&built, &layout)?;
    println!("installed below {}", layout.folder(Path::new("")).display());
    Ok(())
}

/// Puts what was built in one directory of cargo's where the layout says.
///
/// # Errors
///
/// The first file that cannot be written.
pub fn put(built: &Path, layout: &Layout) -> Outcome {
    let version = env!("CARGO_PKG_VERSION");
    let soname = soname(version);
    let libraries = layout.folder(&layout.libdir);
    let headers = layout.folder(Path::new("include"));
    let descriptions = libraries.join("pkgconfig");
    for folder in [&libraries, &headers, &descriptions] {
        fs::create_dir_all(folder).map_err(|fault| format!("cannot make `{}`: {fault}", folder.display()))?;
    }
    let shared = format!("libcertwright.so.{version}");
    copy(&built.join("libcertwright_ffi.so"), &libraries.join(&shared), 0o755)?;
    copy(&built.join("libcertwright_ffi.a"), &libraries.join("libcertwright.a"), 0o644)?;
    copy(&root().join("ffi/include/certwright.h"), &headers.join("certwright.h"), 0o644)?;
    link(&shared, &libraries.join(&soname))?;
    link(&soname, &libraries.join("libcertwright.so"))?;
    let description = format!(
        "prefix={}\nlibdir=${{prefix}}/{}\nincludedir=${{prefix}}/include\n\
         static=${{libdir}}/libcertwright.a {NATIVE}\n\nName: certwright\n\
         Description: Certificates over their whole life: issued, placed, switched, seen to be served\n\
         URL: {}\nVersion: {version}\nLibs: -L${{libdir}} -lcertwright\nLibs.private: {NATIVE}\nCflags: -I${{includedir}}\n",
        layout.prefix.display(),
        layout.libdir.display(),
        env!("CARGO_PKG_REPOSITORY"),
    );
    let place = descriptions.join("certwright.pc");
    fs::write(&place, description).map_err(|fault| format!("cannot write `{}`: {fault}", place.display()))
}

/// The name by which programs ask for the shared library: see `ffi/build.rs`.
fn soname(version: &str) -> String {
    let mut parts = version.split('.');
    match (parts.next().unwrap_or_default(), parts.next().unwrap_or_default()) {
        ("0", minor) => format!("libcertwright.so.0.{minor}"),
        (major, _) => format!("libcertwright.so.{major}"),
    }
}

/// A new file beside the old one, which running programs may still have mapped.
fn copy(from: &Path, to: &Path, mode: u32) -> Outcome {
    let failed = |fault| format!("cannot copy `{}` to `{}`: {fault}", from.display(), to.display());
    let _ = fs::remove_file(to);
    fs::copy(from, to).map_err(failed)?;
    fs::set_permissions(to, fs::Permissions::from_mode(mode)).map_err(failed)
}

fn link(target: &str, place: &Path) -> Outcome {
    let _ = fs::remove_file(place);
    symlink(target, place).map_err(|fault| format!("cannot make the link `{}`: {fault}", place.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_made_below_another_directory() {
        let words = ["--prefix", "/usr", "--libdir", "lib/x86_64-linux-gnu", "--destdir", "/tmp/p"].map(str::to_owned);
        let layout = Wish::parse(&words).unwrap().layout;
        assert_eq!(layout.folder(&layout.libdir), Path::new("/tmp/p/usr/lib/x86_64-linux-gnu"));
        for wrong in [vec!["--prefix"], vec!["--prefix", "usr"], vec!["--perfix", "/usr"], vec!["--libdir", "/lib"]] {
            let words: Vec<String> = wrong.into_iter().map(str::to_owned).collect();
            assert!(Wish::parse(&words).is_err(), "{words:?}");
        }
    }

    #[test]
    fn the_binary_interface_has_its_own_number() {
        assert_eq!(soname("0.1.7"), "libcertwright.so.0.1");
        assert_eq!(soname("2.3.4"), "libcertwright.so.2");
    }
}
