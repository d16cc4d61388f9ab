//! The proof that readers can read and nobody else can: by the model and by the kernel, for the whole path.

use std::io;
use std::path::{Path, PathBuf};

use super::explain::PathVerdict;
use super::kernel::Kernel;
use super::names::{Names, Numbers, Reader};
use super::permissions::Permissions;
use super::remedy::{quoted, remedy};
use super::verdict::{Capabilities, Verdict};
use super::walk::PathFacts;
use crate::ground::error::{Error, ErrorKind, Phase, Public, Result};
use crate::ground::identity::Identity;
use crate::place::filesystem::Filesystem;
use crate::plan::spec::Principal;

/// Whether everybody else has to be shut out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Secrecy {
    /// It holds a private key.
    Secret,
    /// Everybody may read it.
    Public,
}

/// What a proof rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Evidence {
    /// The model and the kernel say the same.
    ModelAndKernel,
    /// The model alone: this process may not take on another identity.
    ModelAlone,
}

/// Readers were seen to read this inode, and for a secret an outsider was seen not to. Only [`prove`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessProof {
    path: PathBuf,
    inode: (u64, u64),
    readers: Vec<Principal>,
    secrecy: Secrecy,
    evidence: Evidence,
}

impl AccessProof {
    /// The path that was proved, as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Device and inode number of what was there.
    pub const fn inode(&self) -> (u64, u64) {
        self.inode
    }

    /// Who can read it.
    pub fn readers(&self) -> &[Principal] {
        &self.readers
    }

    /// Whether an outsider was shown to be shut out.
    pub const fn secrecy(&self) -> Secrecy {
        self.secrecy
    }

    /// What it rests on.
    pub const fn evidence(&self) -> Evidence {
        self.evidence
    }
}

/// Prove that each reader can open `path` for reading, and, when it is a secret, that a user who does not exist cannot.
///
/// A group is proved by a user that does not exist but is a member of it.
///
/// # Errors
///
/// `AccessMismatch` naming the reader, the component of the path and the entry that denies; or that an outsider can read;
/// or that model and kernel disagree. `Unsupported` when the model cannot tell and the kernel may not be asked. As
/// [`PathFacts::read`] and [`Names::reader`] otherwise.
///
/// # Effects
///
/// Disk: opens the file for reading under each identity, in a thread of its own, and reads nothing.
pub fn prove(
    fs: &dyn Filesystem,
    path: &Path,
    readers: &[Reader],
    secrecy: Secrecy,
    names: &Names,
) -> Result<AccessProof> {
    let subject = Subject { path: path.to_owned(), readers: readers.to_vec(), secrecy };
    let ask = |who: &Identity, paths: &[&Path]| fs.can_open_each_as(who, paths);
    let kernel = Kernel::asked(&ask, questions(std::slice::from_ref(&subject), names));
    attempt(fs, &kernel, &subject, names)
}

/// A file whose access is to be proved.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) path: PathBuf,
    pub(crate) readers: Vec<Reader>,
    pub(crate) secrecy: Secrecy,
}

/// [`prove`] for several files, each with its own outcome: the kernel is asked once for each identity, in one thread that
/// takes it on, opens every file that it is to be tried on, and ends.
pub(crate) fn prove_each(fs: &dyn Filesystem, subjects: &[Subject], names: &Names) -> Vec<Result<AccessProof>> {
    let ask = |who: &Identity, paths: &[&Path]| fs.can_open_each_as(who, paths);
    let kernel = Kernel::asked(&ask, questions(subjects, names));
    subjects.iter().map(|subject| attempt(fs, &kernel, subject, names)).collect()
}

/// What the proof of these files is going to ask: every reader, and the best stranger as a member of a group and as an
/// outsider. Another stranger is asked when it comes to that.
fn questions<'a>(subjects: &'a [Subject], names: &Names) -> Vec<(Identity, &'a Path)> {
    let stranger = names.strangers().first();
    let of = |subject: &'a Subject| {
        let readers = subject.readers.iter().filter_map(move |reader| match &reader.numbers {
            Numbers::User(who) => Some(who.clone()),
            Numbers::Group(gid) => stranger.map(|who| member(who, *gid)),
        });
        let outsider = stranger.filter(|_| subject.secrecy == Secrecy::Secret).cloned();
        readers.chain(outsider).map(|who| (who, subject.path.as_path()))
    };
    subjects.iter().flat_map(of).collect()
}

fn attempt(fs: &dyn Filesystem, kernel: &Kernel<'_>, subject: &Subject, names: &Names) -> Result<AccessProof> {
    judge(fs, kernel, subject, names).map_err(|error| error.in_phase(Phase::Prove))
}

fn judge(fs: &dyn Filesystem, kernel: &Kernel<'_>, subject: &Subject, names: &Names) -> Result<AccessProof> {
    let (path, secrecy) = (subject.path.as_path(), subject.secrecy);
    let facts = PathFacts::read(fs, path)?;
    let Some(inode) = facts.identity() else {
        return Err(Error::new(ErrorKind::Permission, "this process may not look there").context("path", path));
    };
    let trial = Trial { kernel, path, facts: &facts, strangers: strangers(names, &facts)? };
    let mut evidence = Evidence::ModelAndKernel;
    for reader in &subject.readers {
        if trial.reads(reader)? == Evidence::ModelAlone {
            evidence = Evidence::ModelAlone;
        }
    }
    if secrecy == Secrecy::Secret && trial.shuts_out()? == Evidence::ModelAlone {
        evidence = Evidence::ModelAlone;
    }
    let readers = subject.readers.iter().map(|reader| reader.principal.clone()).collect();
    Ok(AccessProof { path: path.to_owned(), inode, readers, secrecy, evidence })
}

