//! Running a program: an argument vector with a time limit, a clean environment and a bounded memory of what it
//! printed. Never a shell.

mod program;
mod tail;
#[cfg(test)]
mod tests;

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process_group, pidfd_open, waitid};
use zeroize::Zeroizing;

use self::program::Program;
use self::tail::Ring;
pub(crate) use self::tail::Tail;
use super::pause::pause;
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::plan::spec::Command;

/// Where programs without a slash in their name are looked for, and the `PATH` that they see.
const SEARCH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How long the process group may tidy up between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(2);

/// How long the kernel may take to end a killed process. One that hangs inside the kernel cannot be waited for.
const REAP: Duration = Duration::from_secs(1);

/// How soon a wish to stop is noticed, and the end of a program where the kernel has no pidfd.
const NOTICE: Duration = Duration::from_millis(50);

/// How often and how soon a program is tried again that is open for writing.
const BUSY_TRIES: u32 = 20;
const BUSY_PAUSE: Duration = Duration::from_millis(10);

/// What became of a command that could be started.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// How it ended.
    pub(crate) status: Status,
    /// The end of what it printed on both streams, in the order it was printed; on standard error alone after
    /// [`run_for_output`].
    pub(crate) output: Tail,
    /// The end of what it printed on standard output, as it was printed, after [`run_for_output`]; else nothing.
    #[cfg_attr(not(feature = "https"), expect(dead_code, reason = "for what clients of authorities run"))]
    pub(crate) printed: Zeroizing<Vec<u8>>,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// By itself, with this exit status.
    Exited(i32),
    /// By this signal, which did not come from here.
    Signalled(i32),
    /// Its process group was ended at the time limit.
    TimedOut,
    /// Its process group was ended because the caller asked to stop.
    Cancelled,
}

/// Whether the command could be started now: the program is there, executable, not writable by everyone, and so is the
/// interpreter of a script. Nothing is run.
///
/// # Errors
///
/// `InvalidSpec`, `NotFound`, `Permission` or `Unsupported`, each naming the file.
pub(crate) fn preflight(command: &Command) -> Result<()> {
    Program::of(command).map(drop)
}

/// Run a command to its end, to its time limit, or until asked to stop.
///
/// It gets standard input from `/dev/null`, `/` as working directory, a process group of its own, no descriptor of ours,
/// and an environment of `PATH`, `LANG=C.UTF-8` and the given variables alone. At the limit the whole group is sent
/// SIGTERM and, two seconds later, SIGKILL. What it left running in the background when it ended by itself is not
/// touched, and does not delay the return even when it holds the output open.
///
/// # Errors
///
/// Those of [`preflight`]; `Io` when the kernel refuses to start it; `Cancelled` when asked to stop before it started.
/// A program that started and failed is no error but an [`Outcome`].
///
/// # Effects
///
/// Those of the program.
pub(crate) fn run(command: &Command, variables: &[(&str, &str)], cancel: &Cancel) -> Result<Outcome> {
    run_with(command, variables, Streams::Together, cancel)
}

/// As [`run`], with standard output kept apart from standard error, to be handed on.
///
/// # Errors
///
/// As [`run`].
///
/// # Effects
///
/// Those of the program.
#[cfg_attr(not(feature = "https"), expect(dead_code, reason = "for what clients of authorities run"))]
pub(crate) fn run_for_output(command: &Command, variables: &[(&str, &str)], cancel: &Cancel) -> Result<Outcome> {
    run_with(command, variables, Streams::Apart, cancel)
}

/// Whether both streams of a program go into one pipe.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Streams {
    Together,
    Apart,
}

