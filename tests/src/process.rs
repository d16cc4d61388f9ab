//! Programs that end: with their owner, or at their time limit, by their own process group.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, kill_process_group, pidfd_open};

/// A program in a process group of its own. Dropping it kills the group and waits for the program.
#[derive(Debug)]
pub struct Running {
    child: Child,
    pid: Pid,
    ended: Option<ExitStatus>,
}

impl Running {
    /// Starts it, without standard input unless the command has one.
    ///
    /// # Errors
    ///
    /// When it cannot be started: a missing program is a failed set-up.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let child = command.process_group(0).spawn().map_err(|error| {
            io::Error::new(error.kind(), format!("{} does not start: {error}", command.get_program().display()))
        })?;
        let pid = Pid::from_child(&child);
        Ok(Self { child, pid, ended: None })
    }

    /// Its process number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it prints, when the command says `piped`; once.
    pub fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Sends it a signal, not its children.
    ///
    /// # Errors
    ///
    /// `ESRCH` when it has ended.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        if self.ended.is_some() {
            return Err(Errno::SRCH.into());
        }
        Ok(kill_process(self.pid, signal)?)
    }

    /// Waits until it ends.
    ///
    /// # Errors
    ///
    /// `TimedOut` after this time; it goes on running.
    pub fn wait(&mut self, limit: Duration) -> io::Result<ExitStatus> {
        if self.ended.is_none() && !self.ends_within(limit)? {
            let message = format!("process {} still runs after {limit:?}", self.pid());
            return Err(io::Error::new(io::ErrorKind::TimedOut, message));
        }
        self.reap()
    }

    /// Kills it and everything in its group, and waits for it.
    ///
    /// # Errors
    ///
    /// When the kernel does not let it.
    pub fn kill(&mut self) -> io::Result<ExitStatus> {
        self.reap()
    }

    /// Whether it ends in time; it is not waited for yet, so that its number cannot mean something else.
    fn ends_within(&self, limit: Duration) -> io::Result<bool> {
        let handle = pidfd_open(self.pid, PidfdFlags::empty())?;
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = Timespec::try_from(left).map_err(|_| Errno::INVAL)?;
            match poll(&mut [PollFd::new(&handle, PollFlags::IN)], Some(&timeout)) {
                Err(Errno::INTR) => {}
                ready => return Ok(ready? > 0),
            }
        }
    }

    /// What is left of the group goes with the program.
    fn reap(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.ended {
            return Ok(status);
        }
        match kill_process_group(self.pid, Signal::KILL) {
            Ok(()) | Err(Errno::SRCH) => {}
            Err(error) => return Err(error.into()),
        }
        let status = self.child.wait()?;
        self.ended = Some(status);
        Ok(status)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.reap();
    }
}

/// Runs a program to its end, with nothing on standard input, and gives what it printed.
///
/// # Errors
///
/// `TimedOut` after this time, when it was killed; or when it cannot be started.
pub fn run(command: &mut Command, limit: Duration) -> io::Result<Output> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Running::start(command)?;
    let stdout = drain(running.child.stdout.take());
    let stderr = drain(running.child.stderr.take());
    let status = running.wait(limit);
    // The group is gone, so that nobody holds the pipes open.
    let _ = running.kill();
    let collect = |thread: thread::JoinHandle<Vec<u8>>| thread.join().unwrap_or_default();
    let (stdout, stderr) = (collect(stdout), collect(stderr));
    match status {
        Ok(status) => Ok(Output { status, stdout, stderr }),
        Err(error) => {
            let text = String::from_utf8_lossy(&stderr).into_owned();
            Err(io::Error::new(error.kind(), format!("{}: {error}; it said: {text}", command.get_program().display())))
        }
    }
}

fn drain(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut read = Vec::new();
        if let Some(mut pipe) = pipe {
            // A broken pipe ends the output; what came before it counts.
            let _ = pipe.read_to_end(&mut read);
        }
        read
    })
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn runs(pid: u32) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // A zombie has been killed and waits for its parent, which may be the machine's first process.
        !matches!(stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().next()), None | Some("Z" | "X"))
    }

    #[test]
    fn gives_what_a_program_printed() {
        let output = run(&mut shell("echo out; echo err >&2; exit 3"), LONG).unwrap();
        assert_eq!((output.stdout.as_slice(), output.stderr.as_slice()), (&b"out\n"[..], &b"err\n"[..]));
        assert_eq!(output.status.code(), Some(3));
    }

    #[test]
    fn ends_what_takes_too_long_and_its_children() {
        let error = run(&mut shell("echo first >&2; sleep 1000 & exec sleep 1000"), Duration::from_millis(50));
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn grandchildren_go_with_the_owner() {
        let mut command = shell("sleep 1000 & echo $!; wait");
        let mut running = Running::start(command.stdin(Stdio::null()).stdout(Stdio::piped())).unwrap();
        let mut line = String::new();
        BufReader::new(running.child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (child, grandchild) = (running.pid(), line.trim().parse::<u32>().unwrap());
        assert!(runs(child) && runs(grandchild));
        drop(running);
        assert!(!runs(child));
        // The signal is on its way; the process goes when it is next scheduled.
        while runs(grandchild) {
            thread::yield_now();
        }
    }

    #[test]
    fn signals_and_waits() {
        let mut running = Running::start(&mut shell("exec sleep 1000")).unwrap();
        assert_eq!(running.wait(Duration::ZERO).unwrap_err().kind(), io::ErrorKind::TimedOut);
        running.signal(Signal::TERM).unwrap();
        assert_eq!(running.wait(LONG).unwrap().signal(), Some(15));
        assert_eq!(running.wait(LONG).unwrap().signal(), Some(15));
        assert!(running.signal(Signal::TERM).is_err());
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run(&mut Command::new("no-such-program"), LONG).unwrap_err();
        assert!(error.to_string().contains("no-such-program"), "{error}");
    }
}
