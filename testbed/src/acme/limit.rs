//! Rate limits in the manner of Let's Encrypt: buckets that are full at the start and refill steadily, and the words and
//! header fields of its refusals (<https://letsencrypt.org/docs/rate-limits/>).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use certwright::Identifier;

use crate::acme::index::sorted;
use crate::acme::problem::{Problem, ProblemKind};
use crate::acme::world::World;
use crate::settings::Limit;

/// What a bucket is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Bucket {
    Accounts(IpAddr),
    Orders(usize),
    Domain(String),
    Set(Vec<Identifier>),
    Failures(usize, Identifier),
}

/// Those that are not full: the moment, on the clock that never goes back, when each will be.
#[derive(Debug, Default)]
pub(crate) struct Buckets(BTreeMap<Bucket, Duration>);

/// More are swept of those that are full again.
const SWEPT: usize = 50_000;

impl Buckets {
    /// How long until there is something in it; `None` when there is.
    fn wait(&self, bucket: &Bucket, limit: Limit, now: Duration) -> Option<Duration> {
        let full = self.0.get(bucket).copied().unwrap_or_default().max(now);
        let after = full.saturating_add(each(limit)).saturating_sub(now);
        after.checked_sub(limit.within).filter(|wait| !wait.is_zero())
    }

    fn take(&mut self, bucket: Bucket, limit: Limit, now: Duration) {
        if self.0.len() >= SWEPT {
            self.0.retain(|_, full| *full > now);
        }
        let full = self.0.entry(bucket).or_default();
        *full = (*full).max(now).saturating_add(each(limit));
    }
}

/// How long one takes to come back.
fn each(limit: Limit) -> Duration {
    limit.within / limit.count.max(1)
}

impl World {
    /// One more account from this address.
    pub(crate) fn limit_account(&mut self, from: IpAddr) -> Result<(), Problem> {
        let Some(limit) = self.settings.limits.accounts_per_address else { return Ok(()) };
        let bucket = Bucket::Accounts(from);
        let what = format!("too many new registrations ({}) from this IP address", limit.count);
        self.within(&bucket, limit, &what, "new-registrations-per-ip-address")?;
        self.buckets.take(bucket, limit, self.clock.elapsed());
        Ok(())
    }

    /// One more order. What renews a certificate by its id is free of every limit; another one for a set of identifiers that
    /// has had a certificate is free of those on orders and on domains.
    pub(crate) fn limit_order(
        &mut self,
        account: usize,
        identifiers: &[Identifier],
        replaces: Option<&str>,
    ) -> Result<(), Problem> {
        let limits = self.settings.limits;
        if limits == crate::settings::Limits::default() || replaces.is_some() {
            return Ok(());
        }
        let renewal = self.index.was_issued(identifiers);
        let orders = limits.orders_per_account.filter(|_| !renewal);
        if let Some(limit) = orders {
            let what = format!("too many new orders ({}) from this account", limit.count);
            self.within(&Bucket::Orders(account), limit, &what, "new-orders-per-account")?;
        }
        if let Some(limit) = limits.failures_per_identifier {
            for identifier in identifiers.iter().map(bare) {
                let what = format!("too many failed authorizations ({}) for {:?}", limit.count, identifier.to_string());
                let help = "authorization-failures-per-identifier-per-account";
                self.within(&Bucket::Failures(account, identifier), limit, &what, help)?;
            }
        }
        if let Some(limit) = limits.certificates_per_domain.filter(|_| !renewal) {
            for domain in domains(identifiers) {
                let what = format!("too many certificates ({}) already issued for {domain:?}", limit.count);
                self.within(&Bucket::Domain(domain), limit, &what, "new-certificates-per-registered-domain")?;
            }
        }
        if let Some(limit) = limits.certificates_per_set {
            let what =
                format!("too many certificates ({}) already issued for this exact set of identifiers", limit.count);
            let help = "new-certificates-per-exact-set-of-identifiers";
            self.within(&Bucket::Set(sorted(identifiers)), limit, &what, help)?;
        }
        if let Some(limit) = orders {
            self.buckets.take(Bucket::Orders(account), limit, self.clock.elapsed());
        }
        Ok(())
    }

