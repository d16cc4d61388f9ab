//! Each server serves what is on disk, and what is there later once it is told to look.

use super::*;
use crate::openssl::self_signed;
use crate::served::{self, Leaf};

/// A certificate in every form that a server reads.
struct Disk(Scratch);

impl Disk {
    fn new(owner: User) -> Self {
        let disk = Self(Scratch::on_disk().unwrap());
        disk.renew(owner);
        disk
    }

    fn renew(&self, owner: User) {
        let (key, certificate) = self_signed("www.example.org").unwrap();
        let bundle = [key.as_slice(), &certificate].concat();
        for (name, content) in [("key", key), ("fullchain", certificate), ("bundle", bundle)] {
            let path = self.0.join(name);
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
            chown(&path, Some(owner.uid), Some(owner.gid)).unwrap();
        }
    }

    fn leaf(&self) -> Leaf {
        served::leaf_of(&self.0.join("fullchain")).unwrap()
    }
}

fn serves_and_takes_another(
    owner: User,
    make: impl FnOnce(Files<'_>, &Path) -> io::Result<Server>,
    reload: impl Fn(&Server) -> io::Result<()>,
) {
    let disk = Disk::new(owner);
    let (fullchain, key) = (disk.0.join("fullchain"), disk.0.join("key"));
    let mut server = make(Files { fullchain: &fullchain, key: &key }, &disk.0.join("bundle")).unwrap();
    server.start().unwrap();
    let all_serve = |leaf: &Leaf| {
        server.places.iter().try_for_each(|place| {
            let seen = served::leaf(*place, Some("www.example.org"))?;
            if seen == *leaf { Ok(()) } else { Err(io::Error::other(format!("another certificate at {place:?}"))) }
        })
    };
    all_serve(&disk.leaf()).unwrap();
    let before = disk.leaf();
    disk.renew(owner);
    all_serve(&before).unwrap();
    reload(&server).unwrap();
    until(LIMIT, "the new certificate", || all_serve(&disk.leaf())).unwrap();
    server.stop().unwrap();
    assert!(ports::reachable(server.address(), Duration::ZERO).is_err());
}

fn by(signal: Signal) -> impl Fn(&Server) -> io::Result<()> {
    move |server| {
        let pid = fs::read_to_string(&server.pid)?;
        let number =
            pid.lines().next().and_then(|line| line.trim().parse().ok()).and_then(rustix::process::Pid::from_raw);
        Ok(rustix::process::kill_process(number.unwrap(), signal)?)
    }
}

#[test]
fn nginx_serves() {
    let make = |files: Files<'_>, _: &Path| nginx::reading(User::STRANGER, files);
    serves_and_takes_another(User::STRANGER, make, by(Signal::HUP));
}

#[test]
fn haproxy_serves() {
    let make = |_: Files<'_>, bundle: &Path| haproxy::reading(User::STRANGER, bundle);
    serves_and_takes_another(User::STRANGER, make, by(Signal::USR2));
}

#[test]
fn apache_serves() {
    let make = |files: Files<'_>, _: &Path| apache::reading(User::STRANGER, files);
    serves_and_takes_another(User::STRANGER, make, by(Signal::USR1));
}

#[test]
fn postgres_serves() {
    let user = User::named("postgres").unwrap();
    let make = |files: Files<'_>, _: &Path| postgres::reading(user, files);
    serves_and_takes_another(user, make, by(Signal::HUP));
}

#[test]
fn postfix_serves() {
    let make = |_: Files<'_>, bundle: &Path| postfix::reading(bundle);
    serves_and_takes_another(User::ROOT, make, by(Signal::HUP));
}

#[test]
fn dovecot_serves() {
    let make = |files: Files<'_>, _: &Path| dovecot::reading("www-data", files);
    let user = User::named("www-data").unwrap();
    serves_and_takes_another(user, make, by(Signal::HUP));
}