fn run_with(command: &Command, variables: &[(&str, &str)], streams: Streams, cancel: &Cancel) -> Result<Outcome> {
    cancel.check()?;
    let program = Program::of(command)?;
    let begun = Instant::now();
    let fault = |source: std::io::Error| program.fault("the program cannot be run", source);
    let mut run = Run::start(&program, command, variables, streams, cancel).map_err(fault)?;
    let limit = begun.checked_add(command.limit);
    let status = match run.watch(limit, Some(cancel)) {
        Ok(Watch::Ended) => None,
        Ok(Watch::Late) => Some(Status::TimedOut),
        Ok(Watch::Cancelled) => Some(Status::Cancelled),
        Err(source) => {
            run.stop();
            return Err(fault(source));
        }
    };
    let status = match status {
        None => run.reap().map_err(fault)?,
        Some(stopped) => {
            run.stop();
            stopped
        }
    };
    run.output.drain();
    let printed = run.apart.map_or_else(Zeroizing::default, |mut apart| {
        apart.drain();
        apart.ring.into_bytes()
    });
    Ok(Outcome { status, output: run.output.ring.into_tail(), printed })
}

enum Watch {
    Ended,
    Late,
    Cancelled,
}

/// A program that was started and not yet reaped: its pid, which names the group too, cannot be anybody else's.
struct Run {
    child: Child,
    group: Pid,
    /// Becomes readable when the program ends; `None` where the kernel has no pidfd.
    end: Option<OwnedFd>,
    output: Stream,
    /// Standard output, when it is kept apart.
    apart: Option<Stream>,
}

impl Run {
    fn start(
        program: &Program,
        command: &Command,
        variables: &[(&str, &str)],
        streams: Streams,
        cancel: &Cancel,
    ) -> std::io::Result<Self> {
        let (output, writing) = Stream::open()?;
        let (apart, standard) = match streams {
            Streams::Together => (None, writing.try_clone()?),
            Streams::Apart => {
                let (apart, writing) = Stream::open()?;
                (Some(apart), writing)
            }
        };
        let child = spawn(program, command, variables, (standard, writing), cancel)?;
        let group = Pid::from_child(&child);
        let end = pidfd_open(group, PidfdFlags::empty()).ok();
        Ok(Self { child, group, end, output, apart })
    }

    /// Keep reading what it prints until it ends, the moment comes (never, when `None`), or stopping is asked for.
    fn watch(&mut self, until: Option<Instant>, cancel: Option<&Cancel>) -> std::io::Result<Watch> {
        loop {
            if self.has_ended()? {
                return Ok(Watch::Ended);
            }
            if cancel.is_some_and(Cancel::is_cancelled) {
                return Ok(Watch::Cancelled);
            }
            let left = until.map_or(NOTICE, |moment| moment.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Ok(Watch::Late);
            }
            self.wait(left.min(NOTICE))?;
        }
    }

