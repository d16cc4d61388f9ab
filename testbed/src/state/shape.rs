//! What the file holds. Version 1.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use certwright::{Certificate, ChallengeKind, Error, ErrorKind, Identifier, PrivateKey, Result, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::acme::account::{Account, Standing};
use crate::acme::authorization::{Authorization, Challenge, Origin, Span, State, Status};
use crate::acme::certificate::Certified;
use crate::acme::jwk::Jwk;
use crate::acme::order::{Order, Progress};
use crate::acme::problem::Problem;
use crate::acme::world::World;
use crate::ca::Ca;

const VERSION: u32 = 1;

/// A whole world.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    version: u32,
    /// Where chance has come to: the same tokens must not come again.
    chance: u64,
    clock: KeptClock,
    ca: KeptCa,
    /// The key of the root that the server's own TLS is trusted by, PEM, and the root, DER.
    tls_key: String,
    tls_root: String,
    accounts: Vec<KeptAccount>,
    authorizations: Vec<KeptAuthorization>,
    orders: Vec<KeptOrder>,
    certificates: Vec<KeptCertificate>,
}

/// How far the clock was moved, in nanoseconds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptClock {
    forward: u64,
    back: u64,
}

/// Certificates in DER, base64.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptCa {
    key: String,
    roots: Vec<String>,
    intermediates: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptAccount {
    key: Value,
    contact: Vec<String>,
    deactivated: bool,
    bound_to: Option<String>,
    agreed: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptAuthorization {
    account: usize,
    identifier: String,
    wildcard: bool,
    status: String,
    expires: i64,
    in_advance: bool,
    challenges: Vec<KeptChallenge>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptChallenge {
    kind: String,
    token: String,
    validated: Option<i64>,
    error: Option<Value>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptOrder {
    account: usize,
    identifiers: Vec<String>,
    authorizations: Vec<usize>,
    expires: i64,
    begin: Option<i64>,
    end: Option<i64>,
    profile: Option<String>,
    replaces: Option<String>,
    processing: bool,
    certificate: Option<usize>,
    error: Option<Value>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptCertificate {
    leaf: String,
    account: usize,
    revoked: Option<u64>,
}

impl Kept {
    pub(super) fn read(text: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let Version { version } = serde_json::from_slice(text).map_err(unreadable)?;
        if version != VERSION {
            return Err(Error::new(ErrorKind::Unsupported, "the state was written by another version of the test bed")
                .context("version", version)
                .context("known", VERSION));
        }
        serde_json::from_slice(text).map_err(unreadable)
    }

    /// The world as it is now.
    pub(crate) fn of(world: &World, tls: &Tls) -> Self {
        let (forward, back) = world.clock.moves();
        let nanoseconds = |span: Duration| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        Self {
            version: VERSION,
            chance: world.dice.state(),
            clock: KeptClock { forward: nanoseconds(forward), back: nanoseconds(back) },
            ca: KeptCa {
                key: pem(world.ca.key()),
                roots: world.ca.roots().iter().map(der).collect(),
                intermediates: world.ca.intermediates().iter().map(der).collect(),
            },
            tls_key: pem(&tls.key),
            tls_root: der(&tls.root),
            accounts: world.accounts.iter().map(KeptAccount::of).collect(),
            authorizations: world.authorizations.iter().map(KeptAuthorization::of).collect(),
            orders: world.orders.iter().map(KeptOrder::of).collect(),
            certificates: world.certificates.iter().map(KeptCertificate::of).collect(),
        }
    }

    pub(crate) fn text(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self)
            .map_err(|error| Error::new(ErrorKind::Bug, "the state cannot be written as JSON").source(error))
    }

    /// The root of the server's own TLS.
    pub(crate) fn tls(&self) -> Result<Tls> {
        Ok(Tls { key: PrivateKey::from_pem(self.tls_key.as_bytes())?, root: certificate(&self.tls_root)? })
    }

    /// Makes a new world go on where this one ended.
    pub(crate) fn restore(self, world: &mut World) -> Result<()> {
        world.dice.resume(self.chance);
        world.clock.advance(Duration::from_nanos(self.clock.forward));
        world.clock.set_back(Duration::from_nanos(self.clock.back));
        let key = PrivateKey::from_pem(self.ca.key.as_bytes())?;
        let (roots, intermediates) = (certificates(&self.ca.roots)?, certificates(&self.ca.intermediates)?);
        let now = world.now();
        world.ca = Ca::restore(key, roots, intermediates, world.settings.alternates, now)?;
        world.accounts = all(self.accounts, KeptAccount::restore)?;
        world.authorizations = all(self.authorizations, KeptAuthorization::restore)?;
        world.orders = all(self.orders, KeptOrder::restore)?;
        world.certificates = all(self.certificates, KeptCertificate::restore)?;
        world.reindex();
        Ok(())
    }
}

/// What the server's own TLS is signed with.
#[derive(Debug)]
pub(crate) struct Tls {
    pub(crate) key: PrivateKey,
    pub(crate) root: Certificate,
}

impl KeptAccount {
    fn of(account: &Account) -> Self {
        Self {
            key: account.key.value(),
            contact: account.contact.clone(),
            deactivated: account.standing == Standing::Deactivated,
            bound_to: account.bound_to.clone(),
            agreed: account.agreed.clone(),
        }
    }

    fn restore(self) -> Result<Account> {
        let key = Jwk::read(&self.key).map_err(|problem| damaged(problem.detail))?;
        let standing = if self.deactivated { Standing::Deactivated } else { Standing::Valid };
        let Self { contact, bound_to, agreed, .. } = self;
        Ok(Account { key, contact, standing, bound_to, agreed, orders: Vec::new() })
    }
}

impl KeptAuthorization {
    fn of(authorization: &Authorization) -> Self {
        Self {
            account: authorization.account,
            identifier: authorization.identifier.to_string(),
            wildcard: authorization.span == Span::Wildcard,
            status: authorization.status.word().to_owned(),
            expires: authorization.expires.unix(),
            in_advance: authorization.origin == Origin::Advance,
            challenges: authorization.challenges.iter().map(KeptChallenge::of).collect(),
        }
    }

    fn restore(self) -> Result<Authorization> {
        let known = [Status::Pending, Status::Valid, Status::Invalid, Status::Deactivated, Status::Expired];
        let status = known.into_iter().find(|status| status.word() == self.status);
        Ok(Authorization {
            account: self.account,
            identifier: self.identifier.parse()?,
            span: if self.wildcard { Span::Wildcard } else { Span::Exact },
            status: status.ok_or_else(|| damaged(format!("no authorization is `{}`", self.status)))?,
            expires: Timestamp::from_unix(self.expires),
            origin: if self.in_advance { Origin::Advance } else { Origin::Order },
            challenges: all(self.challenges, KeptChallenge::restore)?,
        })
    }
}

impl KeptChallenge {
    fn of(challenge: &Challenge) -> Self {
        let (validated, error) = match &challenge.state {
            State::Valid(when) => (Some(when.unix()), None),
            State::Invalid(problem) => (None, Some(problem.document())),
            State::Pending | State::Processing => (None, None),
        };
        Self { kind: challenge.kind.word().to_owned(), token: challenge.token.clone(), validated, error }
    }

    /// Whoever looked for an answer is gone: the challenge can be asked for again.
    fn restore(self) -> Result<Challenge> {
        let kind = ChallengeKind::ALL.into_iter().find(|kind| kind.word() == self.kind);
        let kind = kind.ok_or_else(|| damaged(format!("no challenge is `{}`", self.kind)))?;
        let state = match (self.validated, self.error) {
            (Some(when), _) => State::Valid(Timestamp::from_unix(when)),
            (None, Some(error)) => State::Invalid(Problem::read(&error)),
            (None, None) => State::Pending,
        };
        Ok(Challenge { kind, token: self.token, state })
    }
}

impl KeptOrder {
    fn of(order: &Order) -> Self {
        Self {
            account: order.account,
            identifiers: order.identifiers.iter().map(ToString::to_string).collect(),
            authorizations: order.authorizations.clone(),
            expires: order.expires.unix(),
            begin: order.begin.map(Timestamp::unix),
            end: order.end.map(Timestamp::unix),
            profile: order.profile.clone(),
            replaces: order.replaces.clone(),
            processing: order.progress == Progress::Processing,
            certificate: match order.progress {
                Progress::Valid(number) => Some(number),
                _ => None,
            },
            error: match &order.progress {
                Progress::Invalid(problem) => Some(problem.document()),
                _ => None,
            },
        }
    }

    fn restore(self) -> Result<Order> {
        let progress = match (self.certificate, &self.error, self.processing) {
            (Some(number), ..) => Progress::Valid(number),
            (None, Some(error), _) => Progress::Invalid(Problem::read(error)),
            (None, None, true) => Progress::Processing,
            (None, None, false) => Progress::Open,
        };
        Ok(Order {
            account: self.account,
            identifiers: all(self.identifiers, |text| text.parse::<Identifier>())?,
            authorizations: self.authorizations,
            expires: Timestamp::from_unix(self.expires),
            begin: self.begin.map(Timestamp::from_unix),
            end: self.end.map(Timestamp::from_unix),
            profile: self.profile,
            replaces: self.replaces,
            progress,
        })
    }
}

impl KeptCertificate {
    fn of(certified: &Certified) -> Self {
        Self { leaf: der(&certified.leaf), account: certified.account, revoked: certified.revoked }
    }

    fn restore(self) -> Result<Certified> {
        let leaf = certificate(&self.leaf)?;
        let public_key = leaf.public_key_der().to_vec();
        Ok(Certified { leaf, public_key, account: self.account, revoked: self.revoked })
    }
}

fn all<A, B>(kept: Vec<A>, restore: impl Fn(A) -> Result<B>) -> Result<Vec<B>> {
    kept.into_iter().map(restore).collect()
}

fn pem(key: &PrivateKey) -> String {
    String::from_utf8_lossy(key.to_pem().expose()).into_owned()
}

fn der(certificate: &Certificate) -> String {
    STANDARD.encode(certificate.der())
}

fn certificate(text: &String) -> Result<Certificate> {
    Certificate::from_der(&STANDARD.decode(text).map_err(|error| damaged(error.to_string()))?)
}

fn certificates(texts: &[String]) -> Result<Vec<Certificate>> {
    texts.iter().map(certificate).collect()
}

fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Unfit, "the state of the test bed cannot be read").source(error)
}

fn damaged(what: String) -> Error {
    Error::new(ErrorKind::Unfit, "the state of the test bed is damaged").source(what)
}
