//! `cargo xtask tidy`: what the compiler does not check about the shape of the tree.

mod boxes;
mod floors;
mod imports;
mod links;
mod modules;
mod sizes;
mod tokens;
mod tree;
mod words;

pub use tree::Tree;

use crate::Outcome;

/// The verb.
///
/// # Errors
///
/// When there is a finding.
pub fn verb(arguments: &[String]) -> Outcome {
    if !arguments.is_empty() {
        return Err("takes no arguments".to_owned());
    }
    let findings = check(&Tree::read(&crate::root())?);
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => println!("tidy: floors, boxes, sizes, words and links are in order"),
        count => return Err(format!("{count} findings")),
    }
    Ok(())
}

/// Every finding, one line each: where, what, and what to do.
pub fn check(tree: &Tree) -> Vec<String> {
    [boxes::check(tree), imports::check(tree), sizes::check(tree), words::check(tree), links::check(tree)].concat()
}
