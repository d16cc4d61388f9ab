//! Namespaces of its own: a network in which there is nothing but loopback, and files that name the test bed as resolver
//! and as somebody to trust (unshare(2), mount_namespaces(7), rtnetlink(7)).

use std::fs;
use std::io;
use std::path::Path;

use certwright::{Error, Result};
use nix::sched::{CloneFlags, unshare};
use rustix::mount::{MountPropagationFlags, mount_bind, mount_change};
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with};
use rustix::process::{getegid, geteuid};

use crate::harness::files::{BUNDLES, Files, added};

const RESOLVER: &str = "/etc/resolv.conf";
const SWITCH: &str = "/etc/nsswitch.conf";

/// Moves the calling thread into a network and a mount namespace, and into a user namespace where it has no right to the
/// other two.
pub(super) fn enter() -> Result<()> {
    let both = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS;
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    match unshare(both) {
        Ok(()) => {}
        Err(nix::errno::Errno::EPERM) => {
            unshare(both | CloneFlags::CLONE_NEWUSER).map_err(|error| refused(error.into()))?;
            // What the kernel wants before it lets a user map a group (user_namespaces(7)).
            write("/proc/self/setgroups", "deny")?;
            write("/proc/self/uid_map", &format!("0 {user} 1"))?;
            write("/proc/self/gid_map", &format!("0 {group} 1"))?;
        }
        Err(error) => return Err(refused(error.into())),
    }
    // Nothing that is mounted here is seen outside, and the other way round.
    let apart = MountPropagationFlags::REC | MountPropagationFlags::PRIVATE;
    mount_change("/", apart).map_err(|error| refused(error.into()))?;
    loopback_up().map_err(|source| Error::io("the loopback interface cannot be brought up", source))
}

/// Puts the files of the test bed in the place of the system's.
pub(super) fn furnish(files: &Files) -> Result<()> {
    let ours =
        fs::read_to_string(files.ca()).unwrap_or_default() + &fs::read_to_string(files.roots()).unwrap_or_default();
    for bundle in BUNDLES {
        if let Ok(theirs) = fs::read_to_string(bundle) {
            let name = format!("bundle{}", bundle.replace('/', "-"));
            cover(bundle, &files.put(&name, &added(&theirs, &ours))?)?;
        }
    }
    cover(RESOLVER, &files.put("resolv.conf", "nameserver 127.0.0.1\n")?)?;
    if let Ok(theirs) = fs::read_to_string(SWITCH) {
        cover(SWITCH, &files.put("nsswitch.conf", &asks_the_resolver(&theirs))?)?;
    }
    Ok(())
}

/// Name service daemons outside are reached through sockets in the file system, and would answer from out there.
fn asks_the_resolver(switch: &str) -> String {
    let line = |line: &str| {
        if line.trim_start().starts_with("hosts:") { "hosts: files dns".to_owned() } else { line.to_owned() }
    };
    switch.lines().map(line).flat_map(|line| [line, "\n".to_owned()]).collect()
}

fn cover(target: &str, source: &Path) -> Result<()> {
    mount_bind(source, target).map_err(|error| {
        let error = Error::io("a file of the system cannot be covered by one of the test bed", error.into());
        error.context("path", Path::new(target)).hint("make sure that it exists, and is no link that leads nowhere")
    })
}

/// The interface 1 is loopback in every new network.
const LOOPBACK: u32 = 1;
/// An address for documentation (RFC 5737). Resolvers leave out the addresses of a family of which the machine has none but
/// 127.0.0.1 (getaddrinfo(3), `AI_ADDRCONFIG`), so it has one more.
const SECOND_ADDRESS: [u8; 4] = [192, 0, 2, 1];

fn loopback_up() -> io::Result<()> {
    let (up, flags) = (1_u32, 1_u32);
    // RTM_NEWLINK: AF_UNSPEC and the type of the device; the index; IFF_UP, and that it is about this flag.
    let link = [[0; 4], LOOPBACK.to_ne_bytes(), up.to_ne_bytes(), flags.to_ne_bytes()].concat();
    ask(16, 0, &link)?;
    // RTM_NEWADDR: AF_INET, all bits of the prefix, no flags, for everywhere; the index; IFA_LOCAL and IFA_ADDRESS.
    let attribute = |kind: u16| [&8_u16.to_ne_bytes()[..], &kind.to_ne_bytes(), &SECOND_ADDRESS].concat();
    let address = [&[2, 32, 0, 0], &LOOPBACK.to_ne_bytes()[..], &attribute(2), &attribute(1)].concat();
    // NLM_F_CREATE and NLM_F_EXCL.
    ask(20, 0x600, &address)
}

/// Sends a message of this type to the kernel, and hears whether it was done. NETLINK_ROUTE is the protocol 0.
fn ask(kind: u16, flags: u16, body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(16 + body.len()).unwrap_or_default();
    // NLM_F_REQUEST and NLM_F_ACK; then the sequence and the port, which do not matter.
    let head = [&length.to_ne_bytes()[..], &kind.to_ne_bytes(), &(flags | 5).to_ne_bytes(), &[0; 8]].concat();
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    sendto(&socket, &[&head, body].concat(), SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    let mut answer = [0; 1024];
    let (length, _) = recv(&socket, &mut answer[..], RecvFlags::empty())?;
    // The header has 16 bytes; the error, negated, is what follows.
    let code = answer.get(16..20).filter(|_| length >= 20).and_then(|bytes| bytes.try_into().ok());
    match code.map(i32::from_ne_bytes) {
        Some(0) => Ok(()),
        Some(code) => Err(io::Error::from_raw_os_error(-code)),
        None => Err(io::ErrorKind::InvalidData.into()),
    }
}

fn write(path: &str, text: &str) -> Result<()> {
    fs::write(path, text).map_err(|source| refused(source).context("path", Path::new(path)))
}

fn refused(source: io::Error) -> Error {
    let hint = "run it as root; as an ordinary user where `unshare --user --net true` works \
                (sysctl kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns); \
                or leave out --isolate and tell the client the ports and the trust yourself";
    Error::io("the kernel gives no namespaces to isolate the command in", source).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_asked_for_at_the_resolver_alone() {
        let told = asks_the_resolver("passwd: files\nhosts:  files mdns4 [NOTFOUND=return] resolve dns\n");
        assert_eq!(told, "passwd: files\nhosts: files dns\n");
    }
}
