//! What one run of a lineage leaves behind for the next about its issuer: when it may be asked again, and what it suggested.

use serde::{Deserialize, Serialize};

use super::atomic;
use super::left::{self, LeftAnswer};
use super::lineage::LineageDirectory;
use crate::ground::error::{Error, ErrorKind, Result};
use crate::ground::time::{Timestamp, Window};
use crate::plan::renewal::{Asked, ClockCheck};

const NAME: &str = "schedule.json";
const VERSION: u32 = 2;
/// So many issuances are remembered.
const REMEMBERED: usize = 8;

/// The facts of the file. An absent or unreadable file is the default: nothing has failed, and nobody was asked.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Schedule {
    /// How often issuing has failed since it last worked.
    pub(crate) failures: u32,
    /// No issuance is tried before this.
    pub(crate) not_before: Option<Timestamp>,
    /// Why, in a sentence.
    pub(crate) why: Option<String>,
    /// The last question about the renewal of the active leaf, with its answer.
    pub(crate) asked: Option<Asked>,
    /// When the last certificates were issued, oldest first, as far as that matters: with an issuer that suggests renewals.
    pub(crate) issued: Vec<Timestamp>,
    /// How far the clock was from an authority's.
    pub(crate) clock: Option<ClockCheck>,
    /// Answers to challenges that may be in place still.
    pub(crate) answers: Vec<LeftAnswer>,
}

/// Version 1 had the first three fields.
#[derive(Serialize, Deserialize)]
struct Shape {
    version: u32,
    failures: u32,
    not_before: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked: Option<AskedShape>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    issued: Vec<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    clock: Option<ClockShape>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    answers: Vec<left::Shape>,
}

#[derive(Serialize, Deserialize)]
struct AskedShape {
    leaf: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    window: Option<(i64, i64)>,
    again: i64,
}

#[derive(Serialize, Deserialize)]
struct ClockShape {
    here: i64,
    there: i64,
}

impl Schedule {
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let shape: Shape = serde_json::from_slice(bytes).ok()?;
        if shape.version > VERSION || shape.version == 0 {
            return None;
        }
        let moment = Timestamp::from_unix;
        let asked = shape.asked.and_then(|asked| {
            let window = asked.window.map(|(start, end)| Window::new(moment(start), moment(end)));
            Some(Asked { leaf: asked.leaf.parse().ok()?, window, again: moment(asked.again) })
        });
        Some(Self {
            failures: shape.failures,
            not_before: shape.not_before.map(moment),
            why: shape.why,
            asked,
            issued: shape.issued.into_iter().map(moment).collect(),
            clock: shape.clock.map(|clock| ClockCheck { here: moment(clock.here), there: moment(clock.there) }),
            answers: shape.answers.into_iter().filter_map(left::Shape::read).collect(),
        })
    }

    pub(crate) fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(&Shape {
            version: VERSION,
            failures: self.failures,
            not_before: self.not_before.map(Timestamp::unix),
            why: self.why.clone(),
            asked: self.asked.map(|asked| AskedShape {
                leaf: asked.leaf.to_string(),
                window: asked.window.map(|window| (window.start.unix(), window.end.unix())),
                again: asked.again.unix(),
            }),
            issued: self.issued.iter().map(|time| time.unix()).collect(),
            clock: self.clock.map(|clock| ClockShape { here: clock.here.unix(), there: clock.there.unix() }),
            answers: self.answers.iter().map(left::Shape::from).collect(),
        })
    }

    /// What is left of it once a certificate was issued: failures and the question about the old leaf are forgotten.
    pub(crate) fn after_issuance(&self, now: Timestamp, clock: Option<ClockCheck>) -> Self {
        let mut issued = Vec::new();
        if self.asked.is_some() || !self.issued.is_empty() {
            let spared = self.issued.len().saturating_sub(REMEMBERED - 1);
            issued.extend(self.issued.iter().skip(spared));
            issued.push(now);
        }
        Self { issued, clock: clock.or(self.clock), answers: self.answers.clone(), ..Self::default() }
    }
}

