//! Many clients at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use certwright_tests::rush::{Target, Worker};

use crate::Fault;

/// Of a load that is as heavy as its workers can make it.
pub(super) struct Saturated {
    /// Orders per second.
    pub(super) rate: f64,
    /// Seconds of the server's CPU for one.
    pub(super) cpu_of_each: f64,
}

/// So many workers, for so long or until there are so many orders. Accounts are made before the clock runs.
pub(super) fn saturate(
    target: &Target,
    workers: usize,
    length: Duration,
    most: usize,
    cpu: impl Fn() -> Result<f64, Fault>,
) -> Result<Saturated, Fault> {
    let hands: Vec<Worker> = (0..workers).map(|_| Worker::new(target)).collect::<std::io::Result<_>>()?;
    let (given, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let used = cpu()?;
    let began = Instant::now();
    let work = |mut worker: Worker| -> std::io::Result<()> {
        while began.elapsed() < length {
            let number = given.fetch_add(1, Ordering::Relaxed);
            if number >= most {
                break;
            }
            worker.order(&format!("n{number}.bench.example"))?;
            done.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    };
    let ended = thread::scope(|scope| {
        let workers: Vec<_> = hands.into_iter().map(|worker| scope.spawn(move || work(worker))).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().unwrap_or_else(|_| Err(std::io::Error::other("a panic"))))
    });
    let took = began.elapsed().as_secs_f64();
    ended?;
    #[expect(clippy::cast_precision_loss, reason = "orders of some seconds")]
    let orders = done.into_inner() as f64;
    Ok(Saturated { rate: orders / took, cpu_of_each: (cpu()? - used) / orders })
}

/// Of a load that does not wait for the server.
pub(super) struct Offered {
    /// Seconds from the moment when an order was to begin until its chain was there.
    pub(super) latencies: Vec<f64>,
    pub(super) failed: usize,
}

/// How many orders can be on their way at a time.
const WORKERS: usize = 64;

/// Orders at fixed moments, whatever became of those before.
pub(super) fn offered(target: &Target, rate: u32, length: Duration) -> Result<Offered, Fault> {
    let hands: Vec<Worker> = (0..WORKERS).map(|_| Worker::new(target)).collect::<std::io::Result<_>>()?;
    let apart = Duration::from_secs(1) / rate;
    let orders = usize::try_from(length.as_nanos() / apart.as_nanos())?;
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let latencies = Mutex::new(Vec::with_capacity(orders));
    let together = Barrier::new(WORKERS);
    let began = Instant::now() + Duration::from_millis(100);
    let work = |mut worker: Worker| {
        together.wait();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= orders {
                break;
            }
            let due = began + apart.saturating_mul(u32::try_from(number).unwrap_or(u32::MAX));
            while let Some(left) = due.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
                thread::park_timeout(left);
            }
            match worker.order(&format!("n{number}.bench.example")) {
                Ok(_) => latencies.lock().unwrap_or_else(PoisonError::into_inner).push(due.elapsed().as_secs_f64()),
                Err(_) => drop(failed.fetch_add(1, Ordering::Relaxed)),
            }
        }
    };
    thread::scope(|scope| hands.into_iter().for_each(|worker| drop(scope.spawn(|| work(worker)))));
    Ok(Offered {
        latencies: latencies.into_inner().unwrap_or_else(PoisonError::into_inner),
        failed: failed.into_inner(),
    })
}
