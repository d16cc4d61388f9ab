//! dehydrated: one program, the event in the first argument.

use std::ffi::OsString;
use std::path::Path;

use certwright::Result;

use crate::hook::act::{Act, Event, Kind};
use crate::hook::contract::{NAMES, OTHER_TOKEN, OTHER_TXT, TOKEN, TXT};
use crate::hook::material::{Material, OCSP, two};

/// The fixed word of the probe that the client makes before every run.
const PROBE: &str = "this_hookscript_is_broken__dehydrated_is_working_fine__please_ignore_unknown_hooks_in_your_script";
/// The moments of two issuances, in the names of their files.
const FIRST: &str = "1700000000";
const SECOND: &str = "1705184000";

pub(super) fn acts(root: &Path) -> Result<Vec<Act>> {
    let [name, other] = NAMES;
    let folder = root.join("certs").join(name);
    let [first, second] = two(&NAMES)?;
    // The variables of a certificate are there while one is worked on; a hook that counts on them fails at the others.
    let about_none = |event: &Event| {
        event.kind == Kind::Unknown || matches!(event.name.as_str(), "startup_hook" | "exit_hook" | "request_failure")
    };
    let fire = |event: Event| {
        Act::Fire(if about_none(&event) { of_run(event, root) } else { of_certificate(event, root, "") })
    };
    let of = |word: &str, kind, arguments: Vec<OsString>| {
        fire(Event::new(word, kind).arguments([word]).arguments(arguments))
    };
    let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
    let chain = |word: &str| {
        let triples = [word, name, TOKEN, TXT, other, OTHER_TOKEN, OTHER_TXT];
        let event = Event::new(&format!("{word} (HOOK_CHAIN)"), Kind::Challenge).arguments(triples);
        Act::Fire(of_certificate(event, root, "yes"))
    };
    let links =
        ["privkey", "cert", "fullchain", "chain"].map(|kind| folder.join(format!("{kind}.pem")).into_os_string());

    let mut acts = vec![
        Act::Write(root.join("domains.txt"), format!("{}\n", NAMES.join(" ")).into_bytes(), 0o600),
        Act::Write(root.join("config"), b"CHALLENGETYPE=dns-01\n".to_vec(), 0o600),
        fire(Event::new("the probe for unknown events", Kind::Unknown).arguments([PROBE])),
        of("startup_hook", Kind::Told, Vec::new()),
        of("generate_csr", Kind::Told, vec![name.into(), folder.clone().into(), NAMES.join(" ").into()]),
        of("deploy_challenge", Kind::Challenge, words(&[name, TOKEN, TXT])),
        of("clean_challenge", Kind::Challenge, words(&[name, TOKEN, TXT])),
        chain("deploy_challenge"),
        chain("clean_challenge"),
    ];
    acts.extend(deploy(root, &folder, &first, FIRST, Kind::Deploy));
    acts.push(Act::Write(folder.join(format!("ocsp-{FIRST}.der")), OCSP.to_vec(), 0o600));
    acts.push(Act::Link(folder.join("ocsp.der"), format!("ocsp-{FIRST}.der").into()));
    acts.push(of("deploy_ocsp", Kind::Told, vec![name.into(), folder.join("ocsp.der").into(), FIRST.into()]));
    acts.push(of("unchanged_cert", Kind::Told, [vec![name.into()], links.to_vec()].concat()));
    acts.push(of(
        "invalid_challenge",
        Kind::Told,
        words(&[other, "Incorrect TXT record found at _acme-challenge.example.org"]),
    ));
    let headers = "HTTP/1.1 429 Too Many Requests\nRetry-After: 3600";
    acts.push(of("request_failure", Kind::Told, words(&["429", "too many new orders", "post", headers])));
    acts.push(of("an_event_of_a_later_version", Kind::Unknown, words(&[name])));
    acts.extend(deploy(root, &folder, &second, SECOND, Kind::Renewal));
    acts.push(of("exit_hook", Kind::Told, Vec::new()));
    acts.push(of("exit_hook", Kind::Told, words(&["the order became invalid"])));
    Ok(acts)
}

/// Files with the moment in their names, the hook before the links move, the links, the hook after.
fn deploy(root: &Path, folder: &Path, material: &Material, moment: &str, kind: Kind) -> Vec<Act> {
    let file = |kind: &str, end: &str| folder.join(format!("{kind}-{moment}.{end}"));
    let link = |kind: &str, end: &str| folder.join(format!("{kind}.{end}"));
    let parts = [
        ("privkey", "pem", &material.key),
        ("cert", "csr", &material.csr),
        ("cert", "pem", &material.leaf),
        ("chain", "pem", &material.chain),
        ("fullchain", "pem", &material.fullchain),
    ];
    let mut acts: Vec<Act> =
        parts.iter().map(|(kind, end, content)| Act::Write(file(kind, end), (*content).clone(), 0o600)).collect();
    let files = [("privkey", "pem"), ("cert", "pem"), ("fullchain", "pem"), ("chain", "pem"), ("cert", "csr")];
    let sync =
        Event::new("sync_cert", kind).arguments(["sync_cert"]).arguments(files.map(|(kind, end)| file(kind, end)));
    acts.push(Act::Fire(of_certificate(sync, root, "")));
    acts.extend(parts.iter().map(|(kind, end, _)| Act::Link(link(kind, end), format!("{kind}-{moment}.{end}").into())));
    let deploy = Event::new("deploy_cert", kind)
        .arguments(["deploy_cert", NAMES[0]])
        .arguments(["privkey", "cert", "fullchain", "chain"].map(|kind| link(kind, "pem")))
        .arguments([moment]);
    acts.push(Act::Fire(of_certificate(deploy, root, "")));
    acts
}

/// The variables that every call has.
fn of_run(event: Event, root: &Path) -> Event {
    let paths = [
        ("WELLKNOWN", root.join("wellknown")),
        ("BASEDIR", root.to_owned()),
        ("CERTDIR", root.join("certs")),
        ("ALPNCERTDIR", root.join("alpn-certs")),
        ("CONFIG", root.join("config")),
    ];
    event.variables(paths).variables([("COMMAND", "sign_domains")])
}

/// Those, and the ones of a certificate.
fn of_certificate(event: Event, root: &Path, chain: &str) -> Event {
    of_run(event, root)
        .variables([("alias", NAMES[0]), ("altnames", "www.example.org example.org"), ("CHALLENGETYPE", "dns-01")])
        .variables([("HOOK_CHAIN", chain), ("KEY_ALGO", "secp384r1"), ("PRIVATE_KEY_ROLLOVER", "no")])
}
