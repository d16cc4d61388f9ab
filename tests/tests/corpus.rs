//! Replays the fuzzer's inputs: the chosen seeds, and everything that once broke a target.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test may panic")]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use certwright_tests::fuzzing::{TARGETS, Target};

fn inputs(target: &Target) -> Vec<PathBuf> {
    let folder = xtask::root().join("fuzz/corpus").join(target.name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|fault| panic!("no corpus in {}: {fault}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    files.sort_unstable();
    files
}

#[test]
fn every_input_is_digested() {
    let mut broken = Vec::new();
    for target in TARGETS {
        let files = inputs(target);
        assert!(files.len() >= 5, "{}: {} inputs are no corpus", target.name, files.len());
        for file in files {
            let input = fs::read(&file).unwrap();
            if catch_unwind(AssertUnwindSafe(|| (target.run)(&input))).is_err() {
                broken.push(file);
            }
        }
    }
    assert!(broken.is_empty(), "inputs that break their target: {broken:#?}");
}

/// Four lists name the targets: the table, the files, the binaries of the manifest, and the folders of the corpus.
#[test]
fn the_lists_of_targets_agree() {
    let mut table: Vec<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    table.sort_unstable();
    assert_eq!(xtask::fuzz::targets().unwrap(), table, "fuzz/fuzz_targets/");

    let manifest = fs::read_to_string(xtask::root().join("fuzz/Cargo.toml")).unwrap();
    let mut binaries: Vec<&str> = manifest
        .split("[[bin]]")
        .skip(1)
        .filter_map(|bin| bin.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')))
        .collect();
    binaries.sort_unstable();
    assert_eq!(binaries, table, "fuzz/Cargo.toml");

    let mut folders: Vec<String> = fs::read_dir(xtask::root().join("fuzz/corpus"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    folders.sort_unstable();
    assert_eq!(folders, table, "fuzz/corpus/");

    for name in &table {
        let path = format!("fuzz/fuzz_targets/{name}.rs");
        let source = fs::read_to_string(xtask::root().join(Path::new(&path))).unwrap();
        assert!(source.contains(&format!("certwright_tests::fuzzing::{name}(")), "{path} runs another target");
    }
}
