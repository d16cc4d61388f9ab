//! Certificates that no authority should make: good ones in another spelling, signed anew.

use certwright::{Certificate, Error, ErrorKind, PrivateKey, Result};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};

use crate::acme::der::{BIT_STRING, NULL, OID, SEQUENCE, element, elements, unsigned};

/// 1.3.6.1.5.5.7.3.1, serverAuth, and 1.3.6.1.5.5.7.3.2, clientAuth (RFC 5280 §4.2.1.12).
const SERVER: [u8; 10] = [OID, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1];
const CLIENT: [u8; 10] = [OID, 8, 0x2b, 6, 1, 5, 5, 7, 3, 2];
/// 1.2.840.113549.1.1.1, rsaEncryption.
const RSA: [u8; 11] = [OID, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
/// Where the public key is in a TBSCertificate of version 3 (RFC 5280 §4.1).
const PUBLIC_KEY: usize = 6;

/// The same leaf for clients instead of servers.
pub(crate) fn for_clients(leaf: &Certificate, signer: &PrivateKey) -> Result<Certificate> {
    respelled(leaf, signer, |parts| {
        for part in parts {
            let at = part.windows(SERVER.len()).position(|bytes| bytes == SERVER);
            let place = at.and_then(|at| part.get_mut(at..)).and_then(|rest| rest.get_mut(..CLIENT.len()));
            if let Some(place) = place {
                place.copy_from_slice(&CLIENT);
            }
        }
    })
}

/// The same certificate for an RSA key of 1024 bits.
pub(crate) fn with_short_key(certificate: &Certificate, signer: &PrivateKey) -> Result<Certificate> {
    let public = element(SEQUENCE, &[&unsigned(&[0xc5; 128]), &unsigned(&[1, 0, 1])]);
    let kind = element(SEQUENCE, &[&RSA, &[NULL, 0]]);
    let spki = element(SEQUENCE, &[&kind, &element(BIT_STRING, &[&[0], &public])]);
    respelled(certificate, signer, |parts| {
        if let Some(place) = parts.get_mut(PUBLIC_KEY) {
            *place = spki;
        }
    })
}

fn respelled(
    certificate: &Certificate,
    signer: &PrivateKey,
    change: impl FnOnce(&mut Vec<Vec<u8>>),
) -> Result<Certificate> {
    let failed = |_| Error::new(ErrorKind::Bug, "a certificate cannot be signed anew");
    let [tbs, algorithm, _] = elements(certificate.der())[..] else {
        return Err(Error::new(ErrorKind::Bug, "a certificate has three parts"));
    };
    let mut parts: Vec<Vec<u8>> = elements(tbs).into_iter().map(<[u8]>::to_vec).collect();
    change(&mut parts);
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    let tbs = element(SEQUENCE, &parts);
    let random = SystemRandom::new();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, signer.to_der().expose(), &random)
        .map_err(|_| Error::new(ErrorKind::Bug, "the test bed signs with P-256"))?;
    let signature = key.sign(&random, &tbs).map_err(failed)?;
    Certificate::from_der(&element(SEQUENCE, &[&tbs, algorithm, &element(BIT_STRING, &[&[0], signature.as_ref()])]))
}
