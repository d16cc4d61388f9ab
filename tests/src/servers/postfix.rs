//! Postfix with a configuration and a queue of its own. Its master needs root, and goes into a session of its own.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use super::{Home, Server, User};
use crate::process::run;
use crate::program::program;

const MASTER: &str = "/usr/lib/postfix/sbin/master";

/// One that reads key and certificates from one file, and offers STARTTLS to whoever connects. Its configuration is a
/// directory.
///
/// # Errors
///
/// When its home cannot be made.
pub fn reading(bundle: &Path) -> io::Result<Server> {
    let home = Home::new(User::ROOT)?;
    let account = User::named("postfix")?;
    let (queue, data, config) = (home.directory("queue")?, home.directory("data")?, home.directory("etc")?);
    chown(&data, Some(account.uid), Some(account.gid))?;
    let main = format!(
        "compatibility_level = 3.6\nqueue_directory = {}\ndata_directory = {}\nmail_owner = postfix\n\
         setgid_group = postdrop\nmyhostname = mail.example.org\nmydestination =\nalias_maps =\n\
         local_recipient_maps =\ninet_interfaces = loopback-only\ninet_protocols = ipv4\n\
         smtpd_tls_security_level = may\nsmtpd_tls_chain_files = {}\nmaillog_file = {3}/error.log\n\
         maillog_file_prefixes = {3}\n",
        queue.display(),
        data.display(),
        bundle.display(),
        home.path(),
    );
    let services = format!(
        "{} inet n - n - - smtpd\ntlsmgr unix - - n 1000? 1 tlsmgr\nanvil unix - - n - 1 anvil\n\
         postlog unix-dgram n - n - 1 postlogd\n",
        home.address,
    );
    fs::write(config.join("main.cf"), main)?;
    fs::write(config.join("master.cf"), services)?;
    // What `postfix start` does first, too: it makes the directories of the queue.
    let checked = run(Command::new(program("postfix")).arg("-c").arg(&config).arg("check"), Duration::from_secs(60))?;
    if !checked.status.success() {
        let said = String::from_utf8_lossy(&checked.stderr);
        return Err(io::Error::other(format!("postfix check ended with {}: {said}", checked.status)));
    }
    let pid = queue.join("pid/master.pid");
    // The master makes a session of its own, which the leader of a process group cannot; the shell is that leader. It
    // hands a TERM on, and waits again for the master's end.
    let script = "\"$@\" & trap 'kill -TERM $!' TERM; wait $!; while kill -0 $! 2>/dev/null; do wait $!; done";
    let argv = ["/bin/sh", "-c", script, "sh", MASTER, "-c"].map(OsString::from);
    Ok(Server {
        preset: "postfix",
        binary: program("postfix"),
        argv: argv.into_iter().chain([config.clone().into_os_string()]).collect(),
        places: vec![home.place(Some("smtp"))],
        main: config.join("main.cf"),
        config,
        pid,
        stop: Signal::TERM,
        variables: Vec::new(),
        running: None,
        home,
    })
}
