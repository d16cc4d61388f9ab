//! dns-persist-01 (draft-ietf-acme-dns-persist-01, section 4): one of the records at `_validation-persist` lets this account
//! have certificates of this authority.

use certwright::Timestamp;

use super::{Job, lookup};
use crate::acme::authorization::Span;
use crate::acme::problem::{Problem, unauthorized};

/// What a record has to say.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    /// The domain names of this authority.
    pub(crate) names: Vec<String>,
    /// The account's URL.
    pub(crate) account: String,
    pub(crate) span: Span,
    pub(crate) now: Timestamp,
}

pub(super) async fn look(job: &Job) -> Result<(), Problem> {
    let name = format!("_validation-persist.{}", job.identifier);
    let found = lookup::texts(job.real.names, &name).await?;
    if found.iter().any(|record| job.expected.is_met_by(record) == Some(true)) {
        return Ok(());
    }
    Err(unauthorized(format!("{name} has {} TXT records, none of them for this account: {found:?}", found.len())))
}

impl Expected {
    /// `None` for a record that is not of the form of RFC 8659 §4.2, or that says something twice.
    fn is_met_by(&self, record: &str) -> Option<bool> {
        let blank = |at: char| matches!(at, ' ' | '\t');
        let (issuer, parameters) = record.split_once(';')?;
        let issuer = issuer.trim_matches(blank);
        let mut known: [Option<&str>; 3] = [None; 3];
        for parameter in parameters.split(';') {
            let (tag, value) = parameter.split_once('=')?;
            let (tag, value) = (tag.trim_matches(blank), value.trim_matches(blank));
            if tag.is_empty() || !value.chars().all(|at| ('\u{21}'..='\u{7e}').contains(&at)) {
                return None;
            }
            let tags = ["accounturi", "policy", "persistUntil"];
            let Some(which) = tags.iter().position(|one| one.eq_ignore_ascii_case(tag)) else { continue };
            if known[which].replace(value).is_some() {
                return None;
            }
        }
        let [account, policy, until] = known;
        let until = until.map(|until| until.parse::<u32>().map(i64::from));
        let over = matches!(until, Some(Ok(until)) if until < self.now.unix());
        let wide = policy.is_some_and(|policy| policy.eq_ignore_ascii_case("wildcard"));
        let below = wide || self.span == Span::Exact;
        Some(
            !matches!(until, Some(Err(_)))
                && !over
                && below
                && self.names.iter().any(|name| name == issuer)
                && account == Some(self.account.as_str()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_draft() {
        let expected = |span| Expected {
            names: vec!["ca2.example".to_owned(), "authority.example".to_owned()],
            account: "https://ca.example/acct/123".to_owned(),
            span,
            now: Timestamp::from_unix(1_767_225_600),
        };
        for (record, exact, wildcard) in [
            ("authority.example; accounturi=https://ca.example/acct/123", Some(true), Some(false)),
            ("authority.example; accounturi=https://ca.example/acct/123; policy=WILDCARD", Some(true), Some(true)),
            (
                "authority.example; accounturi=https://ca.example/acct/123; persistUntil=1767225600",
                Some(true),
                Some(false),
            ),
            (
                "authority.example; accounturi=https://ca.example/acct/123; persistUntil=1767225599",
                Some(false),
                Some(false),
            ),
            ("authority.example; accounturi=https://ca.example/acct/123; persistUntil=soon", Some(false), Some(false)),
            ("authority.example; accounturi=https://ca.example/acct/67890; policy=wildcard", Some(false), Some(false)),
            ("other.example; accounturi=https://ca.example/acct/123; policy=wildcard", Some(false), Some(false)),
            ("authority.example; accounturi=https://ca.example/acct/123; policy=wildcard;", None, None),
            ("authority.example", None, None),
        ] {
            assert_eq!(expected(Span::Exact).is_met_by(record), exact, "{record}");
            assert_eq!(expected(Span::Wildcard).is_met_by(record), wildcard, "{record}");
        }
    }
}
