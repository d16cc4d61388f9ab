use super::*;
use crate::pki::csr::Csr;
use crate::pki::forge::{ALT_NAME, Family, Forge, NOW, common_name, p256};
use crate::pki::material::Material;
use crate::pki::{chain::Chain, pkcs12};
use crate::{Sans, SecretBytes};

/// The weighty findings: severity and code.
fn codes(inspection: &Inspection) -> Vec<(Severity, &'static str)> {
    let weighty = inspection.findings.iter().filter(|finding| finding.severity != Severity::Notice);
    weighty.map(|finding| (finding.severity, finding.code)).collect()
}

fn pem(certificates: &[&Certificate]) -> String {
    certificates.iter().map(|certificate| certificate.pem()).collect()
}

fn look(files: &[&[u8]], question: &Question<'_>) -> Inspection {
    let inputs: Vec<Input<'_>> = files.iter().map(|bytes| Input::new("file", bytes)).collect();
    inspect(&inputs, question)
}

fn kinds(inspection: &Inspection) -> Vec<&str> {
    inspection.parts.iter().map(|part| part.kind.as_str()).collect()
}

const ERROR: Severity = Severity::Error;
const WARNING: Severity = Severity::Warning;

#[test]
fn a_good_set_is_accepted() {
    let family = Family::new(&["a.example"]);
    let chain = pem(&[&family.leaf, &family.intermediate]);
    let (roots, key) = (family.root.pem(), family.leaf_key.to_pem());
    let mut question = Question::at(NOW);
    assert_eq!(codes(&look(&[chain.as_bytes()], &question)), []);
    question.roots = Some(Input::new("roots", roots.as_bytes()));
    question.key = Some(Input::new("key", key.expose()));
    question.name = Some("A.example");
    for files in [
        &[chain.as_bytes()][..],
        &[family.leaf.pem().as_bytes(), family.intermediate.pem().as_bytes()],
        &[family.leaf.der(), family.intermediate.der()],
    ] {
        let inspection = look(files, &question);
        assert_eq!(codes(&inspection), []);
        assert_eq!(kinds(&inspection), ["certificate", "certificate"]);
        assert!(inspection.is_accepted());
    }
}

#[test]
fn a_key_alone_is_not_accepted() {
    let key = Family::new(&["a.example"]).leaf_key.to_pem();
    assert!(!look(&[key.expose()], &Question::at(NOW)).is_accepted());
}

#[test]
fn says_what_is_in_the_bytes() {
    let family = Family::new(&["a.example"]);
    let chain = Chain::from_certificates(vec![family.leaf.clone(), family.intermediate.clone()]).unwrap();
    let material = Material::new(family.leaf_key.clone(), chain).unwrap();
    let request = Csr::new(&family.leaf_key, &Sans::new(vec!["a.example".parse().unwrap()]).unwrap()).unwrap();
    let p12 = pkcs12::encode(&material, "www", &SecretBytes::from(b"secret".to_vec())).unwrap();
    let parameters = b"-----BEGIN DH PARAMETERS-----\nMAYCAQUCAQI=\n-----END DH PARAMETERS-----\n";
    let encrypted = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAYCAQUCAQI=\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let question = Question::at(NOW);
    for (bytes, expected) in [
        (material.bundle_pem().expose(), &["private key", "certificate", "certificate"][..]),
        (request.pem().as_bytes(), &["certificate request"]),
        (request.der(), &["certificate request"]),
        (family.leaf_key.to_der().expose(), &["private key"]),
        (p12.expose(), &["PKCS#12"]),
        (parameters, &["DH PARAMETERS"]),
        (encrypted, &["encrypted private key"]),
    ] {
        let inspection = look(&[bytes], &question);
        assert_eq!(kinds(&inspection), expected);
        // What is no certificate is not accepted as one.
        let missing: &[_] = if expected.contains(&"certificate") { &[] } else { &[(ERROR, "certificate-missing")] };
        assert_eq!(codes(&inspection), missing);
    }
    let shown = format!("{:?}", look(&[material.bundle_pem().expose()], &question));
    let secret = crate::pki::name::hex(family.leaf_key.to_der().expose().get(36..68).unwrap());
    assert!(shown.contains(&family.leaf_key.fingerprint().to_string()) && !shown.contains(&secret));
}

