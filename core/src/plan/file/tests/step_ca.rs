//! Issuers of type `step-ca`.

use std::time::Duration;

use super::{faults, parse};
use crate::plan::spec::{Command, IssuerSpec, SecretSource, StepCaIssuer, StepCredential, StepJwk, StepX5c};

const HEAD: &str = concat!(
    "version = 1\n[issuer.internal]\ntype = \"step-ca\"\nurl = \"https://ca.internal:9000\"\n",
    "fingerprint = \"D9:D0:97:86:92:F1:C7:CC:79:1F:5C:34:3C:E9:87:71:90:07:21:40:5E:83:4C:D2:7B:95:02:CC:71:9F:50:97\"\n",
);

fn wish(body: &str) -> StepCaIssuer {
    let text = format!("{HEAD}{body}\n");
    let config = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let Some(IssuerSpec::StepCa(wish)) = config.issuers.into_values().next() else { panic!("{text}") };
    *wish
}

#[test]
fn each_way_to_convince_a_provisioner_has_its_meaning() {
    let file = |path: &str| SecretSource::File(path.into());
    let jwk = |password, key_file: Option<&str>| {
        let mut wish = StepJwk::new("deploy", file("/nowhere"));
        (wish.password, wish.key_file) = (password, key_file.map(Into::into));
        Some(StepCredential::Jwk(wish))
    };
    let command = || SecretSource::Command(Command::new(["pass", "step"]));
    for (body, credential) in [
        ("", None),
        ("provisioner = \"deploy\"\npassword_file = \"/p\"", jwk(Some(file("/p")), None)),
        ("provisioner = \"deploy\"\npassword_command = [\"pass\", \"step\"]", jwk(Some(command()), None)),
        ("provisioner = \"deploy\"\nkey_file = \"/k\"", jwk(None, Some("/k"))),
        ("provisioner = \"deploy\"\nkey_file = \"/k\"\npassword_file = \"/p\"", jwk(Some(file("/p")), Some("/k"))),
        (
            "provisioner = \"machines\"\ncertificate = \"/c\"\ncertificate_key = \"/k\"",
            Some(StepCredential::X5c(StepX5c::new("machines", "/c", "/k"))),
        ),
        ("token_file = \"/t\"", Some(StepCredential::Token(file("/t")))),
        ("token_command = [\"pass\", \"step\"]", Some(StepCredential::Token(command()))),
    ] {
        let wish = wish(body);
        assert_eq!(wish.credential, credential, "{body}");
        assert_eq!(wish.fingerprint.to_string(), "d9d0978692f1c7cc791f5c343ce98771900721405e834cd27b9502cc719f5097");
        assert_eq!((wish.url.as_str(), wish.limit), ("https://ca.internal:9000", Duration::from_secs(60)));
    }
}

#[test]
fn what_is_wished_of_a_certificate_has_its_meaning() {
    let wish = wish(concat!(
        "lifetime = \"12h\"\nbackdate = \"5m\"\nlimit = \"90s\"\nroots = \"/r\"\n",
        "template_data = { team = \"web\", ports = [80, 443], deep = { on = true } }",
    ));
    let spans = (wish.lifetime, wish.backdate, wish.limit);
    assert_eq!(spans, (Some(Duration::from_secs(43_200)), Some(Duration::from_secs(300)), Duration::from_secs(90)));
    assert_eq!(wish.roots, Some("/r".into()));
    let data: serde_json::Value = serde_json::from_str(&wish.template_data.unwrap()).unwrap();
    assert_eq!(data, serde_json::json!({ "team": "web", "ports": [80, 443], "deep": { "on": true } }));
}

#[test]
fn what_cannot_be_meant_is_said_with_the_next_step() {
    for (body, words) in [
        ("provisioner = \"deploy\"", "how the provisioner is convinced is not said; write `password_file`"),
        ("password_file = \"/p\"", "the key `provisioner` is missing"),
        ("provisioner = \"a\"\npassword_file = \"/p\"\npassword_command = [\"p\"]", "by a file and by a command"),
        ("provisioner = \"a\"\ncertificate = \"/c\"", "the key `certificate_key` is missing"),
        ("provisioner = \"a\"\ncertificate_key = \"/c\"", "the key `certificate` is missing"),
        ("provisioner = \"a\"\ntoken_file = \"/t\"", "a token says itself which provisioner"),
        ("provisioner = \"a\"\npassword_file = \"/p\"\ntoken_file = \"/t\"", "more than one way to convince"),
        ("lifetime = \"0s\"", "is not from 1s to"),
        ("template_data = \"x\"", "expected a table"),
        ("template_data = { a = 1.5 }", "a whole number"),
        ("directory = \"https://x/\"", "an issuer of type `step-ca` has no `directory`"),
        ("permitted = [\"a.example\"]", "an issuer of type `step-ca` has no `permitted`"),
        ("pasword_file = \"/p\"", "`password_file`"),
    ] {
        let told = faults(&format!("{HEAD}{body}\n")).join("\n");
        assert!(told.contains(words), "{body}: {told}");
    }
    let bare = faults("version = 1\n[issuer.internal]\ntype = \"step-ca\"\n").join("\n");
    assert!(bare.contains("the key `url` is missing") && bare.contains("the key `fingerprint` is missing"), "{bare}");
    for other in
        ["http://ca.internal", "https://", "https://ca.internal/1.0", "https://user@ca.internal", "ca.internal"]
    {
        let told = faults(&HEAD.replace("https://ca.internal:9000", other)).join("\n");
        assert!(told.contains("is not the https URL of a CA; write it without a path"), "{other}: {told}");
    }
    let short = faults(&HEAD.replace("D9:", "")).join("\n");
    assert!(short.contains("issuer.internal.fingerprint"), "{short}");
    let url = faults("version = 1\n[issuer.lab]\ntype = \"local\"\nurl = \"https://x\"\n").join("\n");
    assert!(url.contains("an issuer of type `local` has no `url`"), "{url}");
}
