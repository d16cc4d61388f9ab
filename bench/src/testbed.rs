//! The test bed beside the real Pebble, without its sleeps and with every answer to a challenge believed: what a start and
//! an order cost the server, how much memory it takes, and how long orders take at a constant rate.

mod floor;
mod load;
mod server;

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::time::Duration;

use self::server::{Kind, Server};
use crate::Fault;
use crate::idle::Most;
use crate::measure::{Goal, in_turn, quantile, span, verdict};
use crate::site::Site;

pub(crate) use self::server::serve;

const PAIRS: usize = 3;
/// How long a load of many workers lasts.
const LOAD: Duration = Duration::from_secs(4);
const MANY: usize = 10_000;
/// Offered orders per second.
const RATE: u32 = 200;

/// The lines.
pub(crate) fn lines(folder: &Path, most: Most) -> Result<(), Fault> {
    let site = Site::new(folder, "testbed")?;
    let folder = site.folder();
    starts(folder)?;
    for workers in [1, 8, 64] {
        orders(folder, workers)?;
    }
    memory(folder)?;
    let length = match most {
        Most::TenThousand => Duration::from_secs(30),
        Most::HundredThousand => Duration::from_secs(600),
    };
    offered(folder, length)
}

fn starts(folder: &Path) -> Result<(), Fault> {
    let took = |kind| Server::start(kind, folder).map(|server| server.took().as_secs_f64());
    let pairs = in_turn(5, || took(Kind::Ours), || took(Kind::Pebble))?;
    pairs.line("the test bed, from the start of the process until the directory answers", "Pebble", Goal::Faster(10.0));
    let inside: Vec<f64> = (0..11).map(|_| server::inside()).collect::<Result<_, _>>()?;
    let middle = quantile(&inside, 0.5);
    println!(
        "the test bed, the same inside of a test's process\n    {} ({} to {}); goal <= 20 ms: {}",
        span(middle),
        span(quantile(&inside, 0.25)),
        span(quantile(&inside, 0.75)),
        verdict(middle <= 0.02)
    );
    Ok(())
}

/// Orders of so many workers, each with a connection and an account.
fn orders(folder: &Path, workers: usize) -> Result<(), Fault> {
    let rates = RefCell::new([Vec::new(), Vec::new()]);
    let hung = Cell::new(0_u32);
    let one = |kind: Kind| -> Result<f64, Fault> {
        let server = Server::start(kind, folder)?;
        let done = load::saturate(&server.target()?, workers, LOAD, usize::MAX, || server.cpu())?;
        if let Ok(mut rates) = rates.try_borrow_mut()
            && let Some(list) = rates.get_mut(kind as usize)
        {
            list.push(done.rate);
        }
        Ok(done.cpu_of_each)
    };
    let patient = || loop {
        match one(Kind::Pebble) {
            Ok(cpu) => return Ok(cpu),
            // Seen more than once under concurrent orders: it is started anew, and it is said.
            Err(_) if hung.get() < 3 => hung.set(hung.get() + 1),
            Err(fault) => return Err(fault),
        }
    };
    let pairs = in_turn(PAIRS, || one(Kind::Ours), patient)?;
    let what = format!("the test bed, CPU of the server for an order, {workers} workers");
    pairs.line(&what, "Pebble", Goal::Faster(5.0));
    let rates = rates.into_inner();
    let [ours, theirs] = rates.each_ref().map(|rates| quantile(rates, 0.5));
    let [sign, verify] = floor::signatures()?;
    // Six signed requests and a CSR are checked, a certificate is signed.
    let floor = 7.0 * verify + sign;
    println!(
        "    orders per second: ours {ours:.0}, Pebble {theirs:.0}; floor of an order: 7 checks of a signature and a signature, {}",
        span(floor)
    );
    if hung.get() > 0 {
        println!("    Pebble did not answer any more in {} loads, and was started anew", hung.get());
    }
    Ok(())
}

fn memory(folder: &Path) -> Result<(), Fault> {
    let after = |kind: Kind| -> Result<(u64, u64), Fault> {
        let mut tries = 0;
        loop {
            let server = Server::start(kind, folder)?;
            let before = server.resident()?;
            match load::saturate(&server.target()?, 8, Duration::from_secs(600), MANY, || server.cpu()) {
                Ok(_) => return Ok((before, server.resident()?)),
                Err(fault) if tries == 3 => return Err(fault),
                Err(_) => tries += 1,
            }
        }
    };
    let (ours, theirs) = (after(Kind::Ours)?, after(Kind::Pebble)?);
    #[expect(clippy::cast_precision_loss, reason = "kibibytes of two processes")]
    let ratio = ours.1 as f64 / theirs.1 as f64;
    println!(
        "the test bed, memory after {MANY} orders, against Pebble\n    ours {} MiB (at the start {}), Pebble {} MiB (at the start {}); ratio {ratio:.2}; goal <= 0.5 x: {}",
        ours.1 / 1024,
        ours.0 / 1024,
        theirs.1 / 1024,
        theirs.0 / 1024,
        verdict(ratio <= 0.5)
    );
    Ok(())
}

fn offered(folder: &Path, length: Duration) -> Result<(), Fault> {
    let server = Server::start(Kind::Ours, folder)?;
    let done = load::offered(&server.target()?, RATE, length)?;
    let at = |share: f64| span(quantile(&done.latencies, share));
    let met = done.failed == 0 && quantile(&done.latencies, 0.99) <= 0.25;
    println!(
        "the test bed at a constant {RATE} orders per second for {} s, from the intended start of each, client included\n    {} orders, {} failed; median {}, 99 of 100 {}, longest {}; goal none failed and 99 of 100 <= 250 ms: {}",
        length.as_secs(),
        done.latencies.len(),
        done.failed,
        at(0.5),
        at(0.99),
        at(1.0),
        verdict(met)
    );
    Ok(())
}
