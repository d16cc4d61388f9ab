//! What a `dns-persist-01` record says (draft-ietf-acme-dns-persist-01): who may have certificates for a name, of which
//! authority, and until when. It has the form of a CAA record's value (RFC 8659 §4.2).

use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::ground::name::DnsName;
use crate::ground::time::Timestamp;

/// So many names of an authority are taken, and no more (section 3.1 of the draft).
const MOST_NAMES: usize = 10;
/// The longest account that is believed.
const LONGEST_ACCOUNT: usize = 1024;

/// What an authority wants to find in a record that stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Persistent {
    names: Vec<DnsName>,
    account: String,
    reach: Reach,
}

/// What a lasting record is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reach {
    /// The name alone.
    Name,
    /// The name and everything below it: what a wildcard takes (`policy=wildcard`).
    Below,
}

/// What a record that was found is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Worth {
    /// The authority takes it, also at the moment in question.
    Good,
    /// It names this authority and this account, and has run out.
    Spent,
    /// It is somebody else's, or says less than is needed.
    Other,
}

impl Persistent {
    /// A record for this account at the authority that goes by one of these domain names.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Protocol`] when there is no name or there are more than ten, when one is not a domain name in lower case,
    /// and when the account is not the text of a URI: all of it would become a record.
    pub(crate) fn new(names: &[&str], account: &str, reach: Reach) -> Result<Self> {
        let fault = |message: &'static str| {
            Error::new(ErrorKind::Protocol, message)
                .context("challenge", Public("dns-persist-01"))
                .hint("report this to the authority, or leave this kind of challenge out of `solver`")
        };
        if names.is_empty() || names.len() > MOST_NAMES {
            return Err(fault("the authority does not say by which of one to ten names it goes"));
        }
        let name = |text: &&str| text.parse::<DnsName>().ok().filter(|name| name.as_str() == *text);
        let names = names.iter().map(name).collect::<Option<_>>();
        let names = names.ok_or_else(|| fault("the authority goes by something that is no domain name"))?;
        let fits = account.contains(':') && account.len() <= LONGEST_ACCOUNT && account.bytes().all(is_value);
        if !fits {
            return Err(fault("the account has a URI that no record can hold"));
        }
        Ok(Self { names, account: account.to_owned(), reach })
    }

    /// The domain names that the authority goes by; a record with one of them suffices.
    pub fn issuer_domain_names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(DnsName::as_str)
    }

    /// The account that is to have certificates.
    pub fn account_uri(&self) -> &str {
        &self.account
    }

    /// What the record has to be good for.
    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// The content of the TXT record at `_validation-persist`, with the least that suffices; for ever, or until a moment.
    pub fn value(&self, until: Option<Timestamp>) -> String {
        let mut value = self.issuer_domain_names().next().unwrap_or_default().to_owned();
        value.push_str("; accounturi=");
        value.push_str(&self.account);
        if self.reach == Reach::Below {
            value.push_str("; policy=wildcard");
        }
        if let Some(until) = until {
            value.push_str(&format!("; persistUntil={}", until.unix()));
        }
        value
    }

    /// What a record is worth at a moment, read as strictly as authorities do.
    pub(crate) fn worth(&self, record: &[u8], at: Timestamp) -> Worth {
        let Some(found) = std::str::from_utf8(record).ok().and_then(Found::read) else { return Worth::Other };
        let ours = self.issuer_domain_names().any(|name| found.name == name) && found.account == self.account;
        let suffices = self.reach == Reach::Name || found.reach == Reach::Below;
        match found.until {
            _ if !ours => Worth::Other,
            Some(until) if until < at.unix() => Worth::Spent,
            _ if suffices => Worth::Good,
            _ => Worth::Other,
        }
    }
}

/// A record, taken apart.
struct Found {
    name: String,
    account: String,
    reach: Reach,
    until: Option<i64>,
}

impl Found {
    /// `None` for what an authority passes over: an empty or broken parameter, one that is there twice, no account. Unknown
    /// parameters are no fault.
    fn read(record: &str) -> Option<Self> {
        let trim = |text: &str| text.trim_matches([' ', '\t']).to_owned();
        let mut parts = record.split(';');
        let name = trim(parts.next()?).trim_end_matches('.').to_ascii_lowercase();
        let (mut account, mut policy, mut until) = (None, None, None);
        for part in parts {
            let (tag, value) = part.split_once('=')?;
            let (tag, value) = (trim(tag).to_ascii_lowercase(), trim(value));
            if tag.is_empty() || !value.bytes().all(is_value) {
                return None;
            }
            let known = match tag.as_str() {
                "accounturi" => &mut account,
                "policy" => &mut policy,
                "persistuntil" => &mut until,
                _ => continue,
            };
            if known.replace(value).is_some() {
                return None;
            }
        }
        let digits = |text: String| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        let until = match until {
            Some(text) => Some(digits(text)?),
            None => None,
        };
        let wide = policy.is_some_and(|policy| policy.eq_ignore_ascii_case("wildcard"));
        Some(Self { name, account: account?, reach: if wide { Reach::Below } else { Reach::Name }, until })
    }
}

