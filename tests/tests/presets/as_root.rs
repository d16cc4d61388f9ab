//! The other programs that certwright knows, each the real one: what its preset fills in checks it, makes it re-read,
//! sees it run, and places a key that it accepts.

#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::process::Command;
use std::time::Duration;

use certwright_tests::host::{Host, ONE, TWO};
use certwright_tests::process::run;
use certwright_tests::program::program;
use certwright_tests::scratch::Scratch;
use certwright_tests::servers::{Files, Server, User, apache, dovecot, postfix, postgres};
use certwright_tests::site::Site;
use certwright_tests::{openssl, served};

/// Issued, served, renewed, refused while the configuration is broken, ready while it runs.
fn lives_through_everything(host: &mut Host) {
    host.bring_up().unwrap();
    let first = host.site.leaf().unwrap();
    host.wish(TWO, "").unwrap();
    host.apply_to(0).unwrap();
    let second = host.site.leaf().unwrap();
    assert_ne!(first, second);
    host.expect_served(&second).unwrap();
    host.apply_to(0).unwrap();
    assert_eq!(host.site.generations().unwrap().len(), 2);
    let ready = host.site.run(&["verify", "--ready"]).unwrap();
    assert_eq!(ready.code, 0, "{}", ready.said());

    let broken = host.break_configuration().unwrap();
    host.wish(ONE, "").unwrap();
    let ran = host.site.json(&["apply"]).unwrap();
    let error = ran.report().unwrap()["lineages"][0]["error"].clone();
    assert_eq!((ran.code, &error["aftermath"]), (1, &"rolled_back".into()), "{}", ran.said());
    assert!(error["message"].as_str().unwrap().contains("the service's check failed"), "{error}");
    assert_eq!(host.site.leaf().unwrap(), second);
    host.expect_served(&second).unwrap();
    drop(broken);

    host.server.stop().unwrap();
    assert_eq!(host.site.run(&["verify", "--ready"]).unwrap().code, 3);
    // What waits is taken at the start; the store and the service agree again.
    host.server.start().unwrap();
    host.release().unwrap();
    host.apply_to(0).unwrap();
    host.expect_served(&host.site.leaf().unwrap()).unwrap();
    assert_eq!(host.site.leaves().unwrap().len(), 3);
}

fn host(make: impl FnOnce(&Site) -> std::io::Result<Server>) -> Host {
    Host::new(Site::new().unwrap(), make).unwrap()
}

#[test]
fn apache_takes_what_is_deployed() {
    lives_through_everything(&mut host(|site| apache::reading(User::STRANGER, site.files())));
}

#[test]
fn postfix_takes_what_is_deployed() {
    lives_through_everything(&mut host(|site| postfix::reading(site.bundle())));
}

#[test]
fn dovecot_takes_what_is_deployed() {
    lives_through_everything(&mut host(|site| dovecot::reading("www-data", site.files())));
}

/// The rule of PostgreSQL's manual: nothing for group and world, unless the key is root's and at most 0640.
#[test]
fn postgresql_takes_what_is_deployed() {
    let user = User::named("postgres").unwrap();
    for readers in ["\"user:postgres\"", "\"user:postgres\", \"user:www-data\""] {
        let mut host = host(|site| postgres::reading(user, site.files()));
        host.keys = format!("readers = [{readers}]");
        lives_through_everything(&mut host);
        let facts = fs::metadata(host.site.files().key).unwrap();
        let most = if facts.uid() == 0 { 0o640 } else { 0o600 };
        assert_eq!(facts.mode() & 0o777 & !most, 0, "{:o} of {}", facts.mode(), facts.uid());
    }
}

/// With the server's user as owner no ACL is possible, and that is said before anything is made.
#[test]
fn postgresql_is_not_given_a_key_that_it_would_refuse() {
    let user = User::named("postgres").unwrap();
    let mut host = host(|site| postgres::reading(user, site.files()));
    host.keys = "owner = \"postgres\"\nreaders = [\"user:postgres\", \"user:www-data\"]".to_owned();
    host.wish(ONE, "").unwrap();
    let ran = host.apply().unwrap();
    assert_eq!(ran.code, 2, "{}", ran.said());
    assert!(ran.said().contains("PostgreSQL would refuse"), "{}", ran.said());
    assert!(host.site.active().is_err());
    host.keys = "owner = \"postgres\"\nreaders = [\"user:postgres\"]".to_owned();
    host.bring_up().unwrap();
    let key = fs::metadata(host.site.files().key).unwrap();
    assert_eq!((key.uid(), key.mode() & 0o777), (user.uid, 0o600));
}

/// An ACL that lets somebody else read shows its mask where the mode bits of the group would be.
#[test]
fn postgresql_refuses_a_key_of_its_own_with_an_acl() {
    let user = User::named("postgres").unwrap();
    let scratch = Scratch::on_disk().unwrap();
    let (fullchain, key) = (scratch.join("fullchain.pem"), scratch.join("key.pem"));
    let made = openssl::self_signed("www.example.org").unwrap();
    fs::write(&key, made.0).unwrap();
    fs::write(&fullchain, made.1).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    chown(&key, Some(user.uid), Some(user.gid)).unwrap();
    let setfacl = |how: [&str; 2]| {
        let ran = run(Command::new(program("setfacl")).args(how).arg(&key), Duration::from_secs(60)).unwrap();
        assert!(ran.status.success());
    };
    setfacl(["-m", "user:www-data:r--"]);
    assert_eq!(fs::metadata(&key).unwrap().mode() & 0o777, 0o640);
    let mut server = postgres::reading(user, Files { fullchain: &fullchain, key: &key }).unwrap();
    let refused = server.start().unwrap_err().to_string();
    assert!(refused.contains("has group or world access"), "{refused}");
    // The same file as root's is accepted.
    setfacl(["-m", "user:postgres:r--"]);
    chown(&key, Some(0), Some(0)).unwrap();
    server.start().unwrap();
    assert_eq!(served::leaf(server.places[0], None).unwrap(), served::leaf_of(&fullchain).unwrap());
}
