//! What kind of name server it is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// How the name server of a test bed is made up.
///
/// # Examples
///
/// ```
/// use certwright_testbed::NameSettings;
///
/// // Names that were not given an address do not exist.
/// let settings = NameSettings { every: Vec::new(), ..NameSettings::default() };
/// assert_eq!(settings.zones.len(), 0);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameSettings {
    /// Where it listens, by UDP and by TCP; port 0 is one of the system's choice, the same for both.
    pub listen: SocketAddr,
    /// The addresses of every name that was not given one. Where there are none, a name without records does not exist.
    pub every: Vec<IpAddr>,
    /// Where zones begin besides at the registered domains, by the public suffix list.
    pub zones: Vec<String>,
    /// A file of records (RFC 1035 §5), read again when it changes.
    pub file: Option<PathBuf>,
    /// How long resolvers may keep the records that do not say so.
    pub ttl: Duration,
    /// The keys of updates, as `ALGORITHM:NAME:BASE64`, with `hmac-sha256`, `hmac-sha384` or `hmac-sha512`. Where there are
    /// none, one is made of the seed.
    pub keys: Vec<String>,
    /// What becomes of updates that nobody signed.
    pub unsigned: UnsignedUpdates,
}

/// What becomes of updates that nobody signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnsignedUpdates {
    /// They are refused.
    Refused,
    /// They are taken.
    Taken,
}

impl Default for NameSettings {
    /// On a port of the system's choice on loopback, where every name is, too.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            every: vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            zones: Vec::new(),
            file: None,
            ttl: Duration::from_secs(60),
            keys: Vec::new(),
            unsigned: UnsignedUpdates::Refused,
        }
    }
}
