//! The variables that a command finds: our own, and those by which the common clients are told whom to trust.

use std::ffi::OsString;

use crate::harness::files::Files;
use crate::testbed::Testbed;

/// What leads out of a network that has no outside.
pub(super) const PROXIES: [&str; 6] =
    ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];

pub(super) fn variables(bed: &Testbed, files: &Files, http_port: u16, tls_port: u16) -> Vec<(&'static str, OsString)> {
    let (ca, trust) = (files.ca().into_os_string(), files.trust().into_os_string());
    let text = |text: &str| OsString::from(text);
    let mut variables = vec![
        ("ACME_DIRECTORY", text(bed.directory())),
        ("ACME_CA_FILE", ca.clone()),
        ("ACME_ROOT_FILE", files.roots().into_os_string()),
        ("ACME_HTTP_PORT", text(&http_port.to_string())),
        ("ACME_TLS_PORT", text(&tls_port.to_string())),
        // lego takes its server from here since 4.20, and trusts these beside the system's.
        ("LEGO_SERVER", text(bed.directory())),
        ("LEGO_CA_CERTIFICATES", ca.clone()),
        // These add to what is trusted.
        ("NODE_EXTRA_CA_CERTS", ca.clone()),
        ("STEP_CA_ROOTS", ca),
        // These stand in its place, so the file has what the system trusts as well.
        ("SSL_CERT_FILE", trust.clone()),
        ("CURL_CA_BUNDLE", trust.clone()),
        ("REQUESTS_CA_BUNDLE", trust.clone()),
        ("GIT_SSL_CAINFO", trust.clone()),
        ("AWS_CA_BUNDLE", trust),
    ];
    if let Some(names) = bed.dns() {
        variables.push(("ACME_DNS", text(&names.address().to_string())));
        variables.push(("ACME_TSIG", text(names.tsig())));
    }
    if let Some(management) = bed.management() {
        variables.push(("ACME_MANAGEMENT", text(&format!("http://{management}"))));
    }
    variables
}
