//! What the kernel says of identities and files: asked identity by identity, before each file is judged.

use std::cell::RefCell;
use std::io;
use std::path::Path;

use crate::ground::identity::Identity;

/// Asks for one identity and several files ([`Filesystem::can_open_each_as`]).
///
/// [`Filesystem::can_open_each_as`]: crate::place::filesystem::Filesystem::can_open_each_as
type Ask<'a> = &'a dyn Fn(&Identity, &[&Path]) -> Vec<io::Result<bool>>;

/// The kernel, with what it said already. Each answer is given once; after that it is asked again.
pub(super) struct Kernel<'a> {
    ask: Ask<'a>,
    known: RefCell<Vec<Answer<'a>>>,
}

struct Answer<'a> {
    who: Identity,
    path: &'a Path,
    opens: io::Result<bool>,
}

impl<'a> Kernel<'a> {
    /// Ask whether each of these can open the file beside it: all that is asked of one identity together.
    pub(super) fn asked(ask: Ask<'a>, questions: impl IntoIterator<Item = (Identity, &'a Path)>) -> Self {
        let mut by_identity: Vec<(Identity, Vec<&'a Path>)> = Vec::new();
        for (who, path) in questions {
            match by_identity.iter_mut().find(|(asked, _)| *asked == who) {
                Some((_, paths)) if paths.contains(&path) => {}
                Some((_, paths)) => paths.push(path),
                None => by_identity.push((who, vec![path])),
            }
        }
        let mut known = Vec::new();
        for (who, paths) in by_identity {
            let answers = ask(&who, &paths);
            known.extend(paths.into_iter().zip(answers).map(|(path, opens)| Answer { who: who.clone(), path, opens }));
        }
        Self { ask, known: RefCell::new(known) }
    }

    /// Whether this identity can open this file.
    pub(super) fn can_open(&self, who: &Identity, path: &Path) -> io::Result<bool> {
        let mut known = self.known.borrow_mut();
        match known.iter().position(|answer| answer.who == *who && answer.path == path) {
            Some(at) => known.swap_remove(at).opens,
            None => {
                let answer = (self.ask)(who, &[path]).pop();
                answer.unwrap_or_else(|| Err(io::Error::other("the kernel was not asked")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_taken_on_once_for_all_its_files() {
        let asked = RefCell::new(Vec::new());
        let ask = |who: &Identity, paths: &[&Path]| {
            asked.borrow_mut().push((who.uid, paths.len()));
            // The first user opens what ends with `a`, the second what does not.
            paths.iter().map(|path| Ok(path.ends_with("a") == (who.uid == 1))).collect()
        };
        let (one, two) = (Identity::new(1, 1, vec![]), Identity::new(2, 2, vec![]));
        let (a, b) = (Path::new("/a"), Path::new("/b"));
        let pairs = [(&one, a), (&two, a), (&one, b), (&two, b), (&one, a)];
        let kernel = Kernel::asked(&ask, pairs.map(|(who, path)| (who.clone(), path)));
        assert_eq!(*asked.borrow(), [(1, 2), (2, 2)]);
        for (who, path, expected) in [(&two, b, true), (&one, a, true), (&one, b, false), (&two, a, false)] {
            assert_eq!(kernel.can_open(who, path).unwrap(), expected, "{who} {}", path.display());
        }
        assert_eq!(asked.borrow().len(), 2, "what was answered was asked again");
        // Not asked in advance, and asked for the second time: the kernel answers again, nothing is remembered for ever.
        assert!(!kernel.can_open(&Identity::new(3, 3, vec![]), a).unwrap());
        assert!(kernel.can_open(&one, a).unwrap());
        assert_eq!(*asked.borrow(), [(1, 2), (2, 2), (3, 1), (1, 1)]);
    }
}
