//! Which process listens on an address, as far as procfs tells (proc_pid_net(5), `/proc/net/tcp`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::place::lock::read_proc;

/// The state of a socket that listens, in the kernel's numbers (include/net/tcp_states.h).
const LISTEN: &str = "0A";

/// A process that listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listening {
    /// Its number.
    pub(crate) pid: u32,
    /// Its command line.
    pub(crate) command: String,
    /// Whether it executes the same file as this process, without being this process.
    pub(crate) kin: bool,
}

impl Listening {
    /// Who keeps this process from listening on an address: on the same port, there or on every address. `None` when nobody
    /// does, or procfs does not tell, as it does to root alone for processes of other users.
    pub(crate) fn on(address: SocketAddr) -> Option<Self> {
        let tables = ["/proc/self/net/tcp", "/proc/self/net/tcp6"].map(read_proc);
        let inodes: Vec<String> = tables.iter().flatten().flat_map(|table| listening(table, address)).collect();
        numbers("/proc").find_map(|pid| {
            let opened = numbers(&format!("/proc/{pid}/fd"));
            let mut targets = opened.filter_map(|fd| link(&format!("/proc/{pid}/fd/{fd}")));
            targets.any(|target| inodes.contains(&target)).then(|| Self::of(pid))
        })
    }

    fn of(pid: u32) -> Self {
        let command = read_proc(&format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let own = link("/proc/self/exe");
        let kin = pid != std::process::id() && own.is_some() && own == link(&format!("/proc/{pid}/exe"));
        Self { pid, command: command.trim_end_matches('\0').replace('\0', " "), kin }
    }
}

fn link(path: &str) -> Option<String> {
    Some(rustix::fs::readlink(path, Vec::new()).ok()?.to_string_lossy().into_owned())
}

/// The entries of a directory of procfs that are numbers.
#[expect(clippy::disallowed_methods, reason = "procfs is not part of the file system that is placed on")]
fn numbers(path: &str) -> impl Iterator<Item = u32> + use<> {
    std::fs::read_dir(path).into_iter().flatten().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// The sockets in this table that listen in the way of `address`, as `/proc/PID/fd` names them.
fn listening(table: &str, address: SocketAddr) -> Vec<String> {
    let sockets = table.lines().skip(1).filter_map(|line| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let [_, local, _, state, _, _, _, _, _, inode, ..] = words.as_slice() else { return None };
        let (ip, port) = local.split_once(':')?;
        let (ip, port) = (ip_of(ip)?, u16::from_str_radix(port, 16).ok()?);
        let in_the_way =
            port == address.port() && (ip == address.ip() || ip.is_unspecified() || address.ip().is_unspecified());
        (*state == LISTEN && in_the_way).then(|| format!("socket:[{inode}]"))
    });
    sockets.collect()
}

/// An address as the kernel prints it: 32-bit words in hexadecimal, each in the byte order of the machine.
fn ip_of(text: &str) -> Option<IpAddr> {
    let words: Vec<[u8; 4]> = (0..text.len() / 8)
        .map(|at| Some(u32::from_str_radix(text.get(at * 8..at * 8 + 8)?, 16).ok()?.to_ne_bytes()))
        .collect::<Option<_>>()?;
    match words.as_slice() {
        [v4] => Some(Ipv4Addr::from(*v4).into()),
        v6 => <[u8; 16]>::try_from(v6.concat()).ok().map(|octets| Ipv6Addr::from(octets).to_canonical()),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn finds_this_very_process() {
        for address in ["127.0.0.1:0", "[::1]:0", "0.0.0.0:0", "[::]:0"] {
            let listener = TcpListener::bind(address).unwrap();
            let address = listener.local_addr().unwrap();
            let found = Listening::on(address).unwrap();
            assert_eq!((found.pid, found.kin), (std::process::id(), false), "{address}");
            assert!(found.command.contains("certwright"), "{found:?}");
            // One that listens everywhere is in the way of each.
            let everywhere = address.ip().is_unspecified();
            let here = SocketAddr::new(Ipv4Addr::new(127, 0, 0, 9).into(), address.port());
            assert_eq!(
                Listening::on(here).is_some_and(|found| found.pid == std::process::id()),
                everywhere,
                "{address}"
            );
            drop(listener);
            assert_eq!(Listening::on(address), None);
        }
    }

    #[test]
    fn finds_others() {
        let mut child = std::process::Command::new("python3")
            .args(["-c", "import socket,sys\ns=socket.create_server(('127.0.0.1',0))\nprint(s.getsockname()[1],flush=True)\nsys.stdin.read()"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut line).unwrap();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, line.trim().parse().unwrap()));
        let found = Listening::on(address).unwrap();
        assert_eq!((found.pid, found.kin), (child.id(), false));
        assert!(found.command.contains("socket.create_server"), "{found:?}");
        drop(child.stdin.take());
        child.wait().unwrap();
    }

    #[test]
    fn reads_the_kernels_words() {
        // As `/proc/net/tcp` and `tcp6` show them on a little-endian machine.
        if cfg!(target_endian = "little") {
            assert_eq!(ip_of("0100007F"), Some(Ipv4Addr::LOCALHOST.into()));
            assert_eq!(ip_of("00000000000000000000000001000000"), Some(Ipv6Addr::LOCALHOST.into()));
            assert_eq!(ip_of("0000000000000000FFFF00000100007F"), Some(Ipv4Addr::LOCALHOST.into()));
        }
        for odd in ["", "0100007", "zzzzzzzz", "0100007F0100007F"] {
            assert_eq!(ip_of(odd), None, "{odd}");
        }
    }
}
