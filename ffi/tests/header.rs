//! The committed header is what the sources say.

use std::error::Error;
use std::path::Path;

/// Set, it writes the header in place of comparing it.
const WRITE: &str = "CERTWRIGHT_WRITE_HEADER";

/// The parts of the manual: what the functions of each begin with, and what it is about.
const PARTS: [(&str, &str); 14] = [
    ("version", "The library"),
    ("result", "Results"),
    ("error", "Errors"),
    ("config", "The configuration"),
    ("spec", "The wish for one lineage"),
    ("material", "Key and chain of another client"),
    ("options", "How a verb goes about it"),
    ("cancel", "Asking to stop"),
    ("failure", "What callbacks say"),
    ("seen", "What probes say"),
    ("builder", "Putting a lifecycle together"),
    ("lifecycle", "The verbs"),
    ("report", "Reports"),
    ("access", "Who may read a path"),
];

/// The verbs have no noun of their own.
const VERBS: [&str; 7] = ["plan", "apply", "deploy", "verify", "rollback", "release", "status"];

#[test]
fn the_header_is_made_from_the_sources() -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut made = Vec::new();
    cbindgen::generate(here)?.write(&mut made);
    let made = for_readers_of_c(&String::from_utf8(made)?)?;
    let path = here.join("include/certwright.h");
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, &made)?;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == made,
        "the header is not what the sources say: run `cargo xtask header`, and look at what changed"
    );
    Ok(())
}

/// The functions of each noun together under a heading of their own, in an order in which they can be read; without what
/// speaks to readers of Rust.
fn for_readers_of_c(header: &str) -> Result<String, Box<dyn Error>> {
    const BEGIN: &str = "extern \"C\" {\n#endif // __cplusplus\n";
    const END: &str = "#ifdef __cplusplus\n}";
    let (types, functions) = header.split_once(BEGIN).ok_or("the functions begin nowhere")?;
    let (functions, end) = functions.split_once(END).ok_or("the functions end nowhere")?;
    let mut parts = vec![String::new(); PARTS.len()];
    for function in functions.split("\n\n").map(str::trim).filter(|function| !function.is_empty()) {
        let part = part(function).ok_or_else(|| format!("this belongs to no part: {function}"))?;
        parts[part].push_str(function);
        parts[part].push_str("\n\n");
    }
    let mut made = format!("{types}{BEGIN}\n");
    for ((_, heading), functions) in PARTS.iter().zip(parts) {
        made.push_str(&format!("/* ==== {heading} ==== */\n\n{functions}"));
    }
    Ok(comments(&(made + END + end)))
}

/// Where a function belongs.
fn part(block: &str) -> Option<usize> {
    let declaration = block.rsplit("*/").next()?;
    let name = declaration.split('(').next()?.rsplit([' ', '*']).next()?;
    let noun = name.strip_prefix("certwright_")?.split('_').next()?;
    let noun = if VERBS.contains(&noun) { "lifecycle" } else { noun };
    PARTS.iter().position(|(prefix, _)| *prefix == noun)
}

/// What C promises is said by "Parameters" and "Ownership"; the sections on safety repeat it for Rust. Names need no brackets.
fn comments(header: &str) -> String {
    let mut made = String::new();
    let mut skipping = false;
    for line in header.lines() {
        skipping |= line.trim() == "* # Safety";
        if line.trim() == "*/" {
            if skipping {
                // The line before the section is empty.
                made.truncate(made.trim_end_matches([' ', '*', '\n']).len());
                made.push('\n');
            }
            skipping = false;
        }
        if !skipping {
            made.push_str(&line.replace("[`", "`").replace("`]", "`"));
            made.push('\n');
        }
    }
    made
}
