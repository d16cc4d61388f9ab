//! nginx(8): a master and two workers, all as the same user, so that the key is opened as that user.

use std::fs;
use std::io;
use std::path::Path;

use rustix::process::Signal;

use super::{Files, Home, Server, User, argv};
use crate::program::program;

/// One that reads its certificate from these files.
///
/// # Errors
///
/// When its home cannot be made.
pub fn reading(user: User, files: Files<'_>) -> io::Result<Server> {
    let (fullchain, key) = (files.fullchain.display(), files.key.display());
    new(user, &format!("ssl_certificate {fullchain}; ssl_certificate_key {key};"))
}

/// One that includes a file that says where its certificate is.
///
/// # Errors
///
/// When its home cannot be made.
pub fn including(user: User, file: &Path) -> io::Result<Server> {
    new(user, &format!("include {};", file.display()))
}

fn new(user: User, certificate: &str) -> io::Result<Server> {
    let home = Home::new(user)?;
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("{kind}_temp_path {}/{kind};\n", home.path()))
        .collect();
    let text = format!(
        "daemon off;\nworker_processes 2;\npid {0}/pid;\nerror_log {0}/error.log notice;\n\
         events {{ worker_connections 512; }}\n\
         http {{\naccess_log off;\n{temporary}\
         server {{\nlisten {1} ssl;\nssl_session_cache off;\n{certificate}\nreturn 204;\n}}\n}}\n",
        home.path(),
        home.address,
    );
    let config = home.join("nginx.conf");
    fs::write(&config, text)?;
    Ok(Server {
        preset: "nginx",
        binary: program("nginx"),
        pid: home.join("pid"),
        places: vec![home.place(None)],
        argv: argv("nginx", ["-c".as_ref(), config.as_os_str()]),
        main: config.clone(),
        config,
        stop: Signal::TERM,
        variables: Vec::new(),
        running: None,
        home,
    })
}
