//! Issued, suggested, renewed; and what the gate says of what it issues as it is shipped.

#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use certwright::access::Names;
use certwright::report::{LineageReport, Outcome};
use certwright::{Builder, Certificate, Chain, Clock, Config, ManualClock, Selection, SystemClock, Timestamp};
use certwright_tests::namespace::in_world;
use certwright_tests::openssl::{Verify, x509};
use certwright_tests::scratch::Scratch;
use certwright_tests::servers::acme2certifier::{Acme2certifier, DAYS, Options, Subject};
use certwright_tests::servers::bind::{Bind, News, Zone};
use certwright_tests::until::until;
use serde_json::Value;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// A window of a day, from half of the life on; the usual time is when a third is left.
const HALF: Options = Options { subject: Subject::Named, share: 50, window: DAY, ask_again: HOUR };

/// The server, a name server that knows one name, and a lineage for it.
struct World {
    server: Acme2certifier,
    clock: Arc<ManualClock>,
    scratch: Scratch,
    _names: Bind,
}

impl World {
    fn new(options: Options) -> Self {
        let zone = Zone { name: "example.org", records: "www A 127.0.0.1" };
        let names = Bind::on_port_53(&[zone], News::None).unwrap();
        Self {
            server: Acme2certifier::start(options).unwrap(),
            clock: Arc::new(ManualClock::at(SystemClock.now().saturating_add(MINUTE))),
            scratch: Scratch::on_disk().unwrap(),
            _names: names,
        }
    }

    /// So long after the server's time.
    fn later(&self, span: Duration) {
        self.clock.set(SystemClock.now().saturating_add(span));
    }

    /// `apply` as a new process would.
    fn apply(&self, contact: &str) -> LineageReport {
        let text = format!(
            "version = 1\nroot = \"{}\"\n[issuer.foreign]\ntype = \"acme\"\ndirectory = \"{}\"\ntrust = \"{}\"\n\
             roots = \"{}\"\n{contact}\nsolver = {{ type = \"http-01\", listen = \"127.0.0.1:80\" }}\n\
             [lineage.www]\nidentifiers = [\"www.example.org\"]\nissuer = \"foreign\"\n",
            self.scratch.join("store").display(),
            self.server.directory,
            self.server.trust.display(),
            self.server.root.display(),
        );
        let config = Config::parse(&text, "certwright.toml".as_ref()).unwrap();
        let builder = Builder::new(config).clock(self.clock.clone()).names(Names::fixed(&[], &[]));
        let mut report = builder.build().unwrap().apply(&Selection::All, &certwright::Options::default()).unwrap();
        report.lineages.pop().unwrap()
    }

    fn well(&self) -> LineageReport {
        let report = self.apply(CONTACT);
        assert_eq!(report.outcome, Outcome::Well, "{report:?}\n{}", self.server.said());
        report
    }

    fn file(&self, name: &str) -> Vec<u8> {
        fs::read(self.scratch.join("store/www/current").join(name)).unwrap()
    }

    fn leaf(&self) -> Certificate {
        Chain::from_pem(&self.file("leaf.pem")).unwrap().leaf().clone()
    }

    /// The paths of the requests, and what was signed for new orders.
    fn asked(&self) -> (Vec<String>, Vec<Value>) {
        let requests = self.server.requests().unwrap();
        let path = |request: &Value| request["path"].as_str().unwrap().to_owned();
        let orders = requests.iter().filter(|request| path(request).ends_with("/neworders"));
        (requests.iter().map(path).collect(), orders.map(|order| order["signed"].clone()).collect())
    }
}

const CONTACT: &str = "contact = [\"mailto:ops@example.org\"]";

