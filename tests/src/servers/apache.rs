//! Apache httpd as Debian builds it, with the few modules that serve TLS.

use std::fs;
use std::io;

use rustix::process::Signal;

use super::{Files, Home, Server, User, argv};
use crate::program::program;

/// One that reads its certificate from these files.
///
/// # Errors
///
/// When its home cannot be made.
pub fn reading(user: User, files: Files<'_>) -> io::Result<Server> {
    let home = Home::new(user)?;
    let modules: String = ["mpm_event", "authz_core", "ssl"]
        .iter()
        .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"))
        .collect();
    let text = format!(
        "{modules}ServerRoot {0}\nDefaultRuntimeDir {0}\nPidFile {0}/pid\nErrorLog {0}/error.log\nServerName localhost\n\
         StartServers 1\nServerLimit 2\nThreadsPerChild 8\nMaxRequestWorkers 16\nMinSpareThreads 1\nMaxSpareThreads 16\n\
         Listen {1}\nSSLSessionCache none\nSSLEngine on\nSSLCertificateFile {2}\nSSLCertificateKeyFile {3}\n",
        home.path(),
        home.address,
        files.fullchain.display(),
        files.key.display(),
    );
    let config = home.join("apache2.conf");
    fs::write(&config, text)?;
    Ok(Server {
        preset: "apache",
        binary: program("apache2"),
        pid: home.join("pid"),
        argv: argv("apache2", ["-D".as_ref(), "FOREGROUND".as_ref(), "-f".as_ref(), config.as_os_str()]),
        places: vec![home.place(None)],
        main: config.clone(),
        config,
        stop: Signal::TERM,
        variables: Vec::new(),
        running: None,
        home,
    })
}
