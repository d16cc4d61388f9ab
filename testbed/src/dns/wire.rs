//! Messages on the wire: UDP, and TCP with two bytes of length before each (RFC 7766 §8).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::Semaphore;

use crate::dns::server::Shared;

/// How a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// In one datagram.
    Udp,
    /// In a stream.
    Tcp,
}

/// What is sent back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reaction {
    /// How long it takes.
    pub(crate) after: Duration,
    /// What is said; nothing, and nothing is sent.
    pub(crate) bytes: Option<Vec<u8>>,
}

/// How many connections there are at once; more wait to be accepted.
const CONNECTIONS: usize = 256;
/// How long a connection may be silent (RFC 7766 §6.2.3 speaks of seconds).
const IDLE: Duration = Duration::from_secs(30);
/// After the system refused something, for want of file descriptors for instance.
const PAUSE: Duration = Duration::from_millis(10);

/// One socket of each kind on the same port.
pub(crate) fn bind(address: SocketAddr) -> std::io::Result<(std::net::UdpSocket, std::net::TcpListener)> {
    // The port that the system chose for one may be taken for the other.
    const TRIES: usize = 32;
    let mut tries = 0;
    loop {
        let udp = std::net::UdpSocket::bind(address)?;
        match std::net::TcpListener::bind(udp.local_addr()?) {
            Ok(tcp) => {
                udp.set_nonblocking(true)?;
                tcp.set_nonblocking(true)?;
                return Ok((udp, tcp));
            }
            Err(error) if address.port() != 0 || tries == TRIES => return Err(error),
            Err(_) => tries += 1,
        }
    }
}

/// Answers whoever asks, until it is dropped.
pub(crate) async fn serve(udp: std::net::UdpSocket, tcp: std::net::TcpListener, shared: Arc<Shared>) {
    let (Ok(udp), Ok(tcp)) = (UdpSocket::from_std(udp), TcpListener::from_std(tcp)) else { return };
    tokio::spawn(datagrams(Arc::new(udp), Arc::clone(&shared)));
    streams(tcp, shared).await;
}

async fn datagrams(socket: Arc<UdpSocket>, shared: Arc<Shared>) {
    let mut buffer = vec![0; usize::from(u16::MAX)];
    loop {
        let Ok((count, from)) = socket.recv_from(&mut buffer).await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let reaction = shared.react(buffer.get(..count).unwrap_or_default(), Transport::Udp, from);
        let Some(bytes) = reaction.bytes else { continue };
        if reaction.after.is_zero() {
            let _ = socket.send_to(&bytes, from).await;
        } else {
            let socket = Arc::clone(&socket);
            tokio::spawn(async move {
                tokio::time::sleep(reaction.after).await;
                let _ = socket.send_to(&bytes, from).await;
            });
        }
    }
}

async fn streams(listener: TcpListener, shared: Arc<Shared>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, from)) => {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    // Whoever sends less than a message is let go.
                    let _ = conversation(stream, from, &shared).await;
                    drop(place);
                });
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

async fn conversation(mut stream: TcpStream, from: SocketAddr, shared: &Shared) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    loop {
        let message = tokio::time::timeout(IDLE, message(&mut stream)).await??;
        let reaction = shared.react(&message, Transport::Tcp, from);
        tokio::time::sleep(reaction.after).await;
        let Some(bytes) = reaction.bytes else { continue };
        let length = u16::try_from(bytes.len()).map_err(std::io::Error::other)?;
        tokio::time::timeout(IDLE, stream.write_all(&[&length.to_be_bytes(), bytes.as_slice()].concat())).await??;
    }
}

async fn message(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let length = stream.read_u16().await?;
    let mut message = vec![0; length.into()];
    stream.read_exact(&mut message).await?;
    Ok(message)
}
