//! What a server serves, as the openssl program sees it.

use std::fmt;
use std::io;
use std::path::Path;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::openssl;
use crate::servers::Place;

/// An end-entity certificate, DER. Told apart by the end of its signature when it is printed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leaf(Vec<u8>);

impl Leaf {
    /// This certificate, DER.
    pub fn of(certificate: &CertificateDer<'_>) -> Self {
        Self(certificate.to_vec())
    }
}

impl fmt::Debug for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.0.len().saturating_sub(6);
        f.write_str("leaf …")?;
        self.0.iter().skip(end).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The leaf that is served at a place.
///
/// # Errors
///
/// When no handshake could be made.
pub fn leaf(place: Place, name: Option<&str>) -> io::Result<Leaf> {
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

/// The first certificate of a PEM file.
///
/// # Errors
///
/// When it cannot be read or there is none.
pub fn leaf_of(file: &Path) -> io::Result<Leaf> {
    first(&std::fs::read(file)?).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", file.display())))
}

fn first(pem: &[u8]) -> io::Result<Leaf> {
    let found = CertificateDer::from_pem_slice(pem);
    found.map(|certificate| Leaf::of(&certificate)).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}
