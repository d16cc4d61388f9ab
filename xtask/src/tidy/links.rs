//! Every link of the documentation leads somewhere: to a file of the tree, and to a heading in it.

use super::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in tree.files("", ".md") {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (line, link) in links(text) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, heading) = link.split_once('#').map_or((link, None), |(file, heading)| (file, Some(heading)));
            let target = if file.is_empty() { Some(path.to_owned()) } else { join(folder, file) };
            let Some(target) = target.filter(|target| tree.has(target)) else {
                findings.push(format!("{path}:{line}: `{link}` leads nowhere"));
                continue;
            };
            let anchors = |text: &str| prose(text).filter_map(|(_, line)| anchor(line)).collect::<Vec<_>>();
            if let Some(heading) =
                heading.filter(|heading| !anchors(tree.text(&target).unwrap_or("")).iter().any(|a| a == heading))
            {
                findings.push(format!("{path}:{line}: `{target}` has no heading for `#{heading}`"));
            }
        }
    }
    findings
}

/// The lines outside fenced blocks, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(number, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then_some((number + 1, line))
    })
}

/// The targets of `[text](target)` and `[name]: target`, code in backticks left out.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut all = Vec::new();
    for (number, line) in prose(text) {
        for plain in line.split('`').step_by(2) {
            // A link whose text is in backticks is cut in two: its second half begins with the bracket.
            all.extend(plain.split("](").skip(1).filter_map(|rest| rest.split(')').next()).map(|link| (number, link)));
        }
        if let Some((_, target)) = line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")) {
            all.push((number, target.trim()));
        }
    }
    all
}

/// A relative path from `folder`; nothing when it climbs out of the tree.
fn join(folder: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// The anchor that a heading gets: lower-case, signs dropped, blanks as hyphens.
fn anchor(line: &str) -> Option<String> {
    let heading = line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#'))?;
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    Some(kept.map(|c| if c == ' ' { '-' } else { c }).flat_map(char::to_lowercase).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_lead_somewhere_are_well() {
        let tree = Tree::from([
            (
                "README.md",
                "[a](docs/a.md#two-words-and-code) [`b`](core/src) [c](https://example.org/) `[f](g)`\n```\n[h](i)\n```\n[j]: docs/a.md",
            ),
            ("docs/a.md", "# A\n## Two words, and `code`\n[up](../README.md) [here](#a)"),
            ("core/src/lib.rs", "//! x"),
        ]);
        assert_eq!(check(&tree), Vec::<String>::new());
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        let text = "[a](b.md) [`c`](../d)\n[e](a.md#x) [f](#g)\n[h]: i.md\n[j](../../a.md)";
        let all = check(&Tree::from([("docs/a.md", text)]));
        assert_eq!(
            all,
            [
                "docs/a.md:1: `b.md` leads nowhere",
                "docs/a.md:1: `../d` leads nowhere",
                "docs/a.md:2: `docs/a.md` has no heading for `#x`",
                "docs/a.md:2: `docs/a.md` has no heading for `#g`",
                "docs/a.md:3: `i.md` leads nowhere",
                "docs/a.md:4: `../../a.md` leads nowhere",
            ]
        );
    }
}