    /// Until something is printed, it ends, or the time is over.
    fn wait(&mut self, span: Duration) -> std::io::Result<()> {
        let mut sources: Vec<PollFd<'_>> = Vec::with_capacity(3);
        let pipes = self.apart.iter().chain([&self.output]).filter_map(|stream| stream.pipe.as_ref());
        sources.extend(pipes.map(|fd| PollFd::new(fd, PollFlags::IN)));
        sources.extend(self.end.as_ref().map(|fd| PollFd::new(fd, PollFlags::IN)));
        let span = Timespec { tv_sec: 0, tv_nsec: span.subsec_nanos().into() };
        match poll(&mut sources, Some(&span)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for stream in self.apart.iter_mut().chain([&mut self.output]) {
            stream.read(usize::MAX);
        }
        Ok(())
    }

    /// Whether the program itself has ended. It is not reaped by asking.
    fn has_ended(&self) -> std::io::Result<bool> {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match waitid(WaitId::Pid(self.group), look) {
            Ok(state) => Ok(state.is_some()),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// End the whole group, by request and then by force. The group is signalled before its leader is reaped: afterwards
    /// the number could be somebody else's.
    fn stop(&mut self) {
        if self.has_ended().is_err() {
            // Whoever reaped it freed the number.
            return;
        }
        let _ = kill_process_group(self.group, Signal::TERM);
        let _ = self.watch(Instant::now().checked_add(GRACE), None);
        let _ = kill_process_group(self.group, Signal::KILL);
        if matches!(self.watch(Instant::now().checked_add(REAP), None), Ok(Watch::Ended)) {
            let _ = self.child.wait();
        }
    }

    fn reap(&mut self) -> std::io::Result<Status> {
        let status = self.child.wait()?;
        Ok(match (status.code(), status.signal()) {
            (Some(code), _) => Status::Exited(code),
            (None, signal) => Status::Signalled(signal.unwrap_or_default()),
        })
    }
}

/// Something that a program prints to.
struct Stream {
    /// Our end of the pipe; `None` once every writer is gone.
    pipe: Option<OwnedFd>,
    ring: Ring,
}

impl Stream {
    /// A pipe whose reading end does not block, and its writing end.
    fn open() -> std::io::Result<(Self, OwnedFd)> {
        let (reading, writing) = pipe_with(PipeFlags::CLOEXEC)?;
        rustix::io::ioctl_fionbio(&reading, true)?;
        Ok((Self { pipe: Some(reading), ring: Ring::new() }, writing))
    }

    /// Take what lies in the pipe, at most one buffer of it and at most `limit`; never waits.
    fn read(&mut self, limit: usize) -> usize {
        let Some(pipe) = &self.pipe else { return 0 };
        let taken = self.ring.fill(pipe.as_fd(), limit);
        match taken {
            Ok(0) if limit > 0 => self.pipe = None,
            Ok(_) | Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => self.pipe = None,
        }
        taken.unwrap_or(0)
    }

    /// What was printed before the end and is still in the pipe. A background process may go on printing, so only what
    /// is there now is taken.
    fn drain(&mut self) {
        let waiting = self.pipe.as_ref().and_then(|fd| rustix::io::ioctl_fionread(fd).ok()).unwrap_or(0);
        let mut left = usize::try_from(waiting).unwrap_or(0);
        while left > 0 {
            match self.read(left) {
                0 => return,
                taken => left -= taken,
            }
        }
    }
}

/// Start it with these for its standard output and standard error.
fn spawn(
    program: &Program,
    command: &Command,
    variables: &[(&str, &str)],
    (output, errors): (OwnedFd, OwnedFd),
    cancel: &Cancel,
) -> std::io::Result<Child> {
    #[expect(clippy::disallowed_methods, reason = "this is the replacement that the ban names")]
    let mut prepared = std::process::Command::new(program.path());
    prepared
        .args(command.argv.iter().skip(1))
        .current_dir("/")
        .env_clear()
        .env("PATH", SEARCH)
        .env("LANG", "C.UTF-8")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .process_group(0);
    if let Some(name) = command.argv.first() {
        prepared.arg0(name);
    }
    let mut tries = BUSY_TRIES;
    loop {
        match prepared.spawn() {
            // A thread that forked while the file was open for writing holds it open until its own exec.
            Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy && tries > 0 => {
                tries -= 1;
                pause(BUSY_PAUSE, cancel).map_err(std::io::Error::other)?;
            }
            other => return other,
        }
    }
}

impl Program {
    fn of(command: &Command) -> Result<Self> {
        let Some(name) = command.argv.first().filter(|name| !name.is_empty()) else {
            return Err(Error::new(ErrorKind::InvalidSpec, "the command names no program")
                .hint("write a list that begins with the program, such as `[\"nginx\", \"-t\"]`"));
        };
        if command.argv.iter().any(|argument| argument.contains('\0')) {
            return Err(Error::new(ErrorKind::InvalidSpec, "an argument holds a zero byte")
                .context("program", Public(name))
                .hint("remove it: no program can be given one"));
        }
        Self::find(name)
    }

    fn fault(&self, message: &'static str, source: std::io::Error) -> Error {
        let error = match source.raw_os_error().map(Errno::from_raw_os_error) {
            // Our child was waited for by somebody else, so that nobody can tell how it ended.
            Some(Errno::CHILD) => Error::new(ErrorKind::Unsupported, "how the program ended was not told to us")
                .hint("do not ignore SIGCHLD and do not wait for any child in this process")
                .source(source),
            Some(Errno::TOOBIG) => Error::new(ErrorKind::InvalidSpec, "the arguments are too long").source(source),
            _ => Error::io(message, source),
        };
        error.context("program", self.path())
    }
}
