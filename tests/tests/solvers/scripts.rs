//! Scripts that were written for other clients, called as these call them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use certwright::{
    Cancel, Challenge, ChallengeKind, Command, CommandSolver, Convention, ErrorKind, Identifier, SolverSpec,
};
use certwright_tests::conformance::solver::{SameName, Stage, challenge, conforms};
use certwright_tests::namespace::in_world;
use certwright_tests::scratch::Scratch;
use certwright_tests::servers::bind::{Bind, News, Zone};

use super::{authorization, digests, made};

struct World {
    bind: Bind,
    root: Scratch,
}

impl World {
    fn new() -> Self {
        let org = Zone {
            name: "example.org",
            records: "_acme-challenge.alias CNAME alias.acme\nalias.acme TXT \"of somebody else\"",
        };
        Self { bind: Bind::primary(&[org], News::None).unwrap(), root: Scratch::on_disk().unwrap() }
    }

    /// A script of `tests/hooks`, told about this world by env(1).
    fn command(&self, script: &str) -> Command {
        let script = if script.starts_with('/') {
            PathBuf::from(script)
        } else {
            Path::new(env!("CARGO_MANIFEST_DIR")).join("hooks").join(script)
        };
        let root = self.root.path().display();
        let mut argv = vec!["/usr/bin/env".to_owned(), format!("WEBROOT={root}")];
        argv.push(format!("UACME_CHALLENGE_PATH={root}/.well-known/acme-challenge"));
        argv.extend(self.bind.variables());
        argv.push(script.to_str().unwrap().to_owned());
        Command::new(argv)
    }

    fn wish(&self, convention: Convention, script: &str, kind: ChallengeKind) -> CommandSolver {
        let mut wish = CommandSolver::new(convention, self.command(script), vec![kind]);
        wish.propagation.resolver = Some(self.bind.address);
        wish.propagation.authoritative = vec![self.bind.address];
        wish.propagation.limit = Duration::from_secs(30);
        wish
    }

    fn seen(&self, challenge: &Challenge) -> bool {
        match challenge.kind() {
            ChallengeKind::Http01 => {
                let file = self.root.join(".well-known/acme-challenge").join(challenge.token());
                std::fs::read_to_string(file).is_ok_and(|body| body == authorization(challenge))
            }
            _ => {
                let record = format!("_acme-challenge.{}", challenge.identifier());
                self.bind.texts(&record).unwrap().contains(&digests(challenge).1)
            }
        }
    }

    fn conforms(&self, wish: &CommandSolver) {
        for kind in &wish.kinds {
            conforms(&Stage {
                solver: &|| made(&SolverSpec::Command(wish.clone())),
                kind: *kind,
                seen: &|challenge| self.seen(challenge),
                same_name: SameName::Together,
                outlives: true,
            });
        }
    }
}

#[test]
fn a_dehydrated_hook() {
    let world = World::new();
    for kind in [ChallengeKind::Http01, ChallengeKind::Dns01] {
        world.conforms(&world.wish(Convention::Dehydrated, "dehydrated.sh", kind));
    }
    let failing =
        made(&SolverSpec::Command(world.wish(Convention::Dehydrated, "dehydrated.sh", ChallengeKind::TlsAlpn01)));
    let one = challenge(ChallengeKind::TlsAlpn01, "a.example.org", "tls");
    let error = failing.present(&one, &Cancel::new()).unwrap_err();
    assert_eq!(
        (error.kind(), error.fact("output")),
        (ErrorKind::ChallengeFailed, Some("no way to answer tls-alpn-01"))
    );
}

#[test]
fn certbot_hooks() {
    let world = World::new();
    for kind in [ChallengeKind::Http01, ChallengeKind::Dns01] {
        let mut wish = world.wish(Convention::Certbot, "certbot-auth.sh", kind);
        wish.cleanup = Some(world.command("certbot-cleanup.sh"));
        world.conforms(&wish);
    }
}

#[test]
fn a_script_for_legos_exec_provider() {
    let world = World::new();
    world.conforms(&world.wish(Convention::Lego, "lego-exec.sh", ChallengeKind::Dns01));
    // lego tells where an alias leads; what is there stays.
    let solver = made(&SolverSpec::Command(world.wish(Convention::Lego, "lego-exec.sh", ChallengeKind::Dns01)));
    let one = challenge(ChallengeKind::Dns01, "alias.example.org", "alias");
    solver.present(&one, &Cancel::new()).unwrap();
    solver.wait(&one, &Cancel::new()).unwrap();
    assert_eq!(world.bind.texts("alias.acme.example.org").unwrap().len(), 2);
    solver.clean_up(&one).unwrap();
    assert_eq!(world.bind.texts("alias.acme.example.org").unwrap(), ["of somebody else"]);
}

