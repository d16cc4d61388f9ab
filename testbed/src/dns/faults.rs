//! What goes wrong with names on demand.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::dice::Dice;
use crate::dns::kind::RecordKind;
use crate::faults::Occurrence;

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameFault {
    /// This response code (IANA, "DNS RCODEs") and no records: 2 is SERVFAIL, 5 is REFUSED, 3 is NXDOMAIN.
    Code(u8),
    /// The name is there, without a record of the type.
    NoData,
    /// Nothing is sent.
    Silent,
    /// The answer takes this long.
    Delay(Duration),
    /// By UDP: no records, and the mark that there are some by TCP.
    Truncated,
    /// The id of another message.
    WrongId,
    /// The answer is about another name.
    WrongQuestion,
    /// A message that ends in its middle.
    Malformed,
    /// By the word of a server that is not authoritative.
    NotAuthoritative,
    /// After each change of the records, this many questions are answered as before it.
    Late(u32),
    /// For this long after each change of the records, by the clock of this world, questions are answered as before it.
    LateFor(Duration),
    /// Of what is signed, the key is not known (BADKEY).
    BadKey,
    /// Of what is signed, the signature is found to be wrong (BADSIG).
    BadSignature,
    /// Of what is signed, the clock is found to be wrong (BADTIME).
    BadTime,
    /// The answer to what is signed has a signature that is wrong.
    Forged,
}

impl NameFault {
    /// SERVFAIL.
    pub const SERVFAIL: Self = Self::Code(2);
    /// NXDOMAIN.
    pub const NXDOMAIN: Self = Self::Code(3);
    /// REFUSED.
    pub const REFUSED: Self = Self::Code(5);
}

/// Which messages are meant.
///
/// # Examples
///
/// ```
/// use certwright_testbed::{NameFault, Occurrence, Questions, RecordKind, Settings, Testbed};
///
/// let bed = Testbed::with(Settings::whole())?;
/// let faults = bed.dns().unwrap().faults();
/// // A change is seen by the fourth question only.
/// faults.on(Questions::all().below("a.example").of(RecordKind::TXT), Occurrence::Every, NameFault::Late(3));
/// // The first update is not answered.
/// faults.on(Questions::updates(), Occurrence::First(1), NameFault::Silent);
/// # Ok::<(), certwright::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Questions {
    pub(crate) operation: Operation,
    /// In lower case, without the final dot.
    pub(crate) name: Option<String>,
    pub(crate) span: Span,
    pub(crate) kind: Option<RecordKind>,
}

/// What a message asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// Records (RFC 1035).
    Query,
    /// A change of records (RFC 2136).
    Update,
    /// Something that this server does not do, or nothing that it could read.
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    Name,
    /// The name and every one below it.
    Below,
}

impl Questions {
    /// Every question for records.
    pub fn all() -> Self {
        Self { operation: Operation::Query, name: None, span: Span::Below, kind: None }
    }

    /// Every update.
    pub fn updates() -> Self {
        Self { operation: Operation::Update, ..Self::all() }
    }

    /// Of those, the ones about this name; of updates, the ones of this zone.
    #[must_use]
    pub fn about(self, name: &str) -> Self {
        Self { name: Some(plain(name)), span: Span::Name, ..self }
    }

    /// Of those, the ones about this name and every name below it.
    #[must_use]
    pub fn below(self, name: &str) -> Self {
        Self { name: Some(plain(name)), span: Span::Below, ..self }
    }

    /// Of those, the ones for records of this type.
    #[must_use]
    pub fn of(self, kind: RecordKind) -> Self {
        Self { kind: Some(kind), ..self }
    }

    fn mean(&self, operation: Operation, name: &str, kind: RecordKind) -> bool {
        let named = |wanted: &String| {
            let rest = name.strip_suffix(wanted.as_str());
            rest.is_some_and(|rest| rest.is_empty() || self.span == Span::Below && rest.ends_with('.'))
        };
        self.operation == operation
            && self.kind.is_none_or(|wanted| operation == Operation::Update || wanted == kind)
            && self.name.as_ref().is_none_or(named)
    }
}

fn plain(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// The faults of a name server. Clones share them.
#[derive(Clone, Debug)]
pub struct NameFaults(Arc<Mutex<Script>>);

#[derive(Debug)]
struct Script {
    rules: Vec<Rule>,
    dice: Dice,
}

#[derive(Debug)]
struct Rule {
    questions: Questions,
    occurrence: Occurrence,
    fault: NameFault,
    seen: u32,
}

impl NameFaults {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Script { rules: Vec::new(), dice: Dice::new(seed) })))
    }

    /// From now on, these of these messages meet this fault.
    pub fn on(&self, questions: Questions, occurrence: Occurrence, fault: NameFault) {
        self.script().rules.push(Rule { questions, occurrence, fault, seen: 0 });
    }

    /// Nothing goes wrong from now on.
    pub fn clear(&self) {
        self.script().rules.clear();
    }

    /// Takes those away that are about just these questions and this fault.
    pub(crate) fn lift(&self, questions: &Questions, fault: &NameFault) {
        self.script().rules.retain(|rule| rule.questions != *questions || rule.fault != *fault);
    }

    /// The faults that a message meets, in the order in which they were asked for. The name as it is shown.
    pub(crate) fn met_by(&self, operation: Operation, name: &str, kind: RecordKind) -> Vec<NameFault> {
        let name = plain(name);
        let mut script = self.script();
        let Script { rules, dice } = &mut *script;
        let mut met = Vec::new();
        for rule in rules.iter_mut().filter(|rule| rule.questions.mean(operation, &name, kind)) {
            rule.seen = rule.seen.saturating_add(1);
            if rule.occurrence.hits(rule.seen, dice) {
                met.push(rule.fault.clone());
            }
        }
        met
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_about_the_messages_that_it_names() {
        use Operation::{Query, Update};

        let (a, txt) = (RecordKind::A, RecordKind::TXT);
        for (questions, meant) in [
            (Questions::all(), [true, true, true, true, false]),
            (Questions::all().about("B.example."), [true, true, false, false, false]),
            (Questions::all().below("b.example"), [true, true, true, false, false]),
            (Questions::all().of(txt), [false, true, true, true, false]),
            (Questions::updates(), [false, false, false, false, true]),
            (Questions::updates().about("c.example"), [false; 5]),
        ] {
            let faults = NameFaults::new(1);
            faults.on(questions.clone(), Occurrence::Every, NameFault::Silent);
            let asked = [
                (Query, "b.example", a),
                (Query, "b.EXAMPLE", txt),
                (Query, "a.b.example", txt),
                (Query, "bb.example", txt),
                (Update, "b.example", RecordKind::SOA),
            ];
            let met = asked.map(|(operation, name, kind)| !faults.met_by(operation, name, kind).is_empty());
            assert_eq!(met, meant, "{questions:?}");
            faults.lift(&questions, &NameFault::Silent);
            assert!(asked.iter().all(|(operation, name, kind)| faults.met_by(*operation, name, *kind).is_empty()));
        }
    }
}
