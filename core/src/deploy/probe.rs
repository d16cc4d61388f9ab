//! Asking a service which certificate it serves.

mod callback;
mod file;
mod handshake;
mod judge;
mod resolve;
mod starttls;
#[cfg(test)]
mod tests;
mod tls;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

pub use self::callback::ProbeCallback;
use self::file::FileProbe;
pub(crate) use self::judge::{await_served, served};
use self::tls::TlsProbe;
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::ground::id::Fingerprint;
use crate::ground::time::Window;
use crate::pki::digest::sha256;
use crate::pki::key::KeyAlgorithm;
use crate::pki::leaf::Certificate;
use crate::place::filesystem::Filesystem;
use crate::plan::spec::{Address, Endpoint};

/// Observes which certificate is really served.
///
/// Implementers must:
///
/// - observe anew at each call, with fresh connections: nothing may be remembered or resumed;
/// - take the certificate as it is, trusted or not, expired or not; whether it is the right one is the caller's to judge;
/// - report a certificate only when its owner was seen to hold the key, as far as the protocol shows that;
/// - report every place that was asked, one that could not be observed with its error; return an error of the whole only
///   when no place could even be named;
/// - end within a time limit of their own, whatever the other side does, and soon after `cancel` asks for it;
/// - change nothing.
///
/// A probe may be called from many threads at once.
pub trait Probe: fmt::Debug + Send + Sync {
    /// What is served now.
    ///
    /// # Errors
    ///
    /// `Network` or `Timeout` when the name cannot be resolved, `Cancelled`, `InvalidSpec`.
    ///
    /// # Effects
    ///
    /// Network or disk: reads.
    fn observe(&self, cancel: &Cancel) -> Result<Vec<Observation>>;

    /// What is asked, in a few words for reports: "`127.0.0.1:443` as `www.example.org`".
    fn describe(&self) -> String {
        format!("{self:?}")
    }
}

/// What was seen at one place.
#[derive(Debug)]
#[non_exhaustive]
pub struct Observation {
    /// Where it was seen.
    pub place: Place,
    /// What was seen, or why nothing was.
    pub seen: Result<Seen>,
    /// How many connections saw it. A place behind which several workers answer may have one observation for each
    /// certificate.
    pub connections: u32,
}

impl Observation {
    /// One look at a place.
    pub const fn new(place: Place, seen: Result<Seen>) -> Self {
        Self { place, seen, connections: 1 }
    }
}

/// Where a certificate is served.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// At this address.
    Socket(SocketAddr),
    /// In this file.
    File(PathBuf),
    /// Where these words say.
    Named(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(address) => write!(f, "{address}"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Named(words) => f.write_str(words),
        }
    }
}

/// The facts of a certificate that is served.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Seen {
    /// SHA-256 of the leaf.
    pub fingerprint: Fingerprint,
    /// SHA-256 of the leaf's SubjectPublicKeyInfo.
    pub key_fingerprint: Fingerprint,
    /// When the leaf is valid.
    pub window: Window,
    /// How many certificates were sent, the leaf included.
    pub chain_length: usize,
}

impl Seen {
    /// The facts of certificates in DER as they were sent, the leaf first.
    ///
    /// # Errors
    ///
    /// `Network` when there is none, or the leaf is no certificate.
    pub fn from_der<'a>(chain: impl IntoIterator<Item = &'a [u8]>) -> Result<Self> {
        let mut chain = chain.into_iter();
        let Some(leaf) = chain.next() else {
            return Err(Error::new(ErrorKind::Network, "no certificate is served")
                .hint("see in the service's configuration which certificate it loads"));
        };
        let certificate = Certificate::from_der(leaf).map_err(|source| {
            Error::new(ErrorKind::Network, "what is served as a certificate cannot be read")
                .context("sha256", sha256(leaf))
                .hint("see with `openssl s_client -showcerts` what is served")
                .source(source)
        })?;
        Ok(Self::of(&certificate, 1 + chain.count()))
    }

    fn of(leaf: &Certificate, chain_length: usize) -> Self {
        Self {
            fingerprint: leaf.fingerprint(),
            key_fingerprint: leaf.key_fingerprint(),
            window: leaf.window(),
            chain_length,
        }
    }
}

/// The probe for a wish, to be asked by itself, or from within another one that adds to it
/// ([`Builder::probe`](crate::Builder::probe)). A service may serve one certificate for each kind of key at the same
/// address: `key` is the kind that is asked for first.
///
/// # Errors
///
/// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) when the wish cannot be meant.
///
/// # Examples
///
/// ```no_run
/// use std::sync::Arc;
///
/// use certwright::{Address, Cancel, Endpoint, Filesystem, KeyAlgorithm, OsFilesystem};
///
/// # fn main() -> certwright::Result<()> {
/// let files: Arc<dyn Filesystem> = Arc::new(OsFilesystem::new());
/// let mut wish = Endpoint::new(Address::Host("www.example.org".to_owned(), 443));
/// wish.server_name = Some("www.example.org".parse()?);
/// for seen in certwright::probe(&wish, KeyAlgorithm::EcdsaP256, &files)?.observe(&Cancel::new())? {
///     println!("{}: until {}", seen.place, seen.seen?.window.end);
/// }
/// # Ok(())
/// # }
/// ```
pub fn probe(wish: &Endpoint, key: KeyAlgorithm, fs: &Arc<dyn Filesystem>) -> Result<Arc<dyn Probe>> {
    Ok(match &wish.address {
        Address::File(path) => Arc::new(FileProbe::new(path.clone(), fs.clone())),
        Address::Socket(_) | Address::Host(..) => Arc::new(TlsProbe::new(wish, key)?),
    })
}

/// The first eight bytes of a fingerprint: enough to tell certificates apart, short enough to be read.
fn short(fingerprint: &Fingerprint) -> String {
    fingerprint.to_string().chars().take(16).collect()
}

/// An error told at its place.
fn at(place: &Place, error: Error) -> Error {
    error.context("address", Public(&place.to_string()))
}
