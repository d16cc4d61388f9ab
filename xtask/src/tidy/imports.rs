//! No module of the library imports upward, sideways or in a circle, and none names what belongs to another.

use std::collections::{BTreeMap, BTreeSet};

use super::floors::{KEPT_TO, REFUSED, floor};
use super::modules::{Module, Modules, Named, Target};
use super::tree::Tree;

const SOURCE: &str = "core/src/";

/// Who imports whom, tests left out.
type Graph<'a> = BTreeMap<Module<'a>, BTreeSet<Module<'a>>>;

pub(super) fn check(tree: &Tree) -> Vec<String> {
    let modules = Modules::of(tree, SOURCE);
    let mut findings = Vec::new();
    let mut graph = Graph::new();
    for (module, file, named) in modules.iter() {
        if floor(module.first().copied()).is_none() {
            findings.push(format!("{file}: has no floor; add its module to xtask/src/tidy/floors.rs"));
        }
        // `use rustls::crypto::ring` makes `ring::…` a name of its own and no longer the crate.
        let brought: BTreeSet<&str> = named
            .iter()
            .filter(|path| path.imported && path.segments.len() > 1)
            .filter_map(|path| path.segments.last().copied())
            .collect();
        for path in named {
            let place = format!("{file}:{}", path.at.line);
            let test = path.at.test || modules.is_for_tests(module);
            let Target::Inside(target) = modules.resolve(module, path) else {
                let local = !path.imported && path.segments.first().is_some_and(|first| brought.contains(first));
                findings.extend((!test && !local).then(|| kept_to(module, path, &place)).flatten());
                continue;
            };
            findings.extend(between_floors(module, &target, test).map(|what| format!("{place}: {what}")));
            let facade = path.passed_on && target.starts_with(module);
            // `os/open.rs` is a part of `os.rs`: an `impl` written over two files is no circle. The `mod.rs` of a floor is a
            // folder of things that stand for themselves.
            let folder = target.len() == 1 && modules.file(&target).ends_with("/mod.rs");
            let part = module.starts_with(&target) && !folder;
            if !test && !facade && !part && target != *module && !module.is_empty() {
                graph.entry(module.clone()).or_default().insert(target);
            }
        }
    }
    findings.extend(circles(&graph).into_iter().map(|circle| {
        let files: Vec<&str> = circle.iter().map(|module| modules.file(module)).collect();
        format!("{}: imports in a circle: {}", files.first().unwrap_or(&""), files.join(" → "))
    }));
    findings
}

fn between_floors(from: &[&str], to: &[&str], test: bool) -> Option<String> {
    let (here, there) = (from.first().copied(), to.first().copied());
    if here == there || here.is_none() {
        return None;
    }
    let (Some(here), Some(there)) = (here, there) else {
        return Some("imports from the façade; name the module that defines it".to_owned());
    };
    if let Some((_, _, why)) = REFUSED.iter().find(|(a, b, _)| *a == here && *b == there && !test) {
        return Some(format!("`{here}` imports `{there}`: {why}"));
    }
    let (low, high) = (floor(Some(here))?, floor(Some(there))?);
    match low.cmp(&high) {
        std::cmp::Ordering::Greater => None,
        std::cmp::Ordering::Equal => Some(format!("`{here}` imports sideways from `{there}`, both on floor {low}")),
        std::cmp::Ordering::Less => {
            Some(format!("`{here}` (floor {low}) imports upward from `{there}` (floor {high})"))
        }
    }
}

/// A path of another crate, or of the standard library, in a module that must not know it.
fn kept_to(module: &[&str], path: &Named<'_>, place: &str) -> Option<String> {
    let is_prefix = |kept: &str| kept.split("::").enumerate().all(|(at, part)| path.segments.get(at) == Some(&part));
    let (kept, allowed) = KEPT_TO.iter().filter(|(kept, _)| is_prefix(kept)).max_by_key(|(kept, _)| kept.len())?;
    if module.first().is_some_and(|top| allowed.contains(top)) {
        return None;
    }
    let homes: Vec<String> = allowed.iter().map(|home| format!("`{home}`")).collect();
    let homes =
        if homes.is_empty() { "nowhere in the library".to_owned() } else { format!("in {} only", homes.join(" and ")) };
    Some(format!("{place}: `{kept}` may be named {homes}"))
}

/// One circle for each knot of files that import each other.
fn circles<'a>(graph: &Graph<'a>) -> Vec<Vec<Module<'a>>> {
    let mut found: Vec<Vec<Module<'a>>> = Vec::new();
    for start in graph.keys() {
        if found.iter().any(|circle| circle.contains(start)) {
            continue;
        }
        found.extend(way_back(graph, start));
    }
    found
}

