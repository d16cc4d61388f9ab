//! Clients that connect again and again, each from a thread of its own, and trust one root.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustls::client::Resumption;
use rustls::{ClientConfig, ClientConnection, RootCertStore, Stream};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};

use crate::served::Leaf;

/// For one connection; it takes some milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// What one client got on one connection: the leaf it was served, or why it got nothing.
pub type Got = Result<Leaf, String>;

/// Clients at work. They stop when this is dropped.
#[derive(Debug)]
pub struct Load {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<()>>,
    got: Mutex<Receiver<(usize, Got)>>,
}

impl Load {
    /// Sends this many clients to a web server. Each makes a whole handshake for each connection, checks chain and name,
    /// and asks for a page.
    ///
    /// # Errors
    ///
    /// When the roots (PEM) or the name cannot be used.
    pub fn on(address: SocketAddr, name: &str, roots: &[u8], clients: usize) -> io::Result<Self> {
        let config = Arc::new(config(roots)?);
        let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
        let stop = Arc::new(AtomicBool::new(false));
        let (sender, receiver) = channel();
        let start = |number| {
            let (config, name, stop, sender) = (config.clone(), name.clone(), stop.clone(), sender.clone());
            thread::spawn(move || work(number, address, &name, &config, &stop, &sender))
        };
        let clients = (0..clients).map(start).collect();
        Ok(Self { stop, clients, got: Mutex::new(receiver) })
    }

    /// Waits until each client got this leaf on `connections` more connections, and gives the number of all that were made
    /// meanwhile.
    ///
    /// # Errors
    ///
    /// `TimedOut`, or when a client got nothing.
    pub fn until_all_get(&self, leaf: &Leaf, connections: usize, limit: Duration) -> io::Result<usize> {
        let deadline = Instant::now() + limit;
        let mut missing = vec![connections; self.clients.len()];
        let mut count = 0;
        while missing.iter().any(|missing| *missing > 0) {
            let (client, seen) =
                self.next(deadline, &format_args!("the clients still lack {missing:?} connections"))?;
            count += 1;
            if let Some(missing) = missing.get_mut(client).filter(|_| seen == *leaf) {
                *missing = missing.saturating_sub(1);
            }
        }
        Ok(count)
    }

    /// Waits until this many different leaves were served, and gives the number of connections that were made meanwhile.
    ///
    /// # Errors
    ///
    /// `TimedOut`, or when a client got nothing.
    pub fn until_different(&self, leaves: usize, limit: Duration) -> io::Result<usize> {
        let deadline = Instant::now() + limit;
        let mut seen = BTreeSet::new();
        let mut count = 0;
        while seen.len() < leaves {
            let missing = format!("only {} of {leaves} leaves were served", seen.len());
            seen.insert(self.next(deadline, &missing)?.1);
            count += 1;
        }
        Ok(count)
    }

    /// The client that is heard of next, and what it got.
    fn next(&self, deadline: Instant, missing: &dyn fmt::Display) -> io::Result<(usize, Leaf)> {
        let left = deadline.saturating_duration_since(Instant::now());
        let got = self.got.lock().unwrap_or_else(PoisonError::into_inner);
        let (client, got) =
            got.recv_timeout(left).map_err(|_| io::Error::new(io::ErrorKind::TimedOut, missing.to_string()))?;
        let leaf = got.map_err(|why| io::Error::other(format!("client {client} got nothing: {why}")))?;
        Ok((client, leaf))
    }

    /// Stops them, and gives what was got and not asked for yet.
    pub fn stop(mut self) -> Vec<Got> {
        self.end();
        let got = self.got.lock().unwrap_or_else(PoisonError::into_inner);
        got.try_iter().map(|(_, got)| got).collect()
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients.drain(..) {
            // A client that panicked has sent nothing more, which whoever waits for it notices.
            let _ = client.join();
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.end();
    }
}

fn config(roots: &[u8]) -> io::Result<ClientConfig> {
    let mut store = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(roots) {
        store.add(root.map_err(io::Error::other)?).map_err(io::Error::other)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = builder.map_err(io::Error::other)?.with_root_certificates(store).with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn work(
    number: usize,
    address: SocketAddr,
    name: &ServerName<'static>,
    config: &Arc<ClientConfig>,
    stop: &AtomicBool,
    sender: &Sender<(usize, Got)>,
) {
    while !stop.load(Ordering::Relaxed) {
        let got = connect(address, name, config).map_err(|error| error.to_string());
        if sender.send((number, got)).is_err() {
            return;
        }
    }
}

fn connect(address: SocketAddr, name: &ServerName<'static>, config: &Arc<ClientConfig>) -> io::Result<Leaf> {
    let mut socket = TcpStream::connect_timeout(&address, PATIENCE)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    let mut connection = ClientConnection::new(config.clone(), name.clone()).map_err(io::Error::other)?;
    let mut stream = Stream::new(&mut connection, &mut socket);
    let request = format!("GET / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", name.to_str());
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    if !answer.starts_with(b"HTTP/1.1 20") {
        return Err(io::Error::other(format!("the page is {}", String::from_utf8_lossy(&answer))));
    }
    let leaf = connection.peer_certificates().and_then(<[_]>::first);
    leaf.map(Leaf::of).ok_or_else(|| io::Error::other("no certificate was served"))
}
