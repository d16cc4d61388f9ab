//! Asking the account before the issuer: what its limits would refuse is not ordered, and what it said to wait for is waited
//! for by every lineage that it concerns.

use super::Lifecycle;
use crate::deploy::attempt::Attempt;
use crate::ground::error::{Error, ErrorKind, Public, Result, Retry};
use crate::ground::id::IssuerName;
use crate::ground::name::Identifier;
use crate::issue::issuer::Issuer;
use crate::place::ledger;
use crate::plan::limits::{Errand, Ledger, Refusal};
use crate::plan::spec::{IssuerSpec, LimitTable};

/// What was counted for one order.
#[derive(Debug)]
pub(super) struct Budget<'a> {
    lifecycle: &'a Lifecycle,
    attempt: &'a Attempt<'a>,
    issuer: &'a IssuerName,
    table: Option<LimitTable>,
    errand: Errand,
}

impl<'a> Budget<'a> {
    /// Count an order with this issuer.
    ///
    /// # Errors
    ///
    /// `RateLimited` with the time when it may be placed.
    pub(super) fn take(lifecycle: &'a Lifecycle, attempt: &'a Attempt<'a>, issuer: &'a dyn Issuer) -> Result<Self> {
        let issuer_name = issuer.id();
        let table = match lifecycle.config.issuers.get(issuer_name) {
            Some(IssuerSpec::Acme(acme)) => acme.limits.table(&acme.directory),
            _ => None,
        };
        let budget = Self { lifecycle, attempt, issuer: issuer_name, table, errand: errand(attempt, issuer) };
        let (identifiers, now) = (&attempt.spec.identifiers, attempt.now());
        let taken = match &budget.table {
            Some(table) => budget.change(|ledger| ledger.take(Some(table), budget.errand, identifiers, now))?,
            None => budget.read()?.may_ask(identifiers, now),
        };
        taken.map_err(|refusal| budget.refuse(&refusal))?;
        Ok(budget)
    }

    /// Write down what an order that failed has to do with the limits.
    pub(super) fn settle(&self, error: &Error) -> Result<()> {
        let spec = self.attempt.spec;
        let wait = match error.retry_when() {
            Retry::After(until) if error.kind() == ErrorKind::RateLimited => Some(until),
            _ => None,
        };
        if wait.is_none() && self.table.is_none() {
            return Ok(());
        }
        let said = format!("{error:#}");
        let failed: Vec<&Identifier> = match error.kind() {
            ErrorKind::ChallengeFailed => {
                let named = |one: &&Identifier| error.facts().any(|(_, value)| value == one.to_string());
                let some: Vec<&Identifier> = spec.identifiers.iter().filter(named).collect();
                if some.is_empty() { spec.identifiers.iter().collect() } else { some }
            }
            _ => Vec::new(),
        };
        self.change(|ledger| {
            if let Some(until) = wait {
                ledger.wait(&spec.identifiers, &said, until);
            }
            if let Some(table) = &self.table {
                ledger.give_back(table, self.errand, &spec.identifiers);
                ledger.count_failure(table, failed, self.attempt.now());
            }
        })
    }

    fn read(&self) -> Result<Ledger> {
        ledger::read(&*self.attempt.tools.fs, &self.lifecycle.config.root, self.issuer)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Ledger) -> T) -> Result<T> {
        let (tools, root) = (self.attempt.tools, &self.lifecycle.config.root);
        ledger::update(&tools.fs, root, self.issuer, self.attempt.now(), &tools.cancel, change)
    }

    fn refuse(&self, refusal: &Refusal) -> Error {
        Error::new(ErrorKind::RateLimited, "a limit of the issuer is used up, so it was not asked")
            .context("issuer", self.issuer)
            .context("limit", Public(&refusal.what))
            .retry(Retry::After(refusal.until))
            .hint(format!("wait, or change `limits` of `[issuer.{}]` if its limits are others", self.issuer))
    }
}

/// What the issuer will take the order for.
fn errand(attempt: &Attempt<'_>, issuer: &dyn Issuer) -> Errand {
    match attempt.active.as_ref().filter(|active| active.issuer.as_ref() == Some(issuer.id())) {
        Some(active) if active.identifiers == attempt.spec.identifiers => {
            if issuer.suggests_renewals() {
                Errand::Replacement
            } else {
                Errand::Renewal
            }
        }
        _ => Errand::New,
    }
}
