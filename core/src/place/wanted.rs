//! The access that a spec wishes, in numbers: what each file of a generation and each output shall have.

use super::access::inode::Access;
use super::access::names::Names;
use super::access::solve;
use super::manifest::{Manifest, OutputFacts};
use crate::ground::error::Result;
use crate::ground::identity::Identity;
use crate::plan::spec::{AccessWish, Encoding, Form, Output, Spec, Strategy};

/// The access of everything that an attempt writes.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// The lineage's directories and the generation.
    pub(crate) directory: Access,
    /// Files that hold the key.
    pub(crate) secret: Access,
    /// Files that everybody may read.
    pub(crate) public: Access,
    /// Each output, in the order of the spec.
    pub(crate) outputs: Vec<Access>,
}

impl Wanted {
    /// Resolve names and find the smallest access that satisfies each wish.
    pub(crate) fn of(spec: &Spec, names: &Names, me: &Identity) -> Result<Self> {
        let outputs = spec.outputs.iter().map(|output| Self::output(spec, output, names, me)).collect::<Result<_>>()?;
        Ok(Self {
            directory: solve::directory(&spec.access, spec.privacy, names, me)?,
            secret: solve::secret_file(&spec.access, spec.key_rule, names, me)?,
            public: solve::public_file(me),
            outputs,
        })
    }

    /// What a file of a generation shall have; `recorded` is what it was given, for a file made for an output.
    pub(crate) fn file<'a>(&'a self, name: &str, recorded: &'a Access) -> &'a Access {
        match Form::ALL.iter().find(|form| form.file_name() == name) {
            Some(form) if form.is_secret() => &self.secret,
            Some(_) => &self.public,
            None => recorded,
        }
    }

    /// Whether a generation has the access and the outputs that are wished now.
    pub(crate) fn is_met_by(&self, manifest: &Manifest, spec: &Spec) -> bool {
        let files = manifest.files.iter().all(|file| file.access == *self.file(&file.name, &file.access));
        let same = |(facts, (output, access)): (&OutputFacts, (&Output, &Access))| {
            facts.path == output.path && facts.strategy == output.strategy && facts.access == *access
        };
        let wished = spec.outputs.iter().zip(&self.outputs);
        manifest.directory == self.directory
            && files
            && manifest.outputs.len() == spec.outputs.len()
            && manifest.outputs.iter().zip(wished).all(same)
    }

    fn output(spec: &Spec, output: &Output, names: &Names, me: &Identity) -> Result<Access> {
        if !is_secret(output) {
            return Ok(solve::public_file(me));
        }
        solve::secret_file(wish(spec, output), output.key_rule, names, me)
            .map_err(|error| error.context("output", output.path.as_path()))
    }
}

/// Whose wish counts for an output: its own, else the lineage's.
pub(crate) fn wish<'a>(spec: &'a Spec, output: &'a Output) -> &'a AccessWish {
    output.access.as_ref().unwrap_or(&spec.access)
}

/// Whether the content of an output is for its readers alone.
pub(crate) fn is_secret(output: &Output) -> bool {
    match output.strategy {
        Strategy::Pinned => false,
        Strategy::Link | Strategy::Replace => output.form.is_secret() || output.encoding == Encoding::Pkcs12,
    }
}
