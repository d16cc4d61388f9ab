//! What no server can do without: the signatures.

use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
};

use crate::Fault;
use crate::measure::{cpu, quantile};

const TIMES: u32 = 500;
const ROUNDS: usize = 5;

/// Seconds of CPU to make a signature (ES256), and to check one.
pub(super) fn signatures() -> Result<[f64; 2], Fault> {
    let random = SystemRandom::new();
    let failed = |_| "ring has no random numbers";
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).map_err(failed)?;
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random);
    let pair = pair.map_err(|_| "ring does not take its own key")?;
    let message = [7; 400];
    let signature = pair.sign(&random, &message).map_err(failed)?;
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref());
    let sign = || {
        for _ in 0..TIMES {
            std::hint::black_box(pair.sign(&random, &message).map_err(failed)?);
        }
        Ok(())
    };
    let verify = || {
        for _ in 0..TIMES {
            public.verify(&message, signature.as_ref()).map_err(|_| "ring refuses its own signature")?;
        }
        Ok(())
    };
    let mut took = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        took[0].push(cpu(sign)? / f64::from(TIMES));
        took[1].push(cpu(verify)? / f64::from(TIMES));
    }
    Ok(took.map(|took| quantile(&took, 0.5)))
}
