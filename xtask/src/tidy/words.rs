//! What must not stand in the tree: stubs, tests that sleep or are passed over, silenced lints, names that say nothing.

use super::tokens::{Token, tokens};
use super::tree::Tree;

/// Tokens in a row that are refused, and what to do instead. `…` before the rest means: in tests only.
const REFUSED: &[(&[&str], Where, &str)] = &[
    (&["todo", "!"], Where::Anywhere, "finish it"),
    (&["unimplemented", "!"], Where::Anywhere, "finish it"),
    (&["#", "[", "ignore"], Where::Anywhere, "a test runs or is removed"),
    (&["#", "[", "should_panic"], Where::Anywhere, "assert on the error instead"),
    (&["#", "[", "allow"], Where::Anywhere, "write `#[expect(…, reason = \"…\")]`, which ends with its cause"),
    (&["#", "!", "[", "allow"], Where::Anywhere, "write `#![expect(…, reason = \"…\")]`, which ends with its cause"),
    (&["thread", "::", "sleep"], Where::Tests, "wait for the event itself, bounded by a time limit"),
];

#[derive(PartialEq, Eq)]
enum Where {
    Anywhere,
    Tests,
}

/// Ends of type names that hide what the type is.
const VAGUE: &[&str] = &["Manager", "Helper", "Helpers", "Util", "Utils"];

/// Marks of unfinished work, and folders of one person's machine. In two halves, or this file would be a finding.
const MARKS: &[(&str, &str, &str)] = &[
    ("TO", "DO", "finish it, or say plainly in the documentation what is not there"),
    ("FIX", "ME", "mend it, or say plainly in the documentation what is wrong"),
    ("X", "XX", "mend it, or say plainly in the documentation what is wrong"),
    ("/ho", "me/", "name a path that exists on every machine"),
    ("/Us", "ers/", "name a path that exists on every machine"),
];

const TEXTS: &[&str] = &[".rs", ".md", ".toml", ".sh", ".yml", "run"];

pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in TEXTS.iter().flat_map(|end| tree.files("", end)) {
        findings.extend(marks(path, text));
    }
    for (path, text) in tree.files("", ".rs") {
        let tokens = tokens(text);
        let is_test_file = path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("/tests.rs");
        findings.extend(
            refused(&tokens, is_test_file).chain(names(&tokens)).map(|(line, what)| format!("{path}:{line}: {what}")),
        );
        if !text.starts_with("//!") && !path.ends_with("/tests.rs") {
            findings.push(format!("{path}:1: says in its first line (`//!`) what it is about"));
        }
    }
    findings
}

fn marks(path: &str, text: &str) -> Vec<String> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut findings = Vec::new();
    for (first, second, advice) in MARKS {
        let mark = format!("{first}{second}");
        for (number, line) in text.lines().enumerate() {
            let stands_alone = |at: usize| {
                !line[..at].ends_with(is_word) && (mark.ends_with('/') || !line[at + mark.len()..].starts_with(is_word))
            };
            if line.match_indices(&mark).any(|(at, _)| stands_alone(at)) {
                findings.push(format!("{path}:{}: `{mark}`: {advice}", number + 1));
            }
        }
    }
    findings
}

fn refused(tokens: &[Token<'_>], is_test_file: bool) -> impl Iterator<Item = (usize, String)> {
    REFUSED.iter().flat_map(move |(signs, place, advice)| {
        let hits = tokens
            .windows(signs.len())
            .filter(move |window| window.iter().map(|token| token.text).eq(signs.iter().copied()));
        let counted = hits
            .filter_map(|window| window.first())
            .filter(move |first| *place == Where::Anywhere || is_test_file || first.test);
        counted.map(move |first| (first.line, format!("`{}`: {advice}", signs.concat())))
    })
}

fn names<'a>(tokens: &'a [Token<'a>]) -> impl Iterator<Item = (usize, String)> + 'a {
    tokens.windows(2).filter_map(|pair| {
        let [keyword, name] = pair else { return None };
        let vague = matches!(keyword.text, "struct" | "enum" | "trait" | "type")
            && VAGUE.iter().any(|end| name.text.ends_with(end));
        if vague {
            return Some((name.line, format!("`{}`: name the thing, not that it helps", name.text)));
        }
        let getter = keyword.text == "fn" && name.text.starts_with("get_");
        getter.then(|| (name.line, format!("`{}`: a getter is named after what it returns", name.text)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &'static str, text: &str) -> Vec<String> {
        check(&Tree::from([(path, format!("//! x\n{text}").as_str())]))
    }

    #[test]
    fn each_refused_word_is_found_in_code_and_not_in_text() {
        for (signs, place, _) in REFUSED {
            let source = signs.concat();
            let found = findings("tests/src/a.rs", &source);
            assert_eq!(found.len(), 1, "{source}: {found:?}");
            assert!(found[0].starts_with(&format!("tests/src/a.rs:2: `{source}`")), "{found:?}");
            assert_eq!(findings("core/src/a.rs", &source).len(), usize::from(*place == Where::Anywhere), "{source}");
            assert_eq!(
                findings("tests/src/a.rs", &format!("// {source}\nconst A: &str = \"{source}\";")),
                Vec::<String>::new()
            );
        }
    }

    #[test]
    fn a_sleep_is_found_in_unit_tests_too() {
        let source = "fn f() { thread::sleep(a) }\n#[cfg(test)] mod tests { fn g() { std::thread::sleep(a) } }";
        assert_eq!(findings("core/src/a.rs", source).len(), 1);
    }

    #[test]
    fn marks_are_found_as_words_in_every_kind_of_text() {
        for (first, second, _) in MARKS {
            let mark = format!("{first}{second}");
            for path in ["a.rs", "docs/a.md", ".ci/run", "Cargo.toml"] {
                assert_eq!(findings(path, &format!("// {mark}: later")).len(), 1, "{mark} {path}");
            }
            assert_eq!(findings("a.rs", &format!("// x{mark}")), Vec::<String>::new());
        }
    }

    #[test]
    fn vague_names_and_getters_are_found() {
        assert_eq!(findings("a.rs", "struct LockManager; fn get_lock() {} fn target() {} enum Utility {}").len(), 2);
    }

    #[test]
    fn a_file_without_first_line_is_found() {
        assert_eq!(check(&Tree::from([("a.rs", "use b;"), ("a/tests.rs", "use super::*;")])).len(), 1);
    }
}
