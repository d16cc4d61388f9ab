//! Records that stay (dns-persist-01), at a real BIND: put there once, by updates and by a script; whole orders at the test
//! bed, which reads them by itself.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use certwright::{
    Cancel, Challenge, ChallengeKind, Clock, Command, CommandSolver, Convention, DnsPersist, ErrorKind, ManualClock,
    OsFilesystem, Propagation, Rfc2136, Solver, SolverSpec, SystemClock, TsigKey, solver,
};
use certwright_testbed::{Endpoint, Names, Real, Settings, Validation};
use certwright_tests::bed::{Bed, order};
use certwright_tests::conformance::solver::challenge;
use certwright_tests::servers::bind::{Bind, KEY, News, Zone};

use super::made;

const ORG: Zone<'_> = Zone {
    name: "example.org",
    records: "_validation-persist.alias CNAME alias.acme\n\
              _validation-persist TXT \"other.example; accounturi=https://other.example/1\"",
};
const OTHERS: &str = "other.example; accounturi=https://other.example/1";
const DAY: Duration = Duration::from_secs(86_400);

fn bind() -> Bind {
    Bind::primary(&[ORG], News::None).unwrap()
}

fn propagation(bind: &Bind) -> Propagation {
    let mut propagation = Propagation::default();
    propagation.resolver = Some(bind.address);
    propagation.authoritative = vec![bind.address];
    propagation.limit = Duration::from_secs(60);
    propagation
}

fn updates(bind: &Bind, lasts: Option<Duration>) -> SolverSpec {
    let mut wish = Rfc2136::new(bind.address);
    wish.key = Some(TsigKey::new(KEY, &bind.secret_file));
    wish.propagation = propagation(bind);
    let mut wish = DnsPersist::new(wish);
    wish.lasts = lasts;
    SolverSpec::DnsPersist(wish)
}

fn script(bind: &Bind) -> SolverSpec {
    let mut argv = vec!["/usr/bin/env".to_owned()];
    argv.extend(bind.variables());
    argv.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("hooks/lego-exec.sh").display().to_string());
    let mut wish = CommandSolver::new(Convention::Lego, Command::new(argv), vec![ChallengeKind::DnsPersist01]);
    wish.propagation = propagation(bind);
    SolverSpec::Command(wish)
}

fn answered(solver: &dyn Solver, challenge: &Challenge) {
    solver.present(challenge, &Cancel::new()).unwrap();
    solver.wait(challenge, &Cancel::new()).unwrap();
    solver.clean_up(challenge).unwrap();
}

fn serial(bind: &Bind) -> String {
    bind.ask("example.org", "SOA").unwrap().concat()
}

#[test]
fn a_record_is_put_there_once_and_stays() {
    for by in [|bind: &Bind| updates(bind, None), script] {
        let bind = bind();
        let one = challenge(ChallengeKind::DnsPersist01, "example.org", "one");
        let ours = "ca.example; accounturi=https://ca.example/account/one";
        let mut seen = Vec::new();
        for _ in 0..3 {
            answered(&*made(&by(&bind)), &one);
            assert_eq!(bind.texts("_validation-persist.example.org").unwrap(), [ours, OTHERS]);
            seen.push(serial(&bind));
        }
        // The zone was changed once.
        assert_eq!((&seen[1], &seen[2]), (&seen[0], &seen[0]));

        // A wildcard takes a record that says so; that one serves the name itself too.
        let below = challenge(ChallengeKind::DnsPersist01, "*.alias.example.org", "one");
        answered(&*made(&by(&bind)), &below);
        answered(&*made(&by(&bind)), &challenge(ChallengeKind::DnsPersist01, "alias.example.org", "one"));
        assert_eq!(bind.texts("alias.acme.example.org").unwrap(), [format!("{ours}; policy=wildcard")]);
        // Another account has a record of its own.
        answered(&*made(&by(&bind)), &challenge(ChallengeKind::DnsPersist01, "*.alias.example.org", "two"));
        assert_eq!(bind.texts("alias.acme.example.org").unwrap().len(), 2);
    }
}

#[test]
fn a_record_that_ends_is_written_anew_in_time_and_the_dead_one_goes() {
    let bind = bind();
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    let start = clock.now().unix();
    let solver = || solver(&updates(&bind, Some(100 * DAY)), Arc::new(OsFilesystem::new()), clock.clone()).unwrap();
    let one = challenge(ChallengeKind::DnsPersist01, "www.example.org", "one");
    let until = |day: i64| {
        format!("ca.example; accounturi=https://ca.example/account/one; persistUntil={}", start + day * 86_400)
    };
    // The clock is in the signature of an update as well (RFC 8945 §5.2.3): BIND takes five minutes.
    answered(&*solver(), &one);
    let record = "_validation-persist.www.example.org";
    assert_eq!(bind.texts(record).unwrap(), [until(100)]);
    answered(&*solver(), &one);
    assert_eq!(bind.texts(record).unwrap(), [until(100)]);
    // One by hand that has less than half of the time left, and one that is dead.
    for day in [100, 49, -1] {
        let verb = if day == 100 { "delete" } else { "add" };
        bind.update(&format!("{verb} {record}. 60 IN TXT \"{}\"", until(day))).unwrap();
    }
    answered(&*solver(), &one);
    let mut expected = vec![until(100), until(49)];
    expected.sort_unstable();
    assert_eq!(bind.texts(record).unwrap(), expected);
}

