//! One wish is fulfilled by every issuer, and the reports tell no difference.

use std::path::Path;
use std::sync::Arc;

use certwright::{Builder, Config, Form, IssuerSpec, Lifecycle, Options, OsFilesystem, Selection};
use certwright_tests::bed::{Bed, Idle};
use certwright_tests::scratch::Scratch;
use serde_json::{Value, json};

use super::ca::{Ca, Real, StandIn, secret};

fn example(name: &str) -> String {
    std::fs::read_to_string(xtask::root().join("examples/one-wish").join(name)).unwrap()
}

/// The lines that are in force.
fn lines(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with('#')).collect()
}

#[test]
fn the_example_differs_in_one_line() {
    let (production, test) = (example("production.toml"), example("test.toml"));
    let (one, other) = (lines(&production), lines(&test));
    assert_eq!(one.len(), other.len());
    let differing: Vec<_> = one.iter().zip(&other).filter(|(one, other)| one != other).collect();
    assert_eq!(differing, [(&"issuer = \"public\"", &"issuer = \"internal\"")]);
    for text in [&production, &test] {
        let config = Config::parse(text, Path::new("example.toml")).unwrap();
        assert_eq!(config.lineages.len(), 1);
        let issuers: Vec<&IssuerSpec> = config.issuers.values().collect();
        assert!(matches!(issuers.as_slice(), [IssuerSpec::StepCa(_), IssuerSpec::Acme(_)]), "{issuers:?}");
    }
}

/// What is left of a report when what differs from one certificate to the next is taken away.
fn comparable(mut value: Value) -> Value {
    match &mut value {
        Value::Object(members) => {
            for name in ["generation", "not_after", "renewal", "next", "path"] {
                if let Some(one) = members.get_mut(name) {
                    *one = json!("told");
                }
            }
            members.values_mut().for_each(|one| *one = comparable(one.take()));
        }
        Value::Array(entries) => entries.iter_mut().for_each(|one| *one = comparable(one.take())),
        _ => {}
    }
    value
}

/// Two runs of one wish: what each reported, and the names in the certificate.
fn played(lifecycle: &Lifecycle) -> (Value, Value) {
    let run = || {
        let report = lifecycle.apply(&Selection::All, &Options::default()).unwrap();
        comparable(serde_json::to_value(&report).unwrap())
    };
    (run(), run())
}

#[test]
fn one_wish_is_fulfilled_by_every_issuer_and_the_reports_are_alike() {
    let (real, stand_in, bed) =
        (Real::start(json!({}), "1m"), StandIn::start(json!({}), "1m"), Bed::believing().unwrap());
    let scratch = Scratch::on_disk().unwrap();
    let step = |name: &str, url: String, fingerprint: String, password: &str| {
        let password = secret(&scratch, name, password);
        format!(
            "type = \"step-ca\"\nurl = \"{url}\"\nfingerprint = \"{fingerprint}\"\nprovisioner = \"deploy\"\npassword_file = \"{}\"",
            password.display()
        )
    };
    let tables = [
        ("local", "type = \"local\"".to_owned()),
        (
            "acme",
            format!(
                "type = \"acme\"\ndirectory = \"{}\"\ntrust = \"{}\"\nsolver = []",
                bed.server.directory(),
                bed.trust().display()
            ),
        ),
        ("real", step("real", real.url(), real.fingerprint(), real.password())),
        ("stand-in", step("stand-in", stand_in.url(), stand_in.fingerprint(), stand_in.password())),
    ];
    let mut reports = Vec::new();
    for (name, _) in &tables {
        let mut text = format!("version = 1\nroot = \"{}\"\n", scratch.join(format!("store-{name}")).display());
        for (issuer, table) in &tables {
            text.push_str(&format!("[issuer.{issuer}]\n{table}\n"));
        }
        text.push_str("[lineage.www]\nidentifiers = [\"www.example.org\", \"example.org\"]\n");
        // The one line.
        text.push_str(&format!("issuer = \"{name}\"\n"));
        let config = Config::parse(&text, Path::new("certwright.toml")).unwrap();
        let root = config.root.clone();
        let lifecycle = Builder::new(config)
            .filesystem(Arc::new(OsFilesystem::new()))
            .solver(Arc::new(Idle::default()))
            .build()
            .unwrap();
        reports.push((*name, played(&lifecycle)));
        let leaf = std::fs::read(root.join("www/current").join(Form::Leaf.file_name())).unwrap();
        let names = certwright_tests::openssl::x509(&leaf, &["-ext", "subjectAltName"]).unwrap();
        assert!(names.contains("DNS:www.example.org") && names.contains("DNS:example.org"), "{name}: {names}");
    }
    let (_, first) = &reports[0];
    for (name, report) in &reports {
        assert_eq!(report, first, "{name} and local");
    }
    assert_eq!((&first.0["lineages"][0]["plan"], &first.1["lineages"][0]["plan"]), (&json!("issue"), &json!("keep")));
}
