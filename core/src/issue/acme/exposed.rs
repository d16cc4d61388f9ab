//! What is made of the text of an answer, for the fuzzer: the parsers of this module under one roof.

use std::time::Duration;

use instant_acme::{AuthorizationState, OrderState};
use serde_json::Value;

use super::directory::Directory;
use super::problem::{Problem, Stage};
use super::{chain, lasting, renewal};
use crate::ground::error::{Error, Result};
use crate::ground::name::Identifier;
use crate::ground::time::{Timestamp, Window};
use crate::issue::header;
use crate::issue::solver::Challenge;
use crate::plan::spec::ChallengeKind;

/// The URLs that a directory leads to.
pub(crate) fn directory(body: &[u8]) -> Result<Vec<String>> {
    let directory = Directory::read(body, "https://ca.example/directory")?;
    let optional = [directory.key_change, directory.revoke, directory.renewal_info].into_iter().flatten();
    Ok([directory.new_nonce, directory.new_account].into_iter().chain(optional).collect())
}

/// The URLs that an order leads to.
pub(crate) fn order(body: &[u8]) -> Option<Vec<String>> {
    let order: OrderState = serde_json::from_slice(body).ok()?;
    let authorizations = order.authorizations.into_iter().map(|authorization| authorization.url);
    Some(authorizations.chain([order.finalize]).chain(order.certificate).collect())
}

/// What a solver would be asked to answer.
pub(crate) fn authorization(body: &[u8], identifier: &Identifier) -> Option<Vec<Challenge>> {
    let state: AuthorizationState = serde_json::from_slice(body).ok()?;
    let _shown = state.identifier().to_string();
    let made = |token: &str| Challenge::new(ChallengeKind::Http01, identifier.clone(), token, "thumbprint").ok();
    let challenges = state.challenges.iter().filter_map(|challenge| made(&challenge.token));
    let lasting = lasting::challenge(body, identifier, "https://ca.example/account/1", "https://ca.example/directory");
    Some(challenges.chain(lasting.ok()).collect())
}

/// The error that a problem document becomes.
pub(crate) fn problem(body: &[u8], now: Timestamp) -> Option<Error> {
    let value: Value = serde_json::from_slice(body).ok()?;
    Some(Problem::read(&value)?.error(Stage::Request, None, now))
}

pub(crate) fn window(body: &[u8]) -> Option<Window> {
    renewal::window(body)
}

pub(crate) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    header::retry_after(value, now)
}

pub(crate) fn date(value: &str) -> Option<Timestamp> {
    header::http_date(value)
}

/// The URLs of other chains in a `Link` of an answer from this URL.
pub(crate) fn alternates(value: &str, url: &str) -> Vec<String> {
    header::alternates(value).map(|target| chain::absolute(target, url)).collect()
}
