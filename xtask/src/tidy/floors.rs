//! The floors of the library and what may be named on them: the tables behind ARCHITECTURE.md.

/// Each module at the top of `core/src`, and its floor. A module imports lower floors only.
pub(super) const FLOORS: &[(&str, u8)] = &[
    ("ground", 0),
    ("pki", 1),
    ("plan", 2),
    ("place", 3),
    ("issue", 4),
    ("deploy", 5),
    ("lifecycle", 6),
    ("serve", 7),
];

/// Imports that go down and are refused all the same.
pub(super) const REFUSED: &[(&str, &str, &str)] =
    &[("deploy", "issue", "a deployment does not care where its material came from")];

/// Paths that are named in some modules only, and nowhere else.
pub(super) const KEPT_TO: &[(&str, &[&str])] = &[
    ("rcgen", &["pki"]),
    ("x509_parser", &["pki"]),
    ("webpki", &["pki"]),
    ("p12_keystore", &["pki"]),
    ("rsa", &["pki"]),
    ("aes_kw", &["pki"]),
    ("ring", &["pki"]),
    ("rustls", &["issue", "deploy", "serve"]),
    ("rustls_native_certs", &["place"]),
    ("tokio", &["issue"]),
    ("tokio_rustls", &["issue"]),
    ("hyper", &["issue"]),
    ("hyper_util", &["issue"]),
    ("instant_acme", &["issue"]),
    ("hickory_proto", &["issue"]),
    ("rustix", &["place"]),
    ("nix", &["place"]),
    ("rustix::net", &["place", "issue", "deploy"]),
    ("rustix::event", &["place", "issue", "deploy"]),
    ("rustix::io", &["place", "issue", "deploy"]),
    ("jiff", &["ground"]),
    ("idna", &["ground"]),
    ("toml", &["plan"]),
    ("schemars", &["plan"]),
    ("std::fs", &["place"]),
    ("std::process", &["place"]),
    ("std::os", &["place"]),
    ("std::os::fd", &["place", "issue", "deploy"]),
    ("std::env", &[]),
    ("std::time::SystemTime", &["place"]),
    ("std::time::Instant", &["place", "issue", "deploy", "lifecycle", "serve"]),
    ("std::thread::spawn", &["place", "issue", "deploy", "lifecycle"]),
    ("std::thread::scope", &["place", "issue", "deploy", "lifecycle"]),
    ("std::net::TcpStream", &["issue", "deploy"]),
    ("std::net::TcpListener", &["issue"]),
    ("std::net::UdpSocket", &["issue"]),
    ("std::net::ToSocketAddrs", &["issue", "deploy"]),
    ("std::os::unix::net", &["deploy"]),
];

/// The things between two arrows, the file of the arrow that makes each, and in how many places of that file it is made.
/// What is taken back after a crash is an `Activated` that no arrow made; it leaves its function as an error.
pub(super) const BOXES: &[(&str, &str, usize)] = &[
    ("Staged", "core/src/deploy/stage.rs", 1),
    ("Proven", "core/src/deploy/prove.rs", 1),
    ("Activated", "core/src/deploy/activate.rs", 2),
    ("Probed", "core/src/deploy/activate.rs", 1),
    ("Committed", "core/src/deploy/settle.rs", 1),
];

/// The floor of a top module; the façade `lib.rs` (no module) is above all of them.
pub(super) fn floor(module: Option<&str>) -> Option<u8> {
    let Some(name) = module else { return Some(u8::MAX) };
    FLOORS.iter().find(|(module, _)| *module == name).map(|(_, floor)| *floor)
}
