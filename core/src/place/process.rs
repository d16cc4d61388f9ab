//! The process that a pid file names: whether it lives, and telling it something without ever telling somebody else.

pub(crate) mod listening;
#[cfg(test)]
mod tests;

use std::fmt;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, kill_process, pidfd_open, pidfd_send_signal, test_kill_process};

use super::filesystem::{Filesystem, NodeKind, Open};
use super::lock::read_proc;
use super::pause::pause;
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Public, Result};

/// No pid file is longer; PostgreSQL's has eight short lines.
const LIMIT: usize = 64 * 1024;

/// A signal that services take as the wish to re-read. None of them may end a process that handles it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Hang-up: the usual one.
    Hup,
    /// User-defined 1.
    Usr1,
    /// User-defined 2.
    Usr2,
}

impl Signal {
    /// By its name without `SIG`.
    ///
    /// # Errors
    ///
    /// `InvalidSpec` for any other name.
    pub(crate) fn named(name: &str) -> Result<Self> {
        match name {
            "HUP" => Ok(Self::Hup),
            "USR1" => Ok(Self::Usr1),
            "USR2" => Ok(Self::Usr2),
            _ => Err(Error::new(ErrorKind::InvalidSpec, "this signal does not make a service re-read")
                .context("signal", Public(name))
                .hint("write `HUP`, `USR1` or `USR2`")),
        }
    }

    const fn raw(self) -> rustix::process::Signal {
        match self {
            Self::Hup => rustix::process::Signal::HUP,
            Self::Usr1 => rustix::process::Signal::USR1,
            Self::Usr2 => rustix::process::Signal::USR2,
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hup => "SIGHUP",
            Self::Usr1 => "SIGUSR1",
            Self::Usr2 => "SIGUSR2",
        })
    }
}

/// How often a blocked signal is looked at.
const LOOKS: u32 = 20;
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// A running process, held so that its number cannot come to mean another one.
#[derive(Debug)]
pub(crate) struct Process {
    pid: Pid,
    /// `None` where the kernel has no pidfd; then the start time tells one process from the next with its number.
    handle: Option<OwnedFd>,
    facts: Facts,
}

impl Process {
    /// The process that this pid file names.
    ///
    /// The number is the first line; what follows is not read (PostgreSQL writes more lines). Because whoever may write
    /// the file chooses who is signalled, it must not be writable by everyone, and its owner must be root, ourselves, or
    /// the user that the process runs as.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is no such file, nothing in it, or no such process, which is how a stopped service looks;
    /// `Permission` when the file cannot be trusted; `InvalidSpec` when it holds no pid.
    pub(crate) fn from_pid_file(fs: &dyn Filesystem, path: &Path) -> Result<Self> {
        let unreadable = |source: std::io::Error| {
            Error::io("the pid file cannot be read", source)
                .context("pid_file", path)
                .hint("start the service, or correct the path of its pid file")
        };
        let file = fs.open(None, path, Open::Read).map_err(unreadable)?;
        let stat = fs.stat(&file).map_err(unreadable)?;
        if stat.kind != NodeKind::File || stat.mode & 0o002 != 0 {
            return Err(Error::new(ErrorKind::Permission, "everyone may write the pid file, so it is not believed")
                .context("pid_file", path)
                .hint(format!("run `chmod o-w {}` and let the service write it so", path.display())));
        }
        let content = fs.read(&file, LIMIT).map_err(unreadable)?;
        if content.trim_ascii().is_empty() {
            // `nginx -t` makes an empty file where the server would write its number (ngx_init_cycle).
            return Err(Error::new(ErrorKind::NotFound, "the pid file is empty, as of a service that never ran")
                .context("pid_file", path)
                .hint("start the service, or correct the path of its pid file"));
        }
        let pid = parse(&content).map_err(|why| {
            Error::new(ErrorKind::InvalidSpec, why)
                .context("pid_file", path)
                .hint("name the file into which the service writes its process id")
        })?;
        let process = Self::open(pid).map_err(|error| error.context("pid_file", path))?;
        let trusted = [0, rustix::process::geteuid().as_raw(), process.facts.uid];
        if !trusted.contains(&stat.uid) {
            return Err(Error::new(
                ErrorKind::Permission,
                "the pid file belongs to somebody else than the process it names",
            )
            .context("pid_file", path)
            .context("pid", process.number())
            .context("file_uid", stat.uid)
            .context("process_uid", process.facts.uid)
            .hint("let the service write its pid file as the user it runs as"));
        }
        Ok(process)
    }

