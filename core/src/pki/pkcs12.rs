//! PKCS#12 (RFC 7292): key and chain in one encrypted file, for Java, Windows and what else asks for it.

use p12_keystore::{EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, PrivateKeyChain};

use super::der::{self, INTEGER, OID, Reader, SEQUENCE};
use super::material::Material;
use crate::ground::error::{Error, ErrorKind, Result};
use crate::ground::secret::SecretBytes;

/// As Java's default. More slows every start of a server down; a pass phrase in a file beside it is guessed by nobody.
const ITERATIONS: u32 = 10_000;

/// Key, leaf and intermediates, encrypted by PBES2 with AES-256 and PBKDF2 with HMAC-SHA-256, and a MAC with SHA-256, so that
/// OpenSSL 3 opens it without its legacy provider. `name` is the friendly name (Java's alias). The pass phrase is the first
/// line of `passphrase`, as OpenSSL reads a file.
///
/// Two calls give different bytes: salts are random.
///
/// # Errors
///
/// [`ErrorKind::InvalidSpec`] when the pass phrase is empty or no text that PKCS#12 can hold.
pub(crate) fn encode(material: &Material, name: &str, passphrase: &SecretBytes) -> Result<SecretBytes> {
    let failed = |error: p12_keystore::error::Error| {
        Error::new(ErrorKind::Bug, "the PKCS#12 file could not be made").source(error.to_string())
    };
    let passphrase = first_line(passphrase.expose())?;
    let key = p12_keystore::PrivateKey::from_der(material.key().to_der().expose()).map_err(failed)?;
    let certificates =
        material.chain().certificates().map(|certificate| p12_keystore::Certificate::from_der(certificate.der()));
    let certificates = certificates.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    let id = material.chain().leaf().fingerprint();
    let mut store = KeyStore::new();
    store.add_entry(
        name,
        KeyStoreEntry::PrivateKeyChain(PrivateKeyChain::new(id.as_bytes().as_slice(), key, certificates)),
    );
    let bytes = store
        .writer(passphrase)
        .encryption_algorithm(EncryptionAlgorithm::PbeWithHmacSha256AndAes256)
        .encryption_iterations(ITERATIONS)
        .mac_algorithm(MacAlgorithm::HmacSha256)
        .mac_iterations(ITERATIONS)
        .write()
        .map_err(failed)?;
    Ok(SecretBytes::from(bytes))
}

fn first_line(bytes: &[u8]) -> Result<&str> {
    let line = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    let refuse = |message: &'static str| {
        Error::new(ErrorKind::InvalidSpec, message)
            .hint("write the pass phrase on the first line of its file, as UTF-8")
    };
    if line.is_empty() {
        return Err(refuse("the pass phrase is empty"));
    }
    // RFC 7292 §B.1: a BMPString, which has no room for characters beyond the first plane.
    match std::str::from_utf8(line) {
        Ok(text) if text.chars().all(|char| u32::from(char) <= 0xffff && char != '\0') => Ok(text),
        _ => Err(refuse("the pass phrase is no text that PKCS#12 can hold")),
    }
}

/// Whether these bytes are the outside of a PKCS#12 file (PFX, RFC 7292 §4).
pub(super) fn is_pkcs12(bytes: &[u8]) -> bool {
    let read = || {
        let mut pfx = Reader::new(der::only(bytes, SEQUENCE)?);
        let version = pfx.expect(INTEGER)?;
        let kind = der::oid_text(Reader::new(pfx.expect(SEQUENCE)?).expect(OID)?)?;
        Some(version == [3] && matches!(kind.as_str(), "1.2.840.113549.1.7.1" | "1.2.840.113549.1.7.2"))
    };
    read().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::*;
    use crate::pki::chain::Chain;
    use crate::pki::forge::{Family, Forge};
    use crate::pki::key::{KeyAlgorithm, PrivateKey};

    fn secret(text: &str) -> SecretBytes {
        SecretBytes::from(text.as_bytes().to_vec())
    }

    fn material(algorithm: KeyAlgorithm) -> Material {
        let family = Family::new(&["a.example"]);
        let key = PrivateKey::generate(algorithm).unwrap();
        let leaf =
            Forge::leaf(&["a.example"], &key, "between", &family.intermediate_key).sign(&family.intermediate_key);
        Material::new(key, Chain::from_certificates(vec![leaf, family.intermediate]).unwrap()).unwrap()
    }

    /// What OpenSSL says to a PKCS#12 file: standard output and standard error.
    fn openssl(file: &[u8], passphrase: &str, arguments: &[&str]) -> (bool, String, String) {
        let path = std::env::temp_dir().join(format!("certwright-p12-{}-{:p}", std::process::id(), file));
        std::fs::write(&path, passphrase).unwrap();
        let mut child = Command::new("openssl")
            .args(["pkcs12", "-passin", &format!("file:{}", path.display())])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(file).unwrap();
        let output = child.wait_with_output().unwrap();
        std::fs::remove_file(&path).unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    }

    #[test]
    fn openssl_3_opens_every_kind_without_its_legacy_provider() {
        for algorithm in
            [KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384, KeyAlgorithm::Ed25519, KeyAlgorithm::Rsa2048]
        {
            let material = material(algorithm);
            let file = encode(&material, "www", &secret("correct horse\nsecond line")).unwrap();
            assert!(is_pkcs12(file.expose()));
            let (opened, text, errors) = openssl(file.expose(), "correct horse\n", &["-nodes"]);
            assert!(opened, "{errors}");
            let key = PrivateKey::from_pem(text.as_bytes()).unwrap();
            assert_eq!(key.fingerprint(), material.key().fingerprint());
            assert_eq!(&Chain::from_pem(text.as_bytes()).unwrap(), material.chain());
            assert!(text.contains("friendlyName: www"), "{text}");
        }
    }

    #[test]
    fn it_is_encrypted_as_promised() {
        let file = encode(&material(KeyAlgorithm::EcdsaP256), "www", &secret("secret")).unwrap();
        let (opened, _, said) = openssl(file.expose(), "secret", &["-info", "-noout"]);
        assert!(opened, "{said}");
        let encryption = "PBES2, PBKDF2, AES-256-CBC, Iteration 10000, PRF hmacWithSHA256";
        assert_eq!(said.matches(encryption).count(), 2, "{said}");
        assert!(said.contains("MAC: sha256, Iteration 10000"), "{said}");
    }

    #[test]
    fn the_pass_phrase_is_what_openssl_thinks_it_is() {
        let material = material(KeyAlgorithm::EcdsaP256);
        let file = encode(&material, "www", &secret("schlüssel €\r\n")).unwrap();
        assert!(openssl(file.expose(), "schlüssel €", &["-noout"]).0);
        assert!(!openssl(file.expose(), "schlussel", &["-noout"]).0);
        for wrong in ["", "\n", "\nsecret", "a\u{1f511}", "a\0b"] {
            assert_eq!(
                encode(&material, "www", &secret(wrong)).unwrap_err().kind(),
                ErrorKind::InvalidSpec,
                "{wrong:?}"
            );
        }
        let latin1 = SecretBytes::from(b"schl\xfcssel".to_vec());
        assert_eq!(encode(&material, "www", &latin1).unwrap_err().kind(), ErrorKind::InvalidSpec);
    }

    #[test]
    fn other_bytes_are_no_pkcs12() {
        let family = Family::new(&["a.example"]);
        let key = family.leaf_key.to_der();
        for bytes in [&b""[..], b"\x30\x00", family.leaf.der(), key.expose(), b"-----BEGIN CERTIFICATE-----"] {
            assert!(!is_pkcs12(bytes));
        }
    }
}
