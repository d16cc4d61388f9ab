//! The name that was probably meant.

/// What is longer than this is no slip of the pen for any of our names, and is not worth comparing.
const LONGEST: usize = 64;

/// The one of `known` that is nearest to `written`, when it is near enough to be what was meant: one edit in three letters
/// at most, counting a swap of neighbours as one.
pub(crate) fn nearest<'k>(written: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let written: Vec<char> = written.chars().take(LONGEST + 1).flat_map(char::to_lowercase).collect();
    if written.is_empty() || written.len() > LONGEST {
        return None;
    }
    let near_enough = written.len().div_ceil(3);
    known
        .map(|name| (edits(&written, name), name))
        .filter(|(edits, _)| *edits <= near_enough)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, name)| name)
}

/// Insertions, deletions, replacements and swaps of neighbours that lead from one to the other (optimal string alignment).
fn edits(from: &[char], to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut before = vec![0; to.len() + 1];
    let mut last: Vec<usize> = (0..=to.len()).collect();
    let mut row = before.clone();
    for (i, &a) in from.iter().enumerate() {
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
        for (j, &b) in to.iter().enumerate() {
            let replaced = last[j] + usize::from(a != b);
            let mut least = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && from[i - 1] == b && a == to[j - 1] {
                least = least.min(before[j - 1] + 1);
            }
            row[j + 1] = least;
        }
        std::mem::swap(&mut before, &mut last);
        std::mem::swap(&mut last, &mut row);
    }
    last.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_edits() {
        for (from, to, count) in [
            ("", "", 0),
            ("abc", "abc", 0),
            ("abc", "", 3),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("reload", "relaod", 1),
            ("ca", "abc", 3),
            ("issuer", "isuer", 1),
        ] {
            assert_eq!(edits(&from.chars().collect::<Vec<_>>(), to), count, "{from} {to}");
        }
    }

    #[test]
    fn names_what_was_meant_or_nothing() {
        let known = || ["identifiers", "issuer", "key", "mode", "reload"].into_iter();
        assert_eq!(nearest("identifers", known()), Some("identifiers"));
        assert_eq!(nearest("Isuer", known()), Some("issuer"));
        assert_eq!(nearest("relaod", known()), Some("reload"));
        assert_eq!(nearest("moed", known()), Some("mode"));
        assert_eq!(nearest("colour", known()), None);
        assert_eq!(nearest("", known()), None);
        assert_eq!(nearest(&"x".repeat(1 << 20), known()), None);
    }
}
