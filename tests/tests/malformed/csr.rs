//! Requests for certificates that are none.

use certwright::{Csr, KeyAlgorithm, PrivateKey, Sans};
use certwright_tests::openssl::printed;
use certwright_tests::raw::encode;
use certwright_tests::scratch::Scratch;
use serde_json::json;

use super::*;

pub(super) fn of(names: &[&str]) -> Vec<u8> {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let names = Sans::new(names.iter().map(|name| name.parse().unwrap()).collect()).unwrap();
    Csr::new(&key, &names).unwrap().der().to_vec()
}

pub(super) fn wish(csr: &[u8]) -> String {
    json!({ "csr": encode(csr) }).to_string()
}

fn refused(stage: &Stage, csr: &[u8], what: &str) -> Outcome {
    let url = stage.order["finalize"].as_str().unwrap();
    assert_eq!(refusal(&stage.raw.post(url, &wish(csr))?, what), "badCSR", "{what}");
    Ok(())
}

/// One bit of one byte after the other.
#[test]
fn a_request_with_one_bit_changed_is_none() -> Outcome {
    let stage = Stage::new()?;
    let right = of(&["a.example"]);
    for at in 0..right.len() {
        let mut changed = right.clone();
        changed[at] ^= 1 << (at % 8);
        refused(&stage, &changed, &format!("byte {at}"))?;
    }
    let url = stage.order["finalize"].as_str().unwrap();
    stage.raw.post(url, &wish(&right))?.success(url)?;
    Ok(())
}

#[test]
fn a_request_that_is_cut_or_goes_on_is_none() -> Outcome {
    let stage = Stage::new()?;
    let right = of(&["a.example"]);
    for length in (0..right.len()).step_by(7) {
        refused(&stage, &right[..length], &format!("{length} bytes"))?;
    }
    refused(&stage, &[&right[..], &[0]].concat(), "a byte more")?;
    refused(&stage, &[right.clone(), right.clone()].concat(), "twice")?;
    refused(&stage, &[0x30; 100_000], "nests")?;
    refused(&stage, &vec![0; 100_000], "zeros")?;
    jws::the_server_is_well(&stage)
}

/// By OpenSSL: what our own library would not make.
#[test]
fn odd_keys_and_odd_names_are_refused() -> Outcome {
    let stage = Stage::new()?;
    let folder = Scratch::in_memory()?;
    let (out, own) = (folder.join("csr"), folder.join("key"));
    let (out_text, own_text) = (out.display().to_string(), own.display().to_string());
    let rsa: &[&str] = &["-newkey", "rsa:2048"];
    let curve = |name: &'static str| vec!["-newkey", "ec", "-pkeyopt", name];
    let many = (0..2_000).map(|number| format!("DNS:n{number}.example")).collect::<Vec<_>>().join(",");
    let cases: Vec<(&str, Vec<&str>, &str, &str)> = vec![
        ("1024 bits", vec!["-newkey", "rsa:1024"], "/", "DNS:a.example"),
        ("P-521", curve("ec_paramgen_curve:P-521"), "/", "DNS:a.example"),
        ("secp256k1", curve("ec_paramgen_curve:secp256k1"), "/", "DNS:a.example"),
        ("SHA-1", [rsa, &["-sha1"]].concat(), "/", "DNS:a.example"),
        ("MD5", [rsa, &["-md5"]].concat(), "/", "DNS:a.example"),
        ("a mail address", rsa.to_vec(), "/", "DNS:a.example,email:a@b.example"),
        ("a URI", rsa.to_vec(), "/", "DNS:a.example,URI:https://a.example/"),
        ("an address", rsa.to_vec(), "/", "DNS:a.example,IP:127.0.0.1"),
        ("an address as a name", rsa.to_vec(), "/", "DNS:a.example,DNS:127.0.0.1"),
        ("a wildcard", rsa.to_vec(), "/", "DNS:*.example"),
        ("a NUL-like name", rsa.to_vec(), "/", "DNS:a.example\\0.b.example"),
        ("another common name", rsa.to_vec(), "/CN=b.example", "DNS:a.example"),
        ("a common name of words", rsa.to_vec(), "/CN=A Web Server", "DNS:a.example"),
        ("two thousand names", rsa.to_vec(), "/", &many),
    ];
    for (what, key, subject, names) in cases {
        let names = format!("subjectAltName={names}");
        let mut words = vec!["req", "-new", "-nodes", "-subj", subject, "-addext", &names, "-outform", "DER"];
        words.extend(["-out", &out_text, "-keyout", &own_text]);
        words.extend(key);
        printed(words)?;
        refused(&stage, &std::fs::read(&out)?, what)?;
    }
    // What is well and not ours: the name in the subject, in capitals.
    let words = ["req", "-new", "-nodes", "-subj", "/CN=A.example", "-outform", "DER", "-newkey", "rsa:2048"];
    printed(words.into_iter().chain(["-out", &out_text, "-keyout", &own_text]))?;
    let url = stage.order["finalize"].as_str().unwrap();
    stage.raw.post(url, &wish(&std::fs::read(&out)?))?.success(url)?;
    let leaf = stage.bed.server.issued().pop().unwrap();
    assert_eq!(leaf.identifiers(), ["a.example".parse()?]);
    Ok(())
}
