//! The chain: the one that is sent, or an alternate one with the issuer that is preferred (RFC 8555 §7.4.2).

use super::desk::Desk;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::issue::header::alternates;
use crate::issue::http::{Answer, bounded};
use crate::pki::chain::Chain;
use crate::pki::jws::By;

/// More alternates than any authority has.
const MOST_ALTERNATES: usize = 8;

/// Fetch the chain of an order that is valid.
pub(super) fn download(desk: &Desk<'_>, order: &mut instant_acme::Order) -> Result<Chain> {
    let pem = desk.session.call("certificate", async || Ok(order.certificate().await?))?;
    let pem =
        pem.ok_or_else(|| Error::new(ErrorKind::Protocol, "the authority has no certificate for a valid order"))?;
    let links = desk.session.last();
    let first = read(pem.as_bytes())?;
    let Some(wished) = &desk.wish.preferred_chain else { return Ok(first) };
    if leads_to(&first, wished) {
        return Ok(first);
    }
    for url in links.iter().flat_map(other_chains) {
        let by = By::Account(&desk.account.facts.url);
        let answer = desk.session.post("alternate chain", &desk.account.key, by, &url, b"")?;
        let chain = read(&answer.body)?;
        if leads_to(&chain, wished) {
            return Ok(chain);
        }
    }
    // A preference is not a condition: the authority may have retired that root.
    Ok(first)
}

/// The URLs of the other chains.
fn other_chains(answer: &Answer) -> Vec<String> {
    let values = answer.headers.get_all("link").iter().filter_map(|value| value.to_str().ok());
    values.flat_map(alternates).take(MOST_ALTERNATES).map(|target| absolute(target, &answer.url)).collect()
}

/// A target as an absolute URL: a path alone is on the host of the answer that it came with.
pub(super) fn absolute(target: &str, base: &str) -> String {
    let origin = base.find("://").and_then(|at| base.get(at + 3..)?.find('/').map(|slash| at + 3 + slash));
    match origin.and_then(|end| base.get(..end)) {
        Some(origin) if target.starts_with('/') && !target.starts_with("//") => format!("{origin}{target}"),
        _ => target.to_owned(),
    }
}

fn read(pem: &[u8]) -> Result<Chain> {
    Chain::from_pem(pem).map_err(|source| {
        let start = String::from_utf8_lossy(pem.get(..60.min(pem.len())).unwrap_or_default()).into_owned();
        Error::new(ErrorKind::Unfit, "what the authority issued cannot be read as a chain")
            .context("begins", Public(&bounded(&start)))
            .hint("report it to the authority")
            .source(source)
    })
}

/// Whether a certificate of the chain was issued by this common name.
fn leads_to(chain: &Chain, common_name: &str) -> bool {
    chain.certificates().any(|certificate| certificate.issuer_common_names().any(|name| name == common_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_on_the_host_that_named_them() {
        let base = "https://ca.example:14000/certZ/1";
        for (target, wanted) in [
            ("https://ca.example:14000/certZ/1/alternate/1", "https://ca.example:14000/certZ/1/alternate/1"),
            ("/certZ/1/alternate/1", "https://ca.example:14000/certZ/1/alternate/1"),
            ("//elsewhere.example/x", "//elsewhere.example/x"),
            ("x", "x"),
        ] {
            assert_eq!(absolute(target, base), wanted);
        }
    }

    #[test]
    fn an_issuer_anywhere_in_the_chain_counts() {
        let family = crate::pki::forge::Family::new(&["a.example"]);
        let chain = Chain::from_certificates(vec![family.leaf.clone(), family.intermediate.clone()]).unwrap();
        assert!(leads_to(&chain, "between") && leads_to(&chain, "root"));
        assert!(!leads_to(&chain, "roo") && !leads_to(&chain, "a.example"));
    }
}
