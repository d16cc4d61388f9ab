//! Keys loaded into ring, ready to sign.

use ring::rand::SystemRandom;
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair};

use super::algorithm::KeyAlgorithm;
use crate::ground::error::{Error, ErrorKind, Result};

/// A private key ready to sign. ring's own copy of the key is not wiped: a signer lives as short as its use allows.
pub(super) struct Signer {
    pair: Pair,
    random: SystemRandom,
    algorithm: &'static rcgen::SignatureAlgorithm,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl Signer {
    /// Load a key; ring compares the private with the public part and the parts of an RSA key with each other.
    pub(super) fn load(algorithm: KeyAlgorithm, pkcs8: &[u8]) -> Result<Self> {
        let random = SystemRandom::new();
        let loaded = match algorithm {
            KeyAlgorithm::EcdsaP256 => {
                EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8, &random)
                    .map(|pair| (Pair::Ecdsa(pair), &rcgen::PKCS_ECDSA_P256_SHA256))
            }
            KeyAlgorithm::EcdsaP384 => {
                EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P384_SHA384_ASN1_SIGNING, pkcs8, &random)
                    .map(|pair| (Pair::Ecdsa(pair), &rcgen::PKCS_ECDSA_P384_SHA384))
            }
            KeyAlgorithm::Ed25519 => Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8)
                .map(|pair| (Pair::Ed25519(pair), &rcgen::PKCS_ED25519)),
            KeyAlgorithm::Rsa2048 | KeyAlgorithm::Rsa3072 | KeyAlgorithm::Rsa4096 => {
                RsaKeyPair::from_pkcs8(pkcs8).map(|pair| (Pair::Rsa(pair), &rcgen::PKCS_RSA_SHA256))
            }
        };
        let (pair, algorithm) = loaded.map_err(|rejected| {
            Error::new(ErrorKind::Unfit, "the private key is damaged: its parts do not belong together")
                .hint("fetch the key again or make a new one")
                .source(rejected.to_string())
        })?;
        Ok(Self { pair, random, algorithm })
    }

    /// A signature over `message`: ECDSA in ASN.1 with SHA-256 or SHA-384 by the curve, Ed25519, RSA PKCS#1 v1.5 with
    /// SHA-256.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let failed = |_| Error::new(ErrorKind::Io, "signing failed: the operating system gave no random numbers");
        match &self.pair {
            Pair::Ecdsa(pair) => {
                pair.sign(&self.random, message).map(|signature| signature.as_ref().to_vec()).map_err(failed)
            }
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&signature::RSA_PKCS1_SHA256, &self.random, message, &mut signature).map_err(failed)?;
                Ok(signature)
            }
        }
    }
}

impl rcgen::PublicKeyData for Signer {
    fn der_bytes(&self) -> &[u8] {
        match &self.pair {
            Pair::Ecdsa(pair) => pair.public_key().as_ref(),
            Pair::Ed25519(pair) => pair.public_key().as_ref(),
            Pair::Rsa(pair) => pair.public_key().as_ref(),
        }
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        self.algorithm
    }
}

impl rcgen::SigningKey for Signer {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Self::sign(self, message).map_err(|_| rcgen::Error::RemoteKeyError)
    }
}
