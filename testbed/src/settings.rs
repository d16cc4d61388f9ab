//! What kind of world it is.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::dns::settings::NameSettings;

/// How a test bed is made up.
///
/// # Examples
///
/// ```
/// use certwright_testbed::{Settings, Validation};
///
/// let settings = Settings { validation: Validation::Believed, alternates: 2, ..Settings::default() };
/// assert_eq!(settings.seed, 1);
/// ```
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where chance begins: the same seed and the same requests make the same tokens, nonces and faults.
    pub seed: u64,
    /// Where it listens; port 0 is one of the system's choice.
    pub listen: SocketAddr,
    /// Whether it looks for the answers to its challenges.
    pub validation: Validation,
    /// Whether a valid authorization serves the next order for the same identifier (RFC 8555 §7.1.3).
    pub reuse: Reuse,
    /// The keys that an account may be bound to. When there is one, every account has to be (RFC 8555 §7.3.4).
    pub external_accounts: Vec<ExternalAccount>,
    /// The terms that an account has to agree to, as a URL.
    pub terms: Option<String>,
    /// The profiles that an order may name, the one for orders that name none first; none when it is empty.
    pub profiles: Vec<Profile>,
    /// How long certificates are valid where no profile says otherwise.
    pub lifetime: Duration,
    /// How many more roots there are a chain to, offered as alternates (RFC 8555 §7.4.2).
    pub alternates: u8,
    /// How long an authorization and an order may take before they expire.
    pub patience: Duration,
    /// Whether certificates have renewal information (RFC 9773).
    pub renewal_info: RenewalInformation,
    /// The name server that belongs to this world, where there is one.
    pub dns: Option<NameSettings>,
    /// Where it is managed by plain HTTP, where it is; port 0 is one of the system's choice.
    pub management: Option<SocketAddr>,
}

/// How answers to challenges are judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Validation {
    /// Each is believed, at once.
    Believed,
    /// By looking.
    Real(Real),
}

/// Where one looks for the answers to challenges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Real {
    /// The port for http-01.
    pub http_port: u16,
    /// The port for tls-alpn-01.
    pub tls_port: u16,
    /// Where names are.
    pub names: Names,
    /// How long one look may take.
    pub limit: Duration,
}

/// What names mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// Each has this address and no TXT records.
    Every(IpAddr),
    /// What this name server says, over UDP, again over TCP when it is too long.
    Server(SocketAddr),
    /// What the name server of this world says ([`Settings::dns`]).
    Own,
}

impl Default for Real {
    /// Names are on loopback; the ports are those that Pebble looks at: 5002 and 5001.
    fn default() -> Self {
        Self {
            http_port: 5002,
            tls_port: 5001,
            names: Names::Every(Ipv4Addr::LOCALHOST.into()),
            limit: Duration::from_secs(10),
        }
    }
}

/// Whether valid authorizations are used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// Every order has new ones.
    Never,
    /// As long as they are valid, by the account that has them.
    Always,
}

/// Whether there is renewal information.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenewalInformation {
    /// It is in the directory.
    Offered,
    /// The server does not know of it.
    Absent,
}

/// A key for external account binding.
#[derive(Clone, PartialEq, Eq)]
pub struct ExternalAccount {
    /// Its id.
    pub id: String,
    /// The key of the MAC (HS256).
    pub key: Vec<u8>,
}

impl std::fmt::Debug for ExternalAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExternalAccount").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A profile of certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// What the directory says about it.
    pub description: String,
    /// How long its certificates are valid.
    pub lifetime: Duration,
}

const DAY: Duration = Duration::from_secs(86_400);

impl Default for Settings {
    /// On a port of the system's choice on loopback, looking for answers on loopback, one root, ninety days.
    fn default() -> Self {
        Self {
            seed: 1,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            validation: Validation::Real(Real::default()),
            reuse: Reuse::Never,
            external_accounts: Vec::new(),
            terms: None,
            profiles: Vec::new(),
            lifetime: 90 * DAY,
            alternates: 0,
            patience: 7 * DAY,
            renewal_info: RenewalInformation::Offered,
            dns: None,
            management: None,
        }
    }
}

impl Settings {
    /// A world with everything: a name server of its own that the authority looks at, and management.
    pub fn whole() -> Self {
        Self {
            validation: Validation::Real(Real { names: Names::Own, ..Real::default() }),
            dns: Some(NameSettings::default()),
            management: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
            ..Self::default()
        }
    }
}
