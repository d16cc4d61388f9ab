//! What one part of a configuration says against another.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::Path;

use super::convert::Placed;
use super::fault::{Faults, Lines, Place};
use crate::ground::id::IssuerName;
use crate::ground::name::{DnsName, Identifier};
use crate::plan::nearest::nearest;
use crate::plan::spec::IssuerSpec;

/// Every issuer that is named, with what it may issue when its table had no faults.
pub(super) type Issuers = BTreeMap<IssuerName, Option<IssuerSpec>>;

/// Beyond so many faults nobody reads the hints, and looking for near names among many takes time.
const HINTED: usize = 100;

/// Note lineages whose issuer is not there or may not issue for them.
pub(super) fn issuers(lineages: &[Placed], issuers: &Issuers, faults: &mut Faults) {
    for lineage in lineages {
        for (name, at) in lineage.spec.issuers.iter().zip(&lineage.issuers_at) {
            issuer(lineage, name, *at, issuers, faults);
        }
    }
}

fn issuer(lineage: &Placed, name: &IssuerName, at: usize, issuers: &Issuers, faults: &mut Faults) {
    let top = Place::TOP.key("lineage");
    let lineage_place = top.key(lineage.spec.name.as_str());
    match issuers.get(name) {
        None => {
            let known = issuers.keys().map(IssuerName::as_str).filter(|_| faults.count() < HINTED);
            let hint = match nearest(name.as_str(), known) {
                Some(near) => format!("write `{near}`, if that was meant"),
                None => format!("add `[issuer.{name}]`"),
            };
            let message = format!("there is no issuer `{name}`");
            faults.add_at(at, &lineage_place.key("issuer"), message, Some(hint));
        }
        Some(Some(IssuerSpec::Local(local))) if !local.permitted.is_empty() => {
            for identifier in &lineage.spec.identifiers {
                if !permitted(identifier, &local.permitted) {
                    let message = format!("issuer `{name}` may not issue for `{identifier}`");
                    let hint = format!("name its domain in `permitted` of `[issuer.{name}]` before the CA is made");
                    faults.add_at(lineage.at, &lineage_place.key("identifiers"), message, Some(hint));
                }
            }
        }
        Some(_) => {}
    }
}

/// RFC 5280 §4.2.1.10: a name is permitted by a constraint that it equals or is below. Constraints on DNS names do not
/// speak of addresses.
fn permitted(identifier: &Identifier, permitted: &[DnsName]) -> bool {
    let (Identifier::Dns(name) | Identifier::Wildcard(name)) = identifier else { return true };
    permitted.iter().any(|above| {
        name.as_str().strip_suffix(above.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

/// Note outputs that would replace each other, or a directory that another one needs.
pub(super) fn outputs(lineages: &[Placed], text: &str, faults: &mut Faults) {
    struct Claim<'c> {
        path: &'c Path,
        lineage: &'c str,
        number: usize,
        at: usize,
    }
    let mut claims: Vec<Claim<'_>> = lineages
        .iter()
        .flat_map(|lineage| {
            lineage.spec.outputs.iter().zip(&lineage.outputs_at).enumerate().map(|(number, (output, at))| Claim {
                path: &output.path,
                lineage: lineage.spec.name.as_str(),
                number,
                at: *at,
            })
        })
        .collect();
    // Paths are ordered by component, so that what is below a path follows it at once.
    claims.sort_by(|a, b| a.path.cmp(b.path).then(a.at.cmp(&b.at)));
    let lines = OnceCell::new();
    for pair in claims.windows(2) {
        let [above, below] = pair else { continue };
        if !below.path.starts_with(above.path) {
            continue;
        }
        let (first, second) = if above.at < below.at { (above, below) } else { (below, above) };
        let top = Place::TOP.key("lineage");
        let (lineage, output) = (top.key(second.lineage), "output");
        let list = lineage.key(output);
        let place = list.index(second.number);
        let other =
            format!("`lineage.{}` (line {})", first.lineage, lines.get_or_init(|| Lines::new(text)).of(first.at));
        let message = if above.path == below.path {
            format!("`{}` is also an output of {other}", second.path.display())
        } else {
            format!("`{}` and `{}` of {other} cannot both be files", second.path.display(), first.path.display())
        };
        faults.add_at(second.at, &place.key("path"), message, Some("give each its own path".to_owned()));
    }
}
