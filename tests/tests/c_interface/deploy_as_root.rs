//! The program of the README, with a real nginx.

use std::fs;
use std::path::Path;
use std::process::Output;

use certwright::{Clock, SystemClock};
use certwright_tests::host::{Host, NAME};
use certwright_tests::materials::Authority;
use certwright_tests::scratch::Scratch;
use certwright_tests::servers::{User, nginx};
use certwright_tests::site::Site;

use crate::compiled::{Build, source};

fn said(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_program_of_forty_lines_deploys_and_a_failure_is_rolled_back() {
    let scratch = Scratch::on_disk().unwrap();
    let program = Build::Plain.executable("gcc", &source("examples/deploy.c"), scratch.join("deploy"));
    assert!(fs::read_to_string(source("examples/deploy.c")).unwrap().lines().count() <= 40);
    let mut host = Host::new(Site::new().unwrap(), |site| nginx::reading(User::STRANGER, site.files())).unwrap();
    host.bring_up().unwrap();
    let before = host.site.leaf().unwrap();

    let now = SystemClock.now();
    let material = Authority::new(now).leaf(&[NAME], now);
    let (key, fullchain) = (scratch.join("key.pem"), scratch.join("fullchain.pem"));
    fs::write(&key, material.key().to_pem().expose()).unwrap();
    fs::write(&fullchain, material.chain().fullchain_pem()).unwrap();
    let deploy = |lineage: &str, key: &Path| {
        let mut command = Build::Plain.command(&program);
        said(&command.arg(host.site.config()).arg(lineage).arg(key).arg(&fullchain).output().unwrap())
    };

    // A configuration that nginx refuses: what is served stays, and the error says what to do.
    let broken = host.break_configuration().unwrap();
    let (code, out, error) = deploy("www", &key);
    assert_eq!((code, out.as_str()), (1, ""), "{error}");
    assert!(error.starts_with("deploy: activate: ") && error.contains("\nhint: "), "{error}");
    host.expect_served(&before).unwrap();
    assert_eq!(host.site.leaf().unwrap(), before);

    // In order again, it is deployed and served.
    drop(broken);
    let (code, out, error) = deploy("www", &key);
    assert_eq!((code, error.as_str()), (0, ""), "{error}");
    assert!(out.ends_with(" is served\n"), "{out}");
    let after = host.site.leaf().unwrap();
    assert_ne!(after, before);
    host.expect_served(&after).unwrap();

    // The call itself is wrong: nothing happens.
    let (code, _, error) = deploy("wwww", &key);
    assert_eq!(code, 1);
    assert!(error.contains("hint: write `www`"), "{error}");
    let (code, _, error) = deploy("www", &fullchain);
    assert_eq!(code, 1);
    assert!(error.contains("hint: "), "{error}");
    host.expect_served(&after).unwrap();
}
