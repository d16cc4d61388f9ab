//! Answers in DNS by dynamic updates of a real BIND.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use certwright::{Cancel, ChallengeKind, Error, ErrorKind, Rfc2136, SolverSpec, TsigAlgorithm, TsigKey};
use certwright_tests::conformance::solver::{SameName, Stage, challenge, conforms};
use certwright_tests::namespace::in_network;
use certwright_tests::scratch::Scratch;
use certwright_tests::servers::bind::{Bind, KEY, News, POWERLESS, Zone, dig, place};

use super::{digests, made};

const ORG: Zone<'_> = Zone {
    name: "example.org",
    records: "www A 192.0.2.1\n_acme-challenge.alias CNAME alias.acme.example.net.\n\
              _acme-challenge.loop CNAME loop2\nloop2 CNAME _acme-challenge.loop",
};
const NET: Zone<'_> = Zone { name: "acme.example.net", records: "" };

fn bind() -> Bind {
    Bind::primary(&[ORG, NET], News::None).unwrap()
}

fn wish(bind: &Bind) -> Rfc2136 {
    let mut wish = Rfc2136::new(bind.address);
    wish.key = Some(TsigKey::new(KEY, &bind.secret_file));
    wish.propagation.resolver = Some(bind.address);
    wish.propagation.authoritative = vec![bind.address];
    wish.propagation.limit = Duration::from_secs(60);
    wish
}

fn with(bind: &Bind, change: impl FnOnce(&mut Rfc2136)) -> Rfc2136 {
    let mut wish = wish(bind);
    change(&mut wish);
    wish
}

fn refused(wish: Rfc2136, name: &str) -> Error {
    let one = challenge(ChallengeKind::Dns01, name, "refused");
    let solver = made(&SolverSpec::Rfc2136(wish));
    let error = solver.present(&one, &Cancel::new()).unwrap_err();
    assert!(error.hint_text().is_some(), "{error:?}");
    assert_eq!(error.fact("identifier"), Some(name));
    let (_, value) = digests(&one);
    let shown = format!("{error:#} {error:?}");
    assert!(!shown.contains(one.token()) && !shown.contains(&value), "{shown}");
    error
}

#[test]
fn updates_conform() {
    let bind = bind();
    conforms(&Stage {
        solver: &|| made(&SolverSpec::Rfc2136(wish(&bind))),
        kind: ChallengeKind::Dns01,
        seen: &|challenge| {
            let texts = bind.texts(&format!("_acme-challenge.{}", challenge.identifier())).unwrap();
            texts.contains(&digests(challenge).1)
        },
        same_name: SameName::Together,
        outlives: true,
    });
    assert!(bind.texts("_acme-challenge.a.example.org").unwrap().is_empty());
}

#[test]
fn values_of_others_stay() {
    let bind = bind();
    let record = "_acme-challenge.www.example.org";
    bind.update(&format!("add {record}. 60 IN TXT \"of somebody else\"")).unwrap();
    let solver = made(&SolverSpec::Rfc2136(wish(&bind)));
    // A wildcard and its base name share one record name.
    let (one, two) = (
        challenge(ChallengeKind::Dns01, "www.example.org", "base"),
        challenge(ChallengeKind::Dns01, "*.www.example.org", "star"),
    );
    for each in [&one, &two] {
        solver.present(each, &Cancel::new()).unwrap();
    }
    let mut expected = vec![digests(&one).1, digests(&two).1, "of somebody else".to_owned()];
    expected.sort_unstable();
    assert_eq!(bind.texts(record).unwrap(), expected);
    solver.clean_up(&one).unwrap();
    solver.wait(&two, &Cancel::new()).unwrap();
    // The value of the other order, which is as long, is not taken for ours.
    let hurried = made(&SolverSpec::Rfc2136(with(&bind, |wish| wish.propagation.limit = Duration::from_secs(1))));
    let told = format!("{}: NOERROR with 2 other TXT records", bind.address);
    assert_eq!(hurried.wait(&one, &Cancel::new()).unwrap_err().fact("server"), Some(told.as_str()));
    solver.clean_up(&two).unwrap();
    assert_eq!(bind.texts(record).unwrap(), ["of somebody else"]);
}

#[test]
fn an_alias_is_followed_into_the_zone_that_is_made_for_it() {
    let bind = bind();
    for zone in [None, Some("acme.example.net".to_owned())] {
        let solver = made(&SolverSpec::Rfc2136(with(&bind, |wish| wish.zone = zone)));
        let one = challenge(ChallengeKind::Dns01, "alias.example.org", "alias");
        solver.present(&one, &Cancel::new()).unwrap();
        solver.wait(&one, &Cancel::new()).unwrap();
        assert_eq!(bind.texts("alias.acme.example.net").unwrap(), [digests(&one).1]);
        solver.clean_up(&one).unwrap();
        assert!(bind.texts("alias.acme.example.net").unwrap().is_empty());
    }
    let error = refused(with(&bind, |wish| wish.zone = Some("acme.example.net".to_owned())), "www.example.org");
    assert_eq!(
        (error.kind(), error.fact("record")),
        (ErrorKind::InvalidSpec, Some("_acme-challenge.www.example.org."))
    );
    let error = refused(wish(&bind), "loop.example.org");
    assert_eq!((error.kind(), error.fact("record")), (ErrorKind::Protocol, Some("_acme-challenge.loop.example.org.")));
}

