//! The things between two arrows: each is made by its arrow alone. That nobody else can make one is the compiler's business,
//! as long as a field of it is private to the arrow's file; this sees that it stays so, and that there is no other way.

use super::floors::BOXES;
use super::tokens::{Token, tokens};
use super::tree::Tree;

/// What would make one out of another one, or out of nothing.
const COPYING: [&str; 3] = ["Clone", "Copy", "Default"];

pub(super) fn check(tree: &Tree) -> Vec<String> {
    BOXES.iter().flat_map(|(name, file, makers)| of(tree, name, file, *makers)).collect()
}

fn of(tree: &Tree, name: &str, file: &str, makers: usize) -> Vec<String> {
    let Some(text) = tree.text(file) else { return vec![format!("{file}: is not there, and makes `{name}`")] };
    let here = tokens(text);
    let Some(at) = here.windows(2).position(|pair| pair[0].text == "struct" && pair[1].text == name) else {
        return vec![format!("{file}: `{name}` is not declared here; its arrow makes it")];
    };
    let mut findings = Vec::new();
    let mut found = |line: usize, what: String| findings.push(format!("{file}:{line}: `{name}` {what}"));
    if !has_private_field(&here[at..]) {
        found(here[at].line, "has no private field: give it one, or everybody makes it".to_owned());
    }
    for derived in attributes(&here[..at]).filter(|token| COPYING.contains(&token.text)) {
        found(derived.line, format!("is `{}`: a second one was never proved", derived.text));
    }
    // A module below sees what is private here.
    for below in here.windows(3).filter(|row| row[0].text == "mod" && row[1].is_word() && !row[0].test) {
        found(below[0].line, format!("can be made in the module `{}` below: put that elsewhere", below[1].text));
    }
    let made = here.iter().enumerate().filter(|(at, _)| !here[*at].test && makes(&here, *at, name)).count();
    if made != makers {
        found(here[at].line, format!("is made in {made} places of its file, and not in {makers}"));
    }
    for (path, text) in tree.files("core/src/", ".rs") {
        for line in implemented(&tokens(text), name) {
            findings.push(format!("{path}:{line}: `{name}` copies itself, or comes from nothing: take that away"));
        }
    }
    findings
}

/// The words in the attributes right before an item.
fn attributes<'a, 't>(before: &'a [Token<'t>]) -> impl Iterator<Item = &'a Token<'t>> {
    let start = before.iter().rposition(|token| matches!(token.text, ";" | "}")).map_or(0, |at| at + 1);
    before[start..].iter()
}

/// Whether a `struct … { … }` that begins here has a field without `pub`.
fn has_private_field(item: &[Token<'_>]) -> bool {
    let Some(open) = item.iter().position(|token| matches!(token.text, "{" | ";" | "(")) else { return false };
    if item[open].text != "{" {
        return false;
    }
    let (mut depth, mut begins) = (0_usize, false);
    let mut previous = "";
    for token in &item[open..] {
        match token.text {
            "{" | "(" | "[" | "<" => depth += 1,
            ">" if previous == "-" => {}
            "}" | ")" | "]" | ">" => depth -= 1,
            _ if depth == 1 && begins && token.is_word() => {
                if token.text != "pub" {
                    return true;
                }
                begins = false;
            }
            _ => {}
        }
        if depth == 0 {
            return false;
        }
        // A field begins after the brace and after each comma, its attributes left out.
        begins = begins && depth > 1 && token.text != "{" || depth == 1 && matches!(token.text, "{" | "," | "]");
        previous = token.text;
    }
    false
}

/// Whether an expression that makes one begins here: its name, or `Self`, before a brace, and neither declared, taken
/// apart, implemented nor returned.
fn makes(all: &[Token<'_>], at: usize, name: &str) -> bool {
    let own = all[at].text == name || all[at].text == "Self" && implementing(&all[..at]) == Some(name);
    let brace = all.get(at + 1).is_some_and(|next| next.text == "{");
    let before = at.checked_sub(1).map_or("", |before| all[before].text);
    own && brace && !matches!(before, "struct" | "let" | "impl" | "for" | ">")
}

/// The type of the `impl` block that was begun last.
fn implementing<'t>(before: &[Token<'t>]) -> Option<&'t str> {
    let start = before.iter().rposition(|token| token.text == "impl")? + 1;
    let header: Vec<&str> = before[start..].iter().map(|token| token.text).take_while(|text| *text != "{").collect();
    let parameters = match header.first() {
        Some(&"<") => header.iter().position(|text| *text == ">").map_or(0, |at| at + 1),
        _ => 0,
    };
    let named = header.iter().position(|text| *text == "for").map_or(parameters, |at| at + 1);
    header.get(named).copied()
}

