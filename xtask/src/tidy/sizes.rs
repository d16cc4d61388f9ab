//! A file is one concept: short ones, and no long one.

use super::tokens::tokens;
use super::tree::Tree;

/// No file has more lines than this, tests left out.
const LONGEST: usize = 500;
/// Half of the files have fewer lines than this, tests left out.
const MEDIAN: usize = 200;
/// The map of the code fits on a few screens.
const MAP: (&str, usize) = ("ARCHITECTURE.md", 150);

pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    let mut sizes = Vec::new();
    for (path, text) in tree.files("", ".rs") {
        let lines = lines_of_code(text);
        sizes.push(lines);
        if lines > LONGEST {
            findings
                .push(format!("{path}: {lines} lines without tests, at most {LONGEST}; find the second concept in it"));
        }
    }
    sizes.sort_unstable();
    if let Some(median) = sizes.get(sizes.len() / 2).filter(|median| **median >= MEDIAN) {
        findings.push(format!("the median of all files is {median} lines without tests; it stays under {MEDIAN}"));
    }
    let (map, most) = MAP;
    match tree.text(map).map(|text| text.lines().count()) {
        Some(lines) if lines > most => findings.push(format!("{map}: {lines} lines, at most {most}")),
        Some(_) => {}
        None => findings.push(format!("{map}: is not there")),
    }
    findings
}

/// The lines of a file, less those of what is compiled for tests only.
fn lines_of_code(text: &str) -> usize {
    let tokens = tokens(text);
    let blocks = tokens.chunk_by(|a, b| a.test == b.test).filter(|block| block.first().is_some_and(|token| token.test));
    let of_tests: usize = blocks.filter_map(|block| Some(block.last()?.line - block.first()?.line + 1)).sum();
    text.lines().count() - of_tests
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_do_not_count() {
        assert_eq!(lines_of_code("a\nb\n#[cfg(test)]\nmod tests {\n\n fn c() {}\n}\n"), 2);
        assert_eq!(lines_of_code("a\n#[cfg(test)]\nuse b;\nc\n"), 2);
    }

    #[test]
    fn long_files_and_a_long_median_are_found() {
        let (long, medium) = ("x;\n".repeat(LONGEST + 1), "x;\n".repeat(MEDIAN));
        let map = ("ARCHITECTURE.md", "short");
        assert_eq!(check(&Tree::from([("a.rs", ""), ("b.rs", &medium), ("c.rs", ""), map])), Vec::<String>::new());
        let all = check(&Tree::from([("a.rs", &*long), ("b.rs", &medium), ("c.rs", ""), map]));
        assert_eq!(all.len(), 2, "{all:?}");
        assert!(all[0].starts_with("a.rs: 501 lines"), "{all:?}");
        assert!(all[1].starts_with("the median of all files is 200"), "{all:?}");
    }

    #[test]
    fn a_long_map_is_found_and_so_is_none() {
        assert_eq!(check(&Tree::from([("ARCHITECTURE.md", &*"x\n".repeat(151))])).len(), 1);
        assert_eq!(check(&Tree::default()), ["ARCHITECTURE.md: is not there"]);
    }
}
