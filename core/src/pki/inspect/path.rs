//! From the leaf to a root: what clients would build out of what was sent, and how it looks.

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;

use super::super::finding::{Finding, Findings, Severity};
use super::super::leaf::Certificate;
use super::super::lint::{self, Role};
use super::super::signed::SignatureFault;
use super::super::trust::{self, Roots, shown};
use crate::ground::time::Timestamp;

/// The longest path that is followed by names, and the most candidates that are tried for each step. A hostile file can
/// hold many certificates of one name.
const MAX_LENGTH: usize = 20;
/// The most valid paths that are compared.
const MAX_PATHS: usize = 16;

/// The certificate that a server would show: the first, unless it issued another one.
pub(super) fn leaf<'a>(certificates: &[&'a Certificate], findings: &mut Vec<Finding>) -> Option<&'a Certificate> {
    let first = certificates.first().copied()?;
    let issued_none = |candidate: &Certificate| {
        certificates.iter().all(|other| *other == candidate || !other.names_as_issuer(candidate))
    };
    if first.is_self_issued() || issued_none(first) {
        return Some(first);
    }
    let leaf = certificates.iter().copied().find(|other| issued_none(other)).unwrap_or(first);
    let mut order = Findings::about("chain");
    let message =
        format!("the first certificate is `{}`, which issued another one; the server's own comes first", shown(first));
    order.error("order-leaf", "RFC 8446 §4.4.2", message);
    findings.extend(order.into_vec());
    Some(leaf)
}

/// Everything about the path above a leaf.
pub(super) fn judge(
    leaf: &Certificate,
    certificates: &[&Certificate],
    roots: Option<&Roots>,
    at: Timestamp,
) -> Vec<Finding> {
    let others: Vec<&Certificate> = certificates.iter().copied().filter(|other| *other != leaf).collect();
    let (path, mut findings) = match roots {
        Some(roots) => with_roots(leaf, &others, roots, at),
        None => without_roots(leaf, &others, at),
    };
    findings.extend(about_order(leaf, certificates, &path));
    findings
}