#[test]
fn a_record_may_be_longer_than_one_string() {
    let bind = bind();
    let account = format!("https://ca.example/account/{}", "x".repeat(600));
    let one = Challenge::lasting(&"www.example.org".parse().unwrap(), &["ca.example"], &account).unwrap();
    for _ in 0..2 {
        answered(&*made(&updates(&bind, None)), &one);
    }
    let [only] = bind.texts("_validation-persist.www.example.org").unwrap().try_into().unwrap();
    assert_eq!(only.replace("\" \"", ""), format!("ca.example; accounturi={account}"));
}

#[test]
fn what_hinders_it_is_told() {
    let bind = bind();
    let SolverSpec::DnsPersist(mut wish) = updates(&bind, None) else { unreachable!() };
    wish.updates.key = None;
    let solver = made(&SolverSpec::DnsPersist(wish));
    let one = challenge(ChallengeKind::DnsPersist01, "www.example.org", "one");
    let error = solver.present(&one, &Cancel::new()).unwrap_err();
    assert_eq!((error.kind(), error.fact("rcode")), (ErrorKind::ChallengeFailed, Some("REFUSED")));
    assert_eq!(error.fact("identifier"), Some("www.example.org"));
    let cancel = Cancel::new();
    cancel.cancel();
    assert_eq!(solver.present(&one, &cancel).unwrap_err().kind(), ErrorKind::Cancelled);
    for kind in ChallengeKind::WITH_TOKEN {
        let other = challenge(kind, "www.example.org", "other");
        assert_eq!(solver.present(&other, &Cancel::new()).unwrap_err().kind(), ErrorKind::Unsupported);
    }
}

fn bed(bind: &Bind, names: &[&str]) -> Bed {
    let real = Real { names: Names::Server(bind.address), ..Real::default() };
    let persistent = names.iter().map(|name| (*name).to_owned()).collect();
    Bed::with(Settings { validation: Validation::Real(real), persistent, ..Settings::default() }).unwrap()
}

#[test]
fn whole_orders_with_a_wildcard_change_the_zone_once() {
    for by in [|bind: &Bind| updates(bind, None), script] {
        let bind = bind();
        let bed = bed(&bind, &["bed.example", "bed.example.net"]);
        let mut wish = bed.wish();
        wish.solvers = vec![by(&bind)];
        let names = ["*.example.org", "example.org", "alias.example.org"];
        let issued = order(&bed.client(wish.clone()).unwrap(), &names).unwrap();
        assert!(names.iter().all(|name| issued.chain.leaf().covers(&name.parse().unwrap())));
        let changed = serial(&bind);
        let records = bind.texts("_validation-persist.example.org").unwrap();
        let account = bed.client(wish.clone()).unwrap().account(&Cancel::new()).unwrap().url;
        let wildcard = format!("bed.example; accounturi={account}; policy=wildcard");
        assert_eq!(records.iter().filter(|record| **record == wildcard).count(), 1, "{records:?}");
        // The next order finds everything as it has to be.
        order(&bed.client(wish).unwrap(), &names).unwrap();
        assert_eq!((serial(&bind), bind.texts("_validation-persist.example.org").unwrap()), (changed, records));
        let asked = bed.server.log();
        let count = |endpoint| asked.iter().filter(|request| request.endpoint == endpoint).count();
        // Nothing is fetched twice for what the client library does not know.
        assert_eq!(count(Endpoint::Authorization), 2 * names.len());
    }
}

#[test]
fn where_it_is_not_offered_the_next_solver_answers() {
    let bind = bind();
    let bed = bed(&bind, &[]);
    let mut wish = bed.wish();
    wish.solvers = vec![updates(&bind, None)];
    let error = order(&bed.client(wish.clone()).unwrap(), &["www.example.org"]).unwrap_err();
    assert_eq!((error.kind(), error.fact("configured")), (ErrorKind::ChallengeFailed, Some("dns-persist-01")));
    let SolverSpec::DnsPersist(DnsPersist { updates, .. }) = wish.solvers[0].clone() else { unreachable!() };
    wish.solvers.push(SolverSpec::Rfc2136(updates));
    order(&bed.client(wish).unwrap(), &["www.example.org"]).unwrap();
    assert!(bind.texts("_validation-persist.www.example.org").unwrap().is_empty());
}
