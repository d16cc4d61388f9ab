//! A connection that ends on time: however slowly the other side drips, and whatever it sends.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SendFlags, Shutdown, SocketAddrUnix, SocketFlags, SocketType, connect, getsockname, send, shutdown,
    socket_with, sockopt,
};

use super::pause::pause;
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind};

/// How soon a wish to stop is noticed.
const NOTICE: Duration = Duration::from_millis(50);

/// Nobody waits longer, and no moment lies beyond what can be counted.
const LONGEST: Duration = Duration::from_secs(86_400);

/// The moment when this limit passes.
pub(crate) fn deadline(limit: Duration) -> Instant {
    Instant::now() + limit.min(LONGEST)
}

/// A byte stream with one deadline for everything done on it, and a limit for what may be received.
///
/// Reading and writing wait for the other side, but never beyond the deadline (`TimedOut`). More bytes than the budget
/// are `FileTooLarge`.
pub(crate) struct Wire<'a> {
    socket: OwnedFd,
    end: Instant,
    budget: usize,
    cancel: &'a Cancel,
}

impl<'a> Wire<'a> {
    /// Connect to an address.
    pub(crate) fn tcp(address: SocketAddr, end: Instant, budget: usize, cancel: &'a Cancel) -> io::Result<Self> {
        let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let wire = Self::new(family, end, budget, cancel)?;
        match connect(&wire.socket, &address) {
            Err(Errno::INPROGRESS) => {
                wire.wait(PollFlags::OUT)?;
                sockopt::socket_error(&wire.socket)??;
            }
            other => other?,
        }
        Ok(wire)
    }

    /// Connect to a socket in the file system.
    pub(crate) fn unix(path: &Path, end: Instant, budget: usize, cancel: &'a Cancel) -> io::Result<Self> {
        let wire = Self::new(AddressFamily::UNIX, end, budget, cancel)?;
        let address = SocketAddrUnix::new(path)?;
        loop {
            match connect(&wire.socket, &address) {
                // The queue of the listener is full, and there is no way to wait for room in it (unix(7)).
                Err(Errno::AGAIN) => {
                    let left = wire.left()?;
                    pause(left.min(NOTICE), cancel).map_err(io::Error::other)?;
                }
                other => return other.map(|()| wire).map_err(Into::into),
            }
        }
    }

    /// A connection that somebody else made to us.
    pub(crate) fn accepted(
        socket: impl Into<OwnedFd>,
        end: Instant,
        budget: usize,
        cancel: &'a Cancel,
    ) -> io::Result<Self> {
        let socket = socket.into();
        rustix::io::ioctl_fionbio(&socket, true)?;
        Ok(Self { socket, end, budget, cancel })
    }

    /// Say that nothing more is sent. The other side still may.
    pub(crate) fn finish(&self) -> io::Result<()> {
        Ok(shutdown(&self.socket, Shutdown::Write)?)
    }

    fn new(family: AddressFamily, end: Instant, budget: usize, cancel: &'a Cancel) -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(family, SocketType::STREAM, flags, None)?;
        Ok(Self { socket, end, budget, cancel })
    }

    /// Our end of the connection, when it is one of the network.
    pub(crate) fn local_address(&self) -> Option<SocketAddr> {
        getsockname(&self.socket).ok()?.try_into().ok()
    }

    /// What went wrong, as an error: the wish to stop and the deadline come before what the stream said.
    pub(crate) fn fault(message: &'static str, source: io::Error, cancel: &Cancel) -> Error {
        if let Err(stopped) = cancel.check() {
            return stopped;
        }
        let kind = match source.kind() {
            io::ErrorKind::TimedOut => ErrorKind::Timeout,
            _ => ErrorKind::Network,
        };
        Error::new(kind, message).source(source)
    }

    fn left(&self) -> io::Result<Duration> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            Err(io::Error::new(io::ErrorKind::TimedOut, "the time limit has passed"))
        } else {
            Ok(left)
        }
    }

    /// Until the socket is ready, the deadline passes or stopping is asked for.
    fn wait(&self, wanted: PollFlags) -> io::Result<()> {
        loop {
            self.cancel.check().map_err(io::Error::other)?;
            let span = self.left()?.min(NOTICE);
            let span = Timespec { tv_sec: 0, tv_nsec: span.subsec_nanos().into() };
            match poll(&mut [PollFd::new(&self.socket, wanted)], Some(&span)) {
                Ok(0) | Err(Errno::INTR) => {}
                other => return other.map(drop).map_err(Into::into),
            }
        }
    }
}

