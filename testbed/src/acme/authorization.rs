//! Authorizations and their challenges (RFC 8555 §7.1.4, §7.5, §8).

use certwright::{ChallengeKind, Identifier, Timestamp};
use serde_json::{Value, json};

use crate::acme::front::Signed;
use crate::acme::order::{identifier, written};
use crate::acme::problem::{Problem, ProblemKind, malformed, unauthorized};
use crate::acme::validate::{Expected, Job, Place};
use crate::acme::world::World;
use crate::faults::Verdict;
use crate::settings::{Reuse, Validation};
use crate::wire::reply::Reply;

#[derive(Clone, Debug)]
pub(crate) struct Authorization {
    pub(crate) account: usize,
    /// Without the asterisk.
    pub(crate) identifier: Identifier,
    pub(crate) span: Span,
    pub(crate) status: Status,
    pub(crate) expires: Timestamp,
    pub(crate) origin: Origin,
    pub(crate) challenges: Vec<Challenge>,
}

/// Why it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// For an order.
    Order,
    /// Before any order (RFC 8555 §7.4.1): orders use it, whatever the settings say about using authorizations again.
    Advance,
}

/// What it authorizes: the name, or every name just below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Span {
    Exact,
    Wildcard,
}

#[derive(Clone, Debug)]
pub(crate) struct Challenge {
    pub(crate) kind: ChallengeKind,
    pub(crate) token: String,
    pub(crate) state: State,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum State {
    Pending,
    Processing,
    Valid(Timestamp),
    Invalid(Problem),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Pending,
    Valid,
    Invalid,
    Deactivated,
    Expired,
}

impl Status {
    /// Whether no order can come of it any more.
    pub(crate) const fn is_final(self) -> bool {
        matches!(self, Self::Invalid | Self::Deactivated | Self::Expired)
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Deactivated => "deactivated",
            Self::Expired => "expired",
        }
    }
}

impl Authorization {
    pub(crate) fn status_at(&self, now: Timestamp) -> Status {
        if !self.status.is_final() && self.expires <= now { Status::Expired } else { self.status }
    }
}

impl World {
    /// An authorization for an identifier of an order: one that is valid, or a new one.
    pub(crate) fn authorize(&mut self, account: usize, wanted: &Identifier) -> usize {
        let (identifier, span) = bare(wanted);
        let always = self.settings.reuse == Reuse::Always;
        let wanted = |have: &Authorization| always || have.origin == Origin::Advance;
        match self.valid_authorization(account, &identifier, span, wanted) {
            Some(number) => number,
            None => self.begin(account, identifier, span, Origin::Order),
        }
    }

    /// A new one, pending.
    fn begin(&mut self, account: usize, identifier: Identifier, span: Span, origin: Origin) -> usize {
        let kinds: &[ChallengeKind] = match (&identifier, span) {
            (_, Span::Wildcard) => &[ChallengeKind::Dns01],
            (Identifier::Ip(_), _) => &[ChallengeKind::Http01, ChallengeKind::TlsAlpn01],
            _ => &[ChallengeKind::Http01, ChallengeKind::Dns01, ChallengeKind::TlsAlpn01],
        };
        let mut challenges: Vec<Challenge> = kinds
            .iter()
            .map(|kind| Challenge { kind: *kind, token: self.dice.token(), state: State::Pending })
            .collect();
        if !self.settings.persistent.is_empty() && !matches!(identifier, Identifier::Ip(_)) {
            let kind = ChallengeKind::DnsPersist01;
            challenges.push(Challenge { kind, token: String::new(), state: State::Pending });
        }
        let (status, expires) = (Status::Pending, self.now().saturating_add(self.settings.patience));
        self.authorizations.push(Authorization { account, identifier, span, status, expires, origin, challenges });
        self.authorizations.len() - 1
    }

