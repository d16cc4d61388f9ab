//! Outputs as they are written.

use std::path::Path;

use super::access::{self, Content, Raw};
use super::fault::{Faults, Place};
use super::read::At;
use super::shape;
use crate::plan::preset::Preset;
use crate::plan::spec::{Encoding, Form, KeyRule, Output, Strategy};

/// The wish for one output of a lineage below `root`.
pub(super) fn output(
    shape: shape::Output,
    root: &Path,
    preset: Option<Preset>,
    place: &Place<'_>,
    faults: &mut Faults,
) -> Option<Output> {
    let before = faults.count();
    outside(&shape.path, root, place, faults);
    let form = form(&shape, place, faults);
    let template = template(&shape, preset, place, faults);
    let encoding = encoding(&shape, form, place, faults);
    let strategy = shape.strategy.value;
    let mut output = Output::new(shape.path.value, strategy, form.unwrap_or(Form::Fullchain));
    output.encoding = encoding;
    output.template = template;
    output.passphrase_file = shape.passphrase_file.map(|path| path.value);

    let raw = Raw { readers: shape.readers, owner: shape.owner, group: shape.group, mode: shape.mode, acl: shape.acl };
    if let Some(at) = raw.first() {
        if strategy == Strategy::Link {
            let hint = "say the access at the lineage, or place a real file with `strategy = \"replace\"`".to_owned();
            faults.add_at(at.max(shape.path.at), place, "a link has the access of what it leads to", Some(hint));
        }
        let content = if output.form.is_secret() { Content::Secret } else { Content::Public };
        output.access = Some(access::wish(raw, content, place, faults));
    }
    if output.form.is_secret() {
        output.key_rule = preset.map_or(KeyRule::None, Preset::key_rule);
    }
    (faults.count() == before).then_some(output)
}

/// The root belongs to generations, and an output cannot take the place of the root.
fn outside(path: &At<std::path::PathBuf>, root: &Path, place: &Place<'_>, faults: &mut Faults) {
    let place = place.key("path");
    if path.value.starts_with(root) {
        let hint = "choose a path outside; below the lineage's `current` every form is there anyway".to_owned();
        faults.add_at(path.at, &place, format!("the output is inside the root `{}`", root.display()), Some(hint));
    } else if root.starts_with(&path.value) {
        faults.add_at(path.at, &place, format!("the root `{}` is below this path", root.display()), None);
    }
}

fn form(shape: &shape::Output, place: &Place<'_>, faults: &mut Faults) -> Option<Form> {
    match (shape.strategy.value, &shape.form) {
        (Strategy::Pinned, Some(form)) => {
            let hint = "remove `form`; the template says which files are named".to_owned();
            faults.add_at(form.at, &place.key("form"), "an include file holds no part of the set", Some(hint));
            None
        }
        (Strategy::Pinned, None) => None,
        (_, Some(form)) => Some(form.value),
        (_, None) => {
            let words: Vec<&str> = Form::ALL.into_iter().map(Form::word).collect();
            let hint = Some(format!("write one of `{}`", words.join("`, `")));
            faults.add_at(shape.path.at, &place.key("form"), "the key `form` is missing", hint);
            None
        }
    }
}

fn template(shape: &shape::Output, preset: Option<Preset>, place: &Place<'_>, faults: &mut Faults) -> Option<String> {
    let place = place.key("template");
    match (shape.strategy.value, &shape.template) {
        (Strategy::Pinned, Some(template)) => Some(template.value.0.clone()),
        (Strategy::Pinned, None) => {
            let usual = preset.and_then(Preset::include);
            if usual.is_none() {
                let hint =
                    "write the line that the program includes, with `{generation}` where the path belongs".to_owned();
                faults.add_at(shape.strategy.at, &place, "a pinned output needs a template", Some(hint));
            }
            usual.map(str::to_owned)
        }
        (_, Some(template)) => {
            let hint = "write `strategy = \"pinned\"`, or remove it".to_owned();
            faults.add_at(template.at, &place, "only a pinned output has a template", Some(hint));
            None
        }
        (_, None) => None,
    }
}

fn encoding(shape: &shape::Output, form: Option<Form>, place: &Place<'_>, faults: &mut Faults) -> Encoding {
    let Some(written) = &shape.encoding else {
        stray_passphrase(shape, Encoding::Pem, place, faults);
        return Encoding::Pem;
    };
    let at = written.at;
    let place_of = place.key("encoding");
    match (written.value, form) {
        _ if shape.strategy.value == Strategy::Pinned => {
            faults.add_at(at, &place_of, "an include file has no encoding", Some("remove `encoding`".to_owned()));
        }
        (Encoding::Der, Some(Form::Chain | Form::Fullchain | Form::Bundle)) => {
            let hint = "choose form `key` or `leaf`, or another encoding".to_owned();
            faults.add_at(at, &place_of, "DER holds one object, and this form has several", Some(hint));
        }
        (Encoding::Pkcs12, Some(Form::Key | Form::Leaf | Form::Chain | Form::Fullchain)) => {
            let hint = "write `form = \"bundle\"`".to_owned();
            faults.add_at(at, &place_of, "PKCS#12 holds key and certificates together", Some(hint));
        }
        (Encoding::Pkcs12, _) if shape.passphrase_file.is_none() => {
            let hint = "name a file with `passphrase_file`".to_owned();
            faults.add_at(at, &place_of, "PKCS#12 needs a pass phrase", Some(hint));
        }
        _ => {}
    }
    stray_passphrase(shape, written.value, place, faults);
    written.value
}

fn stray_passphrase(shape: &shape::Output, encoding: Encoding, place: &Place<'_>, faults: &mut Faults) {
    if let Some(file) = shape.passphrase_file.as_ref().filter(|_| encoding != Encoding::Pkcs12) {
        let hint = "write `encoding = \"pkcs12\"`, or remove it".to_owned();
        faults.add_at(file.at, &place.key("passphrase_file"), "only PKCS#12 has a pass phrase", Some(hint));
    }
}
