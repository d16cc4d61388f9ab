//! haproxy(1) in master-worker mode.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use super::{Home, Server, User, argv};
use crate::program::program;

/// One that reads its certificates from `crt`: a bundle, or a directory of bundles.
///
/// # Errors
///
/// When its home cannot be made.
pub fn reading(user: User, crt: &Path) -> io::Result<Server> {
    let home = Home::new(user)?;
    let text = format!(
        "global\n  stats socket {0}/admin.sock mode 600 level admin\n  maxconn 200\n\
         defaults\n  mode http\n  timeout connect 5s\n  timeout client 5s\n  timeout server 5s\n\
         frontend web\n  bind {1} ssl crt {2}\n  http-request return status 200\n",
        home.path(),
        home.address,
        crt.display(),
    );
    let config = home.join("haproxy.cfg");
    fs::write(&config, text)?;
    let pid = home.join("pid");
    let arguments = ["-W", "-db", "-f"].map(AsRef::as_ref);
    let [one, two, three] = arguments;
    Ok(Server {
        preset: "haproxy",
        binary: program("haproxy"),
        argv: argv("haproxy", [one, two, three, config.as_os_str(), "-p".as_ref(), pid.as_os_str()]),
        places: vec![home.place(None)],
        main: config.clone(),
        config,
        pid,
        stop: Signal::TERM,
        variables: Vec::new(),
        running: None,
        home,
    })
}

/// Its admin socket.
pub fn socket(server: &Server) -> PathBuf {
    server.join("admin.sock")
}
