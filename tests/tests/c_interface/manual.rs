//! What the documentation tells people to type works as it stands there.

use std::fs;
use std::path::Path;
use std::process::Command;

use certwright_tests::program::program;
use certwright_tests::scratch::Scratch;

use crate::compiled::{built, compile, flags, prefix, source};

/// The first block of this language in a page.
fn block(page: &str, language: &str) -> String {
    let text = fs::read_to_string(xtask::root().join(page)).unwrap();
    let (_, rest) = text.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

fn well(command: &mut Command) {
    let output = command.env("PKG_CONFIG_PATH", prefix().join("lib/pkgconfig")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}

/// The program runs and finds its library.
fn runs(executable: &Path) {
    let mut command = Command::new(executable);
    let output = command.env("LD_LIBRARY_PATH", prefix().join("lib")).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.starts_with(b"usage: deploy "));
}

#[test]
fn the_program_in_the_readme_is_the_one_that_is_tested() {
    assert_eq!(block("README.md", "c"), fs::read_to_string(source("examples/deploy.c")).unwrap());
}

#[test]
fn the_snippet_for_cmake_builds() {
    let scratch = Scratch::on_disk().unwrap();
    let (folder, to) = (scratch.join("from"), scratch.join("to"));
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("CMakeLists.txt"), block("docs/c.md", "cmake")).unwrap();
    fs::copy(source("examples/deploy.c"), folder.join("deploy.c")).unwrap();
    well(Command::new(program("cmake")).arg("-S").arg(&folder).arg("-B").arg(&to));
    well(Command::new(program("cmake")).arg("--build").arg(&to));
    runs(&to.join("deploy"));
}

#[test]
fn the_snippet_for_meson_builds() {
    let scratch = Scratch::on_disk().unwrap();
    let (folder, to) = (scratch.join("from"), scratch.join("to"));
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("meson.build"), block("docs/c.md", "meson")).unwrap();
    fs::copy(source("examples/deploy.c"), folder.join("deploy.c")).unwrap();
    well(Command::new(program("meson")).arg("setup").arg(&to).arg(&folder).env("NINJA", program("ninja")));
    well(Command::new(program("ninja")).arg("-C").arg(&to));
    runs(&to.join("deploy"));
}

/// The flags for static programs are enough, and such a program needs no library of ours to run.
#[test]
fn the_flags_for_static_programs_are_enough() {
    let scratch = Scratch::on_disk().unwrap();
    let to = scratch.join("deploy");
    let mut arguments = vec![source("examples/deploy.c").display().to_string(), "-o".to_owned()];
    arguments.push(to.display().to_string());
    arguments.extend(flags(&["--cflags"]));
    arguments.extend(flags(&["--variable=static"]));
    compile("gcc", &arguments);
    let output = Command::new(&to).env_remove("LD_LIBRARY_PATH").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

/// What a packager types, with the library that was built for the tests.
#[test]
fn the_makefile_fills_the_directory_of_a_package() {
    let scratch = Scratch::on_disk().unwrap();
    let xtask = built().join("xtask");
    assert!(xtask.exists(), "{} is not there: run `cargo build -p xtask` first", xtask.display());
    let mut make = Command::new(program("make"));
    make.arg("-C").arg(source("")).arg("install").args(["PREFIX=/usr", "LIBDIR=/usr/lib/x86_64-linux-gnu"]);
    make.arg(format!("DESTDIR={}", scratch.join("package").display()));
    make.arg(format!("XTASK={}", xtask.display())).arg(format!("BUILT={}", built().display()));
    well(&mut make);

    let usr = scratch.join("package/usr");
    let folder = usr.join("lib/x86_64-linux-gnu");
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(fs::read_link(folder.join("libcertwright.so")).unwrap(), Path::new("libcertwright.so.0.1"));
    assert_eq!(
        fs::read_link(folder.join("libcertwright.so.0.1")).unwrap(),
        Path::new(&format!("libcertwright.so.{version}"))
    );
    for file in ["include/certwright.h", "lib/x86_64-linux-gnu/libcertwright.a"] {
        assert!(usr.join(file).is_file(), "{file}");
    }
    // Nothing says where the package was made.
    let description = fs::read_to_string(folder.join("pkgconfig/certwright.pc")).unwrap();
    assert!(description.starts_with("prefix=/usr\nlibdir=${prefix}/lib/x86_64-linux-gnu\n"), "{description}");
    assert!(!description.contains("package"), "{description}");
    // The dynamic linker asks for the name that the policy says.
    let output = Command::new(program("readelf")).arg("-d").arg(folder.join("libcertwright.so")).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("Library soname: [libcertwright.so.0.1]"), "{said}");
}
