//! lego: the DNS provider `exec` in both of its modes, and the hooks of versions 4 and 5.

use std::path::{Path, PathBuf};

use certwright::Result;

use crate::hook::act::{Act, Event, Kind};
use crate::hook::contract::{AUTHORIZATION, NAMES, TOKEN, TXT};
use crate::hook::material::{Material, two};

/// The record, with the dot at its end.
const RECORD: &str = "_acme-challenge.www.example.org.";

pub(super) fn acts(root: &Path, text: &str) -> Result<Vec<Act>> {
    let hook = text.contains("LEGO_");
    let exec = text.contains("present") || text.contains("cleanup") || !hook;
    let mut acts = Vec::new();
    if exec {
        let raw = text.contains("--");
        for word in ["present", "cleanup"] {
            let event = Event::new(&format!("{word} (exec)"), Kind::Challenge).arguments([word, RECORD, TXT]);
            acts.push(Act::Fire(event));
            if raw {
                let event = Event::new(&format!("{word} (exec, EXEC_MODE=RAW)"), Kind::Challenge);
                let event = event.arguments([word, "--", NAMES[0], TOKEN, AUTHORIZATION]);
                acts.push(Act::Fire(event.variables([("EXEC_MODE", "RAW")])));
            }
        }
    }
    if hook {
        let [first, second] = two(&NAMES)?;
        let (old, new) = (text.contains("LEGO_CERT_") || !text.contains("LEGO_HOOK_"), text.contains("LEGO_HOOK_"));
        for (material, kind) in [(&first, Kind::Deploy), (&second, Kind::Renewal)] {
            acts.extend(files(root, material));
            if old {
                let word = if kind == Kind::Deploy { "run-hook (version 4)" } else { "renew-hook (version 4)" };
                acts.push(Act::Fire(version_4(Event::new(word, kind), root)));
            }
            if new {
                acts.push(Act::Fire(version_5(Event::new("pre hook (version 5)", Kind::Told), root, false)));
                acts.push(Act::Fire(version_5(Event::new("deploy hook (version 5)", kind), root, true)));
                acts.push(Act::Fire(version_5(Event::new("post hook (version 5)", Kind::Told), root, false)));
            }
        }
    }
    Ok(acts)
}

fn file(root: &Path, end: &str) -> PathBuf {
    root.join(".lego/certificates").join(format!("{}.{end}", NAMES[0]))
}

fn files(root: &Path, material: &Material) -> Vec<Act> {
    let parts = [("key", &material.key), ("crt", &material.fullchain), ("issuer.crt", &material.chain)];
    parts.iter().map(|(end, content)| Act::Write(file(root, end), (*content).clone(), 0o600)).collect()
}

fn version_4(event: Event, root: &Path) -> Event {
    event
        .variables([("LEGO_ACCOUNT_EMAIL", "ops@example.org"), ("LEGO_CERT_DOMAIN", NAMES[0])])
        .variables([("LEGO_CERT_PATH", file(root, "crt")), ("LEGO_CERT_KEY_PATH", file(root, "key"))])
        .variables([("LEGO_ISSUER_CERT_PATH", file(root, "issuer.crt"))])
}

fn version_5(event: Event, root: &Path, deploys: bool) -> Event {
    let event = event
        .variables([("LEGO_HOOK_ACCOUNT_ID", "ops@example.org"), ("LEGO_HOOK_ACCOUNT_EMAIL", "ops@example.org")])
        .variables([("LEGO_HOOK_ACCOUNT_SERVER", "https://127.0.0.1:14000/directory")])
        .variables([("LEGO_HOOK_CERT_NAME", NAMES[0]), ("LEGO_HOOK_CERT_NAME_SANITIZED", NAMES[0])])
        .variables([("LEGO_HOOK_CERT_KEY_TYPE", "EC256")])
        .variables([("LEGO_HOOK_CERT_DOMAINS", NAMES.join(","))]);
    let paths = [
        ("LEGO_HOOK_CERT_PATH", file(root, "crt")),
        ("LEGO_HOOK_CERT_KEY_PATH", file(root, "key")),
        ("LEGO_HOOK_ISSUER_CERT_PATH", file(root, "issuer.crt")),
    ];
    if deploys { event.variables(paths) } else { event }
}
