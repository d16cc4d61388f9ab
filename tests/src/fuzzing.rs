//! What the fuzzer feeds, and what must hold for any input. The same functions replay the corpus in the ordinary tests.
//!
//! Each takes bytes from a stranger, must not panic, hang or grow, and asserts what is true of everything accepted.

mod acl;
mod acme;
mod certificates;
mod identifiers;
mod inspect;
mod names;
mod spec;
mod state;
mod step_ca;
mod testbed;

pub use acl::acl;
pub use acme::{acme_answers, acme_headers, acme_payloads, acme_requests};
pub use certificates::{bundle, certificate, pem_chain, private_key};
pub use identifiers::identifiers;
pub use inspect::{inspect, pkcs12};
pub use names::names;
pub use spec::spec;
pub use state::{journal, limits, manifest, order, schedule, txn};
pub use step_ca::step_ca_answers;
pub use testbed::{dns_messages, management};

/// One entry point: the name of its file in `fuzz/fuzz_targets/` and of its folder in `fuzz/corpus/`.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// What it does with an input.
    pub run: fn(&[u8]),
}

/// Every entry point.
pub const TARGETS: &[Target] = &[
    Target { name: "acl", run: acl },
    Target { name: "acme_answers", run: acme_answers },
    Target { name: "acme_headers", run: acme_headers },
    Target { name: "acme_payloads", run: acme_payloads },
    Target { name: "acme_requests", run: acme_requests },
    Target { name: "bundle", run: bundle },
    Target { name: "certificate", run: certificate },
    Target { name: "dns_messages", run: dns_messages },
    Target { name: "identifiers", run: identifiers },
    Target { name: "inspect", run: inspect },
    Target { name: "journal", run: journal },
    Target { name: "limits", run: limits },
    Target { name: "management", run: management },
    Target { name: "manifest", run: manifest },
    Target { name: "names", run: names },
    Target { name: "order", run: order },
    Target { name: "pem_chain", run: pem_chain },
    Target { name: "pkcs12", run: pkcs12 },
    Target { name: "private_key", run: private_key },
    Target { name: "schedule", run: schedule },
    Target { name: "spec", run: spec },
    Target { name: "step_ca_answers", run: step_ca_answers },
    Target { name: "txn", run: txn },
];
