//! Telling systemd how it goes: datagrams to `$NOTIFY_SOCKET` (sd_notify(3)).

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;

use rustix::time::{ClockId, clock_gettime};

/// Where news go; nowhere when nobody asked. A failure to tell stops nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notifier(Option<Arc<(UnixDatagram, SocketAddr)>>);

impl Notifier {
    /// As the environment says.
    pub(crate) fn from_environment() -> Self {
        Self::to(std::env::var_os("NOTIFY_SOCKET").as_deref())
    }

    fn to(socket: Option<&OsStr>) -> Self {
        let open = |name: &OsStr| -> io::Result<(UnixDatagram, SocketAddr)> {
            let address = match name.as_bytes().strip_prefix(b"@") {
                Some(abstract_name) => SocketAddr::from_abstract_name(abstract_name)?,
                None => SocketAddr::from_pathname(name)?,
            };
            Ok((UnixDatagram::unbound()?, address))
        };
        Self(socket.filter(|name| !name.is_empty()).and_then(|name| open(name).ok()).map(Arc::new))
    }

    /// One or more assignments, a line each.
    pub(crate) fn send(&self, state: &str) {
        if let Some(pair) = &self.0 {
            let (socket, address) = &**pair;
            let _ = socket.send_to_addr(state.as_bytes(), address);
        }
    }

    /// The configuration is being read again; `READY=1` ends it (systemd.service(5), `Type=notify-reload`).
    pub(crate) fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let microseconds = i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1_000;
        self.send(&format!("RELOADING=1\nMONOTONIC_USEC={microseconds}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reaches_a_socket_by_path_and_by_abstract_name() {
        let scratch = certwright_tests::scratch::Scratch::on_disk().unwrap();
        let path = scratch.join("notify");
        let abstract_name = format!("certwright-notify-{}", std::process::id());
        let by_path = UnixDatagram::bind(&path).unwrap();
        let by_name = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&abstract_name).unwrap()).unwrap();
        for (socket, name) in [(by_path, path.clone().into_os_string()), (by_name, format!("@{abstract_name}").into())]
        {
            Notifier::to(Some(&name)).send("READY=1");
            let mut buffer = [0; 64];
            let length = socket.recv(&mut buffer).unwrap();
            assert_eq!(&buffer[..length], b"READY=1");
            Notifier::to(Some(&name)).reloading();
            let length = socket.recv(&mut buffer).unwrap();
            let text = String::from_utf8(buffer[..length].to_vec()).unwrap();
            let number = text.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
            assert!(number.parse::<u64>().unwrap() > 0);
        }
        // Nobody listens, nobody asked: nothing happens.
        Notifier::to(Some("/nowhere/at/all".as_ref())).send("READY=1");
        Notifier::to(Some("".as_ref())).send("READY=1");
        Notifier::to(None).send("READY=1");
    }
}
