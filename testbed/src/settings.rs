//! What kind of world it is.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use certwright::{Error, ErrorKind, Result};

use crate::dns::settings::NameSettings;
use certwright::DnsName;

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
    /// The domain names by which it goes in records for `dns-persist-01` (draft-ietf-acme-dns-persist-01); the kind is not
    /// offered when there are none.
    pub persistent: Vec<String>,
    /// How long an authorization and an order may take before they expire.
    pub patience: Duration,
    /// Whether certificates have renewal information (RFC 9773).
    pub renewal_info: RenewalInformation,
    /// Names that nothing is issued for, nor for any name below them (`rejectedIdentifier`).
    pub blocked: Vec<DnsName>,
    /// The issuer domain name (RFC 8659 §4.2) that a CAA record has to hold, where there is one; `None` when nobody looks.
    /// Records are where names are: only a name server has any.
    pub caa: Option<DnsName>,
    /// How often things may be done.
    pub limits: Limits,
    /// What clients that wait are told in `Retry-After`, in whole seconds; `None` when they are told nothing.
    pub ask_again: Option<Duration>,
    /// A directory where accounts, orders, authorizations, certificates, the time and the authority's keys outlive the
    /// process; it is made for the owner alone. `None` when they do not. Let `listen` name a port then: every URL has it.
    pub state: Option<PathBuf>,
    /// The name server that belongs to this world, where there is one.
    pub dns: Option<NameSettings>,
    /// Where it is managed by plain HTTP, where it is; port 0 is one of the system's choice.
    pub management: Option<SocketAddr>,
}

/// How often things may be done. A bucket that was emptied refills steadily: after `within` it is full again. Renewals that
/// name what they replace (RFC 9773 §5) are free of all limits.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use certwright_testbed::{Limit, Limits, Settings};
///
/// let hour = Duration::from_secs(3_600);
/// let few = Limits { orders_per_account: Some(Limit { count: 2, within: hour }), ..Limits::default() };
/// let settings = Settings { limits: few, ..Settings::default() };
/// assert_eq!(Limits::lets_encrypt().certificates_per_set, Some(Limit { count: 5, within: 168 * hour }));
/// # drop(settings);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// New accounts from one address.
    pub accounts_per_address: Option<Limit>,
    /// New orders of one account.
    pub orders_per_account: Option<Limit>,
    /// Certificates for names below one registered domain (of the public suffix list).
    pub certificates_per_domain: Option<Limit>,
    /// Certificates for exactly these identifiers.
    pub certificates_per_set: Option<Limit>,
    /// Failed validations of one identifier by one account.
    pub failures_per_identifier: Option<Limit>,
}

/// So many in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How many.
    pub count: u32,
    /// In what time.
    pub within: Duration,
}

impl Limits {
    /// Those of Let's Encrypt's production environment (<https://letsencrypt.org/docs/rate-limits/>).
    pub const fn lets_encrypt() -> Self {
        const HOUR: u64 = 3_600;
        const fn limit(count: u32, hours: u64) -> Option<Limit> {
            Some(Limit { count, within: Duration::from_secs(hours * HOUR) })
        }
        Self {
            accounts_per_address: limit(10, 3),
            orders_per_account: limit(300, 3),
            certificates_per_domain: limit(50, 168),
            certificates_per_set: limit(5, 168),
            failures_per_identifier: limit(5, 1),
        }
    }
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

impl ExternalAccount {
    /// Reads `ID:KEY`, with the key in base64url without padding, as authorities hand it out.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidSpec`] when it is written in another way.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || Error::new(ErrorKind::InvalidSpec, "this is not an id, a colon and a key in base64url");
        let (id, key) = text.split_once(':').filter(|(id, _)| !id.is_empty()).ok_or_else(wrong)?;
        let key = URL_SAFE_NO_PAD.decode(key.trim_end_matches('=')).map_err(|_| wrong())?;
        if key.is_empty() { Err(wrong()) } else { Ok(Self { id: id.to_owned(), key }) }
    }
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
            persistent: Vec::new(),
            patience: 7 * DAY,
            renewal_info: RenewalInformation::Offered,
            blocked: Vec::new(),
            caa: None,
            limits: Limits::default(),
            ask_again: None,
            state: None,
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
