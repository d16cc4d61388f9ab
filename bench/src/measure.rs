//! Two things measured in turn in one run, and how they compare.

use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

use crate::Fault;

/// What the ratio of ours to theirs shall be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    /// Ours takes at most this many times as long.
    AtMost(f64),
    /// Theirs takes at least this many times as long.
    Faster(f64),
    /// Ours does at least this share of what theirs does in the same time.
    Share(f64),
}

/// Seconds that each side took, pair by pair.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    ours: Vec<f64>,
    theirs: Vec<f64>,
}

/// Measure one, the other, the one, the other. Both say how many seconds they took; the first pair warms up and is not
/// counted.
pub(crate) fn in_turn(
    pairs: usize,
    mut ours: impl FnMut() -> Result<f64, Fault>,
    mut theirs: impl FnMut() -> Result<f64, Fault>,
) -> Result<Pairs, Fault> {
    ours()?;
    theirs()?;
    let mut measured = Pairs::default();
    for _ in 0..pairs {
        measured.ours.push(ours()?);
        measured.theirs.push(theirs()?);
    }
    Ok(measured)
}

impl Pairs {
    /// Print the line: both medians, the median ratio with its middle half, and whether the goal is met.
    pub(crate) fn line(&self, name: &str, peer: &str, goal: Goal) {
        let ratio = |(ours, theirs): (&f64, &f64)| match goal {
            Goal::AtMost(_) => ours / theirs,
            Goal::Faster(_) | Goal::Share(_) => theirs / ours,
        };
        let ratios: Vec<f64> = self.ours.iter().zip(&self.theirs).map(ratio).collect();
        let middle = quantile(&ratios, 0.5);
        let (said, met) = match goal {
            Goal::AtMost(limit) => (format!("<= {limit} x"), middle <= limit),
            Goal::Faster(limit) => (format!(">= {limit} x faster"), middle >= limit),
            Goal::Share(limit) => (format!(">= {:.0} %", limit * 100.0), middle >= limit),
        };
        println!("{name}, against {peer}");
        println!(
            "    ours {}, theirs {}; ratio {middle:.2} ({:.2} to {:.2}, {} pairs); goal {said}: {}",
            span(quantile(&self.ours, 0.5)),
            span(quantile(&self.theirs, 0.5)),
            quantile(&ratios, 0.25),
            quantile(&ratios, 0.75),
            ratios.len(),
            verdict(met),
        );
    }
}

/// One word for the reader.
pub(crate) fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "missed" }
}

/// The value that this share of the others is not above.
pub(crate) fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place in a short list"
    )]
    let at = (share * sorted.len().saturating_sub(1) as f64).round() as usize;
    sorted.get(at).copied().unwrap_or(f64::NAN)
}

/// Seconds for people.
pub(crate) fn span(seconds: f64) -> String {
    match seconds {
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 1e-3 => format!("{:.2} ms", s * 1e3),
        s => format!("{:.1} us", s * 1e6),
    }
}

/// Seconds by the clock on the wall.
pub(crate) fn wall<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<f64, Fault> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed().as_secs_f64())
}

/// Seconds of CPU that this process used, all of its threads together.
pub(crate) fn cpu<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<f64, Fault> {
    let start = used();
    work()?;
    Ok(used() - start)
}

#[expect(clippy::cast_precision_loss, reason = "seconds of one run")]
fn used() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

/// Seconds of CPU that the ended children of this process used while `work` ran. The kernel hands them out in hundredths,
/// so let it be a good many children.
pub(crate) fn children(work: impl FnOnce() -> Result<(), Fault>) -> Result<f64, Fault> {
    let start = used_by_children()?;
    work()?;
    Ok(used_by_children()? - start)
}

fn used_by_children() -> Result<f64, Fault> {
    let text = std::fs::read_to_string("/proc/self/stat")?;
    // Fields 16 and 17 of proc_pid_stat(5); the program's name in parentheses is field 2.
    let after = text.rsplit_once(") ").ok_or("/proc/self/stat has no name in parentheses")?.1;
    let ticks: Vec<f64> = after.split(' ').skip(13).take(2).filter_map(|field| field.parse().ok()).collect();
    Ok(ticks.iter().sum::<f64>() / 100.0)
}
