//! What a server serves, as the openssl program sees it.

use std::io;
use std::path::Path;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::openssl;
use crate::servers::Place;

/// The leaf that is served at a place, DER.
///
/// # Errors
///
/// When no handshake could be made.
pub fn leaf(place: Place, name: Option<&str>) -> io::Result<Vec<u8>> {
    let address = place.address.to_string();
    let mut arguments = vec!["s_client", "-connect", &address];
    match name {
        Some(name) => arguments.extend(["-servername", name]),
        None => arguments.push("-noservername"),
    }
    arguments.extend(place.dialect.into_iter().flat_map(|dialect| ["-starttls", dialect]));
    first(openssl::openssl(arguments)?.stdout.as_slice())
        .map_err(|_| io::Error::new(io::ErrorKind::ConnectionRefused, format!("no certificate is served at {address}")))
}

/// The first certificate of a PEM file, DER.
///
/// # Errors
///
/// When it cannot be read or there is none.
pub fn leaf_of(file: &Path) -> io::Result<Vec<u8>> {
    first(&std::fs::read(file)?).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", file.display())))
}

fn first(pem: &[u8]) -> io::Result<Vec<u8>> {
    let found = CertificateDer::from_pem_slice(pem);
    found.map(|certificate| certificate.to_vec()).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}
