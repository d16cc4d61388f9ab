//! Answers to the challenges of one order: given by the solvers, taken away again whatever happens.

use std::sync::Arc;

use bytes::Bytes;
use instant_acme::{AuthorizationStatus, ChallengeStatus, ChallengeType};

use super::desk::Desk;
use super::lasting;
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::ground::id::IssuerName;
use crate::ground::name::Identifier;
use crate::issue::http::bounded;
use crate::issue::issuer::Request;
use crate::issue::solver::{Afterlife, Challenge, Solver};
use crate::plan::spec::ChallengeKind;

/// Answers that are, or may be, in place. Dropping it takes away what is left.
#[derive(Debug)]
pub(super) struct Answers<'d> {
    issuer: &'d IssuerName,
    request: &'d Request<'d>,
    given: Vec<Given<'d>>,
    /// Those that were written down before they were given.
    recorded: Vec<Challenge>,
}

/// One challenge and who answers it.
#[derive(Clone, Debug)]
struct Given<'d> {
    challenge: Challenge,
    solver: &'d Arc<dyn Solver>,
    /// Where the authorization is.
    url: String,
    asked: Asked,
}

impl Given<'_> {
    /// Whether the answer is there when this process is not any more, and is not to be.
    fn outlives(&self) -> bool {
        self.solver.afterlife() == Afterlife::Stays && self.challenge.kind() != ChallengeKind::DnsPersist01
    }
}

/// Whether the authority was told already, by an earlier run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    NotYet,
    Before,
}

impl<'d> Answers<'d> {
    /// Answer every challenge that is open, wait until each answer can be seen, and tell the authority.
    pub(super) fn give(desk: &Desk<'d>, order: &mut instant_acme::Order) -> Result<Self> {
        let open = open(desk, order)?;
        let cancel = desk.session.cancel();
        let given = Vec::with_capacity(open.len());
        let recorded: Vec<Challenge> =
            open.iter().flatten().filter(|way| way.outlives()).map(|way| way.challenge.clone()).collect();
        if !recorded.is_empty() {
            desk.request.giving_answers(desk.issuer, &recorded)?;
        }
        let mut answers = Self { issuer: desk.issuer, request: desk.request, given, recorded };
        for ways in open {
            answers.present(ways, cancel)?;
        }
        for one in &answers.given {
            one.solver.wait(&one.challenge, cancel).map_err(|error| about(error, &one.challenge))?;
        }
        for one in answers.given.iter().filter(|one| one.asked == Asked::NotYet) {
            tell(desk, order, one)?;
        }
        Ok(answers)
    }

    /// Answer one authorization in the first way that its solver does not decline.
    fn present(&mut self, ways: Vec<Given<'d>>, cancel: &Cancel) -> Result<()> {
        let mut declined = None;
        for way in ways {
            // What fails half-way has to be taken away too.
            self.given.push(way.clone());
            match way.solver.present(&way.challenge, cancel).map_err(|error| about(error, &way.challenge)) {
                Err(error) if error.kind() == ErrorKind::Unsupported => {
                    self.given.pop();
                    // Nothing is there; a solver is told of the end of everything that it was asked.
                    let _ = way.solver.clean_up(&way.challenge);
                    declined = Some(error);
                }
                presented => return presented,
            }
        }
        declined.map_or(Ok(()), Err)
    }

    /// The challenges, for explaining what went wrong.
    pub(super) fn challenges(&self) -> Vec<Challenge> {
        self.given.iter().map(|one| one.challenge.clone()).collect()
    }

    /// Take every answer away. A second try is made where the first fails; a third is up to the next run, which finds on
    /// record what is left.
    pub(super) fn take_away(&mut self) {
        let mut errors = Vec::new();
        for one in std::mem::take(&mut self.given) {
            let gone = one.solver.clean_up(&one.challenge).or_else(|_| one.solver.clean_up(&one.challenge));
            if let Err(error) = gone
                && one.outlives()
            {
                errors.push((one.challenge, error));
            }
        }
        let recorded = std::mem::take(&mut self.recorded);
        if !recorded.is_empty() {
            // What cannot be crossed out now is looked for once too often, and no more.
            let _ = self.request.took_answers(self.issuer, &recorded, &errors);
        }
    }
}

