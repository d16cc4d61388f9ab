//! Metrics by file and by listener.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use certwright::report::LineageReport;
use certwright::{Clock, Error, Lifecycle, Metrics, SystemClock};

/// How long a collector may take for its question, and for taking the answer.
const LIMIT: Duration = Duration::from_secs(5);
/// A question is not longer.
const LONGEST: usize = 8 << 10;

/// Where the state can be had.
#[derive(Debug)]
pub(crate) struct Exposed {
    metrics: Arc<Mutex<Metrics>>,
    file: Option<PathBuf>,
}

fn lock(metrics: &Mutex<Metrics>) -> MutexGuard<'_, Metrics> {
    metrics.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Exposed {
    /// At this path and at this address. The listener lives as long as the process.
    pub(crate) fn open(file: Option<&Path>, address: Option<SocketAddr>) -> Result<Self, Error> {
        let metrics = Arc::new(Mutex::new(Metrics::new()));
        let file = file.map(std::path::absolute).transpose();
        let file = file.map_err(|source| Error::io("the path for metrics cannot be made absolute", source))?;
        if let Some(address) = address {
            let fault = |source| {
                Error::io("metrics cannot be offered at this address", source)
                    .context("address", address)
                    .hint("name one that is free, such as `127.0.0.1:9309`")
            };
            let listener = TcpListener::bind(address).map_err(fault)?;
            let theirs = metrics.clone();
            std::thread::Builder::new()
                .name("metrics".to_owned())
                .spawn(move || serve(&listener, &theirs))
                .map_err(fault)?;
        }
        Ok(Self { metrics, file })
    }

    /// The report of a look a moment ago.
    pub(crate) fn take(&self, report: &LineageReport) {
        lock(&self.metrics).take(report, SystemClock.now());
    }

    /// Lineages that are not configured any more are forgotten.
    pub(crate) fn keep_only(&self, lifecycle: &Lifecycle) {
        lock(&self.metrics).keep_only(lifecycle);
    }

    /// Write the file, when there is to be one.
    pub(crate) fn publish(&self, lifecycle: &Lifecycle) -> Result<(), Error> {
        let Some(path) = &self.file else { return Ok(()) };
        let metrics = lock(&self.metrics).clone();
        metrics.write(lifecycle, path)
    }
}

/// One question after the other: a collector asks every few seconds. One that dawdles is cut off.
fn serve(listener: &TcpListener, metrics: &Mutex<Metrics>) {
    for stream in listener.incoming() {
        // Whatever is wrong with one connection is nothing to the next.
        let _ = stream.and_then(|stream| answer(stream, metrics));
    }
}

fn answer(mut stream: TcpStream, metrics: &Mutex<Metrics>) -> io::Result<()> {
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    let end = std::time::Instant::now() + LIMIT;
    while !head.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
        let length = stream.read(&mut buffer)?;
        if length == 0 || head.len() > LONGEST || std::time::Instant::now() > end {
            return Ok(());
        }
        head.extend(buffer.iter().take(length));
    }
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let mut words = line.split(|byte| *byte == b' ');
    let (status, body) = match (words.next(), words.next()) {
        (Some(b"GET"), Some(b"/metrics")) => ("200 OK", lock(metrics).to_string()),
        (Some(b"GET"), _) => ("404 Not Found", "metrics are at /metrics\n".to_owned()),
        _ => ("405 Method Not Allowed", "only GET is understood\n".to_owned()),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}
