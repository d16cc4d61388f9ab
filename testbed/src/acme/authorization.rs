//! Authorizations and their challenges (RFC 8555 §7.1.4, §7.5, §8).

use certwright::{ChallengeKind, Identifier, Timestamp};
use serde_json::{Value, json};

use crate::acme::front::Signed;
use crate::acme::order::written;
use crate::acme::problem::{Problem, malformed, unauthorized};
use crate::acme::validate::{Expected, Job};
use crate::acme::world::World;
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
    pub(crate) challenges: Vec<Challenge>,
}

/// What it authorizes: the name, or every name just below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

    const fn word(self) -> &'static str {
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
        let now = self.now();
        let valid = self.authorizations.iter().position(|have| {
            have.account == account
                && have.identifier == identifier
                && have.span == span
                && have.status_at(now) == Status::Valid
        });
        if let Some(number) = valid.filter(|_| self.settings.reuse == Reuse::Always) {
            return number;
        }
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
        let expires = now.saturating_add(self.settings.patience);
        self.authorizations.push(Authorization {
            account,
            identifier,
            span,
            status: Status::Pending,
            expires,
            challenges,
        });
        self.authorizations.len() - 1
    }

    /// Shows it, or gives it up (RFC 8555 §7.5.2).
    pub(crate) fn authorization(&mut self, signed: &Signed, number: usize) -> Result<Reply, Problem> {
        let authorization = self.own_authorization(signed, number)?;
        if !signed.is_fetch() {
            match signed.object()?.get("status").and_then(Value::as_str) {
                Some("deactivated") => authorization.status = Status::Deactivated,
                _ => return Err(malformed("an authorization can be made `deactivated`, and nothing else")),
            }
        }
        self.show_authorization(number).map(|shown| Reply::json(200, &shown))
    }

    /// Shows a challenge, or begins to look for its answer (RFC 8555 §7.5.1).
    pub(crate) fn challenge(&mut self, signed: &Signed, number: usize, which: usize) -> Result<Reply, Problem> {
        let (now, validation) = (self.now(), self.settings.validation.clone());
        let names = self.settings.persistent.clone();
        let account = self.site.account(Self::signer(signed)?);
        let authorization = self.own_authorization(signed, number)?;
        let pending = authorization.status_at(now) == Status::Pending;
        let identifier = authorization.identifier.clone();
        let expected = Expected { names, account, span: authorization.span, now };
        let challenge = authorization
            .challenges
            .get_mut(which)
            .ok_or_else(|| malformed("there is no such challenge").with_status(404))?;
        if !signed.is_fetch() {
            signed.object()?;
            // One that was judged stays as it was judged; a second request changes nothing.
            if pending && challenge.state == State::Pending {
                challenge.state = State::Processing;
                let (kind, token) = (challenge.kind, challenge.token.clone());
                match validation {
                    Validation::Believed => self.judge(number, which, Ok(())),
                    Validation::Real(real) => {
                        let proof = format!("{token}.{}", signed.key.thumbprint());
                        self.jobs.push(Job {
                            authorization: number,
                            challenge: which,
                            kind,
                            token,
                            proof,
                            identifier,
                            expected,
                            real,
                        });
                    }
                }
            }
        }
        let up = format!("<{}>;rel=\"up\"", self.site.authorization(number));
        let shown = self
            .show_challenge(number, which)
            .ok_or_else(|| malformed("there is no such challenge").with_status(404))?;
        Ok(Reply::json(200, &shown).with("Link", up))
    }

    /// What came of looking for an answer.
    pub(crate) fn judge(&mut self, number: usize, which: usize, outcome: Result<(), Problem>) {
        let now = self.now();
        let Some(authorization) = self.authorizations.get_mut(number) else { return };
        let Some(challenge) = authorization.challenges.get_mut(which) else { return };
        let status = if outcome.is_ok() { Status::Valid } else { Status::Invalid };
        challenge.state = outcome.map_or_else(State::Invalid, |()| State::Valid(now));
        if authorization.status == Status::Pending {
            authorization.status = status;
        }
    }

    fn own_authorization(&mut self, signed: &Signed, number: usize) -> Result<&mut Authorization, Problem> {
        let account = Self::signer(signed)?;
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

    fn show_authorization(&self, number: usize) -> Result<Value, Problem> {
        let authorization = self
            .authorizations
            .get(number)
            .ok_or_else(|| malformed("there is no such authorization").with_status(404))?;
        // Of a valid one, the challenge that was met is left (RFC 8555 §7.1.4).
        let shown = |which: &usize| {
            let challenge = authorization.challenges.get(*which);
            authorization.status != Status::Valid
                || challenge.is_some_and(|challenge| matches!(challenge.state, State::Valid(_)))
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
