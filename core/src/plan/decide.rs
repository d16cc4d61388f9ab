//! From the wish and what was seen to the one thing to do next, and why. Pure: the same input gives the same decision.
//!
//! The order is the policy. First recovery, whatever else. Then material that is already there, before any order. Then an
//! order. Then repairs and reloads of what is active. While something deferred waits for its time nothing is activated at
//! all: the check, reload or probe that stands in its way stands in the way of everything else, and trying those in turn
//! would keep every back-off at its start.

#[cfg(test)]
mod tests;

use std::time::Duration;

use super::observed::{Active, Candidate, Deferred, Observed, Served};
use super::policy::{LONGEST_BACKOFF, LONGEST_WAIT};
use super::reason::Reason;
use super::renewal::{Renewal, Seed, breather, renewal};
use super::spec::Spec;
use crate::ground::id::{GenerationId, IssuerName};
use crate::ground::name::Sans;
use crate::ground::time::Timestamp;
use crate::pki::key::KeyAlgorithm;

/// A clock may be this much behind a time that has passed before it is suspected: issuers' clocks are ahead of ours by
/// less, and a correction of ours is less.
const CLOCK_MARGIN: Duration = Duration::from_secs(300);

/// What is to be done with one lineage, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decision {
    /// The one thing to do next.
    pub plan: Plan,
    /// Why, the most important reason first. Nothing to do has none.
    pub reasons: Vec<Reason>,
    /// Whether all is as wished once that is done.
    pub standing: Standing,
    /// When the active certificate is to be renewed; `None` when nothing is active.
    pub renewal: Option<Renewal>,
    /// When something is to be done next as far as that is known now: `None` when only a change from outside could need it.
    pub next: Option<Timestamp>,
}

/// The one thing to do next with a lineage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Plan {
    /// Nothing.
    Keep,
    /// Order a certificate, and go on from there.
    Issue,
    /// Make this generation active, or be served when it already is active. No order.
    Activate(GenerationId),
    /// A new generation with the active key and certificate, with access and outputs as wished. No order.
    Repair,
    /// Bring what an earlier run or a foreign hand left behind into a state that can be decided on.
    Recover,
}

impl Plan {
    /// The stable, lower-case name used in reports.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Issue => "issue",
            Self::Activate(_) => "activate",
            Self::Repair => "repair",
            Self::Recover => "recover",
        }
    }
}

/// Whether a lineage is as wished once its plan is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// All is as wished.
    Settled,
    /// Something is open that cannot be done now.
    Waiting {
        /// When it can be, when that is known.
        until: Option<Timestamp>,
    },
}

/// Decide about one lineage.
///
/// Allocates nothing when there is nothing to do.
pub(crate) fn decide(spec: &Spec, observed: &Observed, now: Timestamp) -> Decision {
    let mut case = Case::new(spec, observed, now);
    case.plan = case.choose();
    let next = case.next();
    Decision { plan: case.plan, reasons: case.reasons, standing: case.standing, renewal: case.renewal, next }
}

/// The case of one lineage while it is being decided.
struct Case<'c> {
    spec: &'c Spec,
    observed: &'c Observed,
    now: Timestamp,
    seed: Seed,
    plan: Plan,
    reasons: Vec<Reason>,
    standing: Standing,
    renewal: Option<Renewal>,
}

/// How the active generation falls short of the wish.
#[derive(Clone, Copy)]
struct Lack {
    /// Identifiers, key or issuer are not those of the spec.
    changed: bool,
    /// The renewal time was reached.
    due: bool,
    /// The certificate is no longer valid.
    expired: bool,
}

impl Lack {
    /// Whether another generation is wanted.
    const fn any(self) -> bool {
        self.changed || self.due || self.expired
    }
}

/// How the active generation is found.
enum Looks {
    /// As placed, and served as far as that was asked.
    Well,
    /// As placed, and not served.
    Unserved,
    /// Not as placed, served or not.
    Drifted,
}

/// What stands ready to be activated.
enum There {
    /// Nothing that would make things better.
    Nothing,
    /// This generation, now.
    Now(GenerationId),
    /// Something whose time has not come.
    Later,
}

