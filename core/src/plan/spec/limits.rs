//! What an authority lets through within a time: known beforehand, so that an order that would be refused is not placed.

use std::time::Duration;

/// Whether this program counts what it asks of an issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Limits {
    /// The published limits of the authority, where they are known by its directory; else none.
    #[default]
    Usual,
    /// None: the authority says no by itself.
    Uncounted,
    /// These.
    Own(LimitTable),
}

/// So many within this time; what is used comes back evenly (a token bucket).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rate {
    /// How many; at least 1.
    pub count: u32,
    /// Within how long; at least a second for each.
    pub period: Duration,
}

impl Rate {
    /// So many within this time.
    pub const fn new(count: u32, period: Duration) -> Self {
        Self { count, period }
    }
}

/// The limits of an authority. What is `None` is not limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LimitTable {
    /// New orders of the account.
    pub orders: Option<Rate>,
    /// Certificates for one registered domain, whatever is below it, or for one IPv4 address or IPv6 /64.
    pub domain: Option<Rate>,
    /// Certificates for exactly the same identifiers.
    pub set: Option<Rate>,
    /// Failed validations of one identifier.
    pub failures: Option<Rate>,
}

const HOUR: Duration = Duration::from_secs(3_600);
const WEEK: Duration = Duration::from_secs(7 * 86_400);

impl LimitTable {
    /// As <https://letsencrypt.org/docs/rate-limits/> had them in June 2025.
    pub const LETS_ENCRYPT: Self = Self {
        orders: Some(Rate::new(300, Duration::from_secs(3 * 3_600))),
        domain: Some(Rate::new(50, WEEK)),
        set: Some(Rate::new(5, WEEK)),
        failures: Some(Rate::new(5, HOUR)),
    };

    /// The published limits of the authority with this directory, where they are known.
    pub fn published(directory: &str) -> Option<Self> {
        let host = directory.strip_prefix("https://")?.split(['/', ':']).next()?;
        host.eq_ignore_ascii_case("acme-v02.api.letsencrypt.org").then_some(Self::LETS_ENCRYPT)
    }
}

impl Limits {
    /// The table to count by for the authority with this directory.
    pub fn table(self, directory: &str) -> Option<LimitTable> {
        match self {
            Self::Usual => LimitTable::published(directory),
            Self::Uncounted => None,
            Self::Own(table) => Some(table),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_production_of_lets_encrypt_has_its_limits() {
        let usual = |directory| Limits::Usual.table(directory);
        assert_eq!(usual("https://acme-v02.api.letsencrypt.org/directory"), Some(LimitTable::LETS_ENCRYPT));
        for other in [
            "https://acme-staging-v02.api.letsencrypt.org/directory",
            "https://acme-v02.api.letsencrypt.org.evil.example/directory",
            "https://ca.example/acme-v02.api.letsencrypt.org/directory",
            "http://acme-v02.api.letsencrypt.org/directory",
            "",
        ] {
            assert_eq!(usual(other), None, "{other}");
        }
        let own = LimitTable { orders: Some(Rate::new(1, HOUR)), ..LimitTable::default() };
        assert_eq!(Limits::Own(own).table("https://ca.example/"), Some(own));
        assert_eq!(Limits::Uncounted.table("https://acme-v02.api.letsencrypt.org/directory"), None);
    }
}
