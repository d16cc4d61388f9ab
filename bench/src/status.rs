//! `certwright status` of one lineage, from the start of the process to its end.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use certwright::{Options, Selection, SystemClock};

use crate::Fault;
use crate::measure::{children, quantile, span, verdict};
use crate::site::{LINEAGE, Site, lifecycle, well};

const ROUNDS: usize = 9;
const EACH: u32 = 50;
const GOAL: f64 = 0.005;

/// The line.
pub(crate) fn line(folder: &Path) -> Result<(), Fault> {
    let site = Site::new(folder, "status")?;
    let names = || [LINEAGE.to_owned()];
    let lines = "issuer = \"lab\"";
    lifecycle(site.config(names(), lines)?, Arc::new(SystemClock))?.apply(&Selection::All, &Options::default())?;
    let config = site.folder().join("certwright.toml");
    std::fs::write(&config, site.text(names(), lines))?;
    let program = std::env::current_exe()?.with_file_name("certwright");

    let (mut ours, mut least) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(one_of(|| {
            Command::new(&program).arg("status").arg("-c").arg(&config).stdout(Stdio::null()).status()
        })?);
        least.push(one_of(|| Command::new("/bin/true").status())?);
    }
    let middle = quantile(&ours, 0.5);
    println!("status of one lineage, process start to end, CPU; beside it /bin/true");
    println!(
        "    ours {} ({} to {}, {ROUNDS} times {EACH}), /bin/true {}; goal <= {}: {}",
        span(middle),
        span(quantile(&ours, 0.25)),
        span(quantile(&ours, 0.75)),
        span(quantile(&least, 0.5)),
        span(GOAL),
        verdict(middle <= GOAL)
    );
    Ok(())
}

fn one_of(mut start: impl FnMut() -> std::io::Result<std::process::ExitStatus>) -> Result<f64, Fault> {
    let all = children(|| (0..EACH).try_for_each(|_| well(!start()?.success())))?;
    Ok(all / f64::from(EACH))
}
