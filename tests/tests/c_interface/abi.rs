//! The binary interface is what `ffi/abi.txt` says: symbols, layouts, numbers.

use std::fmt::Write;
use std::fs;
use std::process::Command;

use certwright_tests::program::program;
use certwright_tests::scratch::Scratch;

use crate::compiled::{Build, built, prefix, source};

/// Set, it writes the record in place of comparing it.
const WRITE: &str = "CERTWRIGHT_WRITE_ABI";

const HEAD: &str = "# The binary interface of libcertwright on 64-bit Linux. What is here was promised to programs that are compiled.
#
# A line that goes or changes breaks them: that takes a new SONAME, see docs/c.md. Lines may be added. After a change, look at
# the difference, then write it anew:
#
#   CERTWRIGHT_WRITE_ABI=1 cargo test -p certwright-tests --test c_interface abi
";

fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What the dynamic linker sees.
fn symbols() -> Vec<String> {
    let library = prefix().join("lib/libcertwright.so");
    let listed =
        said(Command::new(program("nm")).args(["--dynamic", "--defined-only", "--format=just-symbols"]).arg(library));
    listed.lines().map(str::to_owned).collect()
}

/// The header without its comments.
fn header() -> String {
    let text = fs::read_to_string(source("include/certwright.h")).unwrap();
    let mut code = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("/*") {
        code.push_str(before);
        rest = after.split_once("*/").unwrap().1;
    }
    code + rest
}

/// The transparent structures and their fields.
fn structures(header: &str) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for part in header.split("typedef struct {").skip(1) {
        let (body, rest) = part.split_once("\n}").unwrap();
        let name = rest.split_once(';').unwrap().0.trim().to_owned();
        let fields = body.split(';').map(str::trim).filter(|field| !field.is_empty()).map(|field| {
            let name = match field.split_once("(*") {
                Some((_, name)) => name.split_once(')').unwrap().0,
                None => field.rsplit([' ', '*']).next().unwrap(),
            };
            name.to_owned()
        });
        found.push((name, fields.collect()));
    }
    found
}

/// Sizes and offsets, as the compiler lays them out.
fn layouts(header: &str) -> String {
    let mut text = "#include <certwright.h>\n#include <stdio.h>\nint main(void) {\n".to_owned();
    for (name, fields) in structures(header) {
        writeln!(text, "  printf(\"struct {name} size %zu\\n\", sizeof({name}));").unwrap();
        for field in fields {
            writeln!(text, "  printf(\"struct {name} {field} at %zu\\n\", offsetof({name}, {field}));").unwrap();
        }
    }
    text.push_str("  return 0;\n}\n");
    let scratch = Scratch::on_disk().unwrap();
    fs::write(scratch.join("layout.c"), text).unwrap();
    let program = Build::Plain.executable("gcc", &scratch.join("layout.c"), scratch.join("layout"));
    said(&mut Build::Plain.command(&program))
}

fn record() -> String {
    let header = header();
    let mut record = HEAD.to_owned();
    let soname = fs::read_link(prefix().join("lib/libcertwright.so")).unwrap();
    writeln!(record, "\nsoname {}\n", soname.display()).unwrap();
    let mut names = symbols();
    names.sort_unstable();
    for name in names {
        writeln!(record, "symbol {name}").unwrap();
    }
    record.push('\n');
    record.push_str(&layouts(&header));
    record.push('\n');
    for line in header.lines().map(str::trim).filter(|line| line.starts_with("CERTWRIGHT_") && line.contains(" = ")) {
        writeln!(record, "number {}", line.trim_end_matches(',')).unwrap();
    }
    record
}

#[test]
fn the_binary_interface_is_the_one_on_record() {
    let (path, record) = (source("abi.txt"), record());
    if std::env::var_os(WRITE).is_some() {
        fs::write(&path, &record).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let differs: Vec<String> = committed
        .lines()
        .filter(|line| !record.lines().any(|other| other == *line))
        .map(|line| format!("- {line}"))
        .chain(
            record
                .lines()
                .filter(|line| !committed.lines().any(|other| other == *line))
                .map(|line| format!("+ {line}")),
        )
        .collect();
    assert!(
        differs.is_empty() && committed == record,
        "ffi/abi.txt says otherwise; its head says how it is renewed: {differs:#?}"
    );
}

/// What the header declares is there, nothing else can be seen, and nothing of the test bed came along.
#[test]
fn nothing_is_shown_but_the_interface() {
    let header = header();
    let symbols = symbols();
    assert!(symbols.len() > 70, "{symbols:?}");
    for symbol in &symbols {
        assert!(header.contains(&format!("{symbol}(")), "`{symbol}` is exported and not in the header");
    }
    let declared = header.match_indices("certwright_").map(|(at, _)| &header[at..]).filter_map(|rest| {
        let (name, _) = rest.split_once('(')?;
        name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_').then_some(name)
    });
    for name in declared {
        assert!(symbols.iter().any(|symbol| symbol == name), "`{name}` is in the header and not exported");
    }
    let everything =
        said(Command::new(program("nm")).args(["--defined-only"]).arg(built().join("libcertwright_ffi.so")));
    assert!(everything.contains("certwright_apply"));
    assert!(!everything.contains("certwright_testbed"), "the test bed is in the library");
}

/// What a static program needs beside is what the compiler says.
#[test]
fn the_native_libraries_are_those_that_rustc_names() {
    let scratch = Scratch::on_disk().unwrap();
    fs::write(scratch.join("empty.rs"), "").unwrap();
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut command = Command::new(rustc);
    command.args(["--crate-type", "staticlib", "--print", "native-static-libs", "-o"]);
    let output = command.arg(scratch.join("empty.a")).arg(scratch.join("empty.rs")).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let named = said.lines().find_map(|line| line.split_once("native-static-libs: ")).map(|(_, named)| named.trim());
    assert_eq!(named, Some(xtask::install::NATIVE), "{said}");
}
