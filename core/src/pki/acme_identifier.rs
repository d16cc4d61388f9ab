//! The certificate that answers a `tls-alpn-01` challenge (RFC 8737 §3, for addresses RFC 8738 §6).

use std::net::IpAddr;
use std::time::Duration;

use rcgen::CustomExtension;

use super::authority::{failed, params, validity};
use super::csr::alt_names;
use super::digest::sha256;
use super::key::{KeyAlgorithm, PrivateKey};
use super::leaf::Certificate;
use crate::ground::error::Result;
use crate::ground::name::{Identifier, Sans};
use crate::ground::time::Timestamp;

/// The protocol that an authority offers, and nothing else, when it asks for the answer (RFC 8737 §6.2).
pub(crate) const PROTOCOL: &[u8] = b"acme-tls/1";

/// Longer than any order waits. Authorities look at the names and the digest; the validity is for those who look further.
const LIFETIME: Duration = Duration::from_secs(7 * 86_400);

/// A self-signed certificate for this identifier alone, with the digest of the key authorization in the critical extension
/// `acmeIdentifier` (1.3.6.1.5.5.7.1.31), and the key that it was made with, which nothing else uses.
///
/// # Errors
///
/// `Io` when the operating system has no random numbers.
pub(crate) fn certificate(
    identifier: &Identifier,
    key_authorization: &[u8],
    now: Timestamp,
) -> Result<(Certificate, PrivateKey)> {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    let mut params = params(validity(now, LIFETIME))?;
    params.subject_alt_names = alt_names(&Sans::new(vec![identifier.clone()])?).map_err(failed)?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(sha256(key_authorization).as_bytes())];
    let made = params.self_signed(&key.signer()?).map_err(failed)?;
    Ok((Certificate::from_der(made.der())?, key))
}

/// The name by which an authority asks for the answer: the DNS name itself, or the name under which an address is looked
/// up in reverse (RFC 8738 §6). Lower-case, without trailing dot.
pub(crate) fn server_name(identifier: &Identifier) -> String {
    match identifier {
        Identifier::Dns(name) | Identifier::Wildcard(name) => name.as_str().to_owned(),
        Identifier::Ip(IpAddr::V4(address)) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        Identifier::Ip(IpAddr::V6(address)) => {
            let nibbles = address.octets().into_iter().rev().flat_map(|octet| [octet & 0xf, octet >> 4]);
            let labels: String = nibbles.map(|nibble| format!("{nibble:x}.")).collect();
            labels + "ip6.arpa"
        }
    }
}

#[cfg(test)]
mod tests {
    use x509_parser::certificate::X509Certificate;
    use x509_parser::prelude::FromDer;

    use super::*;

    /// 2026-11-24T08:00:00Z.
    const NOW: Timestamp = Timestamp::from_unix(1_795_507_200);

    #[test]
    fn it_has_one_name_and_the_digest_in_a_critical_extension() {
        for identifier in ["www.example.org", "192.0.2.1", "2001:db8::1"] {
            let (made, key) = certificate(&identifier.parse().unwrap(), b"abc", NOW).unwrap();
            assert_eq!(made.spki_der(), key.public_key_der());
            let (_, parsed) = X509Certificate::from_der(made.der()).unwrap();
            let extensions = parsed.extensions();
            let found = extensions.iter().find(|extension| extension.oid.to_id_string() == "1.3.6.1.5.5.7.1.31");
            let found = found.unwrap();
            // RFC 8737 §3: an OCTET STRING of 32 bytes. FIPS 180-4, the digest of "abc".
            let expected = "0420ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
            let value: String = found.value.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!((found.critical, value.as_str()), (true, expected));
            let names: Vec<String> = made.identifiers().iter().map(Identifier::to_string).collect();
            assert_eq!(names, [identifier]);
            assert!(!made.is_ca() && made.window().contains(NOW));
            parsed.verify_signature(None).unwrap();
        }
    }

    #[test]
    fn addresses_are_asked_for_by_their_reverse_names() {
        let name = |text: &str| server_name(&text.parse().unwrap());
        assert_eq!(name("www.example.org"), "www.example.org");
        // RFC 1035 §3.5 and RFC 8738 §6.
        assert_eq!(name("192.0.2.1"), "1.2.0.192.in-addr.arpa");
        // RFC 3596 §2.5, the example with its leading label.
        assert_eq!(
            name("4321:0:1:2:3:4:567:89ab"),
            "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa"
        );
    }
}
