//! A second opinion on keys and certificates: the openssl program. Missing, it is a failed set-up.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use crate::process::run;
use crate::program::program;
use crate::scratch::Scratch;

const LIMIT: Duration = Duration::from_secs(60);

/// Runs it, whatever it answers.
///
/// # Errors
///
/// When it cannot be run to its end.
pub fn openssl<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> io::Result<Output> {
    run(Command::new(program("openssl")).args(arguments), LIMIT)
}

/// Runs it and gives what it printed.
///
/// # Errors
///
/// What it complained about, when it refused.
pub fn printed<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> io::Result<String> {
    let output = openssl(arguments)?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::new(io::ErrorKind::InvalidData, format!("openssl refused: {text}{said}")))
}

/// A question about a chain of PEM certificates.
#[derive(Clone, Copy, Debug)]
pub struct Verify<'a> {
    /// The end-entity certificate.
    pub leaf: &'a [u8],
    /// Those between it and the root, in any order; may be empty.
    pub intermediates: &'a [u8],
    /// The trusted ones.
    pub roots: &'a [u8],
    /// Seconds since 1970; `None` for now.
    pub at: Option<i64>,
    /// A DNS name that must be in it.
    pub name: Option<&'a str>,
}

impl Verify<'_> {
    /// Whether it would be accepted as a TLS server, with strict checks of RFC 5280.
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn as_server(&self) -> io::Result<()> {
        let files = Files::new()?;
        let mut arguments: Vec<String> =
            ["verify", "-x509_strict", "-purpose", "sslserver", "-no-CApath", "-no-CAstore"]
                .map(str::to_owned)
                .to_vec();
        arguments.extend(["-CAfile".to_owned(), files.put("roots.pem", self.roots)?]);
        if !self.intermediates.is_empty() {
            arguments.extend(["-untrusted".to_owned(), files.put("intermediates.pem", self.intermediates)?]);
        }
        if let Some(at) = self.at {
            arguments.extend(["-attime".to_owned(), at.to_string()]);
        }
        if let Some(name) = self.name {
            arguments.extend(["-verify_hostname".to_owned(), name.to_owned()]);
        }
        arguments.push(files.put("leaf.pem", self.leaf)?);
        printed(arguments).map(drop)
    }
}

/// What `openssl x509` prints about the first certificate of a PEM text: give `-subject`, `-enddate`, `-text`, …
///
/// # Errors
///
/// When it cannot read it.
pub fn x509(pem: &[u8], wanted: &[&str]) -> io::Result<String> {
    let files = Files::new()?;
    let path = files.put("certificate.pem", pem)?;
    printed(["x509", "-noout", "-in", &path].iter().chain(wanted))
}

/// The public key of a certificate, PEM.
///
/// # Errors
///
/// When it cannot read it.
pub fn public_key_of_certificate(pem: &[u8]) -> io::Result<String> {
    x509(pem, &["-pubkey"])
}

/// SHA-256 of the public key of a certificate (PEM): of its SubjectPublicKeyInfo, in lower-case hexadecimal.
///
/// # Errors
///
/// When it cannot read it.
pub fn key_digest(pem: &[u8]) -> io::Result<String> {
    let files = Files::new()?;
    let public = files.put("public.pem", public_key_of_certificate(pem)?.as_bytes())?;
    let der = text(&files.0.join("public.der"))?;
    printed(["pkey", "-pubin", "-in", &public, "-outform", "DER", "-out", &der])?;
    let line = printed(["dgst", "-sha256", "-r", &der])?;
    Ok(line.split(' ').next().unwrap_or_default().to_owned())
}

/// The public key that belongs to a private key, PEM.
///
/// # Errors
///
/// When it cannot read it.
pub fn public_key_of_key(pem: &[u8]) -> io::Result<String> {
    let files = Files::new()?;
    printed(["pkey", "-pubout", "-in", &files.put("key.pem", pem)?])
}

/// Makes a self-signed server certificate for a name, with a key of its own: first the key, then the certificate, PEM.
///
/// # Errors
///
/// When it cannot.
pub fn self_signed(name: &str) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let files = Files::new()?;
    let (key, certificate) = (text(&files.0.join("key.pem"))?, text(&files.0.join("certificate.pem"))?);
    let common = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "7"];
    let (subject, names) = (format!("/CN={name}"), format!("subjectAltName=DNS:{name}"));
    let wishes = ["-subj", &subject, "-addext", &names, "-keyout", &key, "-out", &certificate];
    printed(common.iter().chain(&wishes))?;
    Ok((std::fs::read(key)?, std::fs::read(certificate)?))
}

/// Opens a PKCS#12 file without the legacy provider, and gives key and certificates as PEM.
///
/// # Errors
///
/// When it cannot, or the password is wrong.
pub fn pkcs12(der: &[u8], password: &str) -> io::Result<String> {
    let files = Files::new()?;
    let password = files.put("password", password.as_bytes())?;
    printed(["pkcs12", "-nodes", "-in", &files.put("store.p12", der)?, "-passin", &format!("file:{password}")])
}

/// Private files for the program to read.
struct Files(Scratch);

impl Files {
    fn new() -> io::Result<Self> {
        use std::os::unix::fs::PermissionsExt;
        let scratch = Scratch::in_memory()?;
        std::fs::set_permissions(scratch.path(), std::fs::Permissions::from_mode(0o700))?;
        Ok(Self(scratch))
    }

    fn put(&self, name: &str, bytes: &[u8]) -> io::Result<String> {
        let path: PathBuf = self.0.join(name);
        std::fs::write(&path, bytes)?;
        text(&path)
    }
}

fn text(path: &Path) -> io::Result<String> {
    path.to_str().map(str::to_owned).ok_or_else(|| io::Error::other("the directory for temporary files is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verifies_and_refuses() {
        let (key, leaf) = self_signed("a.example").unwrap();
        let (_, stranger) = self_signed("a.example").unwrap();
        let good = Verify { leaf: &leaf, intermediates: &[], roots: &leaf, at: None, name: Some("a.example") };
        good.as_server().unwrap();
        assert!(Verify { name: Some("b.example"), ..good }.as_server().is_err());
        assert!(Verify { roots: &stranger, ..good }.as_server().is_err());
        assert!(Verify { at: Some(0), ..good }.as_server().unwrap_err().to_string().contains("not yet valid"));
        assert_eq!(public_key_of_certificate(&leaf).unwrap(), public_key_of_key(&key).unwrap());
        assert_ne!(public_key_of_certificate(&stranger).unwrap(), public_key_of_key(&key).unwrap());
        assert!(x509(&leaf, &["-subject"]).unwrap().contains("a.example"));
        assert!(x509(b"nonsense", &["-subject"]).is_err());
    }

    #[test]
    fn opens_pkcs12_with_the_right_password() {
        let scratch = Scratch::on_disk().unwrap();
        let path = |name: &str| scratch.join(name).to_str().unwrap().to_owned();
        let (key, certificate, store) = (path("k"), path("c"), path("p12"));
        let made = self_signed("a.example").unwrap();
        std::fs::write(&key, made.0).unwrap();
        std::fs::write(&certificate, made.1).unwrap();
        printed(["pkcs12", "-export", "-inkey", &key, "-in", &certificate, "-out", &store, "-passout", "pass:right"])
            .unwrap();
        let der = std::fs::read(store).unwrap();
        let inside = pkcs12(&der, "right").unwrap();
        assert!(inside.contains("BEGIN PRIVATE KEY") && inside.contains("BEGIN CERTIFICATE"));
        assert!(pkcs12(&der, "wrong").is_err());
    }
}
