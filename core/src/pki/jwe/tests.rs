use super::*;
use crate::pki::key::PrivateKey;

/// Made by step-ca 0.19 (`jose.GenerateDefaultKeyPair`) with the password `secret`.
const THEIRS: &str = concat!(
    "eyJhbGciOiJQQkVTMi1IUzI1NitBMTI4S1ciLCJjdHkiOiJqd2sranNvbiIsImVuYyI6IkEyNTZHQ00iLCJwMmMiOjEwMDAwMCwi",
    "cDJzIjoiaHEyeUxDM3FxVU9ObDRsVGR3Z1N4QSJ9.3KtJxSw5cRO0GmDMt01chrjjQdd67Laq3uVUeu5rCG2HCnm5exOQUA.yIJA",
    "iD4EcP3tYgDZ.Fa61ILfBmtbJxprB2ArUyArPLXEVlW3aTA7OQ8YK-7Huk049K-Z-2tcKjoOl9sw2dINdRbr9FAKQ3-6hpj56kK1",
    "ewWcrO-e08r5VSfrO83mAJ7-vw2-18E2zeiSMXEa5HE_rwJovlWUNUEgGz9GhVWIeuUomBHIKLHXDjrz_R1RKa66NIRgVhC-rtY3",
    "nVP9r-ud1UFbeW7LnHudELw0TCI5xsiMzY1D1ISUl9_qO2drJk2g4StiHu0OI_4NopDn47xY7JG8fScEn-Y9uhN-CT_USmpPWeam",
    "w9vnE4NMjIDoMY8JS64AOha7cAgFtAn9epBVLkyMpoDZCp5-HOGo.wPYN8oukCjHHWvG_-7manQ",
);
/// The public key that belongs to it, by the same program.
const X: &str = "w50BJOEMUcqVG8rdm9JusPWVly9h84_4GNrwY78Zn6Q";
const Y: &str = "y-2KYITKbsFmyys-PDkHeAbC1swZ1tspZe9D5NtsfuU";

#[test]
fn what_step_ca_encrypted_is_opened() {
    let opened = open(THEIRS, b"secret").unwrap();
    let jwk: Value = serde_json::from_slice(opened.expose()).unwrap();
    assert_eq!((jwk["x"].as_str(), jwk["y"].as_str()), (Some(X), Some(Y)));
    let key = PrivateKey::from_jwk(opened.expose()).unwrap();
    assert!(key.public_key_der().ends_with(&from_base64url(Y).unwrap()));
    assert!(!format!("{opened:?}").contains(jwk["d"].as_str().unwrap()));
}

/// The parts in the JSON that the `step` command writes into a file.
fn flattened(compact: &str) -> String {
    let parts: Vec<&str> = compact.split('.').collect();
    let names = ["protected", "encrypted_key", "iv", "ciphertext", "tag"];
    let members: serde_json::Map<String, Value> =
        names.iter().zip(parts).map(|(name, part)| ((*name).to_owned(), part.into())).collect();
    Value::Object(members).to_string()
}

#[test]
fn both_forms_are_one_key() {
    let other = open(&format!(" {}\n", flattened(THEIRS)), b"secret").unwrap();
    assert_eq!(other.expose(), open(THEIRS, b"secret").unwrap().expose());
}

#[test]
fn another_password_is_told_from_damage() {
    for password in ["", "Secret", "secret ", "secret\n"] {
        let error = open(THEIRS, password.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
        assert!(!format!("{error:#}").contains("ecret"), "{error:#}");
    }
    // The content: its last byte, its tag, its header.
    let parts: Vec<&str> = THEIRS.split('.').collect();
    for part in [3, 4] {
        let mut changed: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        let mut bytes = from_base64url(&changed[part]).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        changed[part] = crate::pki::jws::base64url(&bytes);
        assert_eq!(open(&changed.join("."), b"secret").unwrap_err().kind(), ErrorKind::Unfit);
    }
}

/// The same with another member of its header.
fn with(name: &str, value: Value) -> String {
    let mut parts: Vec<String> = THEIRS.split('.').map(str::to_owned).collect();
    let mut header: Value = serde_json::from_slice(&from_base64url(&parts[0]).unwrap()).unwrap();
    header[name] = value;
    parts[0] = crate::pki::jws::base64url(header.to_string().as_bytes());
    parts.join(".")
}

#[test]
fn rounds_that_nobody_means_are_not_worked_off() {
    for rounds in [0, 1, 999, 10_000_001, u64::from(u32::MAX) + 100_000, u64::MAX] {
        let error = open(&with("p2c", rounds.into()), b"secret").unwrap_err();
        assert_eq!((error.kind(), error.fact("p2c")), (ErrorKind::Unsupported, Some(&*rounds.to_string())));
        assert!(error.hint_text().is_some());
    }
    for rounds in [Value::Null, (-1).into(), 1.5.into(), "100000".into()] {
        assert_eq!(open(&with("p2c", rounds), b"secret").unwrap_err().kind(), ErrorKind::Unfit);
    }
}

#[test]
fn what_is_not_read_is_named() {
    for (name, value) in [("alg", "RSA-OAEP"), ("alg", "none"), ("enc", "A128CBC-HS256"), ("alg", ""), ("zip", "DEF")] {
        let error = open(&with(name, value.into()), b"secret").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{name} {value}: {error}");
    }
    for salt in ["", "AAAA", "!"] {
        assert_eq!(open(&with("p2s", salt.into()), b"secret").unwrap_err().kind(), ErrorKind::Unfit);
    }
}

#[test]
fn whatever_is_sent_is_an_error_and_never_more() {
    for cut in 0..THEIRS.len() {
        assert!(open(&THEIRS[..cut], b"secret").is_err(), "{cut}");
    }
    for text in ["", ".", "....", "{", "{}", "[]", "a.b.c.d.e", "{\"protected\":\"e30\"}", "\0"] {
        assert!(open(text, b"secret").is_err(), "{text:?}");
    }
}
