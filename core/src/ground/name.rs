//! What a certificate is for: DNS names, wildcards and IP addresses, parsed once; anything lossy is rejected.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::error::{ContextValue, Error, ErrorKind, Public, Result};

/// A DNS name in A-label form (RFC 5890 §2.3.2.1): lower-case, without trailing dot, at least two labels or one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DnsName(Box<str>);

impl DnsName {
    /// The name as it stands in a certificate.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without its leftmost label, when something is left.
    pub fn parent(&self) -> Option<&str> {
        self.0.split_once('.').map(|(_, rest)| rest)
    }
}

impl FromStr for DnsName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let ascii = to_a_labels(text).map_err(|why| {
            Error::new(ErrorKind::InvalidSpec, why)
                .context("identifier", Public(text))
                .hint("write the name as it is looked up in DNS, without scheme, port, path or trailing dot")
        })?;
        Ok(Self(ascii.into()))
    }
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// RFC 1034 §3.5 and RFC 5890, strictly; a U-label is turned into its A-label only when the way back gives it again.
fn to_a_labels(text: &str) -> Result<String, &'static str> {
    if text.is_empty() {
        return Err("the name is empty");
    }
    if text.ends_with('.') {
        return Err("the name ends with a dot");
    }
    let lower = if text.is_ascii() { text.to_ascii_lowercase() } else { text.to_owned() };
    let ascii = idna::domain_to_ascii_strict(&lower).map_err(|_| "this is not a valid DNS name")?;
    if !lower.is_ascii() {
        let (back, round_trip) = idna::domain_to_unicode(&ascii);
        if round_trip.is_err() || back != lower {
            return Err("the name has another spelling that is not the same text");
        }
    }
    let label_ok = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if ascii.len() > 253 || !ascii.split('.').all(label_ok) {
        return Err("this is not a valid DNS name");
    }
    // A name whose last label is a number would be read as an IPv4 address by some (WHATWG URL, getaddrinfo).
    if ascii.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit())) {
        return Err("the last label of a DNS name cannot be a number");
    }
    Ok(ascii)
}

/// One name that a certificate is valid for (a GeneralName of RFC 5280 §4.2.1.6).
///
/// # Examples
///
/// ```
/// use certwright::Identifier;
///
/// let name: Identifier = "bücher.example".parse()?;
/// assert_eq!(name.to_string(), "xn--bcher-kva.example");
/// assert!("*.example.org".parse::<Identifier>()?.covers(&"www.example.org".parse()?));
/// assert!("http://example.org".parse::<Identifier>().is_err());
/// # Ok::<(), certwright::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Identifier {
    /// A DNS name.
    Dns(DnsName),
    /// `*.` and a DNS name: every name with exactly one more label (RFC 9525 §6.3).
    Wildcard(DnsName),
    /// An IPv4 or IPv6 address (RFC 8738).
    Ip(IpAddr),
}

impl Identifier {
    /// Whether a certificate for this identifier is good for `wanted`.
    pub fn covers(&self, wanted: &Self) -> bool {
        match (self, wanted) {
            (Self::Wildcard(base), Self::Dns(name)) => name.parent() == Some(base.as_str()),
            _ => self == wanted,
        }
    }
}

impl FromStr for Identifier {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Ip(address));
        }
        let Some(base) = text.strip_prefix("*.") else {
            return text.parse().map(Self::Dns);
        };
        let base: DnsName = base.parse()?;
        if base.parent().is_none() {
            return Err(Error::new(ErrorKind::InvalidSpec, "a wildcard needs at least two labels after the star")
                .context("identifier", Public(text))
                .hint("name a domain of your own, such as `*.example.org`"));
        }
        Ok(Self::Wildcard(base))
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => write!(f, "{name}"),
            Self::Wildcard(base) => write!(f, "*.{base}"),
            Self::Ip(address) => write!(f, "{address}"),
        }
    }
}