/// The name of the leaf in renewal information (RFC 9773 §4.1), by OpenSSL and Python's standard library alone.
fn certificate_id(leaf: &[u8]) -> String {
    let hex = |text: &str| text.chars().filter(char::is_ascii_hexdigit).collect::<String>();
    let serial = x509(leaf, &["-serial"]).unwrap();
    let serial = hex(serial.trim().rsplit('=').next().unwrap());
    // DER puts a zero before a serial number whose first bit is set.
    let serial = if serial.as_bytes()[0] >= b'8' { format!("00{serial}") } else { serial };
    let key = x509(leaf, &["-ext", "authorityKeyIdentifier"]).unwrap();
    let key = hex(key.lines().nth(1).unwrap().trim().trim_start_matches("keyid:"));
    let base64 = |hex: &str| {
        let mut command = std::process::Command::new("basenc");
        let scratch = Scratch::on_disk().unwrap();
        let bytes: Vec<u8> =
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        fs::write(scratch.join("bytes"), bytes).unwrap();
        command.args(["--base64url", "--wrap=0"]).arg(scratch.join("bytes"));
        let output = certwright_tests::process::run(&mut command, MINUTE).unwrap();
        String::from_utf8(output.stdout).unwrap().trim_end_matches('=').to_owned()
    };
    format!("{}.{}", base64(&key), base64(&serial))
}

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn what_it_suggests_is_honoured_and_the_renewal_says_what_it_replaces() {
    if !in_world("as_root::what_it_suggests_is_honoured_and_the_renewal_says_what_it_replaces").unwrap() {
        return;
    }
    let mut world = World::new(HALF);
    assert!(world.well().changed);
    let (first, pem) = (world.leaf(), world.file("leaf.pem"));
    let (roots, chain) = (fs::read(&world.server.root).unwrap(), world.file("chain.pem"));
    let verify = Verify { leaf: &pem, intermediates: &chain, roots: &roots, at: None, name: Some("www.example.org") };
    verify.as_server().unwrap();
    let (_, orders) = world.asked();
    assert_eq!((orders.len(), orders[0].get("replaces")), (1, None), "{orders:?}");

    // It is asked under the right name, and what it says is when the renewal is, days before the usual time.
    let kept = world.well();
    assert!(!kept.changed, "{kept:?}");
    let id = certificate_id(&pem);
    let question = format!("/acme/renewal-info/{id}");
    let (paths, _) = world.asked();
    assert!(paths.contains(&question), "{question} is not among {paths:?}");
    let said = world.server.renewal_information(&question).unwrap();
    let edge = |name: &str| moment(said["suggestedWindow"][name].as_str().unwrap());
    let renewal = moment(kept.renewal.as_deref().unwrap());
    assert!((edge("start")..=edge("end")).contains(&renewal), "{renewal} is not in {said}");
    let life = first.window().length();
    assert!(life >= DAY * (DAYS - 1), "{life:?}");
    assert!(renewal < first.window().start.saturating_add(life * 3 / 5), "{renewal} is the usual time");

    // Before its time it is not asked again, whatever it would say by now.
    let at_once = Options { share: 0, window: SECOND, ..HALF };
    world.server.restart(at_once).unwrap();
    world.later(MINUTE);
    let kept = world.well();
    assert!(!kept.changed && kept.renewal.as_deref().map(moment) == Some(renewal), "{kept:?}");
    assert_eq!(world.asked().0, [""; 0], "nobody was asked within the hour");

    // After it, the window is over, by the server's clock too: renewed at once, by an order that names what it replaces.
    let over = first.window().start.saturating_add(at_once.window + SECOND);
    let passed = || if SystemClock.now() > over { Ok(()) } else { Err(std::io::Error::other("not yet")) };
    until(MINUTE, "the suggested window is over", passed).unwrap();
    world.later(HOUR + MINUTE);
    let renewed = world.well();
    assert!(renewed.changed, "{renewed:?}");
    let (paths, orders) = world.asked();
    assert!(paths.contains(&question), "{paths:?}");
    assert_eq!(orders.len(), 1, "{orders:?}");
    assert_eq!(orders[0]["replaces"], Value::String(id.clone()), "{orders:?}");
    assert_ne!(world.leaf().serial(), first.serial());
    assert_ne!(certificate_id(&world.file("leaf.pem")), id);
}

#[test]
fn an_empty_subject_with_names_that_are_not_critical_does_not_pass_the_gate() {
    if !in_world("as_root::an_empty_subject_with_names_that_are_not_critical_does_not_pass_the_gate").unwrap() {
        return;
    }
    let mut world = World::new(Options { subject: Subject::Empty, ..HALF });
    let refused = world.apply(CONTACT);
    let error = refused.error.unwrap();
    assert_eq!((refused.outcome, error.kind), (Outcome::Failed, "unfit"), "{error:?}");
    let fact = |name: &str| error.context.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
    assert_eq!(fact("rule"), Some("RFC 5280 §4.2.1.6"), "{error:?}");
    assert!(error.hint.is_some());
    assert!(!world.scratch.join("store/www/current").exists(), "nothing is served that clients would refuse");

    // Told to name the subject, it issues what everybody takes.
    world.server.restart(HALF).unwrap();
    world.later(DAY);
    let report = world.apply(CONTACT);
    assert!(report.changed, "{report:?}");
}

#[test]
fn it_insists_on_a_contact_and_its_word_is_passed_on() {
    if !in_world("as_root::it_insists_on_a_contact_and_its_word_is_passed_on").unwrap() {
        return;
    }
    let world = World::new(HALF);
    let refused = world.apply("");
    let error = refused.error.unwrap();
    assert_eq!(refused.outcome, Outcome::Failed, "{error:?}");
    assert!(error.message.contains("Contact information is missing"), "{error:?}");
    assert!(error.hint.as_ref().is_some_and(|hint| hint.contains("`contact`")), "{error:?}");
    assert!(world.asked().1.is_empty(), "no order without an account");
}