impl Drop for Answers<'_> {
    fn drop(&mut self) {
        self.take_away();
    }
}

/// The challenges to answer: the ways there are for each authorization that is not valid yet.
fn open<'d>(desk: &Desk<'d>, order: &mut instant_acme::Order) -> Result<Vec<Vec<Given<'d>>>> {
    let names = desk.request.identifiers().len();
    let count = order.state().authorizations.len();
    // More than these would have us answer for others, or without end.
    if count > 2 * names {
        return Err(Error::new(ErrorKind::Protocol, "the authority asks for more authorizations than there are names")
            .context("identifiers", names)
            .context("authorizations", count));
    }
    let mut bodies: Vec<(String, Bytes)> = Vec::new();
    desk.session.call("authorization", async || {
        let mut authorizations = order.authorizations();
        while let Some(fetched) = authorizations.next().await {
            let url = fetched?.url().to_owned();
            bodies.extend(desk.session.last().filter(|answer| answer.url == url).map(|answer| (url, answer.body)));
        }
        Ok(())
    })?;
    let mut open = Vec::new();
    for authorization in &order.state().authorizations {
        let Some(state) = &authorization.state else { continue };
        let shown = bounded(&state.identifier().to_string());
        match state.status {
            AuthorizationStatus::Valid => continue,
            AuthorizationStatus::Pending => {}
            other => {
                return Err(Error::new(ErrorKind::Refused, "an authorization of the order cannot be used any more")
                    .context("identifier", Public(&shown))
                    .context("status", Public(&format!("{other:?}").to_lowercase()))
                    .hint("run the same command again: it makes a new order"));
            }
        }
        let identifier = ours(desk, state.identifier().identifier, &shown)?;
        let body = bodies.iter().find(|(url, _)| *url == authorization.url).map(|(_, body)| body.as_ref());
        open.push(ways(desk, &Open { state, identifier, url: &authorization.url, body: body.unwrap_or_default() })?);
    }
    Ok(open)
}

/// The identifier that is to be shown to be ours, which has to be one that was asked for.
fn ours(desk: &Desk<'_>, theirs: &instant_acme::Identifier, shown: &str) -> Result<Identifier> {
    let wanted = |identifier: &&Identifier| match (identifier, theirs) {
        (Identifier::Dns(name) | Identifier::Wildcard(name), instant_acme::Identifier::Dns(other)) => {
            name.as_str() == other.to_ascii_lowercase()
        }
        (Identifier::Ip(address), instant_acme::Identifier::Ip(other)) => address == other,
        _ => false,
    };
    match desk.request.identifiers().iter().find(wanted) {
        Some(Identifier::Wildcard(base)) => Ok(Identifier::Dns(base.clone())),
        Some(identifier) => Ok(identifier.clone()),
        None => Err(Error::new(ErrorKind::Protocol, "the authority asks about an identifier that was not ordered")
            .context("identifier", Public(shown))
            .hint("report this to the authority; nothing was answered for this identifier")),
    }
}

/// An authorization that is not valid yet.
struct Open<'a> {
    state: &'a instant_acme::AuthorizationState,
    /// Without `*.` for a wildcard.
    identifier: Identifier,
    url: &'a str,
    /// As it was sent.
    body: &'a [u8],
}

