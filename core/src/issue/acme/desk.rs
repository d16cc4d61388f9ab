//! What an order is worked on with.

use std::sync::Arc;

use super::account::Account;
use super::directory::Directory;
use super::problem::{Problem, Stage};
use super::session::Session;
use crate::ground::error::Error;
use crate::ground::id::IssuerName;
use crate::issue::issuer::Request;
use crate::issue::solver::Solver;
use crate::plan::spec::AcmeIssuer;

/// Everything that the steps of an order share.
#[derive(Debug)]
pub(super) struct Desk<'d> {
    pub(super) issuer: &'d IssuerName,
    pub(super) wish: &'d AcmeIssuer,
    pub(super) solvers: &'d [Arc<dyn Solver>],
    pub(super) session: &'d Session<'d>,
    pub(super) account: &'d Account,
    pub(super) directory: &'d Directory,
    pub(super) request: &'d Request<'d>,
}

impl Desk<'_> {
    /// The error for a problem that came up while the authority looked for an answer.
    pub(super) fn validation_error(&self, problem: &Problem) -> Error {
        problem.error(Stage::Validation, self.session.told(), self.session.now())
    }
}
