//! The resolvers of this machine, as `/etc/resolv.conf` names them (resolv.conf(5)).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use super::atomic::found;
use super::filesystem::{Filesystem, Open};
use crate::ground::error::{Error, Result};

const FILE: &str = "/etc/resolv.conf";

/// The largest file that is read; glibc has no limit of its own.
const LIMIT: usize = 1 << 16;

/// How many are asked (`MAXNS` of resolv.h).
const MOST: usize = 3;

const PORT: u16 = 53;

/// The resolvers in the order in which they are asked; the machine itself when none is named, as resolv.conf(5) has it.
///
/// # Errors
///
/// `Io` or `Permission` when the file is there and cannot be read.
pub(crate) fn of_system(fs: &dyn Filesystem) -> Result<Vec<SocketAddr>> {
    let path = Path::new(FILE);
    let content = found(fs.open(None, path, Open::Read))
        .and_then(|file| file.map(|file| fs.read(&file, LIMIT)).transpose())
        .map_err(|source| {
            Error::io("the list of resolvers cannot be read", source)
                .context("path", path)
                .hint("name one with `resolver`")
        })?;
    Ok(named(&String::from_utf8_lossy(&content.unwrap_or_default())))
}

fn named(text: &str) -> Vec<SocketAddr> {
    let named = text.lines().filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        (words.next() == Some("nameserver")).then_some(())?;
        // A scope, as in `fe80::1%eth0`, names an interface, which no socket address does by name.
        words.next()?.parse::<IpAddr>().ok()
    });
    let mut resolvers: Vec<SocketAddr> = named.take(MOST).map(|ip| SocketAddr::new(ip, PORT)).collect();
    if resolvers.is_empty() {
        resolvers.push((Ipv4Addr::LOCALHOST, PORT).into());
    }
    resolvers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_system_reads() {
        let text = "# nameserver 192.0.2.9\nsearch example.org\nnameserver 192.0.2.1\n  nameserver\t2001:db8::1 \n\
                    nameserver fe80::1%eth0\nnameserver 192.0.2.2\nnameserver 192.0.2.3\noptions edns0\n";
        let shown: Vec<String> = named(text).iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["192.0.2.1:53", "[2001:db8::1]:53", "192.0.2.2:53"]);
        assert_eq!(named("").len(), 1);
        assert!(named("options\n")[0].ip().is_loopback());
    }
}