#[test]
fn a_script_for_legos_raw_mode() {
    let world = World::new();
    world.conforms(&world.wish(Convention::LegoRaw, "lego-raw.sh", ChallengeKind::Dns01));
}

#[test]
fn a_uacme_hook() {
    let world = World::new();
    world.conforms(&world.wish(Convention::Uacme, "uacme-dns.sh", ChallengeKind::Dns01));
    let declining = made(&SolverSpec::Command(world.wish(Convention::Uacme, "uacme-dns.sh", ChallengeKind::Http01)));
    let one = challenge(ChallengeKind::Http01, "a.example.org", "declined");
    assert_eq!(declining.present(&one, &Cancel::new()).unwrap_err().kind(), ErrorKind::Unsupported);
    declining.clean_up(&one).unwrap();
}

/// The script that Debian's package brings writes one file and removes it; it fails when there is none to remove.
#[test]
fn uacmes_own_script() {
    let world = World::new();
    std::fs::create_dir_all(world.root.join(".well-known/acme-challenge")).unwrap();
    let wish = world.wish(Convention::Uacme, "/usr/share/uacme/uacme.sh", ChallengeKind::Http01);
    let solver = made(&SolverSpec::Command(wish));
    let one = challenge(ChallengeKind::Http01, "a.example.org", "own");
    solver.present(&one, &Cancel::new()).unwrap();
    assert!(world.seen(&one));
    solver.clean_up(&one).unwrap();
    assert!(!world.seen(&one));
}

/// The other script of that package finds the server by the zone, at the port of all name servers, and asks the system's
/// resolver: it has a world of its own. Its key is a line at its top, which its users fill in. It waits by itself.
#[test]
fn uacmes_own_script_for_updates() {
    if !in_world("scripts::uacmes_own_script_for_updates").unwrap() {
        return;
    }
    let bind = Bind::on_port_53(&[Zone { name: "example.org", records: "" }], News::None).unwrap();
    let home = Scratch::on_disk().unwrap();
    let script = std::fs::read_to_string("/usr/share/uacme/nsupdate.sh").unwrap();
    let line = format!("RNDC_KEY_NSUPDATE={}\n", bind.key_file.display());
    let filled = script.replace("RNDC_KEY_NSUPDATE=\n", &line);
    assert_ne!(filled, script, "there is no such line");
    let path = home.join("nsupdate.sh");
    std::fs::write(&path, filled).unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let command = Command::new([path.to_str().unwrap()]);
    let mut wish = CommandSolver::new(Convention::Uacme, command, vec![ChallengeKind::Dns01]);
    wish.propagation.resolver = Some(bind.address);
    wish.propagation.authoritative = vec![bind.address];
    let solver = made(&SolverSpec::Command(wish.clone()));
    let one = challenge(ChallengeKind::Dns01, "a.example.org", "own");
    solver.present(&one, &Cancel::new()).unwrap();
    assert_eq!(bind.texts("_acme-challenge.a.example.org").unwrap(), [digests(&one).1]);
    solver.wait(&one, &Cancel::new()).unwrap();
    solver.clean_up(&one).unwrap();
    assert!(bind.texts("_acme-challenge.a.example.org").unwrap().is_empty());

    // It answers dns-01 alone, and declines the rest by its exit status.
    wish.kinds = vec![ChallengeKind::Http01];
    let declining = made(&SolverSpec::Command(wish));
    let other = challenge(ChallengeKind::Http01, "a.example.org", "declined");
    assert_eq!(declining.present(&other, &Cancel::new()).unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn a_command_is_waited_for_as_an_update_is() {
    let world = World::new();
    let mut wish = world.wish(Convention::Dehydrated, "/bin/true", ChallengeKind::Dns01);
    wish.command = Command::new(["true"]);
    wish.propagation.limit = Duration::from_secs(1);
    let one = challenge(ChallengeKind::Dns01, "alias.example.org", "waited");
    let error = made(&SolverSpec::Command(wish.clone())).wait(&one, &Cancel::new()).unwrap_err();
    let told = format!("{}: NOERROR with another TXT record", world.bind.address);
    assert_eq!((error.kind(), error.fact("server")), (ErrorKind::Timeout, Some(told.as_str())));
    wish.propagation.limit = Duration::ZERO;
    made(&SolverSpec::Command(wish)).wait(&one, &Cancel::new()).unwrap();
    assert!(matches!(one.identifier(), Identifier::Dns(_)));
}
