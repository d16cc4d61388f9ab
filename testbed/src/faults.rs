//! What goes wrong on demand: a script of faults, by endpoint and by occurrence.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use certwright::{ChallengeKind, Identifier, Window};
use serde_json::Value;

use crate::acme::problem::Problem;
use crate::acme::route::Endpoint;
use crate::dice::Dice;

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// The request is refused before anything is done.
    Refuse(Problem),
    /// Refused as `badNonce`, with a fresh nonce: the one that came counts as used.
    BadNonce,
    /// The answer takes this long.
    Delay(Duration),
    /// There is no answer, and the connection stays. Nothing is done.
    Hang,
    /// The work is done, but the connection ends after this many bytes of the answer.
    CutAfter(usize),
    /// The body ends after this many bytes, and the header says so.
    Truncate(usize),
    /// One byte of the body at a time, with this pause between two.
    Drip(Duration),
    /// The body goes on for ever.
    Endless,
    /// Blanks follow until the body has this many bytes.
    Pad(u64),
    /// Another media type.
    ContentType(String),
    /// A header field with this value in place of what there was. One that HTTP cannot carry is left out.
    Header(String, String),
    /// No such header field.
    NoHeader(String),
    /// Another status.
    Status(u16),
    /// Another body.
    Body(Vec<u8>),
    /// At this place of the body (a JSON pointer, RFC 6901) stands this value.
    Replace(String, Value),
    /// What is at this place is missing.
    Remove(String),
    /// Each string of the body, whatever it says, is this one.
    EveryString(String),
    /// On finalize: the order stays `processing` for ever.
    Processing,
    /// On finalize: the order becomes `invalid` for this reason.
    Invalid(Problem),
    /// On a certificate: something else in its place.
    Certificate(Substitute),
}

/// What comes in place of the right chain.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Substitute {
    /// A leaf for a key that nobody asked about.
    WrongKey,
    /// A leaf for these names.
    Names(Vec<String>),
    /// A leaf of another time.
    Window(Window),
    /// The leaf without its intermediate.
    NoChain,
    /// Intermediate first.
    Reversed,
    /// The root at the end.
    WithRoot,
    /// An intermediate that has nothing to do with the leaf.
    Stranger,
    /// A leaf for clients instead of servers.
    ForClients,
    /// An intermediate that has an RSA key of 1024 bits, with which nothing here can sign.
    ShortKey,
}

/// What comes of a challenge, whatever its answer is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Verdict {
    /// It is met.
    Valid,
    /// It failed, for this reason.
    Invalid(Problem),
    /// It stays as it is: `processing`, and its authorization `pending`, until that expires.
    Pending,
}

/// Which of the requests to an endpoint are hit. The first is number 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Occurrence {
    /// Each one.
    Every,
    /// This one only.
    Only(u32),
    /// This many from the start.
    First(u32),
    /// This one and all after it.
    From(u32),
    /// So many of a hundred, by the seed.
    Percent(u8),
}

impl Occurrence {
    /// Whether it is the one that was seen as this many-th.
    pub(crate) fn hits(self, seen: u32, dice: &mut Dice) -> bool {
        match self {
            Self::Every => true,
            Self::Only(number) => seen == number,
            Self::First(count) => seen <= count,
            Self::From(number) => seen >= number,
            Self::Percent(chance) => dice.percent(chance),
        }
    }
}

/// The faults to come. Clones share them.
#[derive(Clone, Debug)]
pub struct Faults(Arc<Mutex<Script>>);

#[derive(Debug)]
struct Script {
    rules: Vec<Rule>,
    judgements: Vec<Judgement>,
    dice: Dice,
}

#[derive(Debug)]
struct Rule {
    endpoint: Option<Endpoint>,
    fault: Fault,
    when: Count,
}

#[derive(Debug)]
struct Judgement {
    /// Without an asterisk.
    identifier: Option<Identifier>,
    kind: Option<ChallengeKind>,
    verdict: Verdict,
    when: Count,
}

/// How often something was seen, and when it counts.
#[derive(Debug)]
struct Count {
    occurrence: Occurrence,
    seen: u32,
}