    /// A certificate was issued; called before it is one of those that there are.
    pub(crate) fn count_certificate(&mut self, identifiers: &[Identifier], replaces: Option<&str>) {
        let (limits, now) = (self.settings.limits, self.clock.elapsed());
        if replaces.is_some() {
            return;
        }
        if let Some(limit) = limits.certificates_per_domain
            && !self.index.was_issued(identifiers)
        {
            for domain in domains(identifiers) {
                self.buckets.take(Bucket::Domain(domain), limit, now);
            }
        }
        if let Some(limit) = limits.certificates_per_set {
            self.buckets.take(Bucket::Set(sorted(identifiers)), limit, now);
        }
    }

    /// A validation failed.
    pub(crate) fn count_failure(&mut self, account: usize, identifier: &Identifier) {
        if let Some(limit) = self.settings.limits.failures_per_identifier {
            self.buckets.take(Bucket::Failures(account, identifier.clone()), limit, self.clock.elapsed());
        }
    }

    fn within(&self, bucket: &Bucket, limit: Limit, what: &str, help: &str) -> Result<(), Problem> {
        let Some(wait) = self.buckets.wait(bucket, limit, self.clock.elapsed()) else { return Ok(()) };
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let when = self.now().saturating_add(Duration::from_secs(seconds)).to_string();
        let when = when.replace('T', " ").replace('Z', " UTC");
        let help = format!("https://letsencrypt.org/docs/rate-limits/#{help}");
        let detail = format!("{what} in the last {}, retry after {when}: see {help}", go(limit.within));
        Err(Problem::new(ProblemKind::RateLimited, detail)
            .with_header("Retry-After", seconds.to_string())
            .with_header("Link", "<https://letsencrypt.org/docs/rate-limits>;rel=\"help\""))
    }
}

/// A span as Go prints it, and with it Let's Encrypt.
fn go(span: Duration) -> String {
    let (hours, minutes, seconds) = (span.as_secs() / 3_600, span.as_secs() / 60 % 60, span.as_secs() % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}

fn bare(identifier: &Identifier) -> Identifier {
    match identifier {
        Identifier::Wildcard(name) => Identifier::Dns(name.clone()),
        other => other.clone(),
    }
}

/// The registered domains, by the public suffix list; an address, and of IPv6 its /64, is its own.
fn domains(identifiers: &[Identifier]) -> Vec<String> {
    let mut domains: Vec<String> = identifiers
        .iter()
        .map(|identifier| match identifier {
            Identifier::Dns(name) | Identifier::Wildcard(name) => {
                psl::domain_str(name.as_str()).unwrap_or(name.as_str()).to_owned()
            }
            Identifier::Ip(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
            other => other.to_string(),
        })
        .collect();
    domains.sort();
    domains.dedup();
    domains
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_emptied_and_refills_one_at_a_time() {
        let limit = Limit { count: 3, within: Duration::from_secs(30) };
        let (mut buckets, bucket) = (Buckets::default(), Bucket::Orders(0));
        let at = Duration::from_secs;
        for _ in 0..3 {
            assert_eq!(buckets.wait(&bucket, limit, at(5)), None);
            buckets.take(bucket.clone(), limit, at(5));
        }
        assert_eq!(buckets.wait(&bucket, limit, at(5)), Some(at(10)));
        assert_eq!(buckets.wait(&bucket, limit, at(14)), Some(at(1)));
        assert_eq!(buckets.wait(&bucket, limit, at(15)), None);
        buckets.take(bucket.clone(), limit, at(15));
        assert_eq!(buckets.wait(&bucket, limit, at(15)), Some(at(10)));
        assert_eq!(buckets.wait(&bucket, limit, at(45)), None);
        assert_eq!(buckets.wait(&Bucket::Orders(1), limit, at(5)), None, "each has its own");
    }

    #[test]
    fn domains_are_those_of_the_public_suffix_list() {
        let names = ["a.example.co.uk", "*.b.example.co.uk", "example.org", "192.0.2.1", "2001:db8::1"];
        let identifiers: Vec<Identifier> = names.iter().map(|name| name.parse().unwrap()).collect();
        assert_eq!(domains(&identifiers), ["192.0.2.1", "2001:db8:0:0::/64", "example.co.uk", "example.org"]);
    }

    #[test]
    fn spans_are_written_as_go_does() {
        // As fmt.Println(time.Duration) prints them.
        for (seconds, text) in [(604_800, "168h0m0s"), (10_800, "3h0m0s"), (90, "1m30s"), (5, "5s")] {
            assert_eq!(go(Duration::from_secs(seconds)), text);
        }
    }
}
