//! A listener for strangers: a few connections at once, each with a deadline and a budget, on threads of its own.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;

use crate::ground::cancel::Cancel;
use crate::place::wire::{Wire, deadline};

/// How many connections may be open. When one more comes the oldest has to go: a crowd that says nothing shuts nobody out.
/// Authorities look from several places at once, for every order that is under way.
const MOST: usize = 256;

/// The total time for one connection.
const LIMIT: Duration = Duration::from_secs(10);

/// What one connection may send.
const BUDGET: usize = 16 * 1024;

/// How long to leave a listener alone that cannot accept, since the process has no descriptor left.
const EXHAUSTED: Duration = Duration::from_millis(50);

/// Who talks to whoever connects.
pub(super) trait Serve: Send + Sync + 'static {
    /// Hear one connection out and answer it.
    ///
    /// # Errors
    ///
    /// Whatever ends it early; nobody is told, since strangers may send anything.
    fn serve(&self, wire: &mut Wire<'_>) -> io::Result<()>;
}

/// A socket that is listened on until this is dropped.
pub(super) struct Listener {
    stop: Arc<OwnedFd>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Listen here.
    pub(super) fn start(address: SocketAddr, serve: Arc<dyn Serve>) -> io::Result<Self> {
        let socket = TcpListener::bind(address)?;
        socket.set_nonblocking(true)?;
        let stop = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        let stopped = Arc::clone(&stop);
        let listen = move || listen(&socket, &stopped, &serve);
        let thread = std::thread::Builder::new().name("certwright-answer".to_owned()).spawn(listen)?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = rustix::io::write(&self.stop, &1_u64.to_ne_bytes());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn listen(socket: &TcpListener, stop: &OwnedFd, serve: &Arc<dyn Serve>) {
    let mut open: VecDeque<Connection> = VecDeque::new();
    loop {
        let mut sources = [PollFd::new(stop, PollFlags::IN), PollFd::new(socket, PollFlags::IN)];
        let ready = poll(&mut sources, None);
        let [stopped, _] = &sources;
        if !stopped.revents().is_empty() || !matches!(ready, Ok(_) | Err(Errno::INTR)) {
            return;
        }
        open.retain(Connection::lives);
        match socket.accept() {
            Ok((stream, _)) => {
                while open.len() >= MOST {
                    drop(open.pop_front());
                }
                open.extend(Connection::start(stream, Arc::clone(serve)));
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(_) => {
                let span = Timespec { tv_sec: 0, tv_nsec: EXHAUSTED.subsec_nanos().into() };
                let _ = poll(&mut [PollFd::new(stop, PollFlags::IN)], Some(&span));
            }
        }
    }
}

/// One connection and the thread that talks to it; dropping it ends both.
struct Connection {
    /// Gone as soon as the talk is over, so that nothing is held open until somebody else connects.
    stream: Arc<Mutex<Option<TcpStream>>>,
    cancel: Cancel,
    thread: Option<JoinHandle<()>>,
}

impl Connection {
    fn start(stream: TcpStream, serve: Arc<dyn Serve>) -> io::Result<Self> {
        let cancel = Cancel::new();
        let (ours, stopped) = (stream.try_clone()?, cancel.clone());
        let stream = Arc::new(Mutex::new(Some(stream)));
        let over = Arc::clone(&stream);
        let talk = move || {
            let talked =
                Wire::accepted(ours, deadline(LIMIT), BUDGET, &stopped).and_then(|mut wire| serve.serve(&mut wire));
            // A stranger's mistake is nobody's concern.
            drop(talked);
            over.lock().unwrap_or_else(PoisonError::into_inner).take();
        };
        let thread = std::thread::Builder::new().name("certwright-answer".to_owned()).spawn(talk)?;
        Ok(Self { stream, cancel, thread: Some(thread) })
    }

    fn lives(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.cancel.cancel();
        if let Some(stream) = &*self.stream.lock().unwrap_or_else(PoisonError::into_inner) {
            // Wakes the thread at once.
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