impl Open<'_> {
    /// What a solver is asked.
    fn challenge(&self, desk: &Desk<'_>, kind: ChallengeKind, token: &str) -> Result<Challenge> {
        if kind != ChallengeKind::DnsPersist01 {
            return Challenge::new(kind, self.identifier.clone(), token, &desk.account.key.thumbprint());
        }
        let identifier = match &self.identifier {
            // No more than was asked for, whatever the authority calls it.
            Identifier::Dns(name) if self.state.wildcard => {
                let below = Identifier::Wildcard(name.clone());
                if desk.request.identifiers().iter().any(|one| *one == below) { below } else { self.identifier.clone() }
            }
            other => other.clone(),
        };
        lasting::challenge(self.body, &identifier, &desk.account.facts.url, &desk.wish.directory)
    }
}

/// The challenges that a solver answers, by the order of the solvers and then by their own; at least one.
fn ways<'d>(desk: &Desk<'d>, authorization: &Open<'_>) -> Result<Vec<Given<'d>>> {
    let Open { state, identifier, url, .. } = authorization;
    let mut ways = Vec::new();
    for solver in desk.solvers {
        for kind in solver.kinds() {
            let offered = state.challenges.iter().find(|offered| offered.r#type == kind_of(*kind));
            let Some(offered) = offered.filter(|offered| offered.status != ChallengeStatus::Invalid) else { continue };
            let asked = if offered.status == ChallengeStatus::Pending { Asked::NotYet } else { Asked::Before };
            let challenge = authorization.challenge(desk, *kind, &offered.token)?;
            ways.push(Given { challenge, solver, url: (*url).to_owned(), asked });
        }
    }
    if !ways.is_empty() {
        return Ok(ways);
    }
    let offered: Vec<String> = state.challenges.iter().take(20).map(|offered| name_of(&offered.r#type)).collect();
    let ours: Vec<&str> = desk.solvers.iter().flat_map(|solver| solver.kinds()).map(|kind| kind.word()).collect();
    Err(Error::new(ErrorKind::ChallengeFailed, "no solver answers a kind of challenge that the authority offers")
        .context("identifier", identifier)
        .context("offered", Public(&offered.join(", ")))
        .context("configured", Public(&ours.join(", ")))
        .hint("add a `solver` of an offered kind; wildcards need `dns-01` or `dns-persist-01`, addresses `http-01` or `tls-alpn-01`"))
}

/// Tell the authority that the answer is in place.
fn tell(desk: &Desk<'_>, order: &mut instant_acme::Order, given: &Given<'_>) -> Result<()> {
    let kind = kind_of(given.challenge.kind());
    let told = desk.session.call("challenge", async || {
        let mut authorizations = order.authorizations();
        while let Some(next) = authorizations.next().await {
            let mut authorization = next?;
            if authorization.url() == given.url
                && let Some(mut challenge) = authorization.challenge(kind.clone())
            {
                return Ok(challenge.set_ready().await?);
            }
        }
        Ok(())
    });
    told.map_err(|error| about(error, &given.challenge))
}

fn about(error: Error, challenge: &Challenge) -> Error {
    let error = match error.fact("identifier") {
        Some(_) => error,
        None => error.context("identifier", challenge.identifier()),
    };
    error.context("challenge", Public(challenge.kind().word()))
}

/// A kind of challenge in the words of the client library.
fn kind_of(kind: ChallengeKind) -> ChallengeType {
    match kind {
        ChallengeKind::Http01 => ChallengeType::Http01,
        ChallengeKind::Dns01 => ChallengeType::Dns01,
        ChallengeKind::TlsAlpn01 => ChallengeType::TlsAlpn01,
        ChallengeKind::DnsPersist01 => ChallengeType::Unknown(kind.word().to_owned()),
    }
}

fn name_of(kind: &ChallengeType) -> String {
    match kind {
        ChallengeType::Http01 => "http-01".to_owned(),
        ChallengeType::Dns01 => "dns-01".to_owned(),
        ChallengeType::TlsAlpn01 => "tls-alpn-01".to_owned(),
        ChallengeType::DeviceAttest01 => "device-attest-01".to_owned(),
        ChallengeType::Unknown(name) => bounded(name),
        _ => "unknown".to_owned(),
    }
}
