//! The whole way on the command line: a certificate from Pebble by each challenge, accounts, revocation.

use std::fs;

use certwright_tests::cli::{Ran, certwright};
use certwright_tests::process::run as ran;
use certwright_tests::program::program;

use super::*;

/// The command with this configuration.
fn certwright_at(stage: &Stage, words: &[&str]) -> std::io::Result<Ran> {
    let config = stage.scratch.join("certwright.toml");
    certwright(words.iter().map(AsRef::as_ref).chain(["-c".as_ref(), config.as_os_str()]))
}

fn configure(stage: &Stage, solver: &str) -> std::io::Result<()> {
    let (root, trust) = (stage.scratch.join("store"), stage.pebble.trust.display());
    let text = format!(
        "version = 1\nroot = \"{}\"\n\
         [issuer.public]\ntype = \"acme\"\ndirectory = \"{}\"\ntrust = \"{trust}\"\n\
         contact = [\"mailto:ops@example.org\"]\nsolver = {solver}\n\
         [lineage.www]\nidentifiers = [\"www.site.example\", \"site.example\"]\nissuer = \"public\"\n",
        root.display(),
        stage.pebble.directory,
    );
    fs::write(stage.scratch.join("certwright.toml"), text)
}

#[test]
fn each_solver_of_the_file_brings_a_certificate() -> Outcome {
    let stage = Stage::new(Options { nonce_rejection: 15, ..Options::default() })?;
    let (http, tls) = (stage.pebble.http, stage.pebble.tls);
    for solver in [
        format!("{{ type = \"http-01\", listen = \"{http}\" }}"),
        format!("{{ type = \"tls-alpn-01\", listen = \"{tls}\" }}"),
    ] {
        configure(&stage, &solver)?;
        let _ = fs::remove_dir_all(stage.scratch.join("store/www"));
        let first = certwright_at(&stage, &["apply"])?;
        assert_eq!(first.code, 0, "{}", first.said());
        let again = certwright_at(&stage, &["apply", "--json"])?;
        assert_eq!(again.report()?["lineages"][0]["changed"], false, "a second run changes nothing");
        let chain = fs::read(stage.scratch.join("store/www/current/fullchain.pem"))?;
        let root = stage.pebble.root_file(0)?;
        let inspected = stage.scratch.join("chain.pem");
        fs::write(&inspected, chain)?;
        let trusted = ["verify", "-CAfile", root.to_str().unwrap(), "-untrusted", inspected.to_str().unwrap()];
        let mut openssl = std::process::Command::new(program("openssl"));
        openssl.args(trusted).args(["-verify_hostname", "www.site.example"]).arg(&inspected);
        let output = ran(&mut openssl, std::time::Duration::from_secs(20))?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(stage.pebble.accounts(), 1, "one account is kept");
    Ok(())
}

#[test]
fn accounts_and_revocation_are_seen_to_by_hand() -> Outcome {
    let stage = Stage::new(Options::default())?;
    configure(&stage, &format!("{{ type = \"http-01\", listen = \"{}\" }}", stage.pebble.http))?;
    let none = certwright_at(&stage, &["account", "show"])?;
    assert!(none.code == 1 && none.stderr.contains("no account yet"), "{}", none.said());
    assert_eq!(certwright_at(&stage, &["revoke", "www"])?.code, 1, "nothing is active yet");
    assert_eq!(certwright_at(&stage, &["apply"])?.code, 0);

    let shown = certwright_at(&stage, &["account", "show", "--json"])?.report()?;
    assert_eq!((&shown["status"], &shown["contact"][0]), (&"valid".into(), &"mailto:ops@example.org".into()));
    let rolled = certwright_at(&stage, &["account", "rollover", "--issuer", "public", "--json"])?.report()?;
    assert_eq!(rolled["account"], shown["account"]);
    assert_ne!(rolled["thumbprint"], shown["thumbprint"]);
    let people = certwright_at(&stage, &["account", "show"])?;
    assert!(people.stdout.contains("is valid") && people.stdout.contains("terms agreed to"), "{}", people.said());
    assert_eq!(certwright_at(&stage, &["account", "show", "--issuer", "other"])?.code, 1);

    let revoked = certwright_at(&stage, &["revoke", "www", "--reason", "superseded", "--json"])?;
    let serial = revoked.report()?["serial"].as_str().expect("a serial number").to_owned();
    assert_eq!(stage.pebble.revoked(&serial)?, Some(4), "{}", revoked.said());
    assert_eq!(certwright_at(&stage, &["revoke", "www", "--reason", "boredom"])?.code, 2);

    assert_eq!(certwright_at(&stage, &["account", "deactivate"])?.code, 0);
    let after = certwright_at(&stage, &["account", "show"])?;
    assert!(after.stderr.contains("deactivated"), "{}", after.said());
    Ok(())
}
