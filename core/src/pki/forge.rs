//! Certificates of every wrong shape, for tests: written element by element, so that nothing corrects them.

use super::der::{BIT_STRING, INTEGER, NULL, OCTET_STRING, OID, SEQUENCE, element};
use super::key::{KeyAlgorithm, PrivateKey};
use super::leaf::Certificate;
use crate::ground::time::Timestamp;

pub(crate) const ECDSA_SHA256: &[u8] = &[0x30, 10, OID, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
pub(crate) const SHA1_RSA: &[u8] = &[0x30, 13, OID, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5, NULL, 0];

pub(crate) const SUBJECT_KEY_ID: u8 = 14;
pub(crate) const KEY_USAGE: u8 = 15;
pub(crate) const ALT_NAME: u8 = 17;
pub(crate) const BASIC_CONSTRAINTS: u8 = 19;
pub(crate) const NAME_CONSTRAINTS: u8 = 30;
pub(crate) const AUTHORITY_KEY_ID: u8 = 35;
pub(crate) const EXTENDED_KEY_USAGE: u8 = 37;

/// 2026-11-24T08:00:00Z, at which everything forged is valid.
pub(crate) const NOW: Timestamp = Timestamp::from_unix(1_795_507_200);

/// One extension of the arc 2.5.29.
#[derive(Clone)]
pub(crate) struct Extension {
    pub(crate) number: u8,
    pub(crate) critical: bool,
    pub(crate) value: Vec<u8>,
}

/// A certificate before it is signed. Every part may be changed.
#[derive(Clone)]
pub(crate) struct Forge {
    pub(crate) version: Option<u8>,
    pub(crate) serial: Vec<u8>,
    pub(crate) inner_algorithm: Vec<u8>,
    pub(crate) outer_algorithm: Vec<u8>,
    pub(crate) issuer: Vec<u8>,
    pub(crate) not_before: (u8, &'static str),
    pub(crate) not_after: (u8, &'static str),
    pub(crate) subject: Vec<u8>,
    pub(crate) spki: Vec<u8>,
    pub(crate) extensions: Vec<Extension>,
}

pub(crate) const UTC: u8 = 0x17;
pub(crate) const GENERALIZED: u8 = 0x18;

impl Forge {
    /// A blameless leaf for `names` and `key`, below `issuer`.
    pub(crate) fn leaf(names: &[&str], key: &PrivateKey, issuer: &str, issuer_key: &PrivateKey) -> Self {
        let entries: Vec<Vec<u8>> = names.iter().map(|name| element(0x82, &[name.as_bytes()]).to_vec()).collect();
        let mut forge = Self::bare(name(&[]), key, issuer, issuer_key);
        forge.not_after = (UTC, "270101000000Z");
        forge.extensions.extend([
            Extension { number: KEY_USAGE, critical: true, value: vec![BIT_STRING, 2, 7, 0x80] },
            Extension { number: EXTENDED_KEY_USAGE, critical: false, value: purposes(&[1]) },
            Extension { number: BASIC_CONSTRAINTS, critical: true, value: vec![SEQUENCE, 0] },
            Extension { number: ALT_NAME, critical: true, value: element(SEQUENCE, &[&entries.concat()]).to_vec() },
        ]);
        forge
    }

    /// A blameless CA certificate for `subject` and `key`, below `issuer`; a root when both are the same.
    pub(crate) fn authority(subject: &str, key: &PrivateKey, issuer: &str, issuer_key: &PrivateKey) -> Self {
        let mut forge = Self::bare(common_name(subject), key, issuer, issuer_key);
        forge.not_after = (UTC, "361124080000Z");
        forge.extensions.extend([
            Extension { number: KEY_USAGE, critical: true, value: vec![BIT_STRING, 2, 1, 0x06] },
            Extension { number: BASIC_CONSTRAINTS, critical: true, value: vec![SEQUENCE, 3, 1, 1, 0xff] },
        ]);
        forge
    }

    fn bare(subject: Vec<u8>, key: &PrivateKey, issuer: &str, issuer_key: &PrivateKey) -> Self {
        let id = |key: &PrivateKey| key.fingerprint().as_bytes()[..20].to_vec();
        let own = element(OCTET_STRING, &[&id(key)]).to_vec();
        let above = element(SEQUENCE, &[&element(0x80, &[&id(issuer_key)])]).to_vec();
        Self {
            version: Some(2),
            serial: (1..=16).collect(),
            inner_algorithm: ECDSA_SHA256.to_vec(),
            outer_algorithm: ECDSA_SHA256.to_vec(),
            issuer: common_name(issuer),
            not_before: (UTC, "261123080000Z"),
            not_after: (UTC, "261231080000Z"),
            subject,
            spki: key.public_key_der().to_vec(),
            extensions: vec![
                Extension { number: SUBJECT_KEY_ID, critical: false, value: own },
                Extension { number: AUTHORITY_KEY_ID, critical: false, value: above },
            ],
        }
    }

    pub(crate) fn without(mut self, number: u8) -> Self {
        self.extensions.retain(|extension| extension.number != number);
        self
    }

    pub(crate) fn with(mut self, number: u8, critical: bool, value: &[u8]) -> Self {
        self = self.without(number);
        self.extensions.push(Extension { number, critical, value: value.to_vec() });
        self
    }

    pub(crate) fn valid(mut self, not_before: &'static str, not_after: &'static str) -> Self {
        self.not_before = (UTC, not_before);
        self.not_after = (UTC, not_after);
        self
    }

    /// The DER, signed by an ECDSA key on P-256.
    pub(crate) fn der(&self, issuer_key: &PrivateKey) -> Vec<u8> {
        let version = self.version.map(|version| element(0xa0, &[&[INTEGER, 1, version]]).to_vec()).unwrap_or_default();
        let time = |(tag, text): (u8, &str)| element(tag, &[text.as_bytes()]);
        let validity = element(SEQUENCE, &[&time(self.not_before), &time(self.not_after)]);
        let extensions: Vec<Vec<u8>> = self
            .extensions
            .iter()
            .map(|extension| {
                let oid = element(OID, &[&[0x55, 0x1d, extension.number]]);
                let critical: &[u8] = if extension.critical { &[1, 1, 0xff] } else { &[] };
                element(SEQUENCE, &[&oid, critical, &element(OCTET_STRING, &[&extension.value])]).to_vec()
            })
            .collect();
        let extensions = match extensions.is_empty() {
            true => Vec::new(),
            false => element(0xa3, &[&element(SEQUENCE, &[&extensions.concat()])]).to_vec(),
        };
        let content = element(
            SEQUENCE,
            &[
                &version,
                &element(INTEGER, &[&self.serial]),
                &self.inner_algorithm,
                &self.issuer,
                &validity,
                &self.subject,
                &self.spki,
                &extensions,
            ],
        );
        let signature = issuer_key.signer().unwrap().sign(&content).unwrap();
        element(SEQUENCE, &[&content, &self.outer_algorithm, &element(BIT_STRING, &[&[0], &signature])]).to_vec()
    }

    pub(crate) fn sign(&self, issuer_key: &PrivateKey) -> Certificate {
        Certificate::from_der(&self.der(issuer_key)).unwrap()
    }
}

pub(crate) fn p256() -> PrivateKey {
    PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap()
}

/// KeyPurposeIds below id-kp; 0 is anyExtendedKeyUsage.
pub(crate) fn purposes(numbers: &[u8]) -> Vec<u8> {
    let purpose = |number: &u8| match number {
        0 => element(OID, &[&[0x55, 0x1d, 37, 0]]).to_vec(),
        number => element(OID, &[&[0x2b, 6, 1, 5, 5, 7, 3, *number]]).to_vec(),
    };
    element(SEQUENCE, &[&numbers.iter().map(purpose).collect::<Vec<_>>().concat()]).to_vec()
}

pub(crate) fn common_name(text: &str) -> Vec<u8> {
    name(&[(3, text)])
}

/// A name of attributes below 2.5.4.
pub(crate) fn name(attributes: &[(u8, &str)]) -> Vec<u8> {
    let sets: Vec<Vec<u8>> = attributes
        .iter()
        .map(|(number, text)| {
            let pair = element(SEQUENCE, &[&element(OID, &[&[0x55, 4, *number]]), &element(0x0c, &[text.as_bytes()])]);
            element(0x31, &[&pair]).to_vec()
        })
        .collect();
    element(SEQUENCE, &[&sets.concat()]).to_vec()
}

/// A root, an intermediate below it and a leaf below that, with their keys.
pub(crate) struct Family {
    pub(crate) root: Certificate,
    pub(crate) root_key: PrivateKey,
    pub(crate) intermediate: Certificate,
    pub(crate) intermediate_key: PrivateKey,
    pub(crate) leaf: Certificate,
    pub(crate) leaf_key: PrivateKey,
}

impl Family {
    pub(crate) fn new(names: &[&str]) -> Self {
        let (root_key, intermediate_key, leaf_key) = (p256(), p256(), p256());
        Self {
            root: Forge::authority("root", &root_key, "root", &root_key).sign(&root_key),
            intermediate: Forge::authority("between", &intermediate_key, "root", &root_key).sign(&root_key),
            leaf: Forge::leaf(names, &leaf_key, "between", &intermediate_key).sign(&intermediate_key),
            root_key,
            intermediate_key,
            leaf_key,
        }
    }

    /// A leaf below the same intermediate, changed.
    pub(crate) fn another_leaf(&self, names: &[&str], change: impl FnOnce(Forge) -> Forge) -> Certificate {
        let forge = Forge::leaf(names, &self.leaf_key, "between", &self.intermediate_key);
        change(forge).sign(&self.intermediate_key)
    }

    /// The intermediate, changed.
    pub(crate) fn another_intermediate(&self, change: impl FnOnce(Forge) -> Forge) -> Certificate {
        change(Forge::authority("between", &self.intermediate_key, "root", &self.root_key)).sign(&self.root_key)
    }
}
