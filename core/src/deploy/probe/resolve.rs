//! The addresses of a name, in bounded time.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Public, Result};

/// More addresses than any one service has.
const MOST: usize = 32;

/// How soon a wish to stop is noticed.
const NOTICE: Duration = Duration::from_millis(50);

/// Every address of the name, each once, in the order in which the system gives them.
///
/// The system's resolver can neither be stopped nor given a limit. It is asked on a thread of its own, which is left to
/// end by itself when the limit passes first.
pub(super) fn resolve(host: &str, port: u16, end: Instant, cancel: &Cancel) -> Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let name = host.to_owned();
    let ask = move || (name.as_str(), port).to_socket_addrs().map(Vec::from_iter);
    wait_for(ask, host, end, cancel)
}

/// What `ask` answers, on a thread of its own.
fn wait_for(
    ask: impl FnOnce() -> io::Result<Vec<SocketAddr>> + Send + 'static,
    host: &str,
    end: Instant,
    cancel: &Cancel,
) -> Result<Vec<SocketAddr>> {
    let fault = |kind, message: &'static str| {
        Error::new(kind, message)
            .context("host", Public(host))
            .hint("see with `getent ahosts` what the name resolves to, or write the address itself")
    };
    let (tell, answer) = channel();
    let asked = std::thread::Builder::new().name("certwright-resolve".to_owned()).spawn(move || {
        let _ = tell.send(ask());
    });
    asked.map_err(|source| fault(ErrorKind::Io, "the resolver cannot be asked").source(source))?;
    let found = loop {
        cancel.check()?;
        let left = end.saturating_duration_since(Instant::now());
        match answer.recv_timeout(left.min(NOTICE)) {
            Ok(found) => {
                break found
                    .map_err(|source| fault(ErrorKind::Network, "the name cannot be resolved").source(source))?;
            }
            Err(RecvTimeoutError::Timeout) if !left.is_zero() => {}
            Err(RecvTimeoutError::Timeout) => {
                return Err(fault(ErrorKind::Timeout, "the name was not resolved in time"));
            }
            Err(RecvTimeoutError::Disconnected) => return Err(fault(ErrorKind::Bug, "the resolver gave no answer")),
        }
    };
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in found {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    match addresses.len() {
        0 => Err(fault(ErrorKind::Network, "the name has no address")),
        count if count > MOST => {
            Err(fault(ErrorKind::Unsupported, "the name has more addresses than are asked").context("addresses", count))
        }
        _ => Ok(addresses),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLENTY: Duration = Duration::from_secs(60);

    #[test]
    fn addresses_and_names_of_the_hosts_file() {
        let find = |host: &str| resolve(host, 25, Instant::now() + PLENTY, &Cancel::new());
        assert_eq!(find("127.0.0.1").unwrap(), ["127.0.0.1:25".parse().unwrap()]);
        assert_eq!(find("::1").unwrap(), ["[::1]:25".parse().unwrap()]);
        let local = find("localhost").unwrap();
        assert!(!local.is_empty() && local.iter().all(|address| address.ip().is_loopback() && address.port() == 25));
        // RFC 6761 §6.4: this name never resolves.
        assert_eq!(find("certwright.invalid").unwrap_err().kind(), ErrorKind::Network);
    }

    #[test]
    fn is_bounded_and_stops() {
        let cancel = Cancel::new();
        // A resolver that answers when this test is over: it cannot be waited for.
        let (over, never) = channel::<()>();
        let silent = move || {
            let _ = never.recv();
            Ok(Vec::new())
        };
        let error = wait_for(silent, "a.example", Instant::now(), &cancel).unwrap_err();
        assert_eq!((error.kind(), error.fact("host")), (ErrorKind::Timeout, Some("a.example")));
        let (over_too, never) = channel::<()>();
        let theirs = cancel.clone();
        // It has been asked when it is stopped.
        let silent = move || {
            theirs.cancel();
            let _ = never.recv();
            Ok(Vec::new())
        };
        let error = wait_for(silent, "a.example", Instant::now() + PLENTY, &cancel).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        drop((over, over_too));
    }

    #[test]
    fn addresses_are_told_once_in_their_order_and_not_without_end() {
        let address = |number: u16| SocketAddr::from(([127, 0, 0, 1], number));
        let end = Instant::now() + PLENTY;
        let find = |answer: Vec<SocketAddr>| wait_for(move || Ok(answer), "a.example", end, &Cancel::new());
        assert_eq!(find(vec![address(2), address(1), address(2)]).unwrap(), [address(2), address(1)]);
        assert_eq!(find(Vec::new()).unwrap_err().kind(), ErrorKind::Network);
        assert_eq!(find((0..=32).map(address).collect()).unwrap_err().kind(), ErrorKind::Unsupported);
        let refused = wait_for(|| Err(io::Error::other("no")), "a.example", end, &Cancel::new()).unwrap_err();
        assert_eq!((refused.kind(), refused.hint_text().is_some()), (ErrorKind::Network, true));
    }
}