impl<'c> Case<'c> {
    fn new(spec: &'c Spec, observed: &'c Observed, now: Timestamp) -> Self {
        let seed = Seed::new(observed.machine, &spec.name);
        let renewal = observed.active.as_ref().map(|active| {
            let suggested = observed.asked.and_then(|asked| asked.window);
            renewal(active.window, suggested, &observed.issued, now, seed)
        });
        Self { spec, observed, now, seed, plan: Plan::Keep, reasons: Vec::new(), standing: Standing::Settled, renewal }
    }

    fn choose(&mut self) -> Plan {
        if self.observed.unfinished {
            self.reasons.push(Reason::Unfinished);
        }
        if let Some(what) = &self.observed.damage {
            self.reasons.push(Reason::Damaged(what.clone()));
        }
        if !self.reasons.is_empty() {
            return Plan::Recover;
        }
        match &self.observed.active {
            None => self.without_active(),
            Some(active) => self.with_active(active),
        }
    }

    fn without_active(&mut self) -> Plan {
        self.reasons.push(Reason::NothingActive);
        let suspect = self.clock();
        let lack = Lack { changed: true, due: false, expired: false };
        match self.what_is_there(None, lack) {
            There::Now(generation) => Plan::Activate(generation),
            There::Later => Plan::Keep,
            There::Nothing => self.order(lack, suspect),
        }
    }

    fn with_active(&mut self, active: &Active) -> Plan {
        let suspect = self.clock();
        let (due, expired) = self.aged(active);
        let mut lack = Lack { changed: false, due, expired };
        let short = shortfall(self.spec, &active.identifiers, active.key, active.issuer.as_ref());
        match self.observed.held.filter(|_| !due) {
            // What it lacks is no reason to leave it, and is worth knowing.
            Some(generation) => self.reasons.push(Reason::Held(generation)),
            None => lack.changed = !short.is_empty(),
        }
        self.reasons.extend(short);
        if lack.expired {
            self.reasons.push(Reason::Expired { at: active.window.end });
        } else if let Some(renewal) = self.renewal.filter(|_| due) {
            self.reasons.push(Reason::RenewalDue { renewal, end: active.window.end });
        }
        match self.what_is_there(Some(active), lack) {
            There::Now(generation) => Plan::Activate(generation),
            There::Later => {
                self.look_at();
                Plan::Keep
            }
            // An order that has to wait does not keep what is active from being looked after.
            There::Nothing => match if lack.any() { self.order(lack, suspect) } else { Plan::Keep } {
                Plan::Keep => self.look_after(active),
                plan => plan,
            },
        }
    }

    /// Whether the active certificate is due and whether it has ended: by this machine's clock, unless that is ahead of an
    /// authority's by whose time nothing is due.
    fn aged(&mut self, active: &Active) -> (bool, bool) {
        let aged = |now: Timestamp| (self.renewal.is_some_and(|renewal| now >= renewal.at), now > active.window.end);
        let here = aged(self.now);
        match self.there_now().filter(|there| self.now > there.saturating_add(CLOCK_MARGIN)) {
            Some(authority) if here.0 || here.1 => {
                let there = aged(authority);
                if there != here {
                    self.reasons.push(Reason::ClockAhead { now: self.now, authority });
                }
                there
            }
            _ => here,
        }
    }

    /// What the clock of an authority says now, as far as that is known.
    fn there_now(&self) -> Option<Timestamp> {
        self.observed.clock.and_then(|check| check.there_now(self.now))
    }

    /// Material that is there already comes before any order.
    fn what_is_there(&mut self, active: Option<&Active>, lack: Lack) -> There {
        let observed = self.observed;
        if active.is_some() && observed.held.is_some() && !lack.any() {
            return There::Nothing;
        }
        let other = |material: &Candidate| active.is_none_or(|active| active.generation != material.generation);
        let deferred = observed.deferred.as_ref().filter(|deferred| other(&deferred.material));
        let good = deferred.filter(|deferred| self.serves(&deferred.material, lack));
        let candidate = observed.candidate.as_ref().filter(|candidate| {
            let lasts = |than: Timestamp| candidate.window.end > than;
            self.serves(candidate, lack)
                && (lack.any() || active.is_none_or(|active| lasts(active.window.end)))
                && good.is_none_or(|deferred| lasts(deferred.material.window.end))
        });
        match (candidate, good, deferred) {
            (Some(candidate), _, _) => {
                self.reasons.push(Reason::Ready(candidate.generation));
                There::Now(candidate.generation)
            }
            (None, Some(good), _) if self.time_has_come(good) => There::Now(good.material.generation),
            (None, Some(_), _) => There::Later,
            (None, None, Some(deferred)) => {
                self.reasons.push(Reason::Superseded(deferred.material.generation));
                There::Nothing
            }
            (None, None, None) => There::Nothing,
        }
    }

