//! Files of any kind, looked at by `inspect`; and PKCS#12 written for pass phrases of any kind.

use std::sync::OnceLock;

use certwright::{Chain, Input, Material, PrivateKey, Question, SecretBytes, Timestamp, fuzzing};
use p12_keystore::{KeyStore, Pkcs12ImportPolicy};

/// One file, alone and beside others.
///
/// # Panics
///
/// When what is shown could draw on a terminal, or holds a private key.
pub fn inspect(data: &[u8]) {
    let input = Input::new("file", data);
    let mut question = Question::at(Timestamp::from_unix(1_795_507_200));
    look(&[input], &question);
    question.key = Some(input);
    question.roots = Some(input);
    question.name = Some("www.example.org");
    look(&[input, Input::new("other", material().chain().fullchain_pem().as_bytes())], &question);
}

fn look(inputs: &[Input<'_>], question: &Question<'_>) {
    let inspection = certwright::inspect(inputs, question);
    let facts = inspection.parts.iter().flat_map(|part| part.facts.iter().map(|(_, fact)| fact).chain([&part.kind]));
    for text in facts.chain(inspection.findings.iter().map(|finding| &finding.message)) {
        assert!(!text.chars().any(char::is_control), "{text:?} could draw on a terminal");
        assert!(!text.contains("BEGIN"), "{text:?} shows a key");
    }
}

/// The longest pass phrase that is tried: deriving a key from it is slow on purpose.
const LONGEST: usize = 64;

/// A PKCS#12 file, or a pass phrase for one.
///
/// # Panics
///
/// When a file that was written does not open with its own pass phrase, or opens without it.
pub fn pkcs12(data: &[u8]) {
    inspect(data);
    if data.len() > LONGEST {
        return;
    }
    let Ok(file) = fuzzing::pkcs12(material(), "www", &SecretBytes::from(data.to_vec())) else { return };
    let line = data.split(|byte| matches!(byte, b'\n' | b'\r')).next().and_then(|line| str::from_utf8(line).ok());
    let open = |passphrase: &str| KeyStore::from_pkcs12(file.expose(), passphrase, Pkcs12ImportPolicy::Strict).ok();
    let store = line.and_then(open);
    let chain = store.as_ref().and_then(KeyStore::private_key_chain).map(|(_, chain)| chain);
    let ders: Vec<&[u8]> = chain.iter().flat_map(|chain| chain.certs()).map(|one| one.as_der()).collect();
    assert_eq!(Chain::from_der(ders).as_ref().ok(), Some(material().chain()), "it does not open again");
    assert!(open("").is_none(), "it opens without its pass phrase");
}

/// Made by OpenSSL.
fn material() -> &'static Material {
    static MATERIAL: OnceLock<Material> = OnceLock::new();
    const BUNDLE: &[u8] = include_bytes!("../../../fuzz/corpus/bundle/pkcs8-first");
    #[expect(clippy::expect_used, reason = "a seed that cannot be read is a failed test")]
    MATERIAL.get_or_init(|| {
        let material = |()| Material::new(PrivateKey::from_pem(BUNDLE)?, Chain::from_pem(BUNDLE)?);
        material(()).expect("a key with its chain")
    })
}
