//! certbot: hooks of the plugin `manual`, and those around a renewal. All say what they have to say in variables.

use std::path::Path;

use certwright::Result;

use crate::hook::act::{Act, Event, Form, Kind};
use crate::hook::contract::{AUTHORIZATION, NAMES, OTHER_TXT, TOKEN, TXT};
use crate::hook::material::{Material, two};

pub(super) fn acts(root: &Path, text: &str) -> Result<Vec<Act>> {
    let manual = text.contains("CERTBOT_");
    let renewal = text.contains("RENEWED_") || !manual;
    let mut acts = Vec::new();
    if manual || !renewal {
        let challenges = [
            ("http-01", NAMES[0], AUTHORIZATION, Some(TOKEN), "1"),
            ("dns-01", NAMES[0], TXT, None, "1"),
            ("dns-01", NAMES[1], OTHER_TXT, None, "0"),
        ];
        for (kind, name, value, token, left) in challenges {
            let asked = |word: &str| {
                let event = Event::new(&format!("{word} ({kind}, {name})"), Kind::Challenge).form(Form::Shell);
                let event = event.variables([("CERTBOT_DOMAIN", name), ("CERTBOT_IDENTIFIER", name)]);
                let event = event.variables([("CERTBOT_VALIDATION", value), ("CERTBOT_REMAINING_CHALLENGES", left)]);
                let all = NAMES.join(",");
                let event = event.variables([("CERTBOT_ALL_DOMAINS", all.clone()), ("CERTBOT_ALL_IDENTIFIERS", all)]);
                event.variables(token.map(|token| ("CERTBOT_TOKEN", token)))
            };
            acts.push(Act::Fire(asked("manual-auth-hook")));
            acts.push(Act::Fire(asked("manual-cleanup-hook").variables([("CERTBOT_AUTH_OUTPUT", "")])));
        }
    }
    if renewal {
        let [first, second] = two(&NAMES)?;
        acts.push(around("pre-hook", Kind::Told));
        acts.extend(deploy(root, &first, 1, Kind::Deploy));
        let names = NAMES.join(" ");
        let post = |renewed: &str, failed: &str| {
            let outcome = [("RENEWED_DOMAINS", renewed), ("FAILED_DOMAINS", failed)];
            Act::Fire(Event::new("post-hook", Kind::Told).form(Form::Shell).variables(outcome))
        };
        acts.push(post(&names, ""));
        acts.push(around("pre-hook", Kind::Told));
        acts.extend(deploy(root, &second, 2, Kind::Renewal));
        acts.push(post(&names, "mail.example.org"));
        acts.push(post("", &names));
    }
    Ok(acts)
}

fn around(name: &str, kind: Kind) -> Act {
    Act::Fire(Event::new(name, kind).form(Form::Shell))
}

/// Numbered files in `archive`, relative links in `live`, then the hook.
fn deploy(root: &Path, material: &Material, number: u32, kind: Kind) -> Vec<Act> {
    let [archive, live] = ["archive", "live"].map(|folder| root.join(folder).join(NAMES[0]));
    let parts = [
        ("privkey", &material.key, 0o600),
        ("cert", &material.leaf, 0o644),
        ("chain", &material.chain, 0o644),
        ("fullchain", &material.fullchain, 0o644),
    ];
    let mut acts: Vec<Act> = parts
        .iter()
        .map(|(kind, content, mode)| Act::Write(archive.join(format!("{kind}{number}.pem")), (*content).clone(), *mode))
        .collect();
    acts.extend(parts.iter().map(|(kind, ..)| {
        let target = format!("../../archive/{}/{kind}{number}.pem", NAMES[0]);
        Act::Link(live.join(format!("{kind}.pem")), target.into())
    }));
    let event = Event::new("deploy-hook", kind).form(Form::Shell);
    let event = event.variables([("RENEWED_LINEAGE", live.as_os_str())]);
    acts.push(Act::Fire(event.variables([("RENEWED_DOMAINS", NAMES.join(" "))])));
    acts
}
