//! Dovecot for IMAP and POP3, without root, as its manual describes under "Rootless installation".

use std::fs;
use std::io;

use rustix::process::Signal;

use super::{Files, Home, Place, Server, User, argv};
use crate::ports;
use crate::program::program;

/// One that reads its certificate from these files, as an account of this machine. It speaks IMAP at its address, and
/// at others POP3, then IMAP with implicit TLS.
///
/// # Errors
///
/// When its home cannot be made or there is no such account.
pub fn reading(account: &str, files: Files<'_>) -> io::Result<Server> {
    let user = User::named(account)?;
    let home = Home::new(user)?;
    let (pop3_address, imaps_address) = (ports::own()?, ports::own()?);
    let listener = |name: &str, place: Option<&std::net::SocketAddr>| {
        let place = place.map(|place| format!("    address = {}\n    port = {}\n", place.ip(), place.port()));
        format!("  inet_listener {name} {{\n{}  }}\n", place.unwrap_or_else(|| "    port = 0\n".to_owned()))
    };
    let (imap, imaps) = (listener("imap", Some(&home.address)), listener("imaps", Some(&imaps_address)));
    let (pop3, pop3s) = (listener("pop3", Some(&pop3_address)), listener("pop3s", None));
    let text = format!(
        "base_dir = {0}/run\nstate_dir = {0}/state\nlog_path = {0}/error.log\nprotocols = imap pop3\n\
         default_internal_user = {account}\ndefault_internal_group = {1}\ndefault_login_user = {account}\n\
         ssl = required\nssl_cert = <{2}\nssl_key = <{3}\nmail_location = maildir:{0}/mail\n\
         passdb {{\n  driver = static\n  args = nopassword=y\n}}\n\
         userdb {{\n  driver = static\n  args = uid={account} gid={1} home={0}\n}}\n\
         service anvil {{\n  chroot =\n}}\nservice stats {{\n  chroot =\n}}\n\
         service imap-login {{\n  chroot =\n{imap}{imaps}}}\nservice pop3-login {{\n  chroot =\n{pop3}{pop3s}}}\n",
        home.path(),
        group(user.gid)?,
        files.fullchain.display(),
        files.key.display(),
    );
    let config = home.join("dovecot.conf");
    fs::write(&config, text)?;
    Ok(Server {
        preset: "dovecot",
        binary: program("dovecot"),
        pid: home.join("run/master.pid"),
        argv: argv("dovecot", ["-F".as_ref(), "-c".as_ref(), config.as_os_str()]),
        places: vec![
            home.place(Some("imap")),
            Place { address: pop3_address, dialect: Some("pop3") },
            Place { address: imaps_address, dialect: None },
        ],
        main: config.clone(),
        config,
        stop: Signal::TERM,
        variables: Vec::new(),
        running: None,
        home,
    })
}

/// The name of a group.
fn group(gid: u32) -> io::Result<String> {
    let groups = fs::read_to_string("/etc/group")?;
    let named = groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(gid)).then(|| name.to_owned())
    });
    named.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("there is no group {gid}")))
}
