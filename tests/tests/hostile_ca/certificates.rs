//! Certificates that are not those that were ordered never replace those that are there.

use certwright::{
    Builder, Chain, Clock, Config, IssuerSpec, Lifecycle, LineageName, OsFilesystem, Selection, Spec, SystemClock,
    Window,
};
use certwright_testbed::Substitute;
use certwright_tests::openssl::x509;

use super::*;

const DAY: Duration = Duration::from_secs(86_400);

/// A lineage that has its first certificate, and what is wished of it by configuration.
struct Running {
    bed: Bed,
    config: Config,
}

impl Running {
    fn new() -> Self {
        let bed = Bed::believing().unwrap();
        let mut config = Config::new(bed.scratch.join("store"));
        config.issuers.insert("public".parse().unwrap(), IssuerSpec::Acme(Box::new(bed.wish())));
        let mut running = Self { bed, config };
        running.wish(&["a.example"]);
        assert!(running.apply().error.is_none());
        running
    }

    fn wish(&mut self, names: &[&str]) {
        let name: LineageName = "www".parse().unwrap();
        let names = names.iter().map(|name| name.parse().unwrap()).collect();
        let mut spec = Spec::new(name.clone(), certwright::Sans::new(names).unwrap());
        spec.issuers = vec!["public".parse().unwrap()];
        self.config.lineages.insert(name, spec);
    }

    fn lifecycle(&self) -> Lifecycle {
        let files = Arc::new(OsFilesystem::new());
        let solver = Arc::new(Idle::default());
        let name = "public".parse().unwrap();
        let client =
            AcmeClient::new(name, self.bed.wish(), vec![solver], files, &self.config.root, Arc::new(SystemClock));
        Builder::new(self.config.clone()).issuer(Arc::new(client)).build().unwrap()
    }

    fn apply(&self) -> certwright::report::LineageReport {
        let report = self.lifecycle().apply(&Selection::All, &certwright::Options::default()).unwrap();
        report.lineages.into_iter().next().unwrap()
    }

    fn file(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.config.root.join("www/current").join(name)).unwrap()
    }
}

fn windows() -> [Window; 2] {
    let now = SystemClock.now();
    [
        Window::new(now.saturating_sub(30 * DAY), now.saturating_sub(DAY)),
        Window::new(now.saturating_add(2 * DAY), now.saturating_add(30 * DAY)),
    ]
}

#[test]
fn what_was_not_ordered_is_refused_and_the_old_one_stays() {
    let [past, future] = windows();
    let substitutes = [
        Substitute::WrongKey,
        Substitute::Names(vec!["a.example".to_owned()]),
        Substitute::Names(vec!["a.example".to_owned(), "b.example".to_owned(), "evil.example".to_owned()]),
        Substitute::Names(vec!["*.b.example".to_owned()]),
        Substitute::Window(past),
        Substitute::Window(future),
        Substitute::Stranger,
    ];
    for substitute in substitutes {
        let mut running = Running::new();
        let before = ["fullchain.pem", "key.pem"].map(|name| running.file(name));
        running.wish(&["a.example", "b.example"]);
        running.bed.server.faults().on(
            Endpoint::Certificate,
            Occurrence::Every,
            Fault::Certificate(substitute.clone()),
        );
        let report = running.apply();
        let error = report.error.unwrap_or_else(|| panic!("{substitute:?} was taken"));
        assert!(matches!(error.kind, "unfit" | "untrusted" | "protocol" | "unsupported"), "{substitute:?}: {error:?}");
        assert_eq!(["fullchain.pem", "key.pem"].map(|name| running.file(name)), before, "{substitute:?}");
    }
}

/// What the gate says of two that a CA may well make for the right key and names; OpenSSL reads what they are.
#[test]
fn a_wrong_purpose_and_a_short_key_are_named_and_the_old_one_stays() {
    let cases = [
        (Substitute::ForClients, "unfit", "extended_key_usage", "clientAuth", "TLS Web Client Authentication"),
        (Substitute::ShortKey, "untrusted", "bits", "1024", "Public-Key: (1024 bit)"),
    ];
    for (substitute, kind, fact, value, read) in cases {
        let mut running = Running::new();
        let before = ["fullchain.pem", "key.pem"].map(|name| running.file(name));
        running.wish(&["a.example", "b.example"]);
        let fault = Fault::Certificate(substitute.clone());
        running.bed.server.faults().on(Endpoint::Certificate, Occurrence::Every, fault);
        let error = running.apply().error.unwrap_or_else(|| panic!("{substitute:?} was taken"));
        assert_eq!(error.kind, kind, "{substitute:?}: {error:?}");
        let told = error.context.iter().find(|(name, _)| *name == fact).map(|(_, told)| told.as_str());
        assert_eq!(told, Some(value), "{substitute:?}: {error:?}");
        assert_eq!(["fullchain.pem", "key.pem"].map(|name| running.file(name)), before, "{substitute:?}");

        let sent = running.bed.server.log().into_iter().rfind(|entry| entry.endpoint == Endpoint::Certificate).unwrap();
        let pems = sent.answer.split_inclusive("-----END CERTIFICATE-----\n");
        let shown = |pem: &str| x509(pem.as_bytes(), &["-text"]).unwrap();
        assert!(pems.into_iter().any(|pem| shown(pem).contains(read)), "{substitute:?}: {}", sent.answer);
    }
}

#[test]
fn chains_out_of_order_are_put_in_order_or_refused() {
    for substitute in [Substitute::Reversed, Substitute::WithRoot, Substitute::NoChain] {
        let mut running = Running::new();
        let before = running.file("fullchain.pem");
        running.wish(&["a.example", "b.example"]);
        running.bed.server.faults().on(
            Endpoint::Certificate,
            Occurrence::Every,
            Fault::Certificate(substitute.clone()),
        );
        let report = running.apply();
        let after = running.file("fullchain.pem");
        match report.error {
            Some(error) => {
                assert!(matches!(error.kind, "unfit" | "untrusted" | "protocol"), "{substitute:?}: {error:?}");
                assert_eq!(after, before);
            }
            None => {
                let chain = Chain::from_pem(&after).unwrap();
                let leaf = running.bed.server.issued().pop().unwrap();
                assert_eq!(chain.leaf(), &leaf, "{substitute:?}");
                let intermediates = chain.intermediates().len();
                assert_eq!(intermediates, usize::from(substitute != Substitute::NoChain), "{substitute:?}");
                assert!(after.starts_with(b"-----BEGIN CERTIFICATE-----\n"));
            }
        }
    }
}
