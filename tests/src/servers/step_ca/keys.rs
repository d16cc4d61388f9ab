//! Roots, intermediates and the certificate of a machine, made by OpenSSL (openssl-ca(1)).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::openssl::printed;

/// What each kind of certificate may be used for (x509v3_config(5)).
const EXTENSIONS: &str = "
[req]
distinguished_name = name
prompt = no
[name]
[ca]
default_ca = ours
[ours]
database = HOME/index.txt
new_certs_dir = HOME
rand_serial = yes
default_md = sha256
unique_subject = no
policy = anything
[anything]
commonName = supplied
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[intermediate]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[holder]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
";

/// A certificate and its key, both PEM.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

pub(super) fn root(home: &Path, name: &str) -> io::Result<Pair> {
    made(home, name, "root", None)
}

pub(super) fn intermediate(home: &Path, name: &str, root: &Pair) -> io::Result<Pair> {
    made(home, name, "intermediate", Some(root))
}

/// Of a machine, straight below the root.
pub(super) fn holder(home: &Path, name: &str, root: &Pair) -> io::Result<Pair> {
    made(home, name, "holder", Some(root))
}

fn made(home: &Path, name: &str, kind: &str, issuer: Option<&Pair>) -> io::Result<Pair> {
    let config = home.join("openssl.cnf");
    let index = home.join("index.txt");
    fs::write(&index, "")?;
    fs::write(&config, EXTENSIONS.replace("HOME", &home.display().to_string()))?;
    let pair = Pair { certificate: home.join(format!("{name}.pem")), key: home.join(format!("{name}-key.pem")) };
    let request = home.join("request.pem");
    let word = |path: &Path| path.display().to_string();
    let subject = format!("/CN=step-ca of the tests, {name}");
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<String>>();
    let mut asking = words("req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256");
    asking.extend(["-config", &word(&config), "-subj", &subject].map(str::to_owned));
    asking.extend(["-keyout", &word(&pair.key), "-out", &word(&request)].map(str::to_owned));
    printed(asking)?;
    // From long ago: step-ca looks at what has ended as of a time at which the CA has to have been there.
    let mut signing = words("ca -batch -notext -startdate 20200101000000Z -enddate 20491231235959Z");
    signing.extend(["-config", &word(&config), "-extensions", kind].map(str::to_owned));
    signing.extend(["-in", &word(&request), "-out", &word(&pair.certificate)].map(str::to_owned));
    match issuer {
        Some(issuer) => {
            signing.extend(["-cert", &word(&issuer.certificate), "-keyfile", &word(&issuer.key)].map(str::to_owned))
        }
        None => signing.extend(["-selfsign", "-keyfile", &word(&pair.key)].map(str::to_owned)),
    }
    printed(signing)?;
    Ok(pair)
}

/// The SHA-256 of a certificate, in hexadecimal digits.
pub(super) fn fingerprint(certificate: &Path) -> io::Result<String> {
    let path = certificate.display().to_string();
    let text = printed(["x509", "-in", &path, "-noout", "-fingerprint", "-sha256"])?;
    let digits = text.split('=').nth(1).unwrap_or_default();
    Ok(digits.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_ascii_lowercase())
}

/// A file as JSON of Go has bytes.
pub(super) fn base64(file: &Path) -> io::Result<String> {
    let path = file.display().to_string();
    Ok(printed(["base64", "-A", "-in", &path])?.trim().to_owned())
}
