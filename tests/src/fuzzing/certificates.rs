//! Certificates, chains and keys that another client, a CA or a person brings.

use certwright::{Certificate, Chain, Fingerprint, Material, PrivateKey};

/// One DER certificate.
///
/// # Panics
///
/// When something accepted is not the same certificate again.
pub fn certificate(data: &[u8]) {
    let Ok(certificate) = Certificate::from_der(data) else { return };
    assert_eq!(certificate.der(), data, "a certificate was changed by reading it");
    facts(&certificate);
}

/// One PEM text with certificates.
///
/// # Panics
///
/// When something accepted is another chain when it is read again, or its parts are not the whole.
pub fn pem_chain(data: &[u8]) {
    let Ok(chain) = Chain::from_pem(data) else { return };
    assert_eq!(chain.leaf_pem() + &chain.chain_pem(), chain.fullchain_pem());
    assert_eq!(Chain::from_pem(chain.fullchain_pem().as_bytes()).as_ref().ok(), Some(&chain));
    let ders: Vec<&[u8]> = chain.certificates().map(Certificate::der).collect();
    assert_eq!(Chain::from_der(ders).as_ref().ok(), Some(&chain));
    chain.certificates().for_each(facts);
}

/// One DER private key.
///
/// # Panics
///
/// When something accepted is another key when it is read again, or shows itself.
pub fn private_key(data: &[u8]) {
    let Ok(key) = PrivateKey::from_der(data) else { return };
    same_key(&key);
}

/// One PEM text with a key and its certificates.
///
/// # Panics
///
/// When something accepted is another pair when it is read again.
pub fn bundle(data: &[u8]) {
    let key = PrivateKey::from_pem(data);
    key.iter().for_each(same_key);
    let (Ok(key), Ok(chain)) = (key, Chain::from_pem(data)) else { return };
    let Ok(material) = Material::new(key, chain) else { return };
    assert_eq!(material.key().fingerprint(), material.chain().leaf().key_fingerprint(), "a pair that is none");
    let text = material.bundle_pem();
    let fingerprint = |key: PrivateKey| key.fingerprint();
    assert_eq!(PrivateKey::from_pem(text.expose()).map(fingerprint).ok(), Some(material.key().fingerprint()));
    assert_eq!(Chain::from_pem(text.expose()).as_ref().ok(), Some(material.chain()));
}

/// Every fact can be asked for, whatever is in the certificate.
fn facts(certificate: &Certificate) {
    let texts = [
        certificate.subject(),
        certificate.issuer(),
        certificate.serial(),
        certificate.key_description(),
        certificate.signature_algorithm(),
    ];
    for text in texts.iter().chain(certificate.other_names()) {
        assert!(!text.chars().any(char::is_control), "{text:?} could draw on a terminal");
    }
    assert!(certificate.identifiers().iter().all(|identifier| certificate.covers(identifier)));
    let again = Chain::from_pem(certificate.pem().as_bytes());
    assert_eq!(again.as_ref().map(Chain::leaf).ok(), Some(certificate));
    let (window, shown) = (certificate.window(), format!("{certificate:?}"));
    assert!(!window.contains(window.start) || window.start <= window.end);
    assert!(!shown.is_empty());
}

fn same_key(key: &PrivateKey) {
    let facts = |key: &PrivateKey| (key.algorithm(), key.fingerprint());
    let same = |again: certwright::Result<PrivateKey>| again.as_ref().map(facts).ok() == Some(facts(key));
    assert!(same(PrivateKey::from_der(key.to_der().expose())), "another key in DER");
    assert!(same(PrivateKey::from_pem(key.to_pem().expose())), "another key in PEM");
    let hidden: Fingerprint = key.fingerprint();
    let longest = 200 + hidden.to_string().len();
    assert!(format!("{key:?}").len() < longest, "a key shows more of itself than its fingerprint");
}
