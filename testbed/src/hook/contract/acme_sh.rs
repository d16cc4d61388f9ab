//! acme.sh: the command after `--install-cert`, and files with a function for `--deploy`.

use std::path::{Path, PathBuf};

use certwright::Result;

use crate::hook::act::{Act, Event, Kind};
use crate::hook::contract::{NAMES, form};
use crate::hook::material::{Material, two};

/// Whether a file has the function that is called after it.
pub(super) fn has_function(script: &Path, text: &str) -> bool {
    let stem = script.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let name = format!("{stem}_deploy");
    text.lines().any(|line| {
        let line = line.trim_start().trim_start_matches("function ");
        line.strip_prefix(&name).is_some_and(|rest| rest.trim_start().starts_with('('))
    })
}

pub(super) fn acts(root: &Path, sourced: bool) -> Result<Vec<Act>> {
    let folder = root.join(format!("{}_ecc", NAMES[0]));
    let [first, second] = two(&NAMES)?;
    let mut acts = Vec::new();
    for (material, kind) in [(&first, Kind::Deploy), (&second, Kind::Renewal)] {
        acts.extend(files(&folder, material));
        let name = if sourced { "deploy function" } else { "reload command" };
        let event = Event::new(name, kind).form(form(sourced)).variables([("Le_Domain", NAMES[0])]);
        acts.push(Act::Fire(if sourced { with_arguments(event, &folder) } else { with_variables(event, &folder) }));
    }
    Ok(acts)
}

fn files(folder: &Path, material: &Material) -> Vec<Act> {
    let parts = [
        (path(folder, "key"), &material.key, 0o600),
        (path(folder, "cer"), &material.leaf, 0o644),
        (folder.join("ca.cer"), &material.chain, 0o644),
        (folder.join("fullchain.cer"), &material.fullchain, 0o644),
        (path(folder, "csr"), &material.csr, 0o644),
    ];
    parts.into_iter().map(|(path, content, mode)| Act::Write(path, content.clone(), mode)).collect()
}

fn path(folder: &Path, end: &str) -> PathBuf {
    folder.join(format!("{}.{end}", NAMES[0]))
}

fn with_arguments(event: Event, folder: &Path) -> Event {
    let files = [path(folder, "key"), path(folder, "cer"), folder.join("ca.cer"), folder.join("fullchain.cer")];
    event.arguments([NAMES[0]]).arguments(files).arguments([path(folder, "pfx")])
}

fn with_variables(event: Event, folder: &Path) -> Event {
    event
        .variables([("CERT_PATH", path(folder, "cer")), ("CERT_KEY_PATH", path(folder, "key"))])
        .variables([("CA_CERT_PATH", folder.join("ca.cer")), ("CERT_FULLCHAIN_PATH", folder.join("fullchain.cer"))])
        .variables([("Le_ForceNewDomainKey", ""), ("Le_Next_Domain_Key", "")])
}