impl Count {
    /// Seen once more: whether this is one of the occurrences.
    fn hit(&mut self, dice: &mut Dice) -> bool {
        self.seen = self.seen.saturating_add(1);
        self.occurrence.hits(self.seen, dice)
    }
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Script { rules: Vec::new(), judgements: Vec::new(), dice: Dice::new(seed) })))
    }

    /// From now on, these requests to this endpoint meet this fault.
    pub fn on(&self, endpoint: Endpoint, occurrence: Occurrence, fault: Fault) {
        self.add(Some(endpoint), occurrence, fault);
    }

    /// From now on, these of all requests meet this fault.
    pub fn everywhere(&self, occurrence: Occurrence, fault: Fault) {
        self.add(None, occurrence, fault);
    }

    /// From now on, these of the challenges for this identifier (without an asterisk; `None` for any) and of this kind
    /// (`None` for any) are judged so, and nobody looks for their answers. Of several that apply, the first decides.
    ///
    /// # Examples
    ///
    /// ```
    /// use certwright_testbed::{Occurrence, Problem, ProblemKind, Testbed, Verdict};
    ///
    /// let bed = Testbed::start()?;
    /// let problem = Problem::new(ProblemKind::Dns, "SERVFAIL");
    /// bed.faults().judge(Some("a.example".parse()?), None, Occurrence::First(1), Verdict::Invalid(problem));
    /// # Ok::<(), certwright::Error>(())
    /// ```
    pub fn judge(
        &self,
        identifier: Option<Identifier>,
        kind: Option<ChallengeKind>,
        occurrence: Occurrence,
        verdict: Verdict,
    ) {
        let when = Count { occurrence, seen: 0 };
        self.script().judgements.push(Judgement { identifier, kind, verdict, when });
    }

    /// Nothing goes wrong from now on.
    pub fn clear(&self) {
        let mut script = self.script();
        script.rules.clear();
        script.judgements.clear();
    }

    fn add(&self, endpoint: Option<Endpoint>, occurrence: Occurrence, fault: Fault) {
        self.script().rules.push(Rule { endpoint, fault, when: Count { occurrence, seen: 0 } });
    }

    /// What is to come of this challenge; `None` when that is not for the script to say.
    pub(crate) fn verdict(&self, identifier: &Identifier, kind: ChallengeKind) -> Option<Verdict> {
        let mut script = self.script();
        let Script { judgements, dice, .. } = &mut *script;
        let applies = |rule: &&mut Judgement| {
            rule.identifier.as_ref().is_none_or(|wanted| wanted == identifier)
                && rule.kind.is_none_or(|wanted| wanted == kind)
        };
        // Each that applies counts, whichever decides.
        let hits = judgements.iter_mut().filter(applies).map(|rule| (rule.when.hit(dice), &rule.verdict));
        hits.fold(None, |first, (hit, verdict)| first.or_else(|| hit.then(|| verdict.clone())))
    }

    /// The faults that this request meets, in the order in which they were asked for.
    pub(crate) fn met_by(&self, endpoint: Endpoint) -> Vec<Fault> {
        let mut script = self.script();
        let Script { rules, dice, .. } = &mut *script;
        let mut met = Vec::new();
        for rule in rules.iter_mut().filter(|rule| rule.endpoint.is_none_or(|wanted| wanted == endpoint)) {
            if rule.when.hit(dice) {
                met.push(rule.fault.clone());
            }
        }
        met
    }

    fn script(&self) -> std::sync::MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(occurrence: Occurrence) -> Vec<bool> {
        let faults = Faults::new(1);
        faults.on(Endpoint::Order, occurrence, Fault::Hang);
        assert!(faults.met_by(Endpoint::NewOrder).is_empty());
        (0..4).map(|_| !faults.met_by(Endpoint::Order).is_empty()).collect()
    }

    #[test]
    fn a_rule_hits_the_occurrences_that_it_names() {
        assert_eq!(hits(Occurrence::Every), [true; 4]);
        assert_eq!(hits(Occurrence::Only(2)), [false, true, false, false]);
        assert_eq!(hits(Occurrence::First(2)), [true, true, false, false]);
        assert_eq!(hits(Occurrence::From(3)), [false, false, true, true]);
        assert_eq!(hits(Occurrence::Percent(100)), [true; 4]);
        assert_eq!(hits(Occurrence::Percent(0)), [false; 4]);
    }

    #[test]
    fn a_verdict_is_for_an_identifier_and_a_kind() {
        let faults = Faults::new(1);
        let name = |name: &str| name.parse::<Identifier>().unwrap();
        let kind = Some(ChallengeKind::Dns01);
        faults.judge(Some(name("a.example")), kind, Occurrence::Only(2), Verdict::Pending);
        faults.judge(None, None, Occurrence::First(3), Verdict::Valid);
        let of = |identifier: &str, kind| faults.verdict(&name(identifier), kind);
        assert_eq!(of("a.example", ChallengeKind::Dns01), Some(Verdict::Valid));
        assert_eq!(of("a.example", ChallengeKind::Http01), Some(Verdict::Valid));
        assert_eq!(of("a.example", ChallengeKind::Dns01), Some(Verdict::Pending));
        assert_eq!(of("b.example", ChallengeKind::Dns01), None);
        faults.judge(None, None, Occurrence::Every, Verdict::Valid);
        faults.clear();
        assert_eq!(of("b.example", ChallengeKind::Dns01), None);
    }

    #[test]
    fn chance_repeats_with_its_seed_and_several_rules_add_up() {
        let rolled = |seed| {
            let faults = Faults::new(seed);
            faults.everywhere(Occurrence::Percent(50), Fault::BadNonce);
            (0..64).map(|_| faults.met_by(Endpoint::Order).len()).collect::<Vec<_>>()
        };
        assert_eq!(rolled(7), rolled(7));
        assert_ne!(rolled(7), rolled(8));
        let faults = Faults::new(1);
        faults.everywhere(Occurrence::Every, Fault::BadNonce);
        faults.on(Endpoint::Order, Occurrence::Every, Fault::Hang);
        assert_eq!(faults.met_by(Endpoint::Order), [Fault::BadNonce, Fault::Hang]);
        faults.clear();
        assert!(faults.met_by(Endpoint::Order).is_empty());
    }
}
