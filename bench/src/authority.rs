//! The embedded CA, against the least that making key and signature can take.

use std::path::Path;
use std::sync::Arc;

use certwright::{
    Cancel, Issuer, KeyAlgorithm, LocalCa, LocalIssuer, OsFilesystem, PrivateKey, Request, Sans, SystemClock,
};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};

use crate::Fault;
use crate::measure::{Goal, in_turn, wall};
use crate::site::{LINEAGE, Site};

const PAIRS: usize = 200;
const LEAVES: u32 = 20;

/// The line.
pub(crate) fn line(folder: &Path) -> Result<(), Fault> {
    let site = Site::new(folder, "ca")?;
    std::fs::create_dir(site.root())?;
    let files = Arc::new(OsFilesystem::new());
    let ca = LocalCa::new("lab".parse()?, LocalIssuer::default(), files, &site.root(), Arc::new(SystemClock));
    let (lineage, names) = (LINEAGE.parse()?, Sans::new(vec!["www.example.org".parse()?])?);
    let ours = || -> Result<f64, Fault> {
        wall(|| {
            for _ in 0..LEAVES {
                let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
                std::hint::black_box(ca.issue(&Request::new(&lineage, &names, &key), &Cancel::new())?);
            }
            Ok(())
        })
    };
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
    let unspecified = |_| Fault::from("ring refused");
    // About as many bytes as the signed part of a leaf.
    let message = [7; 400];
    let issuing = EcdsaKeyPair::generate_pkcs8(algorithm, &random).map_err(unspecified)?;
    let issuing = EcdsaKeyPair::from_pkcs8(algorithm, issuing.as_ref(), &random).map_err(|_| "ring refused")?;
    let theirs = || -> Result<f64, Fault> {
        wall(|| {
            for _ in 0..LEAVES {
                let key = EcdsaKeyPair::generate_pkcs8(algorithm, &random).map_err(unspecified)?;
                let key = EcdsaKeyPair::from_pkcs8(algorithm, key.as_ref(), &random).map_err(|_| "ring refused")?;
                std::hint::black_box((key, issuing.sign(&random, &message).map_err(unspecified)?));
            }
            Ok(())
        })
    };
    let pairs = in_turn(PAIRS, ours, theirs)?;
    pairs.line(
        "embedded CA, 20 times a new P-256 key and its leaf",
        "ring's generate, load and sign",
        Goal::Share(0.85),
    );
    Ok(())
}
