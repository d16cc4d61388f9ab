//! Ports on loopback.

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// A port of 127.0.0.1 that nobody listens on, given out once per process. For programs that cannot be told to take
/// port 0; between this and their listening, another process may take it.
///
/// # Errors
///
/// When there is none.
pub fn free() -> io::Result<u16> {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    // Those that were given out stay taken while we look, or the kernel might offer them again.
    let mut passed_over = Vec::new();
    loop {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        if given.insert(port) {
            return Ok(port);
        }
        passed_over.push(listener);
    }
}

/// A loopback address and port that nobody else has: the address itself is of this process alone, and outgoing
/// connections have 127.0.0.1, so that nothing but a listener on every address could take the port.
///
/// # Errors
///
/// When there is none left.
pub fn own() -> io::Result<SocketAddr> {
    several().map(|[address]| address)
}

/// Several ports of one such address.
///
/// # Errors
///
/// As [`own`].
pub fn several<const N: usize>() -> io::Result<[SocketAddr; N]> {
    static COUNT: AtomicU8 = AtomicU8::new(0);
    let counted = COUNT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_add(1));
    let number = counted.map_err(|_| io::Error::other("every address of this process was given out"))?;
    let [.., high, low] = std::process::id().to_be_bytes();
    let address = Ipv4Addr::new(127, high | 1, low, number);
    // All are held until the last is chosen, so that they differ.
    let held = [(); N].map(|()| TcpListener::bind((address, 0)));
    let mut places = [SocketAddr::from((address, 0)); N];
    for (place, listener) in places.iter_mut().zip(&held) {
        *place = listener.as_ref().map_err(|error| io::Error::new(error.kind(), error.to_string()))?.local_addr()?;
    }
    Ok(places)
}

/// Waits until somebody listens there.
///
/// # Errors
///
/// `TimedOut` after this time, with the last refusal.
pub fn reachable(address: SocketAddr, limit: Duration) -> io::Result<()> {
    let deadline = Instant::now() + limit;
    loop {
        let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        match TcpStream::connect_timeout(&address, left) {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() >= deadline => {
                let message = format!("nobody listens on {address} after {limit:?}: {error}");
                return Err(io::Error::new(io::ErrorKind::TimedOut, message));
            }
            Err(_) => thread::park_timeout(Duration::from_millis(5)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_ports_differ_and_can_be_taken() {
        let ports: Vec<u16> = (0..50).map(|_| free().unwrap()).collect();
        assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), 50);
        TcpListener::bind((Ipv4Addr::LOCALHOST, ports[0])).unwrap();
    }

    #[test]
    fn own_addresses_differ_and_can_be_taken() {
        let (one, two) = (own().unwrap(), own().unwrap());
        assert!(one.ip() != two.ip() && one.ip().is_loopback());
        let listener = TcpListener::bind(one).unwrap();
        let stream = TcpStream::connect(one).unwrap();
        assert_eq!(stream.local_addr().unwrap().ip(), Ipv4Addr::LOCALHOST, "so that no port of this address is taken");
        drop(listener);
    }

    #[test]
    fn several_share_an_address_and_differ() {
        let places: [SocketAddr; 4] = several().unwrap();
        assert!(places.iter().all(|place| place.ip() == places[0].ip()));
        assert_eq!(places.iter().map(SocketAddr::port).collect::<BTreeSet<_>>().len(), 4);
        assert_ne!(own().unwrap().ip(), places[0].ip());
    }

    #[test]
    fn tells_who_listens() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        reachable(address, Duration::from_secs(10)).unwrap();
        drop(listener);
        let error = reachable(address, Duration::from_millis(20)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
