//! Ten thousand orders at a time.

use std::thread;

use certwright_testbed::Endpoint;
use certwright_tests::rush::{Target, Worker};

use super::*;

const WORKERS: usize = 40;
const EACH: usize = 250;
/// What the server, its log and its clients may take for them, MiB.
const MOST: u64 = 200;

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

#[test]
fn ten_thousand_orders_are_open_at_a_time() -> Outcome {
    let bed = Bed::with(Settings { validation: Validation::Believed, ..Settings::default() })?;
    let target = Target::new(bed.server.directory(), &bed.trust())?;
    let before = resident();
    let work = |number: usize| -> io::Result<()> {
        let mut worker = Worker::new(&target)?;
        let name = |order: usize| format!("n{order}.w{number}.example");
        let open = (0..EACH).map(|order| worker.begin(&name(order))).collect::<io::Result<Vec<_>>>()?;
        for (order, url) in open.iter().enumerate() {
            let ready = worker.until(url, "ready")?;
            let chain = worker.finish(url, &ready, &name(order))?;
            assert!(chain.starts_with(b"-----BEGIN CERTIFICATE-----"));
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|number| scope.spawn(move || work(number))).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap())
    })?;
    let grown = resident().saturating_sub(before);
    assert_eq!(bed.server.issued().len(), WORKERS * EACH);
    let log = bed.server.log();
    assert_eq!(log.len(), 10_000, "the log is bounded");
    assert!(log.iter().all(|entry| entry.status.is_some_and(|status| status < 300)));
    assert!(log.iter().any(|entry| entry.endpoint == Endpoint::Certificate));
    assert!(grown < MOST, "{grown} MiB for ten thousand orders");
    Ok(())
}