    /// One before any order (RFC 8555 §7.4.1).
    pub(crate) fn new_authorization(&mut self, signed: &Signed) -> Result<Reply, Problem> {
        let account = signed.account()?;
        let wish = signed.object()?;
        let wanted = identifier(wish.get("identifier").ok_or_else(|| malformed("there is no `identifier`"))?)?;
        if matches!(wanted, Identifier::Wildcard(_)) {
            let detail =
                format!("`{wanted}` cannot be authorized before an order: a wildcard is authorized by its order");
            return Err(Problem::new(ProblemKind::RejectedIdentifier, detail));
        }
        self.is_allowed(&wanted)?;
        let number = match self.valid_authorization(account, &wanted, Span::Exact, |_| true) {
            Some(number) => number,
            None => self.begin(account, wanted, Span::Exact, Origin::Advance),
        };
        if let Some(authorization) = self.authorizations.get_mut(number) {
            authorization.origin = Origin::Advance;
        }
        let shown = self.show_authorization(number)?;
        Ok(Reply::json(201, &shown).with("Location", self.site.authorization(number)))
    }

    /// Shows it, or gives it up (RFC 8555 §7.5.2).
    pub(crate) fn authorization(&mut self, signed: &Signed, number: usize) -> Result<Reply, Problem> {
        let now = self.now();
        let authorization = self.own_authorization(signed, number)?;
        if !signed.is_fetch() {
            match (signed.object()?.get("status").and_then(Value::as_str), authorization.status_at(now)) {
                (Some("deactivated"), Status::Pending | Status::Valid | Status::Deactivated) => {
                    authorization.status = Status::Deactivated;
                }
                (Some("deactivated"), over) => {
                    return Err(malformed(format!("the authorization is {} and stays so", over.word())));
                }
                _ => return Err(malformed("an authorization can be made `deactivated`, and nothing else")),
            }
        }
        let judging = authorization.challenges.iter().any(|challenge| challenge.state == State::Processing);
        let reply = self.show_authorization(number).map(|shown| Reply::json(200, &shown))?;
        Ok(if judging { self.patient(reply) } else { reply })
    }

    /// An answer to somebody who will ask again.
    pub(crate) fn patient(&self, reply: Reply) -> Reply {
        match self.settings.ask_again {
            Some(span) => reply.with("Retry-After", span.as_secs().to_string()),
            None => reply,
        }
    }

    /// Shows a challenge, or begins to look for its answer (RFC 8555 §7.5.1).
    pub(crate) fn challenge(&mut self, signed: &Signed, number: usize, which: usize) -> Result<Reply, Problem> {
        let (now, validation) = (self.now(), self.settings.validation.clone());
        let names = self.settings.persistent.clone();
        let account = self.site.account(signed.account()?);
        let authorization = self.own_authorization(signed, number)?;
        let pending = authorization.status_at(now) == Status::Pending;
        let identifier = authorization.identifier.clone();
        let expected = Expected { names, account, span: authorization.span, now };
        let status = authorization.status_at(now);
        let challenge = authorization
            .challenges
            .get_mut(which)
            .ok_or_else(|| malformed("there is no such challenge").with_status(404))?;
        let mut judging = challenge.state == State::Processing;
        if !signed.is_fetch() {
            signed.object()?;
            if matches!(status, Status::Deactivated | Status::Expired) {
                return Err(malformed(format!("the authorization of this challenge is {}", status.word())));
            }
            // One that was judged stays as it was judged; a second request changes nothing.
            if pending && challenge.state == State::Pending {
                challenge.state = State::Processing;
                judging = true;
                let (kind, token) = (challenge.kind, challenge.token.clone());
                match (self.script.verdict(&identifier, kind), validation) {
                    (Some(Verdict::Pending), _) => {}
                    (Some(Verdict::Invalid(problem)), _) => self.judge(number, which, Err(problem)),
                    (Some(Verdict::Valid), _) | (None, Validation::Believed) => self.judge(number, which, Ok(())),
                    (None, Validation::Real(real)) => {
                        let proof = format!("{token}.{}", signed.key.thumbprint());
                        let caa = self.settings.caa.clone();
                        let (authorization, challenge) = (number, which);
                        let place = Place { authorization, challenge };
                        self.jobs.push(Job { place, kind, token, proof, identifier, expected, caa, real });
                    }
                }
            }
        }
        let up = format!("<{}>;rel=\"up\"", self.site.authorization(number));
        let shown = self
            .show_challenge(number, which)
            .ok_or_else(|| malformed("there is no such challenge").with_status(404))?;
        let reply = Reply::json(200, &shown).with("Link", up);
        Ok(if judging { self.patient(reply) } else { reply })
    }