/// The path as clients build it; when several validate, the first that the lints have nothing against, or the best.
fn with_roots<'a>(
    leaf: &'a Certificate,
    others: &[&'a Certificate],
    roots: &'a Roots,
    at: Timestamp,
) -> (Vec<&'a Certificate>, Vec<Finding>) {
    let best: RefCell<Option<(Vec<Certificate>, Vec<Finding>)>> = RefCell::new(None);
    let seen = Cell::new(0);
    let result = roots.search(leaf, others, at, &|path| {
        let findings = lint::path(&below_roots(path, roots), at);
        let errors =
            |findings: &[Finding]| findings.iter().filter(|finding| finding.severity == Severity::Error).count();
        let fewest = best.borrow().as_ref().map(|(_, before)| errors(before));
        let clean = errors(&findings) == 0;
        seen.set(seen.get() + 1);
        if fewest.is_none_or(|fewest| errors(&findings) < fewest) {
            best.replace(Some((path.iter().map(|other| (*other).clone()).collect(), findings)));
        }
        if clean || seen.get() == MAX_PATHS { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    if let Some((path, findings)) = best.into_inner() {
        let known = |certificate: &Certificate| {
            let mut all = std::iter::once(leaf).chain(others.iter().copied()).chain(roots.certificates());
            all.find(|other| *other == certificate)
        };
        return (path.iter().filter_map(known).collect(), findings);
    }
    let mut all: Vec<&Certificate> = others.to_vec();
    all.extend(roots.certificates());
    let path = follow(leaf, &all);
    let mut findings = Findings::about("chain");
    if let Err(reason) = result {
        let (message, _) = trust::explain(&reason);
        findings.error("untrusted", "RFC 5280 §6.1", format!("{message}: {reason}"));
    }
    signatures(&path, &mut findings);
    let mut found = findings.into_vec();
    found.extend(lint::path(&below_roots(&path, roots), at));
    (path, found)
}

/// The path as far as it goes by names, signatures checked.
fn without_roots<'a>(
    leaf: &'a Certificate,
    others: &[&'a Certificate],
    at: Timestamp,
) -> (Vec<&'a Certificate>, Vec<Finding>) {
    let path = follow(leaf, others);
    let mut findings = Findings::about("chain");
    let end = path.last().copied().unwrap_or(leaf);
    let message = if end.is_self_issued() {
        format!("it ends at the root `{}`; whether that is trusted was not asked", shown(end))
    } else {
        format!("it ends below `{}`; whether that is trusted was not asked", end.issuer())
    };
    findings.note("trust-unknown", "RFC 5280 §6.1.1", message);
    signatures(&path, &mut findings);
    let mut found = findings.into_vec();
    found.extend(lint::path(&roles(&path), at));
    (path, found)
}

/// From the leaf upwards by names, a right signature preferred. Ends at a self-signed certificate.
fn follow<'a>(leaf: &'a Certificate, others: &[&'a Certificate]) -> Vec<&'a Certificate> {
    let mut path = vec![leaf];
    let mut tip = leaf;
    while path.len() < MAX_LENGTH && !(tip.is_self_issued() && tip.is_self_signed()) {
        let candidates = others.iter().copied().filter(|other| tip.names_as_issuer(other) && !path.contains(other));
        let first = candidates.clone().next();
        let Some(next) = candidates.take(MAX_LENGTH).find(|other| tip.verify_by(other).is_ok()).or(first) else {
            break;
        };
        path.push(next);
        tip = next;
    }
    path
}

fn signatures(path: &[&Certificate], findings: &mut Findings) {
    for pair in path.windows(2) {
        let [issued, issuer] = pair else { continue };
        match issued.verify_by(issuer) {
            Ok(()) => {}
            Err(SignatureFault::Wrong) => {
                let message = format!("the signature on `{}` is not by `{}`", shown(issued), shown(issuer));
                findings.error("signature", "RFC 5280 §6.1.3", message);
            }
            Err(SignatureFault::Unsupported(algorithm)) => {
                let message = format!("the signature on `{}` ({algorithm}) cannot be checked", shown(issued));
                findings.error("signature-unsupported", "RFC 5280 §6.1.3", message);
            }
        }
    }
    if let [alone] = path
        && alone.is_self_issued()
        && alone.verify_by(alone) == Err(SignatureFault::Wrong)
    {
        findings.error("signature", "RFC 5280 §6.1.3", format!("the signature on `{}` is not its own", shown(alone)));
    }
}

/// The leaf first; what is self-signed at the end is a root.
fn roles<'a>(path: &[&'a Certificate]) -> Vec<(Role, &'a Certificate)> {
    let last = path.len().saturating_sub(1);
    let role = |(place, certificate): (usize, &&'a Certificate)| match place {
        0 => (Role::Leaf, *certificate),
        place if place == last && certificate.is_self_issued() && certificate.is_self_signed() => {
            (Role::Root, *certificate)
        }
        _ => (Role::Intermediate, *certificate),
    };
    path.iter().enumerate().map(role).collect()
}

/// The same where roots are known: one of them at the end is a root, self-issued or not. A leaf that is its own root is a leaf.
fn below_roots<'a>(path: &[&'a Certificate], roots: &Roots) -> Vec<(Role, &'a Certificate)> {
    let mut roles = roles(path);
    if let [(_, leaf), .., (role, last)] = roles.as_mut_slice() {
        if leaf == last {
            roles.truncate(1);
        } else if roots.certificates().contains(last) {
            *role = Role::Root;
        }
    }
    roles
}

/// How the chain was sent (RFC 8446 §4.4.2, RFC 5246 §7.4.2).
fn about_order(leaf: &Certificate, certificates: &[&Certificate], path: &[&Certificate]) -> Vec<Finding> {
    const RULE: &str = "RFC 8446 §4.4.2";
    let mut findings = Findings::about("chain");
    let mut before = leaf;
    let mut seen: Vec<&Certificate> = vec![leaf];
    for other in certificates.iter().copied().filter(|other| *other != leaf) {
        let name = shown(other);
        if seen.contains(&other) {
            findings.warn("sent-twice", RULE, format!("`{name}` is there twice"));
            continue;
        }
        seen.push(other);
        if other.is_self_issued() && other.is_self_signed() {
            findings.note("root-sent", RULE, format!("the root `{name}` is there, which clients have on their own"));
        } else if !path.contains(&other) {
            findings.warn("stranger", RULE, format!("`{name}` is not needed by the chain"));
        } else if !before.names_as_issuer(other) {
            findings.warn("order", RULE, format!("`{name}` does not follow what it issued; some clients need that"));
            before = other;
        } else {
            before = other;
        }
    }
    findings.into_vec()
}
