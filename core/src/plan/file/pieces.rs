//! A long file is read lineage by lineage, so that the tree of only one is in memory.
//!
//! The parser's tree of a file with 100,000 lineages takes some 900 MB and most of the time goes into touching them. Pieces
//! need a fraction of both. A cut is only a guess; that it was right is proved by the pieces: a text that parses as a whole
//! document ends outside every string, array and table that spans lines, so when the first piece parses, the second begins
//! where an expression may begin, and so on. What a piece cannot see, that a table is opened twice, is ruled out by their
//! names. Whenever anything is not as expected the file is read as a whole, which also finds the words for every fault.

use std::ops::Range;

/// Where to cut, or `None` when the headers are not laid out in the usual way.
///
/// Cut is before each line that begins with `[lineage.`, `[issuer.` or `[failover]`, unless it goes on with the lineage
/// that the piece is about. The first piece has no header.
pub(super) fn cut(text: &str) -> Option<Vec<Range<usize>>> {
    if text.starts_with('[') {
        return None;
    }
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut lineage = "";
    let mut failover = false;
    for (end_of_line, _) in text.match_indices("\n[") {
        let at = end_of_line + 1;
        let header = text.get(at..)?;
        if header.starts_with("[[lineage.") {
            continue;
        } else if let Some(rest) = header.strip_prefix("[lineage.") {
            let name = rest.split(['.', ']', ' ', '\t', '\r', '\n']).next().unwrap_or_default();
            if name == lineage {
                continue;
            }
            lineage = name;
        } else if header.starts_with("[issuer.") {
            lineage = "";
        } else if header.starts_with("[failover]") && !failover {
            lineage = "";
            failover = true;
        } else {
            return None;
        }
        pieces.push(start..at);
        start = at;
    }
    pieces.push(start..text.len());
    Some(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Option<Vec<&str>> {
        Some(cut(text)?.into_iter().map(|range| &text[range]).collect())
    }

    #[test]
    fn cuts_between_lineages_and_nowhere_else() {
        let text =
            "version = 1\n\n[issuer.a]\n[lineage.a]\nx = 1\n[[lineage.a.output]]\n[lineage.a.service]\n[lineage.ab]\n";
        assert_eq!(
            pieces(text),
            Some(vec![
                "version = 1\n\n",
                "[issuer.a]\n",
                "[lineage.a]\nx = 1\n[[lineage.a.output]]\n[lineage.a.service]\n",
                "[lineage.ab]\n",
            ])
        );
        assert_eq!(pieces(""), Some(vec![""]));
    }

    #[test]
    fn leaves_unusual_files_alone() {
        for text in
            ["[lineage.a]", "\n[lineage]\n", "\n[[lineage]]", "\n[ lineage.a ]", "\n[failover]\n[failover]\n", "\n[x]"]
        {
            assert_eq!(cut(text), None, "{text:?}");
        }
    }
}