    /// What came of looking for an answer.
    pub(crate) fn judge(&mut self, number: usize, which: usize, outcome: Result<(), Problem>) {
        let now = self.now();
        self.changed = true;
        let Some(authorization) = self.authorizations.get_mut(number) else { return };
        let Some(challenge) = authorization.challenges.get_mut(which) else { return };
        let status = if outcome.is_ok() { Status::Valid } else { Status::Invalid };
        challenge.state = outcome.map_or_else(State::Invalid, |()| State::Valid(now));
        let failed = matches!(challenge.state, State::Invalid(_));
        if authorization.status_at(now) == Status::Pending {
            authorization.status = status;
            if status == Status::Valid {
                self.index.add_valid(authorization, number);
            }
        }
        if failed {
            let (account, identifier) = (authorization.account, authorization.identifier.clone());
            self.count_failure(account, &identifier);
        }
    }

    fn own_authorization(&mut self, signed: &Signed, number: usize) -> Result<&mut Authorization, Problem> {
        let account = signed.account()?;
        let authorization = self
            .authorizations
            .get_mut(number)
            .ok_or_else(|| malformed("there is no such authorization").with_status(404))?;
        if authorization.account == account {
            Ok(authorization)
        } else {
            Err(unauthorized("this is another account's authorization"))
        }
    }

    pub(crate) fn show_authorization(&self, number: usize) -> Result<Value, Problem> {
        let authorization = self
            .authorizations
            .get(number)
            .ok_or_else(|| malformed("there is no such authorization").with_status(404))?;
        // Of one that was judged, the challenge that decided is left (RFC 8555 §7.1.4).
        let shown = |which: &usize| {
            let state = authorization.challenges.get(*which).map(|challenge| &challenge.state);
            match authorization.status {
                Status::Valid => matches!(state, Some(State::Valid(_))),
                Status::Invalid => matches!(state, Some(State::Invalid(_))),
                Status::Pending | Status::Deactivated | Status::Expired => true,
            }
        };
        let challenges = (0..authorization.challenges.len()).filter(shown);
        let mut value = json!({
            "status": authorization.status_at(self.now()).word(),
            "expires": authorization.expires.to_string(),
            "identifier": written(&authorization.identifier),
            "challenges": challenges.filter_map(|which| self.show_challenge(number, which)).collect::<Vec<_>>(),
        });
        if authorization.span == Span::Wildcard {
            value["wildcard"] = true.into();
        }
        Ok(value)
    }

    fn show_challenge(&self, number: usize, which: usize) -> Option<Value> {
        let authorization = self.authorizations.get(number)?;
        let challenge = authorization.challenges.get(which)?;
        let mut shown = json!({
            "type": challenge.kind.word(),
            "url": self.site.challenge(number, which),
        });
        if challenge.kind == ChallengeKind::DnsPersist01 {
            shown["accounturi"] = self.site.account(authorization.account).into();
            shown["issuer-domain-names"] = json!(self.settings.persistent);
        } else {
            shown["token"] = challenge.token.as_str().into();
        }
        match &challenge.state {
            State::Pending => shown["status"] = "pending".into(),
            State::Processing => shown["status"] = "processing".into(),
            State::Valid(when) => {
                shown["status"] = "valid".into();
                shown["validated"] = when.to_string().into();
            }
            State::Invalid(problem) => {
                shown["status"] = "invalid".into();
                shown["error"] = problem.document();
            }
        }
        Some(shown)
    }
}

/// An identifier without its asterisk (RFC 8555 §7.1.3).
fn bare(wanted: &Identifier) -> (Identifier, Span) {
    let text = wanted.to_string();
    let below = text.strip_prefix("*.").and_then(|below| below.parse().ok());
    below.map_or_else(|| (wanted.clone(), Span::Exact), |below| (below, Span::Wildcard))
}