/// What a value may be made of: printable and no semicolon (RFC 8659 §4.2).
fn is_value(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b';'
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the example in section 3.1 of the draft.
    const ACCOUNT: &str = "https://ca.example/acct/123";

    fn wanted(reach: Reach) -> Persistent {
        Persistent::new(&["authority.example", "ca.example.net"], ACCOUNT, reach).unwrap()
    }

    fn worth(reach: Reach, record: &str) -> Worth {
        wanted(reach).worth(record.as_bytes(), Timestamp::from_unix(1_767_225_600))
    }

    #[test]
    fn the_examples_of_the_draft() {
        let basic = format!("authority.example; accounturi={ACCOUNT}");
        assert_eq!(wanted(Reach::Name).value(None), basic);
        assert_eq!(wanted(Reach::Below).value(None), format!("{basic}; policy=wildcard"));
        let until = wanted(Reach::Name).value(Some(Timestamp::from_unix(1_767_225_600)));
        assert_eq!(until, format!("{basic}; persistUntil=1767225600"));
        for (reach, record, expected) in [
            (Reach::Name, basic.as_str(), Worth::Good),
            (Reach::Below, &basic, Worth::Other),
            (
                Reach::Name,
                "ca2.example; accounturi=https://ca2.example/acct/67890; persistUntil=1767225600",
                Worth::Other,
            ),
            (Reach::Name, &until, Worth::Good),
        ] {
            assert_eq!(worth(reach, record), expected, "{record}");
        }
    }

    #[test]
    fn a_record_is_read_as_an_authority_reads_it() {
        for (record, expected) in [
            ("CA.example.net. ;AccountURI = https://ca.example/acct/123\t;\tpolicy=WildCard", Worth::Good),
            ("authority.example; accounturi=https://ca.example/acct/123; policy=wildcard; x=1; x=2", Worth::Good),
            ("authority.example; accounturi=https://ca.example/acct/123; policy=wildcard;", Worth::Other),
            ("authority.example; accounturi=https://ca.example/acct/1234; policy=wildcard", Worth::Other),
            ("authority.example; accounturi=HTTPS://ca.example/acct/123; policy=wildcard", Worth::Other),
            ("authority.example; policy=wildcard", Worth::Other),
            ("other.example; accounturi=https://ca.example/acct/123; policy=wildcard", Worth::Other),
            (
                "authority.example; accounturi=https://ca.example/acct/123; policy=wildcard; policy=wildcard",
                Worth::Other,
            ),
            ("authority.example; accounturi=https://ca.example/acct/123; policy=all", Worth::Other),
            ("authority.example; accounturi=https://ca.example/acct/123; policy=wild card", Worth::Other),
            (
                "authority.example; accounturi=https://ca.example/acct/123; policy=wildcard; persistUntil=1767225599",
                Worth::Spent,
            ),
            (
                "authority.example; accounturi=https://ca.example/acct/123; policy=wildcard; persistUntil=+1767225600",
                Worth::Other,
            ),
            ("authority.example; accounturi=https://ca.example/acct/123; policy=wildcard; persistUntil=", Worth::Other),
            ("", Worth::Other),
        ] {
            assert_eq!(worth(Reach::Below, record), expected, "{record}");
        }
        assert_eq!(wanted(Reach::Name).worth(b"\xff", Timestamp::MIN), Worth::Other);
    }

    #[test]
    fn nothing_else_gets_into_a_record() {
        let long = format!("https://ca.example/{}", "x".repeat(1024));
        let many = ["a.example"; 11];
        for (names, account) in [
            (&[][..], ACCOUNT),
            (&many, ACCOUNT),
            (&["a.example; accounturi=https://evil.example/1"], ACCOUNT),
            (&["A.example"], ACCOUNT),
            (&["a.example."], ACCOUNT),
            (&["a.example"], "https://ca.example/1; policy=wildcard"),
            (&["a.example"], "https://ca.example/1 2"),
            (&["a.example"], "https://ca.example/1\n"),
            (&["a.example"], "acct"),
            (&["a.example"], ""),
            (&["a.example"], &long),
        ] {
            let error = Persistent::new(names, account, Reach::Name).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol);
            assert!(error.hint_text().is_some());
        }
    }
}