/// Somebody who does not exist, but is a member of this group.
fn member(who: &Identity, gid: u32) -> Identity {
    Identity::new(who.uid, who.gid, vec![gid])
}

/// Users who do not exist, have no group that exists, and whom nothing on the way mentions.
fn strangers(names: &Names, facts: &PathFacts) -> Result<Vec<Identity>> {
    let (uids, gids) = facts.mentioned();
    let unheard = |who: &&Identity| !uids.contains(&who.uid) && !gids.contains(&who.gid);
    let free: Vec<Identity> = names.strangers().iter().filter(unheard).cloned().collect();
    if free.is_empty() {
        return Err(Error::new(ErrorKind::Bug, "there is no number left that belongs to nobody"));
    }
    Ok(free)
}

struct Trial<'a, 'k> {
    kernel: &'a Kernel<'k>,
    path: &'a Path,
    facts: &'a PathFacts,
    strangers: Vec<Identity>,
}

/// What model and kernel say of one identity; the kernel may have nothing to say.
struct Answers {
    who: Identity,
    model: PathVerdict,
    kernel: Option<bool>,
}

impl Trial<'_, '_> {
    fn reads(&self, reader: &Reader) -> Result<Evidence> {
        let answers = match &reader.numbers {
            Numbers::User(who) => self.ask(std::slice::from_ref(who)),
            Numbers::Group(gid) => self.ask(&self.strangers.iter().map(|who| member(who, *gid)).collect::<Vec<_>>()),
        }?;
        match (&answers.model.verdict, answers.kernel) {
            (Verdict::Allow(_) | Verdict::Unknown(_), Some(true)) => Ok(Evidence::ModelAndKernel),
            (Verdict::Allow(_), None) => Ok(Evidence::ModelAlone),
            (Verdict::Deny(_), Some(false) | None) | (Verdict::Unknown(_), Some(false)) => {
                Err(self.denied(reader, &answers.model))
            }
            (Verdict::Allow(_), Some(false)) | (Verdict::Deny(_), Some(true)) => Err(self.disagreement(&answers)),
            (Verdict::Unknown(_), None) => Err(self.undecided(&answers)),
        }
    }

    fn shuts_out(&self) -> Result<Evidence> {
        let answers = self.ask(&self.strangers)?;
        let evidence = match (&answers.model.verdict, answers.kernel) {
            (Verdict::Deny(_) | Verdict::Unknown(_), Some(false)) => Evidence::ModelAndKernel,
            (Verdict::Deny(_), None) => Evidence::ModelAlone,
            (Verdict::Allow(_), Some(true) | None) | (Verdict::Unknown(_), Some(true)) => {
                return Err(self.open("everybody can read a private key", &answers.model.verdict));
            }
            (Verdict::Allow(_), Some(false)) | (Verdict::Deny(_), Some(true)) => {
                return Err(self.disagreement(&answers));
            }
            (Verdict::Unknown(_), None) => return Err(self.undecided(&answers)),
        };
        // Somebody will open a directory one day.
        match &answers.model.alone {
            Some(alone @ Verdict::Allow(_)) => {
                Err(self.open("a private key is kept from everybody by its directories alone", alone))
            }
            _ => Ok(evidence),
        }
    }

    /// The first candidate whom the kernel lets this process become; the first of all when it lets none.
    fn ask(&self, candidates: &[Identity]) -> Result<Answers> {
        for who in candidates {
            match self.kernel.can_open(who, self.path) {
                Ok(opens) => return Ok(self.answers(who, Some(opens))),
                Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
                Err(source) => {
                    return Err(Error::io("the kernel cannot be asked who may read", source)
                        .context("path", self.path)
                        .context("as", Public(&who.to_string())));
                }
            }
        }
        let first = candidates.first().or(self.strangers.first());
        let who = first.ok_or_else(|| Error::new(ErrorKind::Bug, "nobody was asked about"))?;
        Ok(self.answers(who, None))
    }

    fn answers(&self, who: &Identity, kernel: Option<bool>) -> Answers {
        let model = self.facts.explain(who, Capabilities::NONE, Permissions::READ);
        Answers { who: who.clone(), model, kernel }
    }

    fn mismatch(&self, message: &'static str) -> Error {
        Error::new(ErrorKind::AccessMismatch, message).context("path", self.path)
    }

    fn denied(&self, reader: &Reader, model: &PathVerdict) -> Error {
        self.mismatch("a reader cannot read the file")
            .context("reader", Public(&reader.principal.to_string()))
            .context("component", model.component.as_path())
            .context("entry", Public(&model.verdict.to_string()))
            .hint(remedy(self.facts, reader, model))
    }

    fn open(&self, message: &'static str, verdict: &Verdict) -> Error {
        let path = quoted(self.path);
        self.mismatch(message)
            .context("entry", Public(&verdict.to_string()))
            .hint(format!("close it with `setfacl -n -m o::--- {path}`"))
    }

    fn disagreement(&self, answers: &Answers) -> Error {
        let kernel = if answers.kernel == Some(true) { "opened it" } else { "refused to open it" };
        self.mismatch("the model and the kernel disagree about who can read the file")
            .context("as", Public(&answers.who.to_string()))
            .context("model", Public(&answers.model.to_string()))
            .context("kernel", kernel)
            .hint("look for a security module that decides too, with `dmesg` or `ausearch -m avc`")
    }

    fn undecided(&self, answers: &Answers) -> Error {
        Error::new(ErrorKind::Unsupported, "who can read the file cannot be told from what is stored")
            .context("path", self.path)
            .context("component", answers.model.component.as_path())
            .context("why", Public(&answers.model.verdict.to_string()))
            .hint("run as root, so that the kernel can be asked")
    }
}