#[test]
fn a_server_that_refuses_is_told_with_its_reason() {
    let bind = bind();
    let keyed = |change: &dyn Fn(&mut TsigKey)| with(&bind, |wish| wish.key.iter_mut().for_each(change));
    let error = refused(keyed(&|key| key.name = "no_such_key".to_owned()), "www.example.org");
    assert_eq!((error.kind(), error.fact("says")), (ErrorKind::ChallengeFailed, Some("BADKEY")));
    let other = Scratch::on_disk().unwrap();
    let wrong = secret(&other, "d3Jvbmc=\n", 0o600);
    let error = refused(keyed(&|key| key.secret_file.clone_from(&wrong)), "www.example.org");
    assert_eq!((error.kind(), error.fact("says")), (ErrorKind::ChallengeFailed, Some("BADSIG")));
    let error = refused(keyed(&|key| key.algorithm = TsigAlgorithm::HmacSha512), "www.example.org");
    assert_eq!((error.kind(), error.fact("says")), (ErrorKind::ChallengeFailed, Some("BADKEY")));
    let error = refused(keyed(&|key| key.name = POWERLESS.to_owned()), "www.example.org");
    assert_eq!((error.kind(), error.fact("rcode")), (ErrorKind::ChallengeFailed, Some("REFUSED")));
    let error = refused(with(&bind, |wish| wish.key = None), "www.example.org");
    assert_eq!((error.kind(), error.fact("rcode")), (ErrorKind::ChallengeFailed, Some("REFUSED")));
    let error = refused(with(&bind, |wish| wish.zone = Some("org".to_owned())), "www.example.org");
    assert_eq!((error.kind(), error.fact("rcode")), (ErrorKind::ChallengeFailed, Some("NOTAUTH")));

    // What is wrong with the file of the key.
    let open = secret(&other, "c2VjcmV0\n", 0o644);
    let error = refused(keyed(&|key| key.secret_file.clone_from(&open)), "www.example.org");
    assert_eq!((error.kind(), error.fact("path")), (ErrorKind::Permission, open.to_str()));
    let odd = secret(&other, "secret \"c2VjcmV0\";\n", 0o600);
    let error = refused(keyed(&|key| key.secret_file.clone_from(&odd)), "www.example.org");
    assert_eq!((error.kind(), error.fact("path")), (ErrorKind::InvalidSpec, odd.to_str()));
    assert!(!format!("{error:#} {error:?}").contains("c2VjcmV0"));

    // A name that no zone here is about: the resolver says so.
    let error = refused(wish(&bind), "www.example.com");
    assert_eq!(error.kind(), ErrorKind::Network);
    assert_eq!(error.fact("resolver"), Some(format!("{}: REFUSED", bind.address).as_str()));
    assert!(bind.texts("_acme-challenge.www.example.org").unwrap().is_empty());
}

fn secret(scratch: &Scratch, content: &str, mode: u32) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = scratch.join(format!("secret-{mode:o}-{}", content.len()));
    std::fs::write(&path, content).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    path
}

#[test]
fn waiting_ends_when_the_last_server_shows_it() {
    let slow = place().unwrap();
    let bind = Bind::primary(&[ORG], News::Late(slow)).unwrap();
    let _follower = Bind::follower(slow, &bind, &["example.org"]).unwrap();
    let mut wish = wish(&bind);
    wish.propagation.authoritative = vec![bind.address, slow];
    let solver = made(&SolverSpec::Rfc2136(wish));
    let one = challenge(ChallengeKind::Dns01, "www.example.org", "late");
    solver.present(&one, &Cancel::new()).unwrap();
    solver.wait(&one, &Cancel::new()).unwrap();
    assert_eq!(dig(slow, "_acme-challenge.www.example.org", "TXT").unwrap(), [format!("\"{}\"", digests(&one).1)]);
    solver.clean_up(&one).unwrap();
}

#[test]
fn servers_that_do_not_show_it_are_named_with_what_they_say() {
    let stale = place().unwrap();
    let bind = Bind::primary(&[ORG], News::None).unwrap();
    let _follower = Bind::follower(stale, &bind, &["example.org"]).unwrap();
    let foreign = Bind::primary(&[NET], News::None).unwrap();
    let nobody = place().unwrap();
    let mute = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut wish = wish(&bind);
    wish.propagation.authoritative = vec![bind.address, stale, foreign.address, nobody, mute.local_addr().unwrap()];
    wish.propagation.limit = Duration::from_secs(1);
    let solver = made(&SolverSpec::Rfc2136(wish));
    let one = challenge(ChallengeKind::Dns01, "www.example.org", "late");
    solver.present(&one, &Cancel::new()).unwrap();
    let error = solver.wait(&one, &Cancel::new()).unwrap_err();
    assert_eq!((error.kind(), error.fact("record")), (ErrorKind::Timeout, Some("_acme-challenge.www.example.org.")));
    let servers: Vec<&str> = error.facts().filter(|(name, _)| *name == "server").map(|(_, value)| value).collect();
    let expected = [
        format!("{stale}: NXDOMAIN"),
        format!("{}: REFUSED", foreign.address),
        format!("{nobody}: the name server cannot be asked"),
        format!("{}: the name server did not answer", mute.local_addr().unwrap()),
    ];
    assert_eq!(servers, expected, "{error:#}");
    solver.clean_up(&one).unwrap();
}