/// The lines of `impl Clone for Name` and of its like.
fn implemented(all: &[Token<'_>], name: &str) -> Vec<usize> {
    let rows = all.windows(3);
    let hits = rows.filter(|row| COPYING.contains(&row[0].text) && row[1].text == "for" && row[2].text == name);
    hits.map(|row| row[0].line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "//! x\n#[derive(Debug)]\npub(crate) struct Committed {\n    manifest: Manifest,\n    \
                        pub(super) seen: Vec<(A, B)>,\n}\nimpl Committed {\n    fn manifest(&self) -> &Manifest { &self.manifest \
                        }\n}\nimpl Probed {\n    fn commit(self) -> Result<Committed> {\n        Ok(Committed { manifest, seen \
                        })\n    }\n}\n#[cfg(test)]\nmod tests {\n    fn made() -> Committed { Committed { manifest, seen } \
                        }\n}\n";

    fn findings(text: &str) -> Vec<String> {
        of(&Tree::from([("core/src/deploy/settle.rs", text)]), "Committed", "core/src/deploy/settle.rs", 1)
    }

    #[test]
    fn what_its_arrow_alone_makes_is_in_order() {
        assert_eq!(findings(GOOD), Vec::<String>::new());
    }

    #[test]
    fn every_way_around_the_arrow_is_found() {
        let public = GOOD.replace("    manifest: Manifest", "    pub(crate) manifest: Manifest");
        let hidden = GOOD.replace("    manifest: Manifest", "    #[expect(x)]\n    pub(in a::b) manifest: Manifest");
        let twice = GOOD.replace("impl Probed", "fn made() -> Committed { Committed { manifest, seen } }\nimpl Probed");
        let own = GOOD.replace("fn manifest(&self)", "fn new() -> Self { Self { manifest, seen } } fn manifest(&self)");
        let generic = own.replace("impl Committed", "impl<'t, 'a> Committed<'t, 'a>");
        let below = GOOD.replace("impl Probed", "mod maker;\nimpl Probed");
        let cloned = GOOD.replace("derive(Debug)", "derive(Debug, Clone)");
        let zero = GOOD.replace("derive(Debug)", "derive(Default)");
        let by_hand = format!("{GOOD}impl Clone for Committed {{ }}");
        let tuple = GOOD.replace("{\n    manifest: Manifest,\n    pub(super) seen: Vec<(A, B)>,\n}", "(pub A);");
        for (text, word) in [
            (public, "has no private field"),
            (hidden, "has no private field"),
            (tuple, "has no private field"),
            (twice, "in 2 places"),
            (own, "in 2 places"),
            (generic, "in 2 places"),
            (below, "the module `maker`"),
            (cloned, "is `Clone`"),
            (zero, "is `Default`"),
            (by_hand, "copies itself"),
        ] {
            let found = findings(&text);
            assert!(found.len() == 1 && found[0].contains(word), "{word}: {found:?} in {text}");
        }
        assert!(findings("//! x\n")[0].contains("is not declared here"));
        assert_eq!(check(&Tree::from([("a.rs", "")])).len(), BOXES.len());
    }

    #[test]
    fn one_that_is_taken_apart_is_not_made() {
        let text = GOOD.replace("Ok(Committed", "let Committed { manifest, .. } = other;\n        Ok(Committed");
        assert_eq!(findings(&text), Vec::<String>::new());
    }
}
