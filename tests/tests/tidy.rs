//! The shape of the tree, as `cargo xtask tidy` sees it.

#[test]
fn the_tree_is_tidy() {
    let tree = xtask::tidy::Tree::read(&xtask::root());
    let findings = tree.map(|tree| xtask::tidy::check(&tree));
    assert_eq!(findings, Ok(Vec::new()), "`cargo xtask tidy` prints one finding a line");
}
