//! The lints of a careful CA: what RFC 5280 and the Baseline Requirements ask of the certificates of one path, beside what
//! path validation looks at.
//!
//! Path validation takes a trust anchor on its word and reads no names in subjects; here the root is looked at like the
//! others, and the common name too. `Error` is for what a careful client or CA refuses, `Warning` for what breaks a rule
//! and is accepted in practice.

mod anatomy;
mod authority;
mod form;
mod server;
mod strength;
#[cfg(test)]
mod tests;

use super::finding::{Finding, Findings};
use super::leaf::Certificate;
use super::trust::shown;
use crate::ground::time::Timestamp;

pub(super) use server::names_of_subject;

/// Where a certificate stands in its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It is the server's.
    Leaf,
    /// It issued another one and was issued by one above it.
    Intermediate,
    /// It is where trust begins.
    Root,
}

impl Role {
    const fn word(self) -> &'static str {
        match self {
            Self::Leaf => "leaf",
            Self::Intermediate => "intermediate",
            Self::Root => "root",
        }
    }
}

/// How a certificate is called in findings.
pub(super) fn label(role: Role, certificate: &Certificate) -> String {
    format!("{} `{}`", role.word(), shown(certificate))
}

/// Everything that the lints find in a path: the leaf first, the root last when there is one. The certificates are looked
/// at on their own and then with each other.
pub(super) fn path(path: &[(Role, &Certificate)], at: Timestamp) -> Vec<Finding> {
    let mut all = Vec::new();
    for (role, certificate) in path {
        all.extend(certificate_in(*role, certificate, at));
    }
    all.extend(authority::over(path));
    all
}

fn certificate_in(role: Role, certificate: &Certificate, at: Timestamp) -> Vec<Finding> {
    let mut findings = Findings::about(label(role, certificate));
    let Some(anatomy) = anatomy::Anatomy::of(certificate) else {
        findings.error("not-der", "RFC 5280 §4.1", "its encoding is not DER");
        return findings.into_vec();
    };
    form::check(&mut findings, role, certificate, &anatomy, at);
    strength::check(&mut findings, role, certificate, &anatomy);
    match role {
        Role::Leaf => server::check(&mut findings, certificate, &anatomy),
        Role::Intermediate | Role::Root => authority::check(&mut findings, role, certificate, &anatomy),
    }
    // Two lints may stumble over the same extension.
    let mut found: Vec<Finding> = Vec::new();
    for finding in findings.into_vec() {
        if !found.contains(&finding) {
            found.push(finding);
        }
    }
    found
}