impl Read for Wire<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.budget == 0 && !into.is_empty() {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "more was received than can be meant"));
        }
        let room = into.len().min(self.budget);
        let into = into.get_mut(..room).unwrap_or_default();
        loop {
            // The deadline is looked at before each read: a peer that always has one more byte must not prolong it.
            self.wait(PollFlags::IN)?;
            match rustix::io::read(&self.socket, &mut *into) {
                Ok(taken) => {
                    self.budget -= taken;
                    return Ok(taken);
                }
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        loop {
            self.wait(PollFlags::OUT)?;
            match send(&self.socket, from, SendFlags::NOSIGNAL) {
                Err(Errno::AGAIN | Errno::INTR) => {}
                other => return other.map_err(Into::into),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::thread::spawn;

    use super::*;
    use crate::place::scratch::Scratch;

    const PLENTY: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(100);

    fn connected<'a>(limit: Duration, budget: usize, cancel: &'a Cancel) -> (Wire<'a>, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let wire = Wire::tcp(listener.local_addr().unwrap(), deadline(limit), budget, cancel).unwrap();
        (wire, listener.accept().unwrap().0)
    }

    #[test]
    fn carries_bytes_both_ways() {
        let cancel = Cancel::new();
        let (mut wire, mut peer) = connected(PLENTY, 100, &cancel);
        assert_eq!(wire.local_address(), peer.peer_addr().ok());
        wire.write_all(b"question").unwrap();
        let mut heard = [0; 8];
        peer.read_exact(&mut heard).unwrap();
        peer.write_all(b"answer").unwrap();
        drop(peer);
        let mut answer = String::new();
        wire.read_to_string(&mut answer).unwrap();
        assert_eq!((&heard, answer.as_str()), (b"question", "answer"));
    }

    #[test]
    fn more_than_the_budget_is_refused() {
        let cancel = Cancel::new();
        let (mut wire, mut peer) = connected(PLENTY, 10, &cancel);
        peer.write_all(b"0123456789x").unwrap();
        let mut all = Vec::new();
        let error = wire.read_to_end(&mut all).unwrap_err();
        assert_eq!((error.kind(), all.as_slice()), (io::ErrorKind::FileTooLarge, &b"0123456789"[..]));
    }

    #[test]
    fn a_peer_that_always_has_more_does_not_move_the_deadline() {
        let cancel = Cancel::new();
        let (mut wire, mut peer) = connected(SHORT, usize::MAX, &cancel);
        let flood = spawn(move || while peer.write_all(&[0; 64]).is_ok() {});
        let mut byte = [0];
        let error = loop {
            if let Err(error) = wire.read(&mut byte) {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(wire);
        flood.join().unwrap();
    }

    #[test]
    fn what_is_there_already_is_not_read_after_the_deadline() {
        let cancel = Cancel::new();
        let (mut wire, mut peer) = connected(PLENTY, 100, &cancel);
        peer.write_all(b"two").unwrap();
        let mut byte = [0];
        assert_eq!(wire.read(&mut byte).unwrap(), 1);
        wire.end = Instant::now();
        assert_eq!(wire.read(&mut byte).unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_peer_that_takes_nothing_does_not_hold_us() {
        let cancel = Cancel::new();
        let (mut wire, _peer) = connected(SHORT, 100, &cancel);
        let error = loop {
            if let Err(error) = wire.write_all(&[0; 65_536]) {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_listener_without_room_is_waited_for_on_time() {
        let scratch = Scratch::new();
        let path = scratch.path().join("socket");
        let listener = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
        rustix::net::bind(&listener, &SocketAddrUnix::new(&path).unwrap()).unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let cancel = Cancel::new();
        let mut waiting = Vec::new();
        let error = loop {
            match Wire::unix(&path, deadline(SHORT), 100, &cancel) {
                Ok(wire) => waiting.push(wire),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(!waiting.is_empty());
    }

    #[test]
    fn says_what_was_asked_for_before_what_went_wrong() {
        let cancel = Cancel::new();
        let fault = |kind: io::ErrorKind| Wire::fault("it failed", kind.into(), &cancel).kind();
        assert_eq!(fault(io::ErrorKind::TimedOut), ErrorKind::Timeout);
        assert_eq!(fault(io::ErrorKind::ConnectionRefused), ErrorKind::Network);
        cancel.cancel();
        assert_eq!(fault(io::ErrorKind::TimedOut), ErrorKind::Cancelled);
    }
}
