//! The way to a path, component by component, for people who want to see all of it and not only what decides.

use std::path::Path;

use super::inode::Access;
use super::permissions::Permissions;
use super::verdict::{Capabilities, Doubt, Verdict};
use super::walk::{End, PathFacts, Step};
use crate::ground::identity::Identity;

/// One thing on the way to a path: a directory that is searched, a link that is followed, or what is at the end.
#[derive(Clone, Copy, Debug)]
pub struct Component<'a>(Part<'a>);

#[derive(Clone, Copy, Debug)]
enum Part<'a> {
    Way(&'a Step),
    End(&'a End),
}

impl PathFacts {
    /// Everything that has to be passed, in the kernel's order, and then what is at the end.
    ///
    /// # Examples
    ///
    /// ```
    /// use certwright::OsFilesystem;
    /// use certwright::access::PathFacts;
    ///
    /// let facts = PathFacts::read(&OsFilesystem::new(), "/proc/self".as_ref())?;
    /// assert_eq!(facts.components().next().map(|component| component.path().to_owned()), Some("/".into()));
    /// # Ok::<(), certwright::Error>(())
    /// ```
    pub fn components(&self) -> impl Iterator<Item = Component<'_>> {
        let way = self.way.iter().map(|step| Component(Part::Way(step)));
        way.chain([Component(Part::End(&self.end))])
    }
}

impl<'a> Component<'a> {
    /// Where it is, links before it followed.
    pub fn path(&self) -> &'a Path {
        match self.0 {
            Part::Way(Step::Search(inode)) | Part::End(End::Reached(inode)) => &inode.path,
            Part::Way(Step::Follow { path, .. }) | Part::End(End::OutOfSight(path)) => path,
        }
    }

    /// Who owns it and who may do what; `None` for a link, whose permissions do not count, and for what is out of sight.
    pub fn access(&self) -> Option<&'a Access> {
        match self.0 {
            Part::Way(Step::Search(inode)) | Part::End(End::Reached(inode)) => Some(&inode.access),
            Part::Way(Step::Follow { .. }) | Part::End(End::OutOfSight(_)) => None,
        }
    }

    /// What it takes to get past it, or at the end to do what is wanted.
    pub fn needed(&self, want: Permissions) -> Permissions {
        match self.0 {
            Part::Way(Step::Search(_)) => Permissions::EXECUTE,
            Part::Way(Step::Follow { .. }) => Permissions::NONE,
            Part::End(_) => want,
        }
    }

    /// The answer of this component alone; `None` for a link that anybody may follow.
    pub fn verdict(&self, who: &Identity, held: Capabilities, want: Permissions) -> Option<Verdict> {
        match self.0 {
            Part::Way(step) => step.verdict(who, held).map(|(_, verdict)| verdict),
            Part::End(End::Reached(inode)) => Some(inode.verdict(who, held, want)),
            Part::End(End::OutOfSight(_)) => Some(Verdict::Unknown(Doubt::OutOfSight)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;
    use crate::place::os::OsFilesystem;
    use crate::place::scratch::Scratch;

    #[test]
    fn every_component_answers_for_itself_in_the_order_of_the_kernel() {
        let scratch = Scratch::new();
        std::fs::create_dir_all(scratch.at("open/closed")).unwrap();
        std::fs::write(scratch.at("open/closed/key"), "k").unwrap();
        symlink("open/closed", scratch.at("link")).unwrap();
        for (name, bits) in [("", 0o711), ("open", 0o755), ("open/closed", 0o700), ("open/closed/key", 0o644)] {
            std::fs::set_permissions(scratch.at(name), std::fs::Permissions::from_mode(bits)).unwrap();
        }

        let facts = PathFacts::read(&OsFilesystem::new(), &scratch.at("link/key")).unwrap();
        let stranger = Identity::new(60_001, 60_002, vec![]);
        let answers: Vec<_> = facts
            .components()
            .skip_while(|component| component.path() != scratch.at("link"))
            .map(|component| {
                let verdict = component.verdict(&stranger, Capabilities::NONE, Permissions::READ);
                (component.path().to_owned(), component.needed(Permissions::READ).to_string(), verdict)
            })
            .collect();
        let told: Vec<_> = answers
            .iter()
            .map(|(path, needed, verdict)| (path.clone(), needed.as_str(), verdict.as_ref().map(Verdict::is_allow)))
            .collect();
        assert_eq!(
            told,
            [
                (scratch.at("link"), "---", None),
                (scratch.at("open"), "--x", Some(true)),
                (scratch.at("open/closed"), "--x", Some(false)),
                // Its own entries would let everybody read; the way does not.
                (scratch.at("open/closed/key"), "r--", Some(true)),
            ]
        );
        let whole = facts.explain(&stranger, Capabilities::NONE, Permissions::READ);
        assert_eq!(whole.component, scratch.at("open/closed"));
    }
}