    /// Whether this material would make things better: it is what the spec says, it is valid, and it is not itself due,
    /// unless the active generation is worse than that.
    fn serves(&self, material: &Candidate, lack: Lack) -> bool {
        meets(self.spec, &material.identifiers, material.key, material.issuer.as_ref())
            && material.window.contains(self.now)
            && (lack.changed || lack.expired || self.now < renewal(material.window, None, &[], self.now, self.seed).at)
    }

    /// Whether deferred material is to be tried again now; noted either way.
    fn time_has_come(&mut self, deferred: &Deferred) -> bool {
        let (generation, failures) = (deferred.material.generation, deferred.failures);
        let until = deferred.not_before;
        // No back-off is longer than the longest: a later time was written by a clock that was wrong.
        let waits = until.since(self.now).is_some_and(|wait| wait > Duration::ZERO && wait <= LONGEST_BACKOFF);
        if waits {
            self.reasons.push(Reason::Deferred { generation, until, failures, why: deferred.reason.clone() });
            self.wait(Some(until));
        } else {
            self.reasons.push(Reason::Retried { generation, failures });
        }
        !waits
    }

    /// Order, or note why that cannot be now.
    fn order(&mut self, lack: Lack, suspect: bool) -> Plan {
        if self.spec.issuers.is_empty() {
            self.reasons.push(Reason::WaitingForMaterial(self.spec.name.clone()));
            // A certificate that is merely due is the business of the client that brings it, and so is the first one: a
            // lineage that was never deployed is not a fault of anything that could be tried again here.
            if self.observed.active.is_some() && (lack.changed || lack.expired) {
                self.wait(None);
            }
            return Plan::Keep;
        }
        if suspect {
            return Plan::Keep;
        }
        // No issuer says to wait longer than that: a later time was written by a clock that was wrong.
        let waits =
            |until: &Timestamp| until.since(self.now).is_some_and(|wait| !wait.is_zero() && wait <= LONGEST_WAIT);
        match self.observed.issue_not_before.filter(waits) {
            Some(until) => {
                let (failures, why) = (self.observed.issue_failures, self.observed.issue_why.clone());
                self.reasons.push(Reason::BackOff { until, failures, why });
                self.wait(Some(until));
                Plan::Keep
            }
            None => match self.breathes(lack) {
                Some(until) => {
                    self.reasons.push(Reason::JustIssued { until });
                    self.wait(Some(until));
                    Plan::Keep
                }
                None => Plan::Issue,
            },
        }
    }

    /// Until when a renewal is put off because the active certificate was issued a moment ago. Another wish is not.
    fn breathes(&self, lack: Lack) -> Option<Timestamp> {
        let active = self.observed.active.as_ref().filter(|_| !lack.changed)?;
        let until = active.created.saturating_add(breather(active.window));
        // A time to come was written by a clock that was wrong.
        (active.created <= self.now && self.now < until).then_some(until)
    }

    /// Whether the clock is behind a time that has passed; noted when it is.
    fn clock(&mut self) -> bool {
        let observed = self.observed;
        let known = [
            observed.newest_known,
            observed.active.as_ref().map(|active| active.window.start),
            observed.deferred.as_ref().map(|deferred| deferred.material.window.start),
            observed.candidate.as_ref().map(|candidate| candidate.window.start),
            self.there_now(),
        ];
        let Some(known) = known.into_iter().flatten().max() else { return false };
        let suspect = self.now.saturating_add(CLOCK_MARGIN) < known;
        if suspect {
            self.reasons.push(Reason::ClockSuspect { now: self.now, known });
            self.wait(Some(known));
        }
        suspect
    }

