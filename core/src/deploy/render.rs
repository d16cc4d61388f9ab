//! The bytes of a generation's files: each form, each encoding, and the include file of a pinned output.

use std::path::Path;

use crate::ground::error::{Error, ErrorKind, Result};
use crate::ground::id::LineageName;
use crate::ground::secret::SecretBytes;
use crate::pki::material::Material;
use crate::pki::pkcs12;
use crate::place::filesystem::{Filesystem, Open};
use crate::plan::spec::{Encoding, Form, Output, Strategy};

/// A pass phrase longer than this is a wrong file.
const PASSPHRASE_LIMIT: usize = 4096;

/// The PEM content of a form.
pub(crate) fn pem(material: &Material, form: Form) -> SecretBytes {
    match form {
        Form::Key => material.key().to_pem(),
        Form::Bundle => material.bundle_pem(),
        Form::Leaf => material.chain().leaf_pem().into_bytes().into(),
        Form::Chain => material.chain().chain_pem().into_bytes().into(),
        Form::Fullchain => material.chain().fullchain_pem().into_bytes().into(),
    }
}

/// The file of a generation that an output repeats or leads to: one of the five, or one made for this output, which is
/// at this place in the spec.
pub(crate) fn source_name(output: &Output, place: usize) -> String {
    match (output.strategy, output.encoding) {
        (Strategy::Pinned, _) => format!("output-{place}.conf"),
        (_, Encoding::Pem) => output.form.file_name().to_owned(),
        (_, Encoding::Der) => format!("output-{place}.der"),
        (_, Encoding::Pkcs12) => format!("output-{place}.p12"),
    }
}

/// The content of an output's source. `generation` is the path that an include file names.
pub(crate) fn source(
    fs: &dyn Filesystem,
    lineage: &LineageName,
    material: &Material,
    output: &Output,
    generation: &Path,
) -> Result<SecretBytes> {
    if output.strategy == Strategy::Pinned {
        return include_text(output, generation).map(|text| text.into_bytes().into());
    }
    match (output.encoding, output.form) {
        (Encoding::Pem, form) => Ok(pem(material, form)),
        (Encoding::Der, Form::Key) => Ok(material.key().to_der()),
        (Encoding::Der, Form::Leaf) => Ok(material.chain().leaf().der().to_vec().into()),
        (Encoding::Der, form) => {
            Err(Error::new(ErrorKind::InvalidSpec, "DER holds one object, and this form has several")
                .context("path", output.path.as_path())
                .context("form", form.word())
                .hint("use `form = \"key\"` or `form = \"leaf\"`, or another encoding"))
        }
        (Encoding::Pkcs12, _) => pkcs12::encode(material, lineage.as_str(), &passphrase(fs, output)?),
    }
}

fn include_text(output: &Output, generation: &Path) -> Result<String> {
    let template = output.template.as_deref().ok_or_else(|| {
        Error::new(ErrorKind::InvalidSpec, "a pinned output has no template")
            .context("path", output.path.as_path())
            .hint("write `template` with `{generation}` where the generation's path belongs")
    })?;
    let mut text = template.replace("{generation}", &generation.display().to_string());
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

fn passphrase(fs: &dyn Filesystem, output: &Output) -> Result<SecretBytes> {
    let path = output.passphrase_file.as_deref().ok_or_else(|| {
        Error::new(ErrorKind::InvalidSpec, "a PKCS#12 output has no pass phrase")
            .context("path", output.path.as_path())
            .hint("name a file with `passphrase_file`")
    })?;
    fs.open(None, path, Open::Read)
        .and_then(|file| fs.read(&file, PASSPHRASE_LIMIT))
        .map(SecretBytes::from)
        .map_err(|source| Error::io("the pass phrase cannot be read", source).context("path", path))
}
