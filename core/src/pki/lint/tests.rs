use super::*;
use crate::ground::time::Timestamp;
use crate::pki::der::{INTEGER, OCTET_STRING, SEQUENCE, element};
use crate::pki::finding::Severity;
use crate::pki::forge::{
    ALT_NAME, AUTHORITY_KEY_ID, BASIC_CONSTRAINTS, EXTENDED_KEY_USAGE, Extension, Family, Forge, GENERALIZED,
    KEY_USAGE, NAME_CONSTRAINTS, NOW, SHA1_RSA, SUBJECT_KEY_ID, UTC, common_name, name, p256, purposes,
};
use crate::pki::key::{KeyAlgorithm, PrivateKey};

/// What the lints find in `leaf` below the family's intermediate and root, notices left out.
fn found(family: &Family, leaf: &Certificate) -> Vec<(Severity, &'static str)> {
    in_path(&[(Role::Leaf, leaf), (Role::Intermediate, &family.intermediate), (Role::Root, &family.root)])
}

fn in_path(certificates: &[(Role, &Certificate)]) -> Vec<(Severity, &'static str)> {
    let findings = path(certificates, NOW);
    assert!(findings.iter().all(|finding| finding.reference.contains('§') && !finding.message.is_empty()));
    let weighty = findings.into_iter().filter(|finding| finding.severity != Severity::Notice);
    weighty.map(|finding| (finding.severity, finding.code)).collect()
}

