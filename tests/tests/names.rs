//! The name server of the test bed, asked by the programs that people ask name servers with.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::error::Error;

use certwright_testbed::{NameServer, NameSettings, RecordKind, Settings, Testbed};
use certwright_tests::servers::bind::dig;

type Outcome = Result<(), Box<dyn Error>>;

fn bed(settings: NameSettings) -> certwright::Result<(Testbed, NameServer)> {
    let bed = Testbed::with(Settings { dns: Some(settings), ..Settings::default() })?;
    let names = bed.dns().cloned().unwrap();
    Ok((bed, names))
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
    assert!(ask("_acme-challenge.b.example", "SOA")?.join(" ").contains("ns.testbed.example."));
    Ok(())
}
