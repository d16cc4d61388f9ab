//! From files to modules, and from the paths named in them to the files they lead to.

use std::collections::{BTreeMap, BTreeSet};

use super::tokens::{Token, tokens};
use super::tree::Tree;

/// The names from the top of the crate: `["place", "access"]`; empty for `lib.rs`.
pub(super) type Module<'a> = Vec<&'a str>;

/// A path as it stands in the source.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named<'a> {
    /// Its segments; `crate`, `self` and `super` included.
    pub(super) segments: Vec<&'a str>,
    /// Where it is.
    pub(super) at: Token<'a>,
    /// Whether it stands in a `use`.
    pub(super) imported: bool,
    /// Whether it is `pub use`: a name passed on rather than used.
    pub(super) passed_on: bool,
}

/// One crate: its modules, what each names, and what each passes on.
pub(super) struct Modules<'a> {
    files: BTreeMap<Module<'a>, &'a str>,
    named: BTreeMap<Module<'a>, Vec<Named<'a>>>,
    for_tests: BTreeSet<Module<'a>>,
}

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target<'a> {
    /// To an item of this module of the crate.
    Inside(Module<'a>),
    /// Out of the crate, or to something local.
    Outside,
}

impl<'a> Modules<'a> {
    /// The modules of the crate whose `lib.rs` is in `source` (which ends with `/`).
    pub(super) fn of(tree: &'a Tree, source: &'a str) -> Self {
        let mut modules = Self { files: BTreeMap::new(), named: BTreeMap::new(), for_tests: BTreeSet::new() };
        for (path, text) in tree.files(source, ".rs") {
            let inner = path.trim_start_matches(source).trim_end_matches(".rs");
            let mut module: Module<'_> = inner.split('/').collect();
            if module.last().is_some_and(|last| matches!(*last, "mod" | "lib")) {
                module.pop();
            }
            let tokens = tokens(text);
            for declared in tokens.windows(3).filter(|three| three[0].text == "mod" && three[2].text == ";") {
                if declared[0].test {
                    modules.for_tests.insert([module.as_slice(), &[declared[1].text]].concat());
                }
            }
            modules.named.insert(module.clone(), named(&tokens));
            modules.files.insert(module, path);
        }
        modules
    }

    /// Each module with its file and what it names.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Module<'a>, &'a str, &[Named<'a>])> {
        self.files.iter().map(|(module, file)| (module, *file, self.named[module].as_slice()))
    }

    /// The file of a module.
    pub(super) fn file(&self, module: &[&str]) -> &'a str {
        self.files.iter().find(|(name, _)| name.as_slice() == module).map_or("?", |(_, file)| file)
    }

    /// Whether a module is compiled for tests only.
    pub(super) fn is_for_tests(&self, module: &[&str]) -> bool {
        self.for_tests.iter().any(|test| module.starts_with(test))
    }

    /// Where a path named in `from` leads, through names that other modules pass on.
    pub(super) fn resolve(&self, from: &Module<'a>, path: &Named<'a>) -> Target<'a> {
        self.follow(from, &path.segments, path.at.inline, 0)
    }

    fn follow(&self, from: &Module<'a>, segments: &[&'a str], inline: usize, hops: usize) -> Target<'a> {
        let ups = segments.iter().take_while(|segment| **segment == "super").count();
        let (mut module, rest) = match segments.first() {
            Some(&"crate") => (Vec::new(), &segments[1..]),
            Some(&"self") => (from.clone(), &segments[1..]),
            Some(&"super") => {
                (from[..from.len().saturating_sub(ups.saturating_sub(inline))].to_vec(), &segments[ups..])
            }
            Some(first) if self.files.contains_key(&[from.as_slice(), &[*first]].concat()) => (from.clone(), segments),
            _ => return Target::Outside,
        };
        for (at, segment) in rest.iter().enumerate() {
            let deeper = [module.as_slice(), &[*segment]].concat();
            if self.files.contains_key(&deeper) {
                module = deeper;
                continue;
            }
            let passed_on = self.named[&module]
                .iter()
                .find(|named| named.passed_on && named.segments.len() > 1 && named.segments.last() == Some(segment));
            if let Some(named) = passed_on.filter(|_| hops < 8) {
                let onward = [named.segments.as_slice(), &rest[at + 1..]].concat();
                return match self.follow(&module, &onward, 0, hops + 1) {
                    Target::Outside => Target::Inside(module),
                    inside => inside,
                };
            }
            break;
        }
        Target::Inside(module)
    }
}