    fn open(pid: Pid) -> Result<Self> {
        let number = pid.as_raw_nonzero().get();
        let gone = || {
            Error::new(ErrorKind::NotFound, "no process with the number in the pid file is running")
                .context("pid", number)
                .hint("start the service; a pid file that it left behind is harmless")
        };
        let handle = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(handle) => Some(handle),
            // The number of a thread that leads no process: EINVAL, and ENOENT since Linux 6.15.
            Err(Errno::SRCH | Errno::INVAL | Errno::NOENT) => return Err(gone()),
            Err(_) => None,
        };
        // Read after the handle was taken, and the process seen to live after that: the facts are those of this process.
        let facts = Facts::of(pid);
        if handle.is_none() && test_kill_process(pid) == Err(Errno::SRCH) {
            return Err(gone());
        }
        let Some(facts) = facts else {
            return Err(match test_kill_process(pid) {
                Err(Errno::SRCH) => gone(),
                _ => Error::new(ErrorKind::Permission, "procfs tells nothing about the process")
                    .context("pid", number)
                    .hint("run as root, or see with `findmnt /proc` whether it hides processes"),
            });
        };
        if matches!(facts.state, 'Z' | 'X') {
            return Err(gone());
        }
        Ok(Self { pid, handle, facts })
    }

    /// Its number.
    pub(crate) fn number(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// The file that it executes, as far as procfs tells.
    pub(crate) fn program(&self) -> Option<&Path> {
        self.facts.program.as_deref()
    }

    /// Whether the process is seen to handle the signal. One that it does not handle would end it or be lost.
    ///
    /// # Errors
    ///
    /// `ReloadFailed` when it does not.
    pub(crate) fn expect_to_handle(&self, signal: Signal) -> Result<()> {
        let Some(why) = self.deaf_to(signal) else { return Ok(()) };
        Err(self
            .about(Error::new(ErrorKind::ReloadFailed, why))
            .context("signal", Public(&signal.to_string()))
            .hint("see which signal makes the service re-read, and whether the pid file is its own"))
    }

    /// A process that waits for signals (signalfd(2), sigwait(3)) blocks them for good; one that starts another blocks all
    /// of them for a moment (posix_spawn(3)). So a block is believed when it is there each time.
    fn deaf_to(&self, signal: Signal) -> Option<&'static str> {
        if !self.facts.only_blocks(signal) {
            return self.facts.deaf_to(signal);
        }
        for _ in 0..LOOKS {
            let _ = pause(BETWEEN_LOOKS, &Cancel::new());
            match Facts::of(self.pid) {
                Some(now) if !now.only_blocks(signal) => return now.deaf_to(signal),
                _ => {}
            }
        }
        None
    }

    /// Send a signal that the process is seen to handle.
    ///
    /// # Errors
    ///
    /// `ReloadFailed` when the process does not handle the signal, `NotFound` when it has ended meanwhile, `Permission`
    /// when it may not be signalled.
    ///
    /// # Effects
    ///
    /// Those of the signal.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        self.expect_to_handle(signal)?;
        let sent = match &self.handle {
            Some(handle) => pidfd_send_signal(handle, signal.raw()),
            None if Facts::of(self.pid).is_some_and(|now| now.started == self.facts.started) => {
                kill_process(self.pid, signal.raw())
            }
            None => Err(Errno::SRCH),
        };
        sent.map_err(|source| {
            let error = match source {
                Errno::SRCH => Error::new(ErrorKind::NotFound, "the process ended before it could be signalled")
                    .hint("start the service, and see in its log why it ended"),
                Errno::PERM => Error::io("the process may not be signalled", source.into())
                    .hint("run as root or as the user that the service runs as"),
                _ => Error::io("the process cannot be signalled", source.into()),
            };
            self.about(error)
        })
    }

    fn about(&self, error: Error) -> Error {
        let error = error.context("pid", self.number());
        match self.program() {
            Some(program) => error.context("program", program),
            None => error,
        }
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}", self.number())?;
        match self.program() {
            Some(program) => write!(f, " ({})", program.display()),
            None => Ok(()),
        }
    }
}