#[test]
fn what_cannot_be_read_is_refused_and_named() {
    let family = Family::new(&["a.example"]);
    let text = family.leaf.pem();
    let half = &text[..text.len() / 2];
    let damaged = text.replacen("MII", "MIJ", 1);
    for (bytes, code) in [
        (&b""[..], "nothing"),
        (b"<html>", "nothing"),
        (b"\x30\x03\x02\x01\x01", "nothing"),
        (half.as_bytes(), "pem"),
        (damaged.as_bytes(), "certificate"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "key"),
        (b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", "request"),
    ] {
        assert_eq!(codes(&look(&[bytes], &Question::at(NOW))), [(ERROR, code)]);
    }
}

#[test]
fn a_key_belongs_to_the_leaf() {
    let family = Family::new(&["a.example"]);
    let (chain, other, own) = (pem(&[&family.leaf, &family.intermediate]), p256().to_pem(), family.leaf_key.to_pem());
    let files = [chain.as_bytes()];
    let with = |key: &[u8]| codes(&look(&files, &Question { key: Some(Input::new("key", key)), ..Question::at(NOW) }));
    assert_eq!(with(own.expose()), []);
    assert_eq!(with(other.expose()), [(ERROR, "key-mismatch")]);
    assert_eq!(with(family.leaf.der()), [(ERROR, "key-missing")]);
    let beside = [chain.as_bytes(), own.expose(), other.expose()];
    assert_eq!(codes(&look(&beside, &Question::at(NOW))), [(WARNING, "key-surplus")]);
    let request = Csr::new(&p256(), &Sans::new(vec!["a.example".parse().unwrap()]).unwrap()).unwrap();
    assert_eq!(codes(&look(&[chain.as_bytes(), request.der()], &Question::at(NOW))), [(WARNING, "request-key")]);
}

#[test]
fn a_client_asks_for_a_name() {
    let family = Family::new(&["a.example", "*.b.example"]);
    let chain = pem(&[&family.leaf, &family.intermediate]);
    let asks = |name| look(&[chain.as_bytes()], &Question { name: Some(name), ..Question::at(NOW) });
    for name in ["a.example", "A.EXAMPLE", "x.b.example"] {
        assert_eq!(codes(&asks(name)), [], "{name}");
    }
    for name in ["b.example", "x.y.b.example", "c.example", "192.0.2.1", "a_b.example", "", "a.example."] {
        assert_eq!(codes(&asks(name)), [(ERROR, "name")], "{name}");
    }
    let value = [0x30, 11, 0x82, 9, b'c', b'.', b'e', b'x', b'a', b'm', b'p', b'l', b'e'];
    let leaf = family
        .another_leaf(&[], |forge| Forge { subject: common_name("a.example"), ..forge.with(ALT_NAME, false, &value) });
    let inspection = look(&[leaf.der()], &Question { name: Some("a.example"), ..Question::at(NOW) });
    let message = &inspection.findings.iter().find(|finding| finding.code == "name").unwrap().message;
    assert!(message.contains("common name does not count"), "{message}");
}

#[test]
fn trust_is_asked_of_the_roots() {
    let family = Family::new(&["a.example"]);
    let other = p256();
    let stranger = Forge::authority("other", &other, "other", &other).sign(&other);
    let chain = pem(&[&family.leaf, &family.intermediate]);
    let with = |roots: &str, files: &[&[u8]]| {
        codes(&look(files, &Question { roots: Some(Input::new("roots", roots.as_bytes())), ..Question::at(NOW) }))
    };
    let files = [chain.as_bytes()];
    assert_eq!(with(&pem(&[&stranger, &family.root]), &files), []);
    assert_eq!(with(&stranger.pem(), &files), [(ERROR, "untrusted")]);
    assert_eq!(with("rubbish", &files), [(ERROR, "roots")]);
    assert_eq!(with(&family.root.pem(), &[family.leaf.pem().as_bytes()]), [(ERROR, "untrusted")]);

    // The same root once expired and once not: the path that is in order counts.
    let expired = Forge::authority("root", &family.root_key, "root", &family.root_key)
        .valid("200101000000Z", "210101000000Z")
        .sign(&family.root_key);
    assert_eq!(with(&expired.pem(), &files), [(ERROR, "expired")]);
    assert_eq!(with(&pem(&[&expired, &family.root]), &files), []);
    assert_eq!(with(&pem(&[&family.root, &expired]), &files), []);
}

#[test]
fn signatures_are_checked_with_and_without_roots() {
    let family = Family::new(&["a.example"]);
    let thief = p256();
    let forged = Forge::leaf(&["a.example"], &family.leaf_key, "between", &family.intermediate_key).sign(&thief);
    let chain = pem(&[&forged, &family.intermediate]);
    assert_eq!(codes(&look(&[chain.as_bytes()], &Question::at(NOW))), [(ERROR, "signature")]);
    let roots = family.root.pem();
    let question = Question { roots: Some(Input::new("roots", roots.as_bytes())), ..Question::at(NOW) };
    assert_eq!(codes(&look(&[chain.as_bytes()], &question)), [(ERROR, "untrusted"), (ERROR, "signature")]);
}

#[test]
fn the_order_of_what_is_sent() {
    let family = Family::new(&["a.example"]);
    let low_key = p256();
    let low = Forge::authority("low", &low_key, "between", &family.intermediate_key).sign(&family.intermediate_key);
    let leaf = Forge::leaf(&["a.example"], &p256(), "low", &low_key).sign(&low_key);
    let other = p256();
    let stranger = Forge::authority("stranger", &other, "elsewhere", &other).sign(&other);
    let between = &family.intermediate;
    for (sent, expected) in [
        (vec![&leaf, &low, between], &[][..]),
        (vec![&leaf, &low, between, &family.root], &[]),
        (vec![&leaf, between, &low], &[(WARNING, "order"), (WARNING, "order")]),
        (vec![&leaf, &low, &low, between], &[(WARNING, "sent-twice")]),
        (vec![&leaf, &stranger, &low, between], &[(WARNING, "stranger")]),
        (vec![&low, &leaf, between], &[(ERROR, "order-leaf")]),
    ] {
        assert_eq!(codes(&look(&[pem(&sent).as_bytes()], &Question::at(NOW))), expected);
    }
}

#[test]
fn a_question_about_nothing_is_answered() {
    let question = Question { name: Some("a.example"), ..Question::at(NOW) };
    let key = p256().to_pem();
    assert_eq!(codes(&look(&[key.expose()], &question)), [(ERROR, "certificate-missing")]);
    assert_eq!(codes(&look(&[], &Question::at(NOW))), [(ERROR, "certificate-missing")]);
}

#[test]
fn a_path_without_end_is_not_followed() {
    let keys: Vec<_> = (0..40).map(|_| p256()).collect();
    let name = |at: usize| format!("ca {at}");
    let above = |at: usize| Forge::authority(&name(at), &keys[at], &name(at + 1), &keys[at + 1]).sign(&keys[at + 1]);
    let mut sent = vec![Forge::leaf(&["a.example"], &p256(), &name(0), &keys[0]).sign(&keys[0])];
    sent.extend((0..39).map(above));
    let text = pem(&sent.iter().collect::<Vec<_>>());
    let inspection = look(&[text.as_bytes()], &Question::at(NOW));
    let end = inspection.findings.iter().find(|finding| finding.code == "trust-unknown").unwrap();
    // The leaf and nineteen CAs.
    assert!(end.message.contains("`CN=ca 19`"), "{}", end.message);
}
