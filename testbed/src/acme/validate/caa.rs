//! Whether the owner of a name allows this authority to issue for it: CAA records (RFC 8659, RFC 8657).

use certwright::{DnsName, Identifier};
use hickory_proto::rr::rdata::CAA;

use super::{Job, lookup};
use crate::acme::authorization::Span;
use crate::acme::problem::{Problem, ProblemKind};

/// Looks where names are, when it is to.
pub(super) async fn look(job: &Job) -> Result<(), Problem> {
    let (Some(own), Identifier::Dns(name)) = (&job.caa, &job.identifier) else { return Ok(()) };
    // The closest set counts, and no other: from the name up to the top (RFC 8659 §3).
    let mut at = Some(name.as_str());
    while let Some(here) = at {
        let found = lookup::caa(job.real.names, here).await.map_err(|problem| {
            let detail = format!("the CAA records of {here} cannot be seen: {}", problem.detail);
            Problem::new(ProblemKind::Caa, detail)
        })?;
        if !found.is_empty() {
            return judge(&found, job, own).map_err(|why| {
                Problem::new(ProblemKind::Caa, format!("the CAA records of {here} forbid issuance for {name}: {why}"))
            });
        }
        at = here.split_once('.').map(|(_, above)| above);
    }
    Ok(())
}

/// What a set says.
fn judge(records: &[CAA], job: &Job, own: &DnsName) -> Result<(), String> {
    let is = |record: &CAA, tag: &str| record.tag.eq_ignore_ascii_case(tag);
    let known = |record: &CAA| {
        ["issue", "issuewild", "iodef", "contactemail", "contactphone", "issuemail", "issuevmc"]
            .iter()
            .any(|tag| is(record, tag))
    };
    if let Some(unknown) = records.iter().find(|record| record.issuer_critical && !known(record)) {
        return Err(format!("the critical property `{}` is not known", unknown.tag));
    }
    let of = |tag: &str| records.iter().filter(|record| is(record, tag)).collect::<Vec<_>>();
    let wild = of("issuewild");
    let that_count = if job.expected.span == Span::Wildcard && !wild.is_empty() { wild } else { of("issue") };
    if that_count.is_empty() {
        return Ok(());
    }
    let mut refusals = Vec::new();
    for record in that_count {
        match allows(&record.value, job, own) {
            Ok(()) => return Ok(()),
            Err(why) => refusals.push(why),
        }
    }
    Err(refusals.join("; "))
}

/// Whether one record names this authority, this account and this kind of challenge.
fn allows(value: &[u8], job: &Job, own: &DnsName) -> Result<(), String> {
    let text = str::from_utf8(value).map_err(|_| "a record is no text".to_owned())?;
    let mut parts = text.split(';').map(str::trim);
    let issuer = parts.next().unwrap_or_default();
    if !issuer.eq_ignore_ascii_case(own.as_str()) {
        return Err(match issuer {
            "" => "no authority is allowed".to_owned(),
            other => format!("`{other}` is allowed, not `{}`", own.as_str()),
        });
    }
    for part in parts.filter(|part| !part.is_empty()) {
        let (tag, value) = part.split_once('=').ok_or_else(|| format!("`{part}` is no parameter"))?;
        let (tag, value) = (tag.trim().to_ascii_lowercase(), value.trim());
        match tag.as_str() {
            "accounturi" if value != job.expected.account => {
                return Err(format!("the account `{value}` is allowed, not `{}`", job.expected.account));
            }
            "validationmethods" if value.split(',').all(|kind| kind.trim() != job.kind.word()) => {
                return Err(format!("`{value}` is allowed, not `{}`", job.kind));
            }
            _ => {}
        }
    }
    Ok(())
}
