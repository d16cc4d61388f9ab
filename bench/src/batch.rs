//! A thousand deployments in one run, their syncs shared, against one by one.

use std::path::Path;
use std::sync::Arc;

use certwright::{Lifecycle, Options, Selection, SystemClock};

use crate::Fault;
use crate::measure::{Goal, in_turn, wall};
use crate::site::{Site, lifecycle, well};

const MANY: usize = 1_000;
/// One by one takes long, so that a share of it is measured: deployments one after the other take the same time each.
const SHARE: usize = 100;
const PAIRS: usize = 3;

/// The line.
pub(crate) fn line(folder: &Path) -> Result<(), Fault> {
    let site = Site::new(folder, "batch")?;
    let mut round = 0;
    let mut fresh = |count: usize| -> Result<(Vec<String>, Lifecycle), Fault> {
        round += 1;
        let names: Vec<String> = (0..count).map(|at| format!("r{round}-{at:05}")).collect();
        // The key is outside the comparison as far as it can be: P-256 is made in tens of microseconds.
        let config = site.config(names.iter().cloned(), "issuer = \"lab\"")?;
        Ok((names, lifecycle(config, Arc::new(SystemClock))?))
    };
    let (_, first) = fresh(1)?;
    first.apply(&Selection::All, &Options::default())?;
    let fresh = std::cell::RefCell::new(&mut fresh);
    let pairs = in_turn(
        PAIRS,
        || {
            let (_, lifecycle) = (fresh.borrow_mut())(MANY)?;
            let seconds = wall(|| {
                let report = lifecycle.apply(&Selection::All, &Options::default())?;
                well(report.lineages.iter().any(|lineage| !lineage.changed))
            })?;
            Ok(seconds)
        },
        || {
            let (names, lifecycle) = (fresh.borrow_mut())(SHARE)?;
            let seconds = wall(|| {
                names.iter().try_for_each(|name| {
                    let report = lifecycle.apply(&Selection::Named(vec![name.parse()?]), &Options::default())?;
                    well(report.lineages.iter().any(|lineage| !lineage.changed))
                })
            })?;
            #[expect(clippy::cast_precision_loss, reason = "two small numbers")]
            let scale = MANY as f64 / SHARE as f64;
            Ok(seconds * scale)
        },
    )?;
    pairs.line("1,000 issued and deployed in one run, syncs shared", "one by one (100, times ten)", Goal::Faster(4.0));
    Ok(())
}