    /// What is active stays: is it as it was placed, and is it served?
    fn look_after(&mut self, active: &Active) -> Plan {
        let observed = self.observed;
        // The active generation itself is deferred when it could not be made to be served.
        let own = observed.deferred.as_ref().filter(|deferred| deferred.material.generation == active.generation);
        let retry = own.map(|deferred| self.time_has_come(deferred));
        match (self.look_at(), retry) {
            (_, Some(false)) => Plan::Keep,
            (Looks::Drifted, _) => Plan::Repair,
            (Looks::Unserved, _) | (Looks::Well, Some(true)) => Plan::Activate(active.generation),
            (Looks::Well, None) => Plan::Keep,
        }
    }

    /// Note what is not as it should be with the active generation.
    fn look_at(&mut self) -> Looks {
        let observed = self.observed;
        let before = self.reasons.len();
        self.reasons.extend(observed.access_drift.iter().cloned().map(Reason::AccessDrift));
        self.reasons.extend(observed.output_drift.iter().cloned().map(Reason::OutputDrift));
        let drifted = self.reasons.len() != before;
        match &observed.served {
            Served::NotConfigured | Served::NotAsked | Served::Current => {}
            Served::Other(what) => self.reasons.extend(what.iter().cloned().map(Reason::ServedOther)),
            // An order would not help, a reload may: it brings back a listener that was lost.
            Served::Unreachable(what) => self.reasons.extend(what.iter().cloned().map(Reason::Unreachable)),
        }
        match (drifted, &observed.served) {
            (true, _) => Looks::Drifted,
            (false, Served::Other(_) | Served::Unreachable(_)) => Looks::Unserved,
            (false, Served::NotConfigured | Served::NotAsked | Served::Current) => Looks::Well,
        }
    }

    /// When something is to be done next.
    fn next(&self) -> Option<Timestamp> {
        if self.plan != Plan::Keep {
            return Some(self.now);
        }
        let waits = match self.standing {
            Standing::Waiting { until } => until,
            Standing::Settled => None,
        };
        let renewal = self.renewal.filter(|_| !self.spec.issuers.is_empty()).map(|renewal| renewal.at);
        let asked = self.observed.asked.map(|asked| asked.again);
        [waits, renewal, asked].into_iter().flatten().filter(|at| *at > self.now).min()
    }

    fn wait(&mut self, until: Option<Timestamp>) {
        if self.standing == Standing::Settled {
            self.standing = Standing::Waiting { until };
        }
    }
}

/// In what material is not what the spec says. Empty when it is.
pub(crate) fn shortfall(
    spec: &Spec,
    identifiers: &Sans,
    key: KeyAlgorithm,
    issuer: Option<&IssuerName>,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if !covers(spec, identifiers) {
        let not_in = |these: &Sans, those: &Sans| {
            these.iter().filter(|one| !those.iter().any(|other| other == *one)).map(ToString::to_string).collect()
        };
        let missing = not_in(&spec.identifiers, identifiers);
        let extra = not_in(identifiers, &spec.identifiers);
        reasons.push(Reason::IdentifiersChanged { missing, extra });
    }
    if let [wished, ..] = spec.issuers.as_slice() {
        if key != spec.key {
            reasons.push(Reason::KeyChanged { active: key, wished: spec.key });
        }
        // One of the list that is not the first had its reasons; the next renewal begins with the first again.
        if !is_wished(spec, issuer) {
            reasons.push(Reason::IssuerChanged { active: issuer.cloned(), wished: wished.clone() });
        }
    }
    reasons
}

/// Whether material is what the spec says.
fn meets(spec: &Spec, identifiers: &Sans, key: KeyAlgorithm, issuer: Option<&IssuerName>) -> bool {
    let by_issuer = spec.issuers.is_empty() || (key == spec.key && is_wished(spec, issuer));
    by_issuer && covers(spec, identifiers)
}

/// Whether the spec names this issuer.
fn is_wished(spec: &Spec, issuer: Option<&IssuerName>) -> bool {
    issuer.is_some_and(|issuer| spec.issuers.contains(issuer))
}

/// An issuer is asked for exactly the identifiers of the spec; another client may bring more than them.
fn covers(spec: &Spec, identifiers: &Sans) -> bool {
    if spec.issuers.is_empty() {
        return spec.identifiers.iter().all(|wanted| identifiers.covers(wanted));
    }
    // In the usual order this is one pass; the equality of sets is not.
    spec.identifiers.iter().eq(identifiers.iter()) || spec.identifiers == *identifiers
}
