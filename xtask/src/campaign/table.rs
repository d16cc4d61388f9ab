//! The figures of a campaign: read from what suites and fuzzer said, drawn for people.

use crate::Outcome;

/// What was tried and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    what: String,
    cases: u64,
    violations: u64,
    seconds: u64,
    /// In the first line of a goal; the others share its time.
    fault: Option<String>,
}

impl Line {
    /// Something was tried, and nothing was violated.
    pub(super) fn is_well(&self) -> bool {
        self.cases > 0 && self.violations == 0 && self.fault.is_none()
    }
}

/// The lines that a suite told, tab between the fields, those about the same thing added up. A suite that failed has at
/// least one violation, whatever it told before.
pub(super) fn of_suite(goal: &str, told: &str, outcome: &Outcome, seconds: u64) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for row in told.lines() {
        let mut fields = row.split('\t');
        let (Some(what), Some(Ok(cases)), Some(Ok(violations))) =
            (fields.next(), fields.next().map(str::parse::<u64>), fields.next().map(str::parse::<u64>))
        else {
            continue;
        };
        let what = format!("{goal}: {what}");
        match lines.iter_mut().find(|line| line.what == what) {
            Some(line) => {
                line.cases += cases;
                line.violations += violations;
            }
            None => lines.push(Line { what, cases, violations, seconds: 0, fault: None }),
        }
    }
    if lines.is_empty() {
        lines.push(Line { what: goal.to_owned(), cases: 0, violations: 0, seconds: 0, fault: None });
    }
    if let Some(first) = lines.first_mut() {
        first.seconds = seconds;
    }
    if let Err(fault) = outcome {
        let all: u64 = lines.iter().map(|line| line.violations).sum();
        if let Some(first) = lines.first_mut() {
            first.violations += u64::from(all == 0);
            first.fault = Some(fault.clone());
        }
    }
    lines
}

/// One fuzz target: libFuzzer counts the inputs, and ends badly at the first that breaks the target.
pub(super) fn of_fuzz(target: &str, log: &str, outcome: &Outcome, seconds: u64) -> Line {
    let units = log.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    Line {
        what: format!("fuzz: {target}"),
        cases: units.and_then(|units| units.trim().parse().ok()).unwrap_or(0),
        violations: u64::from(outcome.is_err()),
        seconds,
        fault: outcome.clone().err(),
    }
}

/// The table, and after it what went wrong.
pub(super) fn drawn(lines: &[Line]) -> String {
    let width = lines.iter().map(|line| line.what.chars().count()).max().unwrap_or(0);
    let mut text = format!("{:<width$}  {:>12}  {:>10}  {:>8}\n", "goal", "cases", "violations", "seconds");
    for line in lines {
        let seconds = if line.seconds == 0 { String::new() } else { line.seconds.to_string() };
        text.push_str(&format!("{:<width$}  {:>12}  {:>10}  {seconds:>8}\n", line.what, line.cases, line.violations));
    }
    for line in lines.iter().filter(|line| !line.is_well()) {
        let fault = line.fault.as_deref().unwrap_or("nothing was tried, or something was violated");
        text.push_str(&format!("\n{}: {fault}\n", line.what));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_thing_is_added_up() {
        let lines = of_suite("kill", "kills\t3\t0\nother\t1\t0\nkills\t4\t0\n", &Ok(()), 9);
        let seen: Vec<_> = lines.iter().map(|line| (line.what.as_str(), line.cases, line.seconds)).collect();
        assert_eq!(seen, [("kill: kills", 7, 9), ("kill: other", 1, 0)]);
        assert!(lines.iter().all(Line::is_well));
    }

    #[test]
    fn a_suite_that_fails_or_tries_nothing_is_not_well() {
        let failed = Err("it failed".to_owned());
        for (told, outcome) in [("", Ok(())), ("a\t0\t0", Ok(())), ("a\t5\t2", Ok(())), ("a\t5\t0", failed.clone())] {
            assert!(!of_suite("goal", told, &outcome, 1).iter().all(Line::is_well), "{told} {outcome:?}");
        }
        let lines = of_suite("goal", "a\t5\t0", &failed, 1);
        assert_eq!(lines.iter().map(|line| line.violations).sum::<u64>(), 1);
        assert!(drawn(&lines).contains("it failed"), "{}", drawn(&lines));
    }

    #[test]
    fn a_fuzzer_says_how_many_inputs_there_were() {
        // As libFuzzer prints with -print_final_stats=1.
        let log = "Done 7 runs\nstat::number_of_executed_units: 1234\nstat::average_exec_per_sec:     61\n";
        assert!(of_fuzz("txn", log, &Ok(()), 20).is_well());
        assert_eq!(of_fuzz("txn", log, &Ok(()), 20).cases, 1234);
        assert!(!of_fuzz("txn", log, &Err("crash".to_owned()), 20).is_well());
        assert!(!of_fuzz("txn", "", &Ok(()), 20).is_well());
    }
}
