//! The certificate that answers a `tls-alpn-01` challenge (RFC 8737 §3).

use std::time::Duration;

use rcgen::CustomExtension;

use super::authority::{params, validity};
use super::csr::alt_names;
use super::digest::sha256;
use super::key::{KeyAlgorithm, PrivateKey};
use super::leaf::Certificate;
use crate::ground::error::{Error, ErrorKind, Result};
use crate::ground::name::{Identifier, Sans};
use crate::ground::time::Timestamp;

/// Longer than any authority takes to look.
const LIFETIME: Duration = Duration::from_secs(7 * 86_400);

/// A self-signed certificate for one identifier, with the digest of the key authorization in a critical extension, and the
/// key that it was made with, which nothing else uses.
pub(crate) fn certificate(
    identifier: &Identifier,
    key_authorization: &[u8],
    now: Timestamp,
) -> Result<(Certificate, PrivateKey)> {
    let failed = |source: rcgen::Error| {
        Error::new(ErrorKind::Bug, "the certificate for a challenge cannot be made").source(source)
    };
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    let mut params = params(validity(now, LIFETIME))?;
    params.subject_alt_names = alt_names(&Sans::new(vec![identifier.clone()])?).map_err(failed)?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(sha256(key_authorization).as_bytes())];
    let made = params.self_signed(&key.signer()?).map_err(failed)?;
    Ok((Certificate::from_der(made.der())?, key))
}

#[cfg(test)]
mod tests {
    use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

    use super::*;

    #[test]
    fn has_one_name_and_the_digest_in_a_critical_extension() {
        let now = Timestamp::from_unix(1_795_507_200);
        for name in ["www.example.org", "192.0.2.1", "2001:db8::1"] {
            let (made, key) = certificate(&name.parse().unwrap(), b"abc", now).unwrap();
            assert_eq!(made.spki_der(), key.public_key_der());
            assert!(made.window().contains(now));
            let (rest, parsed) = X509Certificate::from_der(made.der()).unwrap();
            assert!(rest.is_empty() && parsed.verify_signature(None).is_ok());
            let names = parsed.subject_alternative_name().unwrap().unwrap();
            let [only] = names.value.general_names.as_slice() else { panic!("{names:?}") };
            match only {
                GeneralName::DNSName(dns) => assert_eq!(*dns, name),
                GeneralName::IPAddress(octets) => assert!([4, 16].contains(&octets.len()) && name != "www.example.org"),
                other => panic!("{other:?}"),
            }
            let extension =
                parsed.extensions().iter().find(|one| one.oid.to_id_string() == "1.3.6.1.5.5.7.1.31").unwrap();
            // An OCTET STRING of 32 bytes around the SHA-256 of "abc" (FIPS 180-4).
            let digest: String = extension.value.iter().map(|byte| format!("{byte:02x}")).collect();
            let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
            assert_eq!((extension.critical, digest), (true, format!("0420{expected}")));
        }
    }
}
