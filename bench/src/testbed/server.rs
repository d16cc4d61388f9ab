//! Both servers as processes of their own.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use certwright_testbed::{Settings, Testbed, Validation};
use certwright_tests::http::Web;
use certwright_tests::rush::Target;
use certwright_tests::servers::pebble::{self, Options, Pebble};

use crate::Fault;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Ours = 0,
    Pebble = 1,
}

/// One that answers. It ends when it is dropped.
pub(super) enum Server {
    Ours { child: Child, directory: String, trust: PathBuf, took: Duration },
    Pebble(Box<Pebble>),
}

impl Server {
    pub(super) fn start(kind: Kind, folder: &Path) -> Result<Self, Fault> {
        if kind == Kind::Pebble {
            let options = Options { validation: pebble::Validation::Believed, ..Options::default() };
            return Ok(Self::Pebble(Box::new(Pebble::start(options)?)));
        }
        let trust = folder.join("trust.pem");
        let began = Instant::now();
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("testbed-server").arg(&trust).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let mut directory = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut directory)?;
        let directory = directory.trim().to_owned();
        answers(&directory, &trust)?;
        Ok(Self::Ours { child, directory, trust, took: began.elapsed() })
    }

    /// From the start of the process until the directory answered.
    pub(super) const fn took(&self) -> Duration {
        match self {
            Self::Ours { took, .. } => *took,
            Self::Pebble(pebble) => pebble.took,
        }
    }

    pub(super) fn target(&self) -> Result<Target, Fault> {
        Ok(match self {
            Self::Ours { directory, trust, .. } => Target::new(directory, trust)?,
            Self::Pebble(pebble) => Target::new(&pebble.directory, &pebble.trust)?,
        })
    }

    fn pid(&self) -> u32 {
        match self {
            Self::Ours { child, .. } => child.id(),
            Self::Pebble(pebble) => pebble.process().pid(),
        }
    }

    /// Seconds of CPU that it has used (proc_pid_stat(5), fields 14 and 15).
    pub(super) fn cpu(&self) -> Result<f64, Fault> {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.pid()))?;
        let after = text.rsplit_once(") ").ok_or("a process without a name")?.1;
        let ticks: Vec<f64> = after.split(' ').skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
        Ok(ticks.iter().sum::<f64>() / 100.0)
    }

    /// What it has in memory, KiB.
    pub(super) fn resident(&self) -> Result<u64, Fault> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("a process without memory")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Self::Ours { child, .. } = self {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}

fn answers(directory: &str, trust: &Path) -> Result<(), Fault> {
    let (host, path) = directory.strip_prefix("https://").and_then(|rest| rest.split_once('/')).ok_or("no URL")?;
    Web::secure(host.parse()?, trust)?.get(&format!("/{path}"))?;
    Ok(())
}

fn believing() -> Result<Testbed, Fault> {
    Ok(Testbed::with(Settings { validation: Validation::Believed, ..Settings::default() })?)
}

/// The process of a test bed: it says where its directory is, and ends with its input.
pub(crate) fn serve(trust: &Path) -> Result<(), Fault> {
    let bed = believing()?;
    std::fs::write(trust, bed.tls_root_pem())?;
    println!("{}", bed.directory());
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Seconds from nothing to a directory that answered, inside of one process.
pub(super) fn inside() -> Result<f64, Fault> {
    let trust = std::env::temp_dir().join(format!("certwright-bench-{}.pem", std::process::id()));
    let began = Instant::now();
    let bed = believing()?;
    let started = began.elapsed();
    std::fs::write(&trust, bed.tls_root_pem())?;
    let began = Instant::now();
    answers(bed.directory(), &trust)?;
    let took = started + began.elapsed();
    std::fs::remove_file(trust)?;
    Ok(took.as_secs_f64())
}
