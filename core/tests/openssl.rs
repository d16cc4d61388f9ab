//! OpenSSL reads what is written here, and what it writes is read here.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a failing test may panic, and prepares the disk it tests on"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use certwright::{ErrorKind, KeyAlgorithm, PrivateKey};

/// A directory that is removed again.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("certwright-openssl-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Run `openssl`; its standard output when it succeeds.
fn openssl(arguments: &[&str]) -> Result<Vec<u8>, String> {
    let output = Command::new("openssl").args(arguments).output().expect("openssl is installed");
    if output.status.success() { Ok(output.stdout) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

fn read(path: &str) -> Vec<u8> {
    fs::read(Path::new(path)).unwrap()
}

/// How OpenSSL makes a key of this kind.
fn generation(algorithm: KeyAlgorithm) -> &'static [&'static str] {
    match algorithm {
        KeyAlgorithm::EcdsaP256 => &["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
        KeyAlgorithm::EcdsaP384 => &["EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
        KeyAlgorithm::Ed25519 => &["ED25519"],
        KeyAlgorithm::Rsa2048 => &["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
        KeyAlgorithm::Rsa3072 => &["RSA", "-pkeyopt", "rsa_keygen_bits:3072"],
        KeyAlgorithm::Rsa4096 => &["RSA", "-pkeyopt", "rsa_keygen_bits:4096"],
        other => panic!("how is {other} made?"),
    }
}

#[test]
fn openssl_reads_every_kind_of_key_made_here() {
    let scratch = Scratch::new("made-here");
    for algorithm in KeyAlgorithm::ALL {
        let key = PrivateKey::generate(algorithm).unwrap();
        assert_eq!(key.algorithm(), algorithm);
        let path = scratch.write("key.pem", key.to_pem().expose());
        openssl(&["pkey", "-in", &path, "-check", "-noout"]).unwrap();
        let public = openssl(&["pkey", "-in", &path, "-pubout", "-outform", "DER"]).unwrap();
        assert_eq!(public, key.public_key_der(), "{algorithm}");
        let der = scratch.write("key.der", key.to_der().expose());
        assert_eq!(openssl(&["pkey", "-in", &der, "-inform", "DER", "-pubout", "-outform", "DER"]).unwrap(), public);
    }
}

#[test]
fn every_encoding_of_openssl_is_read_as_the_same_key() {
    let scratch = Scratch::new("encodings");
    for algorithm in KeyAlgorithm::ALL {
        let pkcs8 = scratch.path("pkcs8.pem");
        openssl(&[&["genpkey", "-out", &pkcs8, "-algorithm"], generation(algorithm)].concat()).unwrap();
        let public = openssl(&["pkey", "-in", &pkcs8, "-pubout", "-outform", "DER"]).unwrap();

        // Ed25519 has one encoding alone (RFC 8410 §7).
        let old_form: &[&str] = if algorithm == KeyAlgorithm::Ed25519 { &[] } else { &["-traditional"] };
        let traditional = openssl(&[&["pkey", "-in", &pkcs8], old_form].concat()).unwrap();
        let word = match algorithm {
            KeyAlgorithm::EcdsaP256 | KeyAlgorithm::EcdsaP384 => "BEGIN EC PRIVATE KEY",
            KeyAlgorithm::Ed25519 => "BEGIN PRIVATE KEY",
            _ => "BEGIN RSA PRIVATE KEY",
        };
        assert!(String::from_utf8_lossy(&traditional).contains(word));
        let crlf = String::from_utf8(read(&pkcs8)).unwrap().replace('\n', "\r\n");
        for text in [read(&pkcs8), traditional, format!("\u{feff}Key:\r\n{crlf}\r\n").into_bytes()] {
            let key = PrivateKey::from_pem(&text).unwrap();
            assert_eq!((key.algorithm(), key.public_key_der()), (algorithm, public.as_slice()));
        }
        for extra in [&[][..], old_form] {
            let der = openssl(&[&["pkey", "-in", &pkcs8, "-outform", "DER"], extra].concat()).unwrap();
            assert_eq!(PrivateKey::from_der(&der).unwrap().public_key_der(), public);
        }
    }
}

#[test]
fn a_key_file_with_curve_parameters_before_the_key_is_read() {
    let text = openssl(&["ecparam", "-name", "prime256v1", "-genkey"]).unwrap();
    assert!(String::from_utf8_lossy(&text).contains("BEGIN EC PARAMETERS"));
    assert_eq!(PrivateKey::from_pem(&text).unwrap().algorithm(), KeyAlgorithm::EcdsaP256);
}

#[test]
fn keys_that_cannot_be_used_say_why() {
    let scratch = Scratch::new("unusable");
    let plain = scratch.path("plain.pem");
    openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", &plain]).unwrap();
    let made = |arguments: &[&str]| openssl(arguments).unwrap();
    let damaged = {
        // Another key's public part behind this key's private part.
        let ours = made(&["pkey", "-in", &plain, "-outform", "DER"]);
        let other = made(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-outform", "DER"]);
        let cut = ours.len() - 65;
        [&ours[..cut], &other[cut..]].concat()
    };
    for (text, kind, word) in [
        (
            made(&["pkey", "-in", &plain, "-aes256", "-passout", "pass:secret"]),
            ErrorKind::Unfit,
            "encrypted with a pass phrase",
        ),
        (
            made(&["pkey", "-in", &plain, "-aes256", "-passout", "pass:secret", "-traditional"]),
            ErrorKind::Unfit,
            "encrypted with a pass phrase",
        ),
        (made(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"]), ErrorKind::Unfit, "too short"),
        (
            made(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"]),
            ErrorKind::Unsupported,
            "P-521",
        ),
        (
            made(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"]),
            ErrorKind::Unsupported,
            "secp256k1",
        ),
        (
            made(&["ecparam", "-name", "prime256v1", "-genkey", "-param_enc", "explicit"]),
            ErrorKind::Unsupported,
            "parameters",
        ),
        (made(&["ec", "-in", &plain, "-no_public"]), ErrorKind::Unsupported, "without its public part"),
        (made(&["ec", "-in", &plain, "-conv_form", "compressed"]), ErrorKind::Unsupported, "compressed"),
        (made(&["genpkey", "-algorithm", "ED448"]), ErrorKind::Unsupported, "Ed448"),
        (made(&["genpkey", "-algorithm", "RSA-PSS"]), ErrorKind::Unsupported, "PSS"),
        (made(&["pkey", "-in", &plain, "-pubout"]), ErrorKind::Unfit, "nothing of the wanted kind"),
        ([read(&plain), read(&plain)].concat(), ErrorKind::Unfit, "more than one"),
        (read(&plain)[..100].to_vec(), ErrorKind::Unfit, "no end"),
        (b"<html>404</html>".to_vec(), ErrorKind::Unfit, "HTML"),
    ] {
        let error = PrivateKey::from_pem(&text).unwrap_err();
        assert!(error.to_string().contains(word), "{error} does not say {word:?}");
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.hint_text().is_some(), "{error}");
    }
    let error = PrivateKey::from_der(&damaged).unwrap_err();
    assert!(error.to_string().contains("do not belong together"), "{error}");
}
