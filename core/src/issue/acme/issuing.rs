//! The client as an issuer.

use std::sync::Arc;
use std::time::Duration;

use super::account::Account;
use super::client::AcmeClient;
use super::desk::Desk;
use super::session::Session;
use super::{enrol, examine, order, renewal, revoke};
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Phase, Result, Retry};
use crate::ground::id::IssuerName;
use crate::ground::secret::SecretBytes;
use crate::ground::time::Timestamp;
use crate::issue::issuer::{Examined, Issued, Issuer, RenewalInfo, Request, RevocationReason};
use crate::issue::solver::{Afterlife, Challenge, Solver};
use crate::pki::check;
use crate::pki::jws::from_base64url;
use crate::pki::leaf::Certificate;
use crate::place::input;
use crate::plan::spec::ExternalAccount;

/// The largest secret that is read.
const SMALL: usize = 64 * 1024;
/// How far the clocks of this machine and of the authority may be apart before nothing is ordered.
const APART: Duration = Duration::from_secs(86_400);

impl Issuer for AcmeClient {
    fn id(&self) -> &IssuerName {
        &self.name
    }

    /// # Effects
    ///
    /// Network; whatever the solvers do, and undo again; disk: makes the account when there is none, and reads `trust`,
    /// `roots` and the key of `eab`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ChallengeFailed`] with the identifier, where the authority looked and what it found;
    /// [`ErrorKind::Refused`] and [`ErrorKind::RateLimited`] with the authority's own words; [`ErrorKind::Network`],
    /// [`ErrorKind::Timeout`], [`ErrorKind::Cancelled`]; [`ErrorKind::Protocol`] when an answer cannot be used;
    /// [`ErrorKind::Untrusted`] when the authority's own TLS, or the chain that it issued, does not lead to the roots that are
    /// configured; [`ErrorKind::Unsupported`] when the clock is wrong; [`ErrorKind::Unfit`] when a file is damaged.
    fn issue(&self, request: &Request<'_>, cancel: &Cancel) -> Result<Issued> {
        let issued = self.with_session(cancel, |session| {
            check::clock(session.now(), None)?;
            // Read before anything is ordered: an order must not be lost to a typing error.
            let roots = self.wish.roots.as_deref().map(|path| self.roots(path)).transpose()?;
            let directory = session.directory()?;
            let account = self.ready_account(session)?;
            agree_on_time(session)?;
            let desk = Desk {
                issuer: &self.name,
                wish: &self.wish,
                solvers: &self.solvers,
                session,
                account: &account,
                directory: &directory,
                request,
            };
            let chain = order::obtain(&desk)?;
            if let Some(roots) = roots {
                roots.check(&chain, session.now())?;
            }
            let issued = Issued::new(chain);
            Ok(match session.last().and_then(|answer| answer.date()) {
                Some(theirs) => issued.at(theirs),
                None => issued,
            })
        });
        issued.map_err(|error| error.in_phase(Phase::Issue))
    }

    /// # Effects
    ///
    /// Those of every solver of that kind.
    fn take_away(&self, answer: &Challenge) -> Result<()> {
        let kind = answer.kind();
        let able = |solver: &&Arc<dyn Solver>| solver.kinds().contains(&kind) && solver.afterlife() == Afterlife::Stays;
        let mut solvers = self.solvers.iter().filter(able).peekable();
        if solvers.peek().is_none() {
            return Err(Error::new(ErrorKind::NotFound, "no solver that is configured gives such answers any more")
                .context("issuer", &self.name)
                .hint("look for the answer and remove it by hand"));
        }
        // Whose it was is not known: what is not there is no error to the others.
        solvers.map(|solver| solver.clean_up(answer)).fold(Ok(()), Result::and)
    }

    fn suggests_renewals(&self) -> bool {
        true
    }

    /// # Effects
    ///
    /// Network: the directory, and the account where there is one. Nothing is ordered, and no account is made.
    fn examine(&self, cancel: &Cancel) -> Vec<Examined> {
        examine::look(self, cancel)
    }

    /// # Effects
    ///
    /// Network: one request, without account.
    fn renewal_info(&self, leaf: &Certificate, cancel: &Cancel) -> Result<Option<RenewalInfo>> {
        self.with_session(cancel, |session| renewal::ask(leaf, session, &session.directory()?))
    }

    /// # Effects
    ///
    /// Network: signed by the account. A certificate that is revoked already is no error.
    fn revoke(&self, leaf: &Certificate, reason: RevocationReason, cancel: &Cancel) -> Result<()> {
        self.with_session(cancel, |session| {
            let directory = session.directory()?;
            let account = self.present_account()?;
            revoke::revoke(leaf, reason, session, &account, &directory)
        })
    }
}

impl AcmeClient {
    fn ready_account(&self, session: &Session<'_>) -> Result<Account> {
        let external =
            self.wish.external_account.as_ref().map(|external| Ok((&*external.kid, self.mac_key(external)?)));
        enrol::ready(&self.state()?, &self.account_wish(external.transpose()?), session)
    }

    /// The MAC key that the authority gave out, in base64url as RFC 8555 §7.3.4 says, or with padding as some print it.
    fn mac_key(&self, external: &ExternalAccount) -> Result<SecretBytes> {
        let path = external.key_file.as_path();
        let bytes = zeroize::Zeroizing::new(input::read(&*self.files, path, SMALL)?);
        let text = std::str::from_utf8(bytes.trim_ascii()).unwrap_or_default();
        let text = zeroize::Zeroizing::new(text.trim_end_matches('=').replace('+', "-").replace('/', "_"));
        let key = from_base64url(&text).filter(|key| !key.is_empty());
        key.map(SecretBytes::from).ok_or_else(|| {
            Error::new(ErrorKind::Unfit, "the MAC key of the external account is not base64url")
                .context("path", path)
                .hint("put the key into the file as the authority shows it, on one line, and nothing else")
        })
    }
}

/// A clock that is far off would order too early, or believe a certificate that is not valid yet.
fn agree_on_time(session: &Session<'_>) -> Result<()> {
    let (Some(theirs), ours) = (session.last().and_then(|answer| answer.date()), session.now()) else { return Ok(()) };
    let apart = |later: Timestamp, earlier: Timestamp| later.since(earlier).is_some_and(|apart| apart > APART);
    if !apart(theirs, ours) && !apart(ours, theirs) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Unsupported, "the clocks of this machine and of the authority are more than a day apart")
        .context("here", ours)
        .context("there", theirs)
        .hint("set the clock, by NTP if it can be reached, and try again")
        .retry(Retry::Now))
}