/// Every path in a file: in `use` declarations, one for each leaf of the braces, and in the code.
fn named<'a>(tokens: &[Token<'a>]) -> Vec<Named<'a>> {
    let mut all = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let before = |back: usize| at.checked_sub(back).map_or("", |at| tokens[at].text);
        let next = tokens.get(at + 1).map_or("", |token| token.text);
        if tokens[at].text == "use" && next != "<" {
            let passed_on = before(1) == "pub" || before(1) == ")";
            at = use_tree(tokens, at + 1, &[], passed_on, &mut all);
        } else if tokens[at].is_word() && next == "::" && !matches!(before(1), "::" | ".") && before(1) != "in" {
            let start = at;
            let mut segments = vec![tokens[at].text];
            while tokens.get(at + 1).is_some_and(|t| t.text == "::") && tokens.get(at + 2).is_some_and(Token::is_word) {
                segments.push(tokens[at + 2].text);
                at += 2;
            }
            all.push(Named { segments, at: tokens[start], imported: false, passed_on: false });
        }
        at += 1;
    }
    all
}

/// Read one branch of a `use` declaration and return the place of the sign that ends it.
fn use_tree<'a>(
    tokens: &[Token<'a>],
    mut at: usize,
    prefix: &[&'a str],
    passed_on: bool,
    all: &mut Vec<Named<'a>>,
) -> usize {
    let mut segments = prefix.to_vec();
    let start = at;
    while let Some(token) = tokens.get(at) {
        match token.text {
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|token| token.text != "}") {
                    at = use_tree(tokens, at, &segments, passed_on, all);
                    at += usize::from(tokens.get(at).is_some_and(|token| token.text == ","));
                }
                return at + 1;
            }
            "as" => at += 1,
            "," | "}" | ";" => break,
            "self" if !segments.is_empty() => {}
            word if token.is_word() => segments.push(word),
            _ => {}
        }
        at += 1;
    }
    if let Some(token) = tokens.get(start) {
        all.push(Named { segments, at: *token, imported: true, passed_on });
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(source: &str) -> Vec<String> {
        named(&tokens(source)).into_iter().map(|named| named.segments.join("::")).collect()
    }

    #[test]
    fn reads_use_trees_and_paths_in_code() {
        let source =
            "use crate::a::{b, c::{self, D as E}, f::*}; use g; pub(in crate::x) fn h<'l>() -> impl I + use<'l> {
            crate::j::k::<L>(m.n, super::super::o!(), P::q); }";
        let all = [
            "crate::a::b",
            "crate::a::c",
            "crate::a::c::D",
            "crate::a::f",
            "g",
            "crate::j::k",
            "super::super::o",
            "P::q",
        ];
        assert_eq!(paths(source), all);
    }

    fn target(tree: &Tree, from: &[&str], path: &str) -> Option<String> {
        let modules = Modules::of(tree, "core/src/");
        let from = from.to_vec();
        match modules.follow(&from, &path.split("::").collect::<Vec<_>>(), 0, 0) {
            Target::Inside(module) => Some(modules.file(&module).to_owned()),
            Target::Outside => None,
        }
    }

    #[test]
    fn follows_names_that_are_passed_on() {
        let tree = Tree::from([
            ("core/src/lib.rs", "mod a; pub use a::B; pub use a::c::{D};"),
            ("core/src/a/mod.rs", "mod b; pub(crate) use b::B; pub mod c; struct Here;"),
            ("core/src/a/b.rs", "pub struct B;"),
            ("core/src/a/c.rs", "pub struct D;"),
        ]);
        assert_eq!(target(&tree, &["a", "c"], "super::B").as_deref(), Some("core/src/a/b.rs"));
        assert_eq!(target(&tree, &["a", "c"], "super::Here").as_deref(), Some("core/src/a/mod.rs"));
        assert_eq!(target(&tree, &["a", "b"], "crate::D").as_deref(), Some("core/src/a/c.rs"));
        assert_eq!(target(&tree, &["a"], "c::D").as_deref(), Some("core/src/a/c.rs"));
        assert_eq!(target(&tree, &["a"], "std::fs"), None);
    }
}