impl LineageDirectory {
    /// When the issuer may be asked again. A file that cannot be used costs at most one try too early.
    pub(crate) fn schedule(&self) -> Result<Schedule> {
        Ok(self.read(&self.node, NAME)?.and_then(|bytes| Schedule::from_bytes(&bytes)).unwrap_or_default())
    }

    /// Write down when the issuer may be asked again.
    pub(crate) fn write_schedule(&self, schedule: &Schedule) -> Result<()> {
        let bytes = schedule
            .to_bytes()
            .map_err(|source| Error::new(ErrorKind::Bug, "`schedule.json` cannot be written as JSON").source(source))?;
        atomic::replace(&*self.fs, &self.node, NAME, &bytes)
            .map_err(|source| self.fault("`schedule.json` cannot be written", NAME, source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::id::Fingerprint;
    use crate::plan::spec::ChallengeKind;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(seconds)
    }

    fn full() -> Schedule {
        Schedule {
            failures: 3,
            not_before: Some(at(100)),
            why: Some("the issuer \"said\" no\n".to_owned()),
            asked: Some(Asked {
                leaf: Fingerprint::from_bytes([7; 32]),
                window: Some(Window::new(at(5), at(9))),
                again: at(50),
            }),
            issued: vec![at(1), at(2)],
            clock: Some(ClockCheck { here: at(4), there: at(-4) }),
            answers: vec![
                left("https://x.example/\"", None),
                LeftAnswer { failures: 3, ..left("token", Some("the server \"refused\"\n")) },
            ],
        }
    }

    fn left(token: &str, why: Option<&str>) -> LeftAnswer {
        LeftAnswer {
            issuer: "public".parse().unwrap(),
            kind: ChallengeKind::Dns01,
            identifier: "www.example.org".parse().unwrap(),
            token: token.to_owned(),
            thumbprint: "thumb".to_owned(),
            failures: 0,
            why: why.map(str::to_owned),
        }
    }

    #[test]
    fn is_read_as_it_was_written() {
        for schedule in [Schedule::default(), full()] {
            assert_eq!(Schedule::from_bytes(&schedule.to_bytes().unwrap()), Some(schedule));
        }
    }

    #[test]
    fn the_first_version_is_read_and_a_later_one_is_not() {
        let first = Schedule::from_bytes(br#"{"version":1,"failures":2,"not_before":77}"#).unwrap();
        assert_eq!(first, Schedule { failures: 2, not_before: Some(at(77)), ..Schedule::default() });
        assert_eq!(Schedule::from_bytes(br#"{"version":1,"failures":0,"not_before":null}"#), Some(Schedule::default()));
        for other in
            [&b""[..], b"{}", br#"{"version":0,"failures":2}"#, br#"{"version":3,"failures":2,"not_before":77}"#]
        {
            assert_eq!(Schedule::from_bytes(other), None);
        }
        // A leaf that cannot be read makes the question one that was never asked.
        let odd = br#"{"version":2,"failures":0,"not_before":null,"asked":{"leaf":"xyz","again":5}}"#;
        assert_eq!(Schedule::from_bytes(odd), Some(Schedule::default()));
    }

    #[test]
    fn an_issuance_forgets_failures_and_remembers_a_few_times() {
        let mut schedule = full().after_issuance(at(60), None);
        assert_eq!((schedule.failures, schedule.not_before, schedule.asked), (0, None, None));
        assert_eq!((schedule.issued.clone(), schedule.clock), (vec![at(1), at(2), at(60)], full().clock));
        assert_eq!(schedule.answers, full().answers, "what is left is left");
        assert!(!format!("{schedule:?}").contains("thumb"), "an answer is shown");
        for time in 61..80 {
            schedule = schedule.after_issuance(at(time), None);
        }
        assert_eq!(schedule.issued, (72..80).map(at).collect::<Vec<_>>());
        // With an issuer that suggests nothing there is nothing to write down.
        assert_eq!(Schedule { failures: 9, ..Schedule::default() }.after_issuance(at(60), None), Schedule::default());
    }
}
