//! `apply` with nothing to do, drift check included: against a plain loop over the same files, and by number of lineages.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use certwright::{Config, Lifecycle, Options, Selection, SystemClock};

use crate::bare::look;
use crate::measure::{Goal, Pairs, cpu, in_turn, span, verdict};
use crate::site::{LINEAGE, Site, lifecycle, well};
use crate::{Fault, certbot};

/// How many lineages the largest run has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Most {
    /// A minute or so.
    TenThousand,
    /// Several minutes, and some gigabytes of disk.
    HundredThousand,
}

const LINES: &str = "issuer = \"lab\"";
/// How much more memory a run ten times as large may take and still count as flat: a reading is good to some pages.
const FLAT: u64 = 1_024;

/// The lines.
pub(crate) fn lines(folder: &Path, most: Most) -> Result<(), Fault> {
    let site = Site::new(folder, "idle")?;
    lifecycle(site.config([name(0)], LINES)?, Arc::new(SystemClock))?.apply(&Selection::All, &Options::default())?;
    let template = look::Tree::read(&site.root().join(name(0)))?;
    let sizes: &[usize] = match most {
        Most::TenThousand => &[1, 100, 1_000, 10_000],
        Most::HundredThousand => &[1, 100, 1_000, 10_000, 100_000],
    };
    let (mut made, mut peaks) = (1, Vec::new());
    for &size in sizes {
        for number in made..size {
            template.write(&site.root().join(name(number)))?;
        }
        made = made.max(size);
        let pairs = pairs_of(&site, size)?;
        pairs.line(
            &format!("apply with nothing to do, {size} lineages, CPU of each"),
            "a plain loop over the same files",
            Goal::AtMost(1.5),
        );
        peaks.push(grown(&site, size)?);
        if size == 100 {
            certbot::line(&site, &|| look_at(&site, size))?;
        }
    }
    println!("apply with nothing to do, growth of peak memory while it runs, configuration not counted");
    let said: Vec<String> = sizes.iter().zip(&peaks).map(|(size, peak)| format!("{size}: {peak} KiB")).collect();
    let flat = match peaks.as_slice() {
        [.., tenth, all] => all.saturating_sub(*tenth) <= FLAT,
        _ => false,
    };
    println!("    {}; goal flat between the last two: {}", said.join(", "), verdict(flat));
    Ok(())
}

/// The name of a lineage, in the order of the numbers.
fn name(number: usize) -> String {
    format!("{LINEAGE}-{number:06}")
}

/// The configuration of so many lineages: one that was parsed, many times.
fn config(site_root: &Path, size: usize) -> Result<Config, Fault> {
    let text = format!(
        "version = 1\nroot = \"{}\"\n[issuer.lab]\ntype = \"local\"\n[lineage.{}]\n\
         identifiers = [\"www.example.org\"]\nreaders = [\"user:nobody\"]\n{LINES}\n",
        site_root.display(),
        name(0)
    );
    let mut config = Config::parse(&text, "certwright.toml".as_ref())?;
    let first = config.lineages.values().next().ok_or("a configuration without lineage")?.clone();
    for number in 1..size {
        let mut spec = first.clone();
        spec.name = name(number).parse()?;
        config.lineages.insert(spec.name.clone(), spec);
    }
    Ok(config)
}

/// CPU of one lineage in so many runs over all.
fn apply(lifecycle: &Lifecycle, size: usize, runs: u32) -> Result<f64, Fault> {
    let used = cpu(|| (0..runs).try_for_each(|_| run(lifecycle, size)))?;
    #[expect(clippy::cast_precision_loss, reason = "at most a hundred thousand")]
    Ok(used / f64::from(runs) / size as f64)
}

fn run(lifecycle: &Lifecycle, size: usize) -> Result<(), Fault> {
    let (mut seen, mut changed) = (0, false);
    lifecycle.apply_each(&Selection::All, &Options::default(), &mut |report| {
        seen += 1;
        changed |= report.changed || report.error.is_some();
    })?;
    well(changed || seen != size)
}

/// What `apply` takes for each of so many lineages.
fn look_at(site: &Site, size: usize) -> Result<f64, Fault> {
    apply(&lifecycle(config(&site.root(), size)?, Arc::new(SystemClock))?, size, 1)
}

fn pairs_of(site: &Site, size: usize) -> Result<Pairs, Fault> {
    let lifecycle = lifecycle(config(&site.root(), size)?, Arc::new(SystemClock))?;
    let roots: Vec<_> = (0..size).map(name).collect();
    let root = site.root();
    let (pairs, inner) = match size {
        1 => (100, 20),
        100 => (40, 1),
        1_000 => (20, 1),
        10_000 => (5, 1),
        _ => (2, 1),
    };
    in_turn(
        pairs,
        || apply(&lifecycle, size, inner),
        || {
            let used = cpu(|| {
                for _ in 0..inner {
                    look::all(&root, &roots)?;
                }
                Ok(())
            })?;
            #[expect(clippy::cast_precision_loss, reason = "at most a hundred thousand")]
            Ok(used / f64::from(inner) / size as f64)
        },
    )
}

/// How much a process grows at its peak while it runs, in KiB: in a process of its own, so that no run before counts.
fn grown(site: &Site, size: usize) -> Result<u64, Fault> {
    let program = std::env::current_exe()?;
    let mut readings = Vec::new();
    for _ in 0..3 {
        let output = Command::new(&program).arg("peak").arg(site.root()).arg(size.to_string()).output()?;
        readings.push(String::from_utf8_lossy(&output.stdout).trim().parse::<u64>()?);
    }
    readings.sort_unstable();
    readings.get(1).copied().ok_or_else(|| "no reading".into())
}

/// The process of its own: everything is set up, then the peak is forgotten, then it runs.
pub(crate) fn peak(root: &Path, size: usize) -> Result<(), Fault> {
    let lifecycle = lifecycle(config(root, size)?, Arc::new(SystemClock))?;
    // Resets VmHWM to what is resident now (proc_pid_clear_refs(5)).
    std::fs::write("/proc/self/clear_refs", "5")?;
    let before = resident()?;
    run(&lifecycle, size)?;
    println!("{}", resident()?.saturating_sub(before));
    Ok(())
}

/// The peak of what was resident, in KiB.
fn resident() -> Result<u64, Fault> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// One run over one lineage, to be looked at with strace: what is copied by hand in [`look`].
pub(crate) fn once(root: &Path) -> Result<(), Fault> {
    let lifecycle = lifecycle(config(root, 1)?, Arc::new(SystemClock))?;
    lifecycle.apply(&Selection::All, &Options::default())?;
    println!("again");
    println!("{}", span(apply(&lifecycle, 1, 2)?));
    Ok(())
}

/// So many runs over one lineage and nothing else, to be looked at with perf.
pub(crate) fn again(root: &Path, count: u32) -> Result<(), Fault> {
    let lifecycle = lifecycle(config(root, 1)?, Arc::new(SystemClock))?;
    lifecycle.apply(&Selection::All, &Options::default())?;
    println!("{}", span(apply(&lifecycle, 1, count)?));
    Ok(())
}