#[test]
fn servers_are_found_by_the_zone_where_none_is_named() {
    if !in_network("updates::servers_are_found_by_the_zone_where_none_is_named").unwrap() {
        return;
    }
    let bind = Bind::on_port_53(&[ORG, NET], News::None).unwrap();
    let found = with(&bind, |wish| wish.propagation.authoritative = Vec::new());
    let solver = made(&SolverSpec::Rfc2136(found));
    let one = challenge(ChallengeKind::Dns01, "alias.example.org", "found");
    solver.present(&one, &Cancel::new()).unwrap();
    solver.wait(&one, &Cancel::new()).unwrap();
    bind.update(&format!("delete alias.acme.example.net. TXT \"{}\"", digests(&one).1)).unwrap();
    let hurried = with(&bind, |wish| {
        wish.propagation.authoritative = Vec::new();
        wish.propagation.limit = Duration::from_secs(1);
    });
    let error = made(&SolverSpec::Rfc2136(hurried)).wait(&one, &Cancel::new()).unwrap_err();
    assert_eq!(error.fact("server"), Some(format!("ns.acme.example.net. ({}): NXDOMAIN", bind.address).as_str()));
    solver.clean_up(&one).unwrap();
}

#[test]
fn answers_that_do_not_fit_into_a_packet_come_over_tcp() {
    let bind = bind();
    let record = "_acme-challenge.www.example.org";
    for number in 0..12 {
        bind.update(&format!("add {record}. 60 IN TXT \"{number:0>200}\"")).unwrap();
    }
    let solver = made(&SolverSpec::Rfc2136(wish(&bind)));
    let one = challenge(ChallengeKind::Dns01, "www.example.org", "big");
    solver.present(&one, &Cancel::new()).unwrap();
    solver.wait(&one, &Cancel::new()).unwrap();
    assert_eq!(bind.texts(record).unwrap().len(), 13);
    solver.clean_up(&one).unwrap();
    assert_eq!(bind.texts(record).unwrap().len(), 12);
}

#[test]
fn a_server_that_does_not_answer_is_given_up_and_named() {
    let bind = bind();
    // An address of its own, so that both ports of this number are free.
    let address: SocketAddr = certwright_tests::ports::own().unwrap();
    let (mute, _listener) = (UdpSocket::bind(address).unwrap(), TcpListener::bind(address).unwrap());
    let cancel = Cancel::new();
    let solver = made(&SolverSpec::Rfc2136(with(&bind, |wish| wish.server = address)));
    let one = challenge(ChallengeKind::Dns01, "www.example.org", "mute");
    let error = std::thread::scope(|scope| {
        let presenting = scope.spawn(|| solver.present(&one, &cancel).unwrap_err());
        // The question has come: it is being waited for.
        mute.recv(&mut [0; 512]).unwrap();
        cancel.cancel();
        presenting.join().unwrap()
    });
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    let error = refused(with(&bind, |wish| wish.propagation.resolver = Some(address)), "www.example.org");
    let told = format!("{address}: the name server did not answer");
    assert_eq!((error.kind(), error.fact("resolver")), (ErrorKind::Network, Some(told.as_str())));
    assert!(Path::new(&bind.secret_file).exists());
}

#[test]
fn an_answer_that_is_not_signed_is_not_believed() {
    let bind = bind();
    let forger = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = forger.local_addr().unwrap();
    let solver = made(&SolverSpec::Rfc2136(with(&bind, |wish| wish.server = address)));
    let one = challenge(ChallengeKind::Dns01, "www.example.org", "forged");
    let over = AtomicBool::new(false);
    forger.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let error = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut message = [0; 1024];
            while !over.load(Ordering::Relaxed) {
                let Ok((length, from)) = forger.recv_from(&mut message) else { continue };
                // The header of the question as an answer that says NOERROR, with no section at all.
                let mut answer = message[..length.min(12)].to_vec();
                answer[2] |= 0x80;
                answer[3] = 0;
                answer[4..].fill(0);
                forger.send_to(&answer, from).unwrap();
                // And the question itself, mirrored: signed, but as a question.
                message[2] |= 0x80;
                forger.send_to(&message[..length], from).unwrap();
            }
        });
        let presented = solver.present(&one, &Cancel::new());
        over.store(true, Ordering::Relaxed);
        presented
    });
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Untrusted, "{error:#}");
    assert!(bind.texts("_acme-challenge.www.example.org").unwrap().is_empty());
}
