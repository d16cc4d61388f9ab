//! Whether the files of a generation hold what was staged.

use super::manifest::FileFacts;
use crate::pki::digest::sha256;
use crate::plan::spec::Form;

/// The files of one generation that were seen to be whole, in the order of its manifest.
///
/// A full chain is leaf and chain, and a bundle is key and full chain: compared byte for byte with the files that it is
/// put together from, each of them whole, it needs no digest of its own. That is most of what `apply` computes when there
/// is nothing to do. Whatever else a file may be is decided by its digest.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    whole: Vec<(Form, Vec<u8>)>,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    /// What was staged.
    AsStaged,
    /// Something else.
    Other,
}

impl Contents {
    /// What the next file holds.
    pub(crate) fn judge(&mut self, file: &FileFacts, bytes: Vec<u8>) -> Holds {
        let form = Form::ALL.into_iter().find(|form| form.file_name() == file.name);
        let composed = form.and_then(Form::pieces).is_some_and(|pieces| self.is_composed(pieces, &bytes));
        if !composed && sha256(&bytes) != file.sha256 {
            return Holds::Other;
        }
        self.whole.extend(form.map(|form| (form, bytes)));
        Holds::AsStaged
    }

    fn is_composed(&self, [head, tail]: [Form; 2], bytes: &[u8]) -> bool {
        let of = |wanted| self.whole.iter().find(|(form, _)| *form == wanted).map(|(_, bytes)| bytes.as_slice());
        let (Some(head), Some(tail)) = (of(head), of(tail)) else { return false };
        bytes.strip_prefix(head) == Some(tail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::access::acl::Acl;
    use crate::place::access::inode::Access;

    fn file(name: &str, staged: &[u8]) -> FileFacts {
        let access = Access::new(0, 0, Acl::from_mode(0o600));
        FileFacts { name: name.to_owned(), size: staged.len() as u64, sha256: sha256(staged), access }
    }

    const STAGED: [(&str, &[u8]); 6] = [
        ("key.pem", b"key"),
        ("leaf.pem", b"leaf"),
        ("chain.pem", b"chain"),
        ("fullchain.pem", b"leafchain"),
        ("bundle.pem", b"keyleafchain"),
        ("output-0.conf", b"include"),
    ];

    /// What is found where one file holds `other`.
    fn judged(changed: Option<&str>, other: &[u8]) -> Vec<Holds> {
        let mut contents = Contents::default();
        let found = |name| if changed == Some(name) { other } else { STAGED.iter().find(|it| it.0 == name).unwrap().1 };
        STAGED.map(|(name, staged)| contents.judge(&file(name, staged), found(name).to_vec())).to_vec()
    }

    #[test]
    fn each_change_is_found_in_its_own_file() {
        assert_eq!(judged(None, b""), [Holds::AsStaged; 6]);
        for (at, (name, staged)) in STAGED.iter().enumerate() {
            let (cut, grown) = (&staged[1..], [staged, b"x".as_slice()].concat());
            for other in [b"", cut, b"leaf", b"leafleaf", b"keykeyleafchain", b"other", &grown] {
                let mut expected = [Holds::AsStaged; 6];
                if other != *staged {
                    expected[at] = Holds::Other;
                }
                assert_eq!(judged(Some(name), other), expected, "{name} with {other:?}");
            }
        }
    }

    #[test]
    fn what_is_not_composed_as_usual_counts_by_its_digest() {
        let mut contents = Contents::default();
        for (name, staged) in [("leaf.pem", "leaf"), ("chain.pem", "chain"), ("fullchain.pem", "leaf\nchain")] {
            assert_eq!(contents.judge(&file(name, staged.as_bytes()), staged.into()), Holds::AsStaged);
        }
        // Nothing is composed of pieces that were not seen, or not seen to be whole.
        let changed = contents.judge(&file("bundle.pem", b"staged"), b"keyleaf\nchain".to_vec());
        assert_eq!(changed, Holds::Other);
    }

    #[test]
    fn a_changed_piece_does_not_vouch_for_a_whole() {
        let mut contents = Contents::default();
        assert_eq!(contents.judge(&file("leaf.pem", b"leaf"), b"LEAF".to_vec()), Holds::Other);
        assert_eq!(contents.judge(&file("chain.pem", b"chain"), b"chain".to_vec()), Holds::AsStaged);
        assert_eq!(contents.judge(&file("fullchain.pem", b"leafchain"), b"LEAFchain".to_vec()), Holds::Other);
    }
}
