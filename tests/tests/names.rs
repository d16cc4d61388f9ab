//! The name server of the test bed, asked and changed by the programs that people do it with: dig, host, nsupdate, and our own
//! solver.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::error::Error;
use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, UdpSocket};
use std::process::{Command, Output};
use std::time::Duration;

use certwright::{ErrorKind, Rfc2136, SolverSpec, TsigKey};
use certwright_testbed::{
    NameFault, NameServer, NameSettings, Occurrence, Operation, Questions, RecordKind, Settings, Testbed, Transport,
    UnsignedUpdates, Validation,
};
use certwright_tests::bed::{Bed, order};
use certwright_tests::process::run;
use certwright_tests::program::program;
use certwright_tests::scratch::Scratch;
use certwright_tests::servers::bind::dig;

type Outcome = Result<(), Box<dyn Error>>;

const LIMIT: Duration = Duration::from_secs(60);

fn bed(settings: NameSettings) -> certwright::Result<(Testbed, NameServer)> {
    let settings = Settings { dns: Some(settings), validation: Validation::Believed, ..Settings::default() };
    let bed = Testbed::with(settings)?;
    let names = bed.dns().cloned().unwrap();
    Ok((bed, names))
}

/// All that dig prints.
fn long_dig(names: &NameServer, arguments: &[&str]) -> io::Result<String> {
    let mut command = Command::new(program("dig"));
    command.arg(format!("@{}", names.address().ip())).args(["-p", &names.address().port().to_string()]);
    command.args(["+tries=1", "+time=1"]).args(arguments);
    let output = run(&mut command, LIMIT)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// nsupdate(1) with this key, `ALGORITHM:NAME:SECRET`, and this script.
fn nsupdate(names: &NameServer, key: Option<&str>, script: &str) -> io::Result<Output> {
    let scratch = Scratch::on_disk()?;
    let (ip, port) = (names.address().ip(), names.address().port());
    let file = scratch.join("script");
    std::fs::write(&file, format!("server {ip} {port}\n{script}\nsend\nanswer\n"))?;
    let mut command = Command::new(program("nsupdate"));
    command.args(["-t", "5", "-r", "0"]);
    if let Some(key) = key {
        command.args(["-y", key]);
    }
    run(command.arg(&file), LIMIT)
}

/// What nsupdate says about a refusal.
fn refused(names: &NameServer, key: Option<&str>, script: &str) -> io::Result<String> {
    let output = nsupdate(names, key, script)?;
    assert!(!output.status.success(), "{output:?}");
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}

fn taken(names: &NameServer, key: Option<&str>, script: &str) -> Outcome {
    let output = nsupdate(names, key, script)?;
    if output.status.success() { Ok(()) } else { Err(format!("{output:?}").into()) }
}

#[test]
fn dig_sees_what_was_set_and_loopback_elsewhere() -> Outcome {
    let (_bed, names) = bed(NameSettings::default())?;
    let ask = |name: &str, kind: &str| dig(names.address(), name, kind);
    assert_eq!(ask("any.example", "A")?, ["127.0.0.1"]);
    assert_eq!(ask("any.example", "AAAA")?, ["::1"]);
    assert_eq!(ask("any.example", "TXT")?, [""; 0]);
    let records = names.records();
    records.add("www.a.example", RecordKind::A, "192.0.2.1")?;
    records.add_text("_acme-challenge.a.example", "one \"two\" \\three")?;
    assert_eq!(ask("WWW.a.example", "A")?, ["192.0.2.1"]);
    assert_eq!(ask("www.a.example", "AAAA")?, [""; 0]);
    assert_eq!(ask("_acme-challenge.a.example", "TXT")?, [r#""one \"two\" \\three""#]);
    records.add("_acme-challenge.b.example", RecordKind::CNAME, "_acme-challenge.a.example.")?;
    assert_eq!(ask("_acme-challenge.b.example", "TXT")?.len(), 2);
    for (name, kind, data) in [
        ("a.example", "CAA", "0 issue \"ca.example; validationmethods=dns-01\""),
        ("a.example", "MX", "10 mx.a.example."),
        ("_acme._tcp.a.example", "SRV", "1 2 443 www.a.example."),
        ("1.2.0.192.in-addr.arpa", "PTR", "www.a.example."),
        ("_443._tcp.a.example", "TLSA", "3 1 1 D2ABDE240D7CD3EE6B4B28C54DF034B97983A1D16E8A410E4561CB10 6618E971"),
        ("a.example", "SSHFP", "4 2 D2ABDE240D7CD3EE6B4B28C54DF034B97983A1D16E8A410E4561CB10 6618E971"),
        ("a.example", "HTTPS", "1 . alpn=\"h2\""),
        ("odd\\.dot.a\\032b.example", "TYPE65280", "\\# 3 010203"),
    ] {
        records.add(name, kind.parse()?, data)?;
        assert_eq!(ask(name, kind)?, [data], "{name} {kind}");
    }
    Ok(())
}

#[test]
fn every_name_is_in_a_zone_that_clients_find() -> Outcome {
    let (_bed, names) = bed(NameSettings { zones: vec!["acme.zone.example".to_owned()], ..NameSettings::default() })?;
    // Below the apex there is no SOA record, and its absence names the apex.
    let answer = long_dig(&names, &["_acme-challenge.www.a.example.co.uk", "SOA"])?;
    assert!(answer.contains("status: NOERROR") && answer.contains("ANSWER: 0, AUTHORITY: 1"), "{answer}");
    assert!(answer.contains("flags: qr aa rd ra"), "{answer}");
    assert!(
        answer.contains("\nexample.co.uk.\t\t0\tIN\tSOA\tns.testbed.example. hostmaster.example.co.uk."),
        "{answer}"
    );
    assert_eq!(dig(names.address(), "example.co.uk", "SOA")?.len(), 1);
    assert_eq!(dig(names.address(), "example.co.uk", "NS")?, ["ns.testbed.example."]);
    assert_eq!(dig(names.address(), "ns.testbed.example", "A")?, [names.address().ip().to_string()]);
    assert_eq!(dig(names.address(), "ns.testbed.example", "AAAA")?, [""; 0]);
    let zone = long_dig(&names, &["x.acme.zone.example", "SOA"])?;
    assert!(zone.contains("\nacme.zone.example."), "{zone}");
    // nsupdate looks for the zone by itself.
    taken(&names, Some(names.tsig()), "update add _acme-challenge.www.a.example.co.uk 60 TXT found")?;
    assert_eq!(names.log().last().unwrap().name, "example.co.uk");
    assert_eq!(dig(names.address(), "_acme-challenge.www.a.example.co.uk", "TXT")?, ["\"found\""]);
    Ok(())
}

#[test]
fn a_name_without_records_does_not_exist_where_nothing_is_everywhere() -> Outcome {
    let (_bed, names) = bed(NameSettings { every: Vec::new(), ..NameSettings::default() })?;
    let records = names.records();
    records.add("a.b.zone.example", RecordKind::A, "192.0.2.1")?;
    records.add("*.wild.zone.example", RecordKind::TXT, "\"any\"")?;
    records.add("there.wild.zone.example", RecordKind::A, "192.0.2.2")?;
    for (name, kind, status, answers) in [
        ("none.zone.example", "A", "NXDOMAIN", 0),
        ("a.b.zone.example", "A", "NOERROR", 1),
        ("a.b.zone.example", "TXT", "NOERROR", 0),
        // An empty name between two that are there (RFC 8020).
        ("b.zone.example", "A", "NOERROR", 0),
        ("zone.example", "A", "NOERROR", 0),
        ("x.wild.zone.example", "TXT", "NOERROR", 1),
        ("x.y.wild.zone.example", "TXT", "NOERROR", 1),
        ("x.wild.zone.example", "A", "NOERROR", 0),
        ("there.wild.zone.example", "TXT", "NOERROR", 0),
        // The closest name that exists has no wildcard below it (RFC 4592 §2.2.1).
        ("x.there.wild.zone.example", "TXT", "NXDOMAIN", 0),
    ] {
        let answer = long_dig(&names, &[name, kind])?;
        let shown = format!("status: {status}");
        assert!(answer.contains(&shown) && answer.contains(&format!("ANSWER: {answers},")), "{name}: {answer}");
    }
    let mut host = Command::new(program("host"));
    host.args(["-p", &names.address().port().to_string(), "-t", "A", "a.b.zone.example"]);
    let output = run(host.arg(names.address().ip().to_string()), LIMIT)?;
    assert!(String::from_utf8_lossy(&output.stdout).contains("a.b.zone.example has address 192.0.2.1"), "{output:?}");
    Ok(())
}

#[test]
fn what_is_too_long_for_a_datagram_comes_by_tcp() -> Outcome {
    let (_bed, names) = bed(NameSettings::default())?;
    for number in 0..40 {
        names.records().add_text("long.example", &format!("{number:060}"))?;
    }
    let cut = long_dig(&names, &["+ignore", "+bufsize=4096", "long.example", "TXT"])?;
    assert!(cut.contains("flags: qr aa tc") && cut.contains("ANSWER: 0"), "{cut}");
    assert_eq!(dig(names.address(), "long.example", "TXT")?.len(), 40);
    let log = names.log();
    assert_eq!(log.last().unwrap().transport, Transport::Tcp);
    // As much as fits without EDNS, and with it.
    names.records().clear();
    for number in 0..8 {
        names.records().add_text("long.example", &format!("{number:060}"))?;
    }
    assert!(long_dig(&names, &["+ignore", "+noedns", "long.example", "TXT"])?.contains(" tc "));
    assert!(long_dig(&names, &["+ignore", "+bufsize=1232", "long.example", "TXT"])?.contains("ANSWER: 8"));
    // Every way to say nothing useful by TCP is survived.
    let mut stream = TcpStream::connect(names.address())?;
    stream.write_all(&[0, 0, 0, 5, 1, 2, 3, 4, 5])?;
    stream.shutdown(std::net::Shutdown::Write)?;
    assert_eq!(stream.read_to_end(&mut Vec::new())?, 0);
    let (version, class) = (
        long_dig(&names, &["+edns=1", "+noednsneg", "a.example", "A"])?,
        long_dig(&names, &["a.example", "CH", "TXT"])?,
    );
    assert!(version.contains("status: BADVERS") && class.contains("status: REFUSED"), "{version}{class}");
    let transfer = long_dig(&names, &["a.example", "AXFR"])?;
    assert!(transfer.contains("Transfer failed"), "{transfer}");
    let notify = long_dig(&names, &["+opcode=NOTIFY", "a.example", "SOA"])?;
    assert!(notify.contains("status: NOTIMP"), "{notify}");
    Ok(())
}

#[test]
fn the_case_of_a_question_comes_back_and_noise_is_named() -> Outcome {
    let (_bed, names) = bed(NameSettings::default())?;
    let answer = long_dig(&names, &["mIxEd.ExAmPlE", "A"])?;
    assert!(answer.contains(";mIxEd.ExAmPlE.\t") && answer.contains("\nmIxEd.ExAmPlE.\t\t60"), "{answer}");
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.set_read_timeout(Some(LIMIT))?;
    socket.connect(names.address())?;
    let mut buffer = [0; 512];
    // A header that promises a question which does not follow (RFC 1035 §4.1.1: format error).
    socket.send(&[0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
    let count = socket.recv(&mut buffer)?;
    assert_eq!(buffer.get(..count), Some(&[0xab, 0xcd, 0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0][..]));
    // What is too short, and what is an answer, is not answered: the next that is belongs to the next question.
    socket.send(&[1, 2, 3])?;
    socket.send(&[0xab, 0xce, 0x81, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
    socket.send(&[0xab, 0xcf, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0])?;
    let count = socket.recv(&mut buffer)?;
    assert_eq!((buffer.get(..2), count), (Some(&[0xab, 0xcf][..]), 12));
    Ok(())
}

#[test]
fn aliases_are_followed_and_circles_are_not() -> Outcome {
    let (_bed, names) = bed(NameSettings::default())?;
    let records = names.records();
    records.add("_acme-challenge.a.example", RecordKind::CNAME, "1234.auth.acme-dns.example.")?;
    records.add_text("1234.auth.acme-dns.example", "value")?;
    let answer = dig(names.address(), "_acme-challenge.a.example", "TXT")?;
    assert_eq!(answer, ["1234.auth.acme-dns.example.", "\"value\""]);
    assert_eq!(dig(names.address(), "_acme-challenge.a.example", "CNAME")?, ["1234.auth.acme-dns.example."]);
    records.add("one.example", RecordKind::CNAME, "two.example.")?;
    records.add("two.example", RecordKind::CNAME, "one.example.")?;
    assert!(long_dig(&names, &["one.example", "A"])?.contains("status: SERVFAIL"));
    records.add("*.wild.example", RecordKind::CNAME, "www.a.example.")?;
    assert_eq!(dig(names.address(), "x.wild.example", "A")?, ["www.a.example.", "127.0.0.1"]);
    Ok(())
}

#[test]
fn nsupdate_changes_what_its_key_may() -> Outcome {
    let (_bed, names) = bed(NameSettings::default())?;
    let key = Some(names.tsig());
    let texts = |name: &str| dig(names.address(), name, "TXT");
    taken(&names, key, "update add t.a.example 60 TXT one\nupdate add t.a.example 60 TXT two")?;
    assert_eq!(texts("t.a.example")?, ["\"one\"", "\"two\""]);
    // Of a change that was made before, nothing is made; nor of one that takes away what is not there.
    taken(&names, key, "update add t.a.example 60 TXT two\nupdate delete t.a.example TXT three")?;
    taken(&names, key, "update delete t.a.example TXT one")?;
    assert_eq!(texts("t.a.example")?, ["\"two\""]);
    taken(&names, key, "update delete t.a.example TXT\nupdate add t.a.example 60 A 192.0.2.1")?;
    assert_eq!(
        (texts("t.a.example")?.len(), dig(names.address(), "t.a.example", "A")?),
        (0, vec!["192.0.2.1".to_owned()])
    );
    taken(&names, key, "update delete t.a.example")?;
    assert!(names.records().all().is_empty());

    // Prerequisites (RFC 2136 §2.4), each met and not.
    taken(&names, key, "prereq nxdomain p.a.example\nupdate add p.a.example 60 TXT one")?;
    for (prerequisite, code) in [
        ("nxdomain p.a.example", "YXDOMAIN"),
        ("yxdomain q.a.example", "NXDOMAIN"),
        ("nxrrset p.a.example TXT", "YXRRSET"),
        ("yxrrset p.a.example MX", "NXRRSET"),
        ("yxrrset p.a.example TXT two", "NXRRSET"),
    ] {
        let said = refused(&names, key, &format!("prereq {prerequisite}\nupdate add p.a.example 60 TXT no"))?;
        assert!(said.contains(code), "{prerequisite}: {said}");
        assert_eq!(texts("p.a.example")?, ["\"one\""]);
    }
    for met in
        ["yxdomain p.a.example", "nxrrset p.a.example MX", "yxrrset p.a.example TXT", "yxrrset p.a.example TXT one"]
    {
        taken(&names, key, &format!("prereq {met}\nupdate add met.a.example 60 TXT yes"))?;
    }
    // Beside an alias there is nothing, and beside something no alias (RFC 2136 §3.4.2.2).
    taken(&names, key, "update add p.a.example 60 CNAME c.a.example")?;
    assert_eq!(texts("p.a.example")?, ["\"one\""]);
    taken(&names, key, "update add c.a.example 60 CNAME p.a.example")?;
    taken(&names, key, "update add c.a.example 60 TXT no\nupdate add c.a.example 60 CNAME other.a.example")?;
    assert_eq!(dig(names.address(), "c.a.example", "CNAME")?, ["other.a.example."]);
    Ok(())
}

#[test]
fn who_may_not_update_is_told_why() -> Outcome {
    let strong = "hmac-sha512:strong:c2VjcmV0LW9mLTUxMg==".to_owned();
    let key = "hmac-sha256:certwright:MDEyMzQ1Njc4OWFiY2RlZg==".to_owned();
    let (_bed, names) = bed(NameSettings { keys: vec![key.clone(), strong.clone()], ..NameSettings::default() })?;
    assert_eq!(names.tsig(), key);
    let change = "update add t.a.example 60 TXT one";
    for (other, code) in [
        ("hmac-sha256:stranger:MDEyMzQ1Njc4OWFiY2RlZg==", "BADKEY"),
        ("hmac-sha512:certwright:MDEyMzQ1Njc4OWFiY2RlZg==", "BADKEY"),
        ("hmac-sha256:certwright:d3Jvbmc=", "BADSIG"),
    ] {
        let said = refused(&names, Some(other), &format!("zone a.example\n{change}"))?;
        assert!(said.contains("NOTAUTH") && said.contains(code), "{code}: {said}");
    }
    let said = refused(&names, None, change)?;
    assert!(said.contains("REFUSED"), "{said}");
    // The clock: nsupdate is right, so the server is made to think that it is not.
    names.faults().on(Questions::updates(), Occurrence::First(1), NameFault::BadTime);
    let said = refused(&names, Some(&key), &format!("zone a.example\n{change}"))?;
    assert!(said.contains("NOTAUTH") && said.contains("BADTIME"), "{said}");
    // Zones: where one begins elsewhere, and what is not in it.
    let said = refused(&names, Some(&key), &format!("zone t.a.example\n{change}"))?;
    assert!(said.contains("NOTAUTH"), "{said}");
    let said = refused(&names, Some(&key), &format!("zone b.example\n{change}"))?;
    assert!(said.contains("NOTZONE"), "{said}");
    assert!(names.records().all().is_empty());
    // An answer with a signature that is wrong is not believed by nsupdate; the change was made.
    names.faults().on(Questions::updates(), Occurrence::First(1), NameFault::Forged);
    let said = refused(&names, Some(&strong), &format!("zone a.example\n{change}"))?;
    assert!(said.contains("expected a TSIG") || said.contains("TSIG"), "{said}");
    names.faults().clear();
    taken(&names, Some(&strong), "update add t.a.example 60 TXT two")?;
    assert_eq!(dig(names.address(), "t.a.example", "TXT")?.len(), 2);
    let entry = names.log().into_iter().rfind(|entry| entry.operation == Operation::Update).unwrap();
    assert_eq!(entry.key.as_deref(), Some("strong"));
    assert_eq!((entry.records, entry.code), (vec!["t.a.example. 60 TXT \"two\"".to_owned()], Some(0)));
    let settings = NameSettings { unsigned: UnsignedUpdates::Taken, ..NameSettings::default() };
    let (_bed, open) = bed(settings)?;
    taken(&open, None, change)?;
    assert_eq!(open.records().all().len(), 1);
    Ok(())
}

#[test]
fn faults_are_met_by_the_questions_that_they_are_for() -> Outcome {
    let (bed, names) = bed(NameSettings::default())?;
    let faults = names.faults();
    let about = |name: &str| Questions::all().about(name);
    faults.on(about("servfail.example"), Occurrence::Every, NameFault::SERVFAIL);
    faults.on(about("refused.example"), Occurrence::Every, NameFault::REFUSED);
    faults.on(about("nx.example"), Occurrence::Every, NameFault::NXDOMAIN);
    faults.on(about("nodata.example"), Occurrence::Every, NameFault::NoData);
    faults.on(about("silent.example").of(RecordKind::CAA), Occurrence::First(1), NameFault::Silent);
    faults.on(about("cut.example"), Occurrence::Every, NameFault::Truncated);
    faults.on(about("id.example"), Occurrence::Every, NameFault::WrongId);
    faults.on(about("half.example"), Occurrence::Every, NameFault::Malformed);
    faults.on(about("other.example"), Occurrence::Every, NameFault::WrongQuestion);
    faults.on(about("lame.example"), Occurrence::Every, NameFault::NotAuthoritative);
    faults.on(about("slow.example"), Occurrence::Every, NameFault::Delay(Duration::from_millis(50)));
    for (name, said) in [
        ("servfail.example", "status: SERVFAIL"),
        ("refused.example", "status: REFUSED"),
        ("nx.example", "status: NXDOMAIN"),
        ("nodata.example", "ANSWER: 0, AUTHORITY: 1"),
        ("id.example", "ID mismatch"),
        ("half.example", "malformed"),
        ("other.example", "Question section mismatch"),
        ("lame.example", "flags: qr rd ra;"),
        ("slow.example", "status: NOERROR"),
        ("silent.example", "status: NOERROR"),
    ] {
        let answer = long_dig(&names, &[name, "A"])?;
        assert!(answer.contains(said), "{name}: {answer}");
    }
    assert!(long_dig(&names, &["silent.example", "CAA"])?.contains("no servers could be reached"));
    assert!(long_dig(&names, &["silent.example", "CAA"])?.contains("status: NOERROR"));
    assert!(long_dig(&names, &["+ignore", "cut.example", "A"])?.contains("flags: qr aa tc"));
    assert_eq!(dig(names.address(), "cut.example", "A")?, ["127.0.0.1"]);

    // A change is seen late: by the number of questions, and by the clock of the world.
    let texts = |name: &str| dig(names.address(), name, "TXT");
    names.records().add_text("late.example", "old")?;
    assert_eq!(texts("late.example")?, ["\"old\""]);
    faults.on(about("late.example"), Occurrence::Every, NameFault::Late(2));
    names.records().remove_text("late.example", "old")?;
    names.records().add_text("late.example", "new")?;
    assert_eq!([texts("late.example")?, texts("late.example")?], [["\"old\""], ["\"old\""]]);
    assert_eq!(texts("late.example")?, ["\"new\""]);
    faults.clear();
    faults.on(about("later.example"), Occurrence::Every, NameFault::LateFor(Duration::from_secs(3_600)));
    names.records().add_text("later.example", "new")?;
    assert_eq!(texts("later.example")?, [""; 0]);
    bed.clock().advance(Duration::from_secs(3_600));
    assert_eq!(texts("later.example")?, ["\"new\""]);
    Ok(())
}

#[test]
fn a_file_of_records_is_followed() -> Outcome {
    let scratch = Scratch::on_disk()?;
    let file = scratch.join("records");
    std::fs::write(
        &file,
        "$ORIGIN a.example.\n$TTL 1h\n@ CAA 0 issue \"one.example\"\nwww 30 IN A 192.0.2.1\n   A 192.0.2.2\n",
    )?;
    let (_bed, names) = bed(NameSettings { file: Some(file.clone()), ..NameSettings::default() })?;
    names.records().add_text("told.example", "stays")?;
    assert_eq!(dig(names.address(), "www.a.example", "A")?, ["192.0.2.1", "192.0.2.2"]);
    assert!(long_dig(&names, &["a.example", "CAA"])?.contains("a.example.\t\t3600\tIN\tCAA\t0 issue \"one.example\""));
    std::fs::write(&file, "www.a.example. A 192.0.2.3\n")?;
    assert_eq!(dig(names.address(), "www.a.example", "A")?, ["192.0.2.3"]);
    // What cannot be read changes nothing.
    std::fs::write(&file, "www.a.example. A 192.0.2.4\nbroken")?;
    assert_eq!(dig(names.address(), "www.a.example", "A")?, ["192.0.2.3"]);
    std::fs::remove_file(&file)?;
    assert_eq!(dig(names.address(), "told.example", "TXT")?, ["\"stays\""]);
    let error = bed_error(NameSettings { file: Some(file), ..NameSettings::default() });
    assert_eq!(error.kind(), ErrorKind::Io);
    Ok(())
}

fn bed_error(settings: NameSettings) -> certwright::Error {
    bed(settings).map(drop).unwrap_err()
}

/// The whole of dns-01, both sides ours and nothing else: base name, wildcard and an alias into another zone; the name server
/// shows every change late.
#[test]
fn certificates_are_issued_by_records_in_our_own_name_server() -> Outcome {
    let bed = Bed::with(Settings::whole())?;
    let names = bed.server.dns().unwrap();
    names.faults().on(Questions::all().of(RecordKind::TXT), Occurrence::Every, NameFault::Late(2));
    names.records().add("_acme-challenge.alias.example", RecordKind::CNAME, "1234.auth.acme-dns.example.")?;
    let secret = bed.scratch.join("secret");
    let (_, value) = names.tsig().rsplit_once(':').unwrap();
    std::fs::write(&secret, value)?;
    std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    let mut updates = Rfc2136::new(names.address());
    updates.key = Some(TsigKey::new("certwright", &secret));
    updates.propagation.resolver = Some(names.address());
    updates.propagation.authoritative = vec![names.address()];
    updates.propagation.limit = LIMIT;
    let mut wish = bed.wish();
    wish.solvers = vec![SolverSpec::Rfc2136(updates)];
    let issued = order(&bed.client(wish.clone())?, &["www.example.co.uk", "*.www.example.co.uk", "alias.example"])?;
    assert!(issued.chain.leaf().covers(&"x.www.example.co.uk".parse()?));
    let zones: Vec<String> = names
        .log()
        .into_iter()
        .filter(|entry| entry.operation == Operation::Update && entry.code == Some(0))
        .map(|entry| entry.name)
        .collect();
    assert!(zones.contains(&"example.co.uk".to_owned()) && zones.contains(&"acme-dns.example".to_owned()), "{zones:?}");
    // Nothing is left but the alias.
    assert_eq!(names.records().all().len(), 1);

    // A name server that fails is named.
    names.faults().on(
        Questions::all().of(RecordKind::TXT).below("broken.example"),
        Occurrence::Every,
        NameFault::SERVFAIL,
    );
    let mut updates = Rfc2136::new(names.address());
    updates.key = Some(TsigKey::new("certwright", &secret));
    updates.propagation.resolver = Some(names.address());
    updates.propagation.limit = Duration::ZERO;
    wish.solvers = vec![SolverSpec::Rfc2136(updates)];
    let error = order(&bed.client(wish)?, &["broken.example"]).unwrap_err();
    assert_eq!((error.kind(), error.fact("problem")), (ErrorKind::ChallengeFailed, Some("dns")), "{error:#}");
    Ok(())
}