impl ContextValue for Identifier {
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// The identifiers of one certificate: at least one, each once, in the order they were given.
///
/// Two sets with the same members are equal whatever their order.
#[derive(Clone, Debug)]
pub struct Sans(Vec<Identifier>);

impl Sans {
    /// The set of these identifiers.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidSpec`] when there is none, or one is given twice.
    pub fn new(identifiers: Vec<Identifier>) -> Result<Self> {
        if identifiers.is_empty() {
            return Err(Error::new(ErrorKind::InvalidSpec, "there is no identifier")
                .hint("name at least one DNS name or IP address in `identifiers`"));
        }
        let mut sorted: Vec<&Identifier> = identifiers.iter().collect();
        sorted.sort_unstable();
        if let Some([twice, _]) = sorted.windows(2).find(|pair| matches!(pair, [a, b] if a == b)) {
            return Err(Error::new(ErrorKind::InvalidSpec, "an identifier is given twice")
                .context("identifier", *twice)
                .hint("remove one of the two"));
        }
        Ok(Self(identifiers))
    }

    /// The identifiers in the order given.
    pub fn iter(&self) -> std::slice::Iter<'_, Identifier> {
        self.0.iter()
    }

    /// How many there are.
    #[expect(clippy::len_without_is_empty, reason = "a set of SANs is never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The first one, by which people know the certificate.
    pub fn first(&self) -> &Identifier {
        let [first, ..] = self.0.as_slice() else { unreachable!("a set of SANs is never empty") };
        first
    }

    /// Whether a certificate with these SANs is good for `wanted`.
    pub fn covers(&self, wanted: &Identifier) -> bool {
        self.0.iter().any(|have| have.covers(wanted))
    }
}

impl PartialEq for Sans {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().all(|identifier| other.0.contains(identifier))
    }
}

impl Eq for Sans {}

impl<'a> IntoIterator for &'a Sans {
    type Item = &'a Identifier;
    type IntoIter = std::slice::Iter<'a, Identifier>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl fmt::Display for Sans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, identifier) in self.0.iter().enumerate() {
            write!(f, "{}{identifier}", if at == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> Identifier {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn one_spelling_for_each_name() {
        for (text, shown) in [
            ("example.org", "example.org"),
            ("EXAMPLE.org", "example.org"),
            ("localhost", "localhost"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("*.bücher.example", "*.xn--bcher-kva.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("192.0.2.1", "192.0.2.1"),
            ("2001:DB8::0:1", "2001:db8::1"),
        ] {
            assert_eq!(id(text).to_string(), shown);
        }
    }

    #[test]
    fn refuses_what_is_lossy_or_no_name() {
        let long_label = format!("{}.example", "a".repeat(64));
        let long_name = vec!["a".repeat(60); 5].join(".");
        for text in [
            "",
            ".",
            "example.org.",
            ".example.org",
            "a..b",
            "-a.example",
            "a-.example",
            "a_b.example",
            "a b.example",
            "http://example.org",
            "example.org:443",
            "example.org/x",
            "*",
            "*.",
            "*.org",
            "a.*.example",
            "*a.example",
            "**.example.org",
            "*.*.example.org",
            "192.0.2.256",
            "192.0.2",
            "1.2.3.4.5",
            "0x7f.1",
            "[::1]",
            "fe80::1%eth0",
            // masked labels: punycode that decodes to plain ASCII, full-width and soft-hyphen spellings
            "xn--example-.org",
            "ｅxample.org",
            "ex\u{ad}ample.org",
            "Bücher.example",
            "example。org",
            "a\0.example",
            &long_label,
            &long_name,
        ] {
            assert!(text.parse::<Identifier>().is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn a_wildcard_covers_exactly_one_label() {
        let star = id("*.example.org");
        assert!(star.covers(&id("www.example.org")));
        for other in ["example.org", "a.b.example.org", "wwwexample.org", "*.www.example.org"] {
            assert!(!star.covers(&id(other)), "{other}");
        }
        assert!(star.covers(&star));
        assert!(!id("www.example.org").covers(&star));
    }

    #[test]
    fn a_set_has_each_once_and_ignores_order() -> Result<()> {
        let set = |names: &[&str]| Sans::new(names.iter().map(|name| id(name)).collect());
        assert!(set(&[]).is_err());
        assert!(set(&["a.example", "b.example", "A.example"]).is_err());
        assert_eq!(set(&["a.example", "b.example"])?, set(&["b.example", "a.example"])?);
        assert_ne!(set(&["a.example", "b.example"])?, set(&["a.example", "c.example"])?);
        Ok(())
    }
}
