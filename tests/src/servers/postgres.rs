//! PostgreSQL with a cluster of its own.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use super::{Files, Home, Server, User, argv};
use crate::process::run;
use crate::program::program;

/// One that reads its certificate from these files. Its account must exist: the server looks itself up.
///
/// # Errors
///
/// When its cluster cannot be made.
pub fn reading(user: User, files: Files<'_>) -> io::Result<Server> {
    let home = Home::new(user)?;
    let data = home.join("data");
    let mut initdb = Command::new(program("initdb"));
    initdb.args(["--no-sync", "--auth=trust", "--locale=C", "--no-instructions", "--pgdata"]).arg(&data);
    initdb.uid(user.uid).gid(user.gid).current_dir("/");
    let made = run(&mut initdb, Duration::from_secs(60))?;
    if !made.status.success() {
        let said = String::from_utf8_lossy(&made.stderr);
        return Err(io::Error::other(format!("initdb ended with {}: {said}", made.status)));
    }
    let config = data.join("postgresql.conf");
    let mut end = OpenOptions::new().append(true).open(&config)?;
    write!(
        end,
        "listen_addresses = '{}'\nport = {}\nunix_socket_directories = '{}'\nfsync = off\nmax_connections = 10\n\
         shared_buffers = 1MB\nssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'\n",
        home.address.ip(),
        home.address.port(),
        home.path(),
        files.fullchain.display(),
        files.key.display(),
    )?;
    drop(end);
    Ok(Server {
        preset: "postgresql",
        binary: program("postgres"),
        pid: data.join("postmaster.pid"),
        argv: argv("postgres", ["-D".as_ref(), data.as_os_str()]),
        places: vec![home.place(Some("postgres"))],
        main: config.clone(),
        config,
        stop: Signal::INT,
        variables: Vec::new(),
        running: None,
        home,
    })
}