/// The shortest way from `start` over its imports back to itself.
fn way_back<'a>(graph: &Graph<'a>, start: &Module<'a>) -> Option<Vec<Module<'a>>> {
    let mut ways = vec![vec![start.clone()]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for next in way.last().and_then(|last| graph.get(last)).into_iter().flatten() {
                let onward = [way.as_slice(), std::slice::from_ref(next)].concat();
                if next == start {
                    return Some(onward);
                }
                if seen.insert(next) {
                    longer.push(onward);
                }
            }
        }
        ways = longer;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings<const N: usize>(files: [(&str, &str); N]) -> Vec<String> {
        check(&Tree::from(files))
    }

    #[test]
    fn downward_is_well() {
        let all = findings([
            ("core/src/lib.rs", "mod ground; mod pki; pub use ground::Error; pub use pki::key::Key;"),
            ("core/src/ground/mod.rs", "pub mod error; pub use error::Error;"),
            ("core/src/ground/error.rs", "use std::fmt; // use crate::pki;\nconst A: &str = \"use crate::deploy\";"),
            ("core/src/pki/mod.rs", "pub mod key; pub use key::Key;"),
            ("core/src/pki/key.rs", "use crate::ground::Error; use rcgen::KeyPair; use super::*;"),
        ]);
        assert_eq!(all, Vec::<String>::new());
    }

    #[test]
    fn upward_is_found_in_a_use_and_in_code() {
        let all = findings([
            ("core/src/ground/mod.rs", "use crate::{plan::{a, b}};\nfn f() { crate::deploy::g(); }"),
            ("core/src/plan/mod.rs", ""),
            ("core/src/deploy/mod.rs", ""),
        ]);
        let upward = |line: u8, module: &str, floor: u8| {
            format!("core/src/ground/mod.rs:{line}: `ground` (floor 0) imports upward from `{module}` (floor {floor})")
        };
        assert_eq!(all, [upward(1, "plan", 2), upward(1, "plan", 2), upward(2, "deploy", 5)]);
    }

    #[test]
    fn upward_through_a_name_passed_on_by_the_facade_is_found() {
        let all = findings([
            ("core/src/lib.rs", "pub use plan::Spec;"),
            ("core/src/pki/mod.rs", "use crate::Spec;"),
            ("core/src/plan/mod.rs", "pub struct Spec;"),
        ]);
        assert_eq!(all, ["core/src/pki/mod.rs:1: `pki` (floor 1) imports upward from `plan` (floor 2)"]);
    }

    #[test]
    fn deploy_does_not_know_issue_but_its_tests_may() {
        let all = findings([
            ("core/src/deploy/mod.rs", "use crate::issue::A; #[cfg(test)] mod tests { use crate::issue::A; }"),
            ("core/src/issue/mod.rs", ""),
        ]);
        assert_eq!(all.len(), 1, "{all:?}");
        assert!(all[0].starts_with("core/src/deploy/mod.rs:1: `deploy` imports `issue`"), "{all:?}");
    }

    #[test]
    fn a_circle_inside_a_floor_is_found_once() {
        let files = |last: &'static str| {
            [
                ("core/src/place/mod.rs", "mod a; mod b; mod c; pub use a::A;"),
                (
                    "core/src/place/a.rs",
                    "use super::b::B; pub struct A; #[cfg(test)] mod tests { use super::*; use super::super::c::C; }",
                ),
                ("core/src/place/b.rs", "fn f() { super::c::g() }"),
                ("core/src/place/c.rs", last),
            ]
        };
        let circle = "core/src/place/a.rs: imports in a circle: core/src/place/a.rs → core/src/place/b.rs → core/src/place/c.rs → core/src/place/a.rs";
        assert_eq!(findings(files("use crate::place::A;")), [circle]);
        assert_eq!(findings(files("#[cfg(test)] use crate::place::A;")), Vec::<String>::new());
    }

    #[test]
    fn a_child_that_uses_its_parent_is_a_circle_only_when_the_parent_uses_it() {
        let files = |parent: &'static str| {
            [("core/src/plan/mod.rs", parent), ("core/src/plan/a.rs", "use super::Item; pub struct A;")]
        };
        assert_eq!(findings(files("mod a; pub use a::A; pub struct Item;")), Vec::<String>::new());
        assert_eq!(findings(files("mod a; pub struct Item(a::A);")).len(), 1);
    }

    #[test]
    fn a_part_of_a_module_may_know_the_whole() {
        let all = findings([
            ("core/src/place/mod.rs", "mod os; struct A; fn f(_: self::A, _: crate::place::A) {}"),
            ("core/src/place/os.rs", "mod open; mod names; struct Os; fn f() { open::g(names::H) }"),
            ("core/src/place/os/open.rs", "use super::Os; impl Os {} use super::names::H;"),
            ("core/src/place/os/names.rs", "use super::open;"),
        ]);
        let circle = "core/src/place/os/names.rs → core/src/place/os/open.rs → core/src/place/os/names.rs";
        assert_eq!(all, [format!("core/src/place/os/names.rs: imports in a circle: {circle}")]);
    }

    #[test]
    fn crates_and_std_stay_where_they_belong() {
        let all = findings([
            ("core/src/plan/mod.rs", "use rcgen::KeyPair; fn f() { std::fs::read(\"\"); std::env::var(\"\"); }"),
            (
                "core/src/deploy/mod.rs",
                "use std::os::unix::net::UnixStream; use std::net::{IpAddr, TcpListener}; use rustls::crypto::ring; fn f() { ring::g() }",
            ),
            ("core/src/place/mod.rs", "use std::os::fd::AsFd; #[cfg(test)] use std::env;"),
        ]);
        assert_eq!(
            all,
            [
                "core/src/deploy/mod.rs:1: `std::net::TcpListener` may be named in `issue` only",
                "core/src/plan/mod.rs:1: `rcgen` may be named in `pki` only",
                "core/src/plan/mod.rs:1: `std::fs` may be named in `place` only",
                "core/src/plan/mod.rs:1: `std::env` may be named nowhere in the library",
            ]
        );
    }

    #[test]
    fn a_module_without_floor_is_found() {
        let all = findings([("core/src/extra.rs", "")]);
        assert_eq!(all, ["core/src/extra.rs: has no floor; add its module to xtask/src/tidy/floors.rs"]);
    }
}
