//! The table of clients and challenges.

use std::time::Duration;

use crate::interop::clients::Column;

/// What became of one case.
pub(super) enum Cell {
    Done(Duration),
    Failed,
    Cannot(&'static str),
}

/// One client.
pub(super) struct Row {
    pub(super) client: &'static str,
    pub(super) version: String,
    pub(super) cells: Vec<Cell>,
}

/// The table, in Markdown.
pub(super) fn text(rows: &[Row]) -> String {
    let heads: Vec<&str> = ["client", "version"].into_iter().chain(Column::ALL.map(Column::word)).collect();
    let mut lines = vec![line(&heads), format!("|{}", "---|".repeat(heads.len()))];
    for row in rows {
        let cells = row.cells.iter().map(|cell| match cell {
            Cell::Done(_) => "yes",
            Cell::Failed => "**no**",
            Cell::Cannot(_) => "–",
        });
        let cells: Vec<&str> = [row.client, row.version.as_str()].into_iter().chain(cells).collect();
        lines.push(line(&cells));
    }
    lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

fn line(cells: &[&str]) -> String {
    format!("| {} |", cells.join(" | "))
}

/// The page with the table: what it says and why a cell is empty.
pub(super) fn document(table: &str, rows: &[Row]) -> String {
    let mut reasons = String::new();
    for row in rows {
        for (column, cell) in Column::ALL.iter().zip(&row.cells) {
            if let Cell::Cannot(reason) = cell {
                reasons.push_str(&format!("| {} | {} | {reason} |\n", row.client, column.word()));
            }
        }
    }
    let slowest = rows.iter().flat_map(|row| &row.cells).filter_map(|cell| match cell {
        Cell::Done(took) => Some(took.as_secs_f64()),
        _ => None,
    });
    let slowest = slowest.fold(0.0, f64::max);
    format!(
        "{LEAD}\n{table}\nThe slowest cell took {slowest:.0} s, the start of the test bed included.\n\n## What a client does not do\n\n\
         | client | what | why |\n|---|---|---|\n{reasons}{TAIL}"
    )
}

const LEAD: &str = "\
# Interoperability

<!-- Written by `cargo xtask interop --write`: edit xtask/src/interop/table.rs instead. -->

The clients that people have, and what each of them gets from the test bed. Every cell is a run of its own in a network of its
own: `certwright testbed --isolate -- …`. \"yes\" means that OpenSSL verified the chain of what the client holds up to the root
of the test bed, that the name is in it, and that the test bed told of the same serial number and of the challenge in question.
What each client was told is in [xtask/src/interop](../xtask/src/interop), one script a client.
";

const TAIL: &str = "
## What is known of them

- dehydrated 0.7.0 gives up when a nonce is refused (RFC 8555 §6.5 asks clients to try again); certbot 2.1.0 tries
  once more and gives up at the second one, lego 4.9.1 goes on. Seen with `bad_nonce` at `new_order`, once and twice; the test
  bed refuses none unless it is told to.
- acmetool takes the first challenge that passes its own test; to see it do dns-01, another server has port 80. It looks every
  five seconds.
- lego waits before it looks for the first time, and again for http-01 and tls-alpn-01.
- dehydrated calls its hook without the variables of a certificate when it probes, starts and ends: a hook with `set -u` that
  reads `CHALLENGETYPE` there stops it.
- uacme, acmetool and Caddy have no option for whom to trust; with `--isolate` they need none.
";