/// A changed leaf is found to have just this.
#[track_caller]
fn leaf_has(change: impl FnOnce(Forge) -> Forge, expected: &[(Severity, &'static str)]) {
    let family = Family::new(&["a.example"]);
    let leaf = family.another_leaf(&["a.example"], change);
    assert_eq!(found(&family, &leaf), expected);
}

/// A changed intermediate is found to have just this.
#[track_caller]
fn intermediate_has(change: impl FnOnce(Forge) -> Forge, expected: &[(Severity, &'static str)]) {
    let family = Family::new(&["a.example"]);
    let between = family.another_intermediate(change);
    let path = [(Role::Leaf, &family.leaf), (Role::Intermediate, &between), (Role::Root, &family.root)];
    assert_eq!(in_path(&path), expected);
}

/// A changed root is found to have just this.
#[track_caller]
fn root_has(change: impl FnOnce(Forge) -> Forge, expected: &[(Severity, &'static str)]) {
    let family = Family::new(&["a.example"]);
    let root = change(Forge::authority("root", &family.root_key, "root", &family.root_key)).sign(&family.root_key);
    let path = [(Role::Leaf, &family.leaf), (Role::Intermediate, &family.intermediate), (Role::Root, &root)];
    assert_eq!(in_path(&path), expected);
}

const ERROR: Severity = Severity::Error;
const WARNING: Severity = Severity::Warning;

fn alt_names(entries: &[(u8, &[u8])]) -> Vec<u8> {
    let entries: Vec<Vec<u8>> = entries.iter().map(|(tag, bytes)| element(*tag, &[bytes]).to_vec()).collect();
    element(SEQUENCE, &[&entries.concat()]).to_vec()
}

#[test]
fn nothing_is_found_in_a_blameless_path() {
    leaf_has(|forge| forge, &[]);
    leaf_has(
        |forge| {
            Forge { subject: common_name("a.example"), ..forge }.with(
                ALT_NAME,
                false,
                &alt_names(&[(0x82, b"a.example")]),
            )
        },
        &[],
    );
    leaf_has(|forge| forge.without(BASIC_CONSTRAINTS), &[]);
    leaf_has(|forge| forge.without(KEY_USAGE), &[]);
}

#[test]
fn head_of_a_certificate() {
    leaf_has(|forge| Forge { version: Some(1), ..forge }, &[(ERROR, "version")]);
    leaf_has(|forge| Forge { serial: vec![0], ..forge }, &[(ERROR, "serial-zero")]);
    leaf_has(|forge| Forge { serial: vec![0x80, 1], ..forge }, &[(ERROR, "serial-negative")]);
    leaf_has(|forge| Forge { serial: vec![1; 20], ..forge }, &[]);
    leaf_has(|forge| Forge { serial: vec![1; 21], ..forge }, &[(ERROR, "serial-long")]);
    let mismatch = |forge| Forge { inner_algorithm: SHA1_RSA.to_vec(), ..forge };
    leaf_has(mismatch, &[(ERROR, "signature-algorithm-mismatch")]);
    leaf_has(|forge| Forge { issuer: name(&[]), ..forge }, &[(ERROR, "issuer-empty")]);
}

#[test]
fn times() {
    leaf_has(|forge| forge.valid("261123080000Z", "261124075959Z"), &[(ERROR, "expired")]);
    leaf_has(|forge| forge.valid("261124080001Z", "261125080000Z"), &[(ERROR, "not-yet-valid")]);
    leaf_has(|forge| forge.valid("261124080000Z", "261124080000Z"), &[]);
    leaf_has(|forge| forge.valid("261125080000Z", "261123080000Z"), &[(ERROR, "validity-reversed")]);
    let early = |forge| Forge { not_after: (GENERALIZED, "20261231080000Z"), ..forge };
    leaf_has(early, &[(ERROR, "time-encoding")]);
    leaf_has(|forge| Forge { not_after: (GENERALIZED, "20500101000000Z"), ..forge }, &[]);
    leaf_has(|forge| Forge { not_after: (UTC, "491231235959Z"), ..forge }, &[]);
    leaf_has(|forge| Forge { not_after: (UTC, "2612310800Z"), ..forge }, &[(ERROR, "time-encoding")]);
    root_has(|forge| forge.valid("251123080000Z", "261101000000Z"), &[(ERROR, "expired")]);
    intermediate_has(|forge| forge.valid("251123080000Z", "261101000000Z"), &[(ERROR, "expired")]);
}

#[test]
fn extensions_of_any_certificate() {
    let twice = |mut forge: Forge| {
        forge.extensions.push(Extension { number: EXTENDED_KEY_USAGE, critical: false, value: purposes(&[1]) });
        forge
    };
    leaf_has(twice, &[(ERROR, "extension-twice")]);
    leaf_has(|forge| forge.with(99, true, &[5, 0]), &[(ERROR, "extension-critical-unknown")]);
    root_has(|forge| forge.with(99, true, &[5, 0]), &[(ERROR, "extension-critical-unknown")]);
    leaf_has(|forge| forge.with(99, false, &[5, 0]), &[]);
    leaf_has(|forge| forge.with(31, false, b"rubbish"), &[(ERROR, "extension-unreadable")]);
    // requireExplicitPolicy 0 in policyConstraints, which must be critical.
    intermediate_has(|forge| forge.with(36, false, &[0x30, 3, 0x80, 1, 0]), &[(ERROR, "extension-not-critical")]);
}

#[test]
fn key_identifiers() {
    leaf_has(|forge| forge.without(AUTHORITY_KEY_ID), &[(ERROR, "authority-key-id-missing")]);
    intermediate_has(|forge| forge.without(AUTHORITY_KEY_ID), &[(ERROR, "authority-key-id-missing")]);
    root_has(|forge| forge.without(AUTHORITY_KEY_ID), &[]);
    leaf_has(|forge| forge.with(AUTHORITY_KEY_ID, false, &[0x30, 0]), &[(ERROR, "authority-key-id-missing")]);
    intermediate_has(|forge| forge.without(SUBJECT_KEY_ID), &[(ERROR, "subject-key-id-missing")]);
    root_has(|forge| forge.without(SUBJECT_KEY_ID), &[(ERROR, "root-key-id"), (ERROR, "subject-key-id-missing")]);
    leaf_has(|forge| forge.without(SUBJECT_KEY_ID), &[]);
    let id = [OCTET_STRING, 1, 7];
    intermediate_has(|forge| forge.with(SUBJECT_KEY_ID, false, &id), &[(WARNING, "authority-key-id-mismatch")]);
    leaf_has(|forge| forge.with(SUBJECT_KEY_ID, true, &id), &[(ERROR, "extension-critical")]);
    let with_serial = [0x30, 6, 0x80, 1, 7, 0x82, 1, 9];
    leaf_has(
        |forge| forge.with(AUTHORITY_KEY_ID, false, &with_serial),
        &[(WARNING, "authority-key-id-certificate"), (WARNING, "authority-key-id-mismatch")],
    );
}

#[test]
fn names_of_a_server() {
    let critical = |entries: &[(u8, &[u8])]| {
        let value = alt_names(entries);
        move |forge: Forge| forge.with(ALT_NAME, true, &value)
    };
    leaf_has(|forge| forge.without(ALT_NAME), &[(ERROR, "names-missing")]);
    leaf_has(critical(&[]), &[(ERROR, "names-missing")]);
    leaf_has(|forge| forge.with(ALT_NAME, true, b"a.example"), &[(ERROR, "extension-unreadable")]);
    let value = alt_names(&[(0x82, b"a.example")]);
    leaf_has(|forge| forge.with(ALT_NAME, false, &value), &[(ERROR, "names-not-critical")]);
    leaf_has(|forge| Forge { subject: common_name("a.example"), ..forge }, &[(ERROR, "names-critical")]);
    for wrong in [
        &b""[..],
        b" ",
        b"a_b.example",
        b"a.example.",
        b".a.example",
        b"a..example",
        b"-a.example",
        b"192.0.2.1",
        b"2001:db8::1",
        b"w*.a.example",
        b"a.*.example",
        b"*",
        b"*.example",
        b"*.*.a.example",
        "bücher.example".as_bytes(),
        b"a b.example",
        b"https://a.example",
    ] {
        leaf_has(critical(&[(0x82, wrong)]), &[(ERROR, "name-malformed")]);
    }
    leaf_has(critical(&[(0x82, b"*.a.example"), (0x87, &[192, 0, 2, 1]), (0x87, &[0; 16])]), &[]);
    leaf_has(critical(&[(0x87, &[192, 0, 2, 1, 255, 255, 255, 0])]), &[(ERROR, "name-malformed")]);
    leaf_has(critical(&[(0x82, b"a.example"), (0x81, b"root@a.example")]), &[(WARNING, "name-kind")]);
    leaf_has(critical(&[(0x81, b"root@a.example")]), &[(WARNING, "name-kind"), (ERROR, "names-missing")]);
}

#[test]
fn common_names_repeat_a_name() {
    let named = |common: &'static str, entries: &[(u8, &[u8])]| {
        let value = alt_names(entries);
        move |forge: Forge| Forge { subject: common_name(common), ..forge.with(ALT_NAME, false, &value) }
    };
    let www: &[(u8, &[u8])] = &[(0x82, b"www.a.example")];
    leaf_has(named("www.a.example", www), &[]);
    leaf_has(named("192.0.2.1", &[(0x87, &[192, 0, 2, 1])]), &[]);
    for other in
        ["b.example", "WWW.a.example", "192.0.2.1", "2001:db8::1", "0xC0000201", "bücher.example", "x.www.a.example"]
    {
        leaf_has(named(other, www), &[(ERROR, "common-name")]);
    }
    for harmless in ["Example Server 7", "server", "a.example"] {
        leaf_has(named(harmless, www), &[(WARNING, "common-name")]);
    }
    leaf_has(named("192.168.001.001", &[(0x87, &[192, 168, 1, 1])]), &[(ERROR, "common-name")]);
    let two = name(&[(3, "www.a.example"), (3, "www.a.example")]);
    leaf_has(|forge| Forge { subject: two, ..named("", www)(forge) }, &[(WARNING, "common-names")]);
}

#[test]
fn purposes_of_a_server() {
    leaf_has(|forge| forge.without(EXTENDED_KEY_USAGE), &[(WARNING, "purpose-missing")]);
    leaf_has(|forge| forge.with(EXTENDED_KEY_USAGE, false, &purposes(&[2])), &[(ERROR, "purpose")]);
    leaf_has(|forge| forge.with(EXTENDED_KEY_USAGE, false, &purposes(&[1, 2])), &[]);
    leaf_has(|forge| forge.with(EXTENDED_KEY_USAGE, false, &purposes(&[1, 0])), &[(ERROR, "purpose-any")]);
    leaf_has(|forge| forge.with(EXTENDED_KEY_USAGE, true, &purposes(&[1])), &[(ERROR, "purpose-critical")]);
    leaf_has(|forge| forge.with(EXTENDED_KEY_USAGE, false, &[0x30, 0]), &[(ERROR, "extension-unreadable")]);
    let usage = |bits: &'static [u8]| move |forge: Forge| forge.with(KEY_USAGE, true, bits);
    leaf_has(usage(&[3, 2, 0, 0x84]), &[(ERROR, "key-usage-ca")]);
    leaf_has(usage(&[3, 2, 5, 0xa0]), &[(WARNING, "key-usage-kind")]);
    leaf_has(usage(&[3, 2, 3, 0x08]), &[(ERROR, "key-usage")]);
    leaf_has(usage(&[3, 1, 0]), &[(ERROR, "key-usage")]);
    let ca = [0x30, 3, 1, 1, 0xff];
    leaf_has(|forge| forge.with(BASIC_CONSTRAINTS, true, &ca), &[(ERROR, "ca-as-server")]);
    leaf_has(|forge| forge.with(BASIC_CONSTRAINTS, true, &[0x30, 3, 2, 1, 0]), &[(WARNING, "path-length-in-leaf")]);
    let constraint = [&[0x30, 15, 0xa0, 13, 0x30, 11, 0x82, 9][..], b"a.example"].concat();
    leaf_has(|forge| forge.with(NAME_CONSTRAINTS, true, &constraint), &[(ERROR, "name-constraints-in-leaf")]);
}

#[test]
fn what_makes_a_ca() {
    let no_ca = |forge: Forge| forge.with(BASIC_CONSTRAINTS, true, &[0x30, 0]);
    let silent = |forge: Forge| forge.without(BASIC_CONSTRAINTS);
    let mild = |forge: Forge| forge.with(BASIC_CONSTRAINTS, false, &[0x30, 3, 1, 1, 0xff]);
    intermediate_has(no_ca, &[(ERROR, "basic-constraints")]);
    root_has(no_ca, &[(ERROR, "basic-constraints")]);
    intermediate_has(silent, &[(ERROR, "basic-constraints")]);
    root_has(silent, &[(ERROR, "basic-constraints")]);
    root_has(mild, &[(ERROR, "basic-constraints-not-critical")]);
    intermediate_has(mild, &[(ERROR, "basic-constraints-not-critical")]);
    root_has(|forge| forge.with(KEY_USAGE, true, &[3, 2, 7, 0x80]), &[(ERROR, "key-usage-ca")]);
    intermediate_has(|forge| forge.without(KEY_USAGE), &[(WARNING, "key-usage-missing")]);
    root_has(|forge| forge.with(EXTENDED_KEY_USAGE, false, &purposes(&[1])), &[(ERROR, "root-purpose")]);
    intermediate_has(|forge| forge.with(EXTENDED_KEY_USAGE, false, &purposes(&[1])), &[]);
    intermediate_has(|forge| forge.with(EXTENDED_KEY_USAGE, false, &purposes(&[4])), &[(ERROR, "purpose")]);
    intermediate_has(|forge| Forge { subject: name(&[]), ..forge }, &[(ERROR, "subject-empty")]);
    // The root's own path length, which path validation leaves out.
    root_has(|forge| forge.with(BASIC_CONSTRAINTS, true, &[0x30, 6, 1, 1, 0xff, 2, 1, 0]), &[(ERROR, "path-length")]);
    root_has(|forge| forge.with(BASIC_CONSTRAINTS, true, &[0x30, 6, 1, 1, 0xff, 2, 1, 1]), &[]);
}

#[test]
fn constraints_of_a_ca_bind_every_name_below() {
    let only = |tag: u8, base: &[u8]| {
        let tree = element(SEQUENCE, &[&element(tag, &[base])]);
        element(SEQUENCE, &[&element(0xa0, &[&tree])]).to_vec()
    };
    let constrained = |value: Vec<u8>| move |forge: Forge| forge.with(NAME_CONSTRAINTS, true, &value);
    root_has(constrained(only(0x82, b"example")), &[]);
    root_has(constrained(only(0x82, b"b.example")), &[(ERROR, "name-constraints")]);
    root_has(constrained(only(0x82, b".example")), &[(ERROR, "name-constraints-malformed")]);
    root_has(
        constrained(only(0x82, b"*.example")),
        &[(ERROR, "name-constraints-malformed"), (ERROR, "name-constraints")],
    );
    root_has(constrained(only(0x87, &[192, 0, 2, 1])), &[(ERROR, "name-constraints-malformed")]);
    root_has(constrained(only(0x87, &[192, 0, 2, 0, 255, 0, 255, 0])), &[(ERROR, "name-constraints-malformed")]);
    root_has(constrained(only(0x87, &[192, 0, 2, 0, 255, 255, 254, 0])), &[]);
    // The subject of the intermediate is a name, too; that of the leaf is empty.
    root_has(constrained(only(0xa4, &common_name("elsewhere"))), &[(ERROR, "name-constraints")]);
    root_has(constrained(only(0xa4, &common_name("BETWEEN"))), &[]);
    root_has(constrained(vec![SEQUENCE, 0]), &[(ERROR, "name-constraints-empty")]);
    root_has(
        constrained(vec![1, 2, 3]),
        &[(ERROR, "extension-unreadable"), (ERROR, "name-constraints"), (ERROR, "name-constraints")],
    );
}

#[test]
fn keys_and_signatures() {
    let key = |algorithm| PrivateKey::generate(algorithm).unwrap().public_key_der().to_vec();
    for algorithm in [KeyAlgorithm::EcdsaP384, KeyAlgorithm::Ed25519, KeyAlgorithm::Rsa2048] {
        let spki = key(algorithm);
        leaf_has(|forge| Forge { spki, ..forge }, &[]);
    }
    let rsa = |bits: usize, exponent: &[u8]| {
        let mut modulus = vec![0xff; bits.div_ceil(8)];
        modulus[0] = 0xff >> (bits.div_ceil(8) * 8 - bits);
        let modulus = element(INTEGER, &[if modulus[0] >= 0x80 { &[0] } else { &[] }, &modulus]);
        let numbers = element(SEQUENCE, &[&modulus, &element(INTEGER, &[exponent])]);
        let identifier = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
        let spki = element(SEQUENCE, &[&identifier, &element(3, &[&[0], &numbers])]).to_vec();
        move |forge: Forge| Forge { spki, ..forge }
    };
    leaf_has(rsa(2048, &[1, 0, 1]), &[]);
    leaf_has(rsa(1024, &[1, 0, 1]), &[(ERROR, "rsa-short")]);
    leaf_has(rsa(2052, &[1, 0, 1]), &[(ERROR, "rsa-odd-size")]);
    leaf_has(rsa(2048, &[3]), &[(WARNING, "rsa-exponent")]);
    leaf_has(rsa(2048, &[1]), &[(ERROR, "rsa-exponent")]);
    leaf_has(rsa(2048, &[4]), &[(ERROR, "rsa-exponent")]);
    leaf_has(rsa(2048, &[1; 33]), &[(WARNING, "rsa-exponent")]);
    root_has(rsa(1024, &[1, 0, 1]), &[(ERROR, "rsa-short")]);

    let on_curve = |curve: &[u8], point: &[u8]| {
        let oid = element(6, &[&[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]]);
        let identifier = element(SEQUENCE, &[&oid, curve]);
        let spki = element(SEQUENCE, &[&identifier, &element(3, &[&[0], point])]).to_vec();
        move |forge: Forge| Forge { spki, ..forge }
    };
    leaf_has(on_curve(&[6, 5, 0x2b, 0x81, 4, 0, 0x0a], &[4; 65]), &[(ERROR, "key-curve")]);
    leaf_has(on_curve(&[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7], &[2; 33]), &[(WARNING, "key-compressed")]);
    leaf_has(on_curve(&[0x30, 3, 2, 1, 1], &[4; 65]), &[(ERROR, "key-curve-explicit")]);

    let broken = |forge| Forge { inner_algorithm: SHA1_RSA.to_vec(), outer_algorithm: SHA1_RSA.to_vec(), ..forge };
    leaf_has(broken, &[(ERROR, "signature-hash")]);
    intermediate_has(broken, &[(ERROR, "signature-hash")]);
    let wordy = [0x30, 12, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2, 5, 0].to_vec();
    leaf_has(
        |forge| Forge { inner_algorithm: wordy.clone(), outer_algorithm: wordy, ..forge },
        &[(WARNING, "signature-parameters")],
    );
}

#[test]
fn how_long_public_cas_may_issue_for() {
    let family = Family::new(&["a.example"]);
    // BR §6.3.2, as changed by ballot SC-081: 200 days from 15 March 2026.
    for (end, noted) in [("270611075959Z", false), ("270611080000Z", true)] {
        let leaf = family.another_leaf(&["a.example"], |forge| forge.valid("261123080000Z", end));
        let findings = path(&[(Role::Leaf, &leaf)], Timestamp::from_unix(NOW.unix()));
        assert_eq!(findings.iter().any(|finding| finding.code == "lifetime"), noted, "{end}");
    }
}

#[test]
fn a_lint_never_stumbles_over_rubbish() {
    let family = Family::new(&["a.example"]);
    for source in [&family.leaf, &family.intermediate] {
        let der = source.der();
        for at in 0..der.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut changed = der.to_vec();
                changed[at] ^= flip;
                if let Ok(certificate) = Certificate::from_der(&changed) {
                    path(&[(Role::Leaf, &certificate), (Role::Root, &certificate)], NOW);
                }
            }
        }
    }
    let key = p256();
    let mut forge = Forge::leaf(&["a.example"], &key, "between", &key);
    for extension in &mut forge.extensions {
        extension.value.clear();
    }
    path(&[(Role::Leaf, &forge.sign(&key))], NOW);
}