/// The pid on the first line of a pid file. 0 and 1 are no services: the first would mean our own group, the second init.
fn parse(content: &[u8]) -> Result<Pid, &'static str> {
    let first = content.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii();
    if first.is_empty() {
        return Err("the pid file is empty");
    }
    if !first.iter().all(u8::is_ascii_digit) {
        return Err("the first line of the pid file is not a number");
    }
    let number = str::from_utf8(first).ok().and_then(|digits| digits.parse::<i32>().ok());
    let pid = number.filter(|number| *number > 1).and_then(Pid::from_raw);
    let pid = pid.ok_or("the number in the pid file cannot be that of a service")?;
    if pid == rustix::process::getpid() {
        return Err("the pid file names this very process");
    }
    Ok(pid)
}

/// What procfs tells about a process (proc_pid_status(5), proc_pid_stat(5)).
#[derive(Debug)]
struct Facts {
    state: char,
    /// The effective user.
    uid: u32,
    /// In clock ticks since the machine started.
    started: u64,
    /// One bit for each signal, the lowest for signal 1.
    caught: u64,
    blocked: u64,
    ignored: u64,
    program: Option<PathBuf>,
}

impl Facts {
    fn of(pid: Pid) -> Option<Self> {
        let number = pid.as_raw_nonzero();
        let mut facts =
            Self::read(&read_proc(&format!("/proc/{number}/status"))?, &read_proc(&format!("/proc/{number}/stat"))?)?;
        facts.program = rustix::fs::readlink(format!("/proc/{number}/exe"), Vec::new()).ok().map(|target| {
            let shown = target.to_string_lossy();
            // After an upgrade of the package the running program has no name any more; it is the same service.
            shown.strip_suffix(" (deleted)").unwrap_or(&shown).into()
        });
        Some(facts)
    }

    fn read(status: &str, stat: &str) -> Option<Self> {
        let field =
            |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
        let mask = |name: &str| u64::from_str_radix(field(name)?, 16).ok();
        // The second field is the name in parentheses, which may hold anything; the 22nd is the start time.
        let started = stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(19)?.parse().ok()?;
        Some(Self {
            state: field("State")?.chars().next()?,
            uid: field("Uid")?.split_ascii_whitespace().nth(1)?.parse().ok()?,
            started,
            caught: mask("SigCgt")?,
            blocked: mask("SigBlk")?,
            ignored: mask("SigIgn")?,
            program: None,
        })
    }

    /// Whether the signal waits until the process asks for it.
    fn only_blocks(&self, signal: Signal) -> bool {
        let bit = 1 << (signal.raw().as_raw() - 1);
        self.blocked & !self.caught & bit != 0
    }

    /// Why sending this signal would not make the process re-read. A blocked signal is waited for: by signalfd(2) or
    /// sigwaitinfo(2), as keepalived does.
    fn deaf_to(&self, signal: Signal) -> Option<&'static str> {
        let bit = 1 << (signal.raw().as_raw() - 1);
        if (self.caught | self.blocked) & bit != 0 {
            None
        } else if self.ignored & bit != 0 {
            Some("the process ignores the signal")
        } else {
            Some("the process does not handle the signal, which would end it")
        }
    }
}
