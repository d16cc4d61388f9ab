//! A file read lineage by lineage is the file read as a whole.

use std::fmt::Write as _;
use std::path::Path;

use super::super::{Draft, in_pieces, starter_file, whole};
use super::{HEAD, parse};
use crate::ground::error::Result;
use crate::plan::spec::Config;

/// What the pieces give, if they give anything, and what the whole gives.
fn both_ways(text: &str) -> (Option<Result<Config>>, Result<Config>) {
    let name = Path::new("f");
    let finish = |(draft, faults): (Draft, _)| draft.finish(text, name, faults);
    (in_pieces(text, None).map(finish), whole(text, name, None).and_then(finish))
}

fn agree(text: &str) -> bool {
    let (pieces, whole) = both_ways(text);
    let show = |result: &Result<Config>| match result {
        Ok(config) => format!("{config:?}"),
        Err(error) => format!("{error:?}"),
    };
    if let Some(pieces) = &pieces {
        assert_eq!(show(pieces), show(&whole), "{text}");
    }
    pieces.is_some()
}

#[test]
fn pieces_and_the_whole_agree() {
    let lineage = |name: &str| format!("[lineage.{name}]\nidentifiers = [\"{name}.example\"]\n");
    let usual = format!(
        "{HEAD}{}[[lineage.a.output]]\npath = \"/x\"\nstrategy = \"link\"\nform = \"key\"\n{}[issuer.b]\ntype = \"local\"\n{}[failover]\nunit = \"k\"\n",
        lineage("a"),
        lineage("b"),
        lineage("c")
    );
    assert!(agree(&usual));
    assert!(agree(starter_file()));
    assert!(agree(&usual.replace("identifiers", "identifers")), "faults are found in pieces too");
    let b = lineage("b");
    for (unusual, why) in [
        (format!("{HEAD}lineage.a.x = 1\n"), "a key of the issuer"),
        (format!("version = 1\nlineage.a.identifiers = [\"a.example\"]\n{b}"), "a dotted key before a header"),
        (
            format!("version = 1\nlineage = {{ a = {{ identifiers = [\"a.example\"] }} }}\n{b}"),
            "an inline table is closed",
        ),
        (format!("version = 1\n  [failover]\nunit = \"x\"\n{b}"), "an indented header"),
        (format!("version = 1\n{b}{b}"), "twice"),
        (format!("version = 1\n{b}[lineage.'b']\n"), "twice in two spellings"),
        (format!("version = 1\n{b}[failover]\nunit = \"x\"\n[failover]\n"), "twice"),
        (
            format!(
                "version = 1\n{b}{}[[lineage.b.output]]\npath = \"/x\"\nstrategy = \"link\"\nform = \"key\"\n",
                lineage("c")
            ),
            "out of order",
        ),
        (
            format!(
                "version = 1\n[lineage.a]\nidentifiers = [\"a.example\"]\ncheck = [\"x\", '''\n[lineage.z]\n''']\n{b}"
            ),
            "a header in a string",
        ),
        (format!("version = 1\n[lineage.a]\ncheck = [\n[lineage.z]\n]\n{b}"), "a header in an array"),
        (format!("{HEAD}[lineage]\n[lineage.a]\nidentifiers = [\"a.example\"]\n"), "a table of tables"),
    ] {
        agree(&unusual);
        let _ = why;
    }
    // A string over several lines is one value although a line of it looks like a header.
    let spec = parse(&format!(
        "version = 1\n[lineage.a]\nidentifiers = [\"a.example\"]\ncheck = [\"x\", '''\n[lineage.z]\n''']\n{b}"
    ))
    .unwrap();
    assert_eq!(spec.lineages.len(), 2);
}

/// A small generator of its own, so that a failure can be played again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }
}

#[test]
fn no_text_makes_it_panic_and_both_ways_agree() {
    let scraps = [
        "[",
        "]",
        "\"",
        "'''",
        "\n",
        "=",
        ".",
        "{",
        "}",
        ",",
        "#",
        "\n[lineage.www]\n",
        "\n[[lineage.www.output]]\n",
        "0",
        "é",
        "\u{1b}",
        "version",
        "issuer",
    ];
    let mut dice = Dice(0x5eed);
    let seeds = [starter_file().to_owned(), starter_file().replace("\n# ", "\n")];
    let mut cut_well = 0;
    for round in 0..3_000 {
        let mut text = seeds[round % 2].clone();
        for _ in 0..=dice.roll(4) {
            let mut at = dice.roll(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            match dice.roll(3) {
                0 => text.insert_str(at, scraps[dice.roll(scraps.len())]),
                1 => drop(text.remove(at)),
                _ => text.truncate(at.max(1)),
            }
            if text.is_empty() {
                break;
            }
        }
        cut_well += usize::from(agree(&text));
    }
    assert!(cut_well > 500, "only {cut_well} texts were read in pieces");
}

#[test]
fn many_lineages_are_read() {
    let mut text = HEAD.to_owned();
    for number in 0..2_000 {
        let _ =
            write!(text, "[lineage.site-{number}]\nidentifiers = [\"www{number}.example.org\"]\nissuer = \"lab\"\n");
    }
    let (pieces, _) = both_ways(&text);
    assert_eq!(pieces.unwrap().unwrap().lineages.len(), 2_000);
}
