//! What is in some files, does it hang together, and would it be accepted as a server certificate.

mod content;
mod path;
#[cfg(test)]
mod tests;

use super::algorithm;
use super::finding::{Finding, Findings, Severity};
use super::leaf::Certificate;
use super::lint::{self, Role};
use super::trust::Roots;
use content::{Content, Thing};

use crate::ground::name::Identifier;
use crate::ground::time::Timestamp;

/// The bytes of one file, and the name under which they are spoken of.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    name: &'a str,
    bytes: &'a [u8],
}

impl<'a> Input<'a> {
    /// A file's bytes. They may hold anything: the inspection says what.
    pub const fn new(name: &'a str, bytes: &'a [u8]) -> Self {
        Self { name, bytes }
    }
}

/// What is asked about the files, beside what is in them.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Question<'a> {
    /// The moment at which it is judged.
    pub at: Timestamp,
    /// A file with the private key that should belong to the leaf.
    pub key: Option<Input<'a>>,
    /// A file with the roots that the chain should lead to.
    pub roots: Option<Input<'a>>,
    /// The name or address that a client would ask for.
    pub name: Option<&'a str>,
}

impl Question<'_> {
    /// Nothing more than: is it in order at this moment?
    pub const fn at(at: Timestamp) -> Self {
        Self { at, key: None, roots: None, name: None }
    }
}

/// The answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Inspection {
    /// What is in the files, in their order.
    pub parts: Vec<Part>,
    /// What is to be said about it.
    pub findings: Vec<Finding>,
}

impl Inspection {
    /// The weight of the worst finding. [`Severity::Error`] means: would not be accepted as a server certificate.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }

    /// Whether it would be accepted as a server certificate: nothing worse than a warning is to be said.
    pub fn is_accepted(&self) -> bool {
        self.worst() != Some(Severity::Error)
    }
}

/// One thing in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part {
    /// The file's name.
    pub source: String,
    /// What it is: `certificate`, `private key`, `certificate request`, `PKCS#12` or the label of a PEM section.
    pub kind: String,
    /// Facts about it for people, in order. A private key shows its public side alone.
    pub facts: Vec<(&'static str, String)>,
}

/// Look at some files the way a careful client or CA would.
///
/// The leaf is the first certificate; what else is there may be needed to lead from it to a root. With roots, the path is
/// built and validated as clients do (RFC 5280 §6); without, it is followed by names and signatures as far as it goes. Every
/// certificate of the path, the root included, is then held against RFC 5280 and the Baseline Requirements.
///
/// # Examples
///
/// ```
/// use certwright::{Input, Question, Severity, Timestamp, inspect};
///
/// let question = Question::at("2026-11-24T08:00:00Z".parse::<Timestamp>()?);
/// let inspection = inspect(&[Input::new("page.pem", b"<html>404</html>")], &question);
/// assert_eq!(inspection.worst(), Some(Severity::Error));
/// assert!(inspection.findings[0].message.contains("HTML"));
/// # Ok::<(), certwright::Error>(())
/// ```
pub fn inspect(inputs: &[Input<'_>], question: &Question<'_>) -> Inspection {
    let mut findings = Vec::new();
    let mut contents: Vec<Content> = inputs.iter().flat_map(|input| content::read(input, &mut findings)).collect();
    let parts = contents.iter().map(Content::part).collect();
    if let Some(key) = &question.key {
        let found = content::read(key, &mut findings);
        if !found.iter().any(|content| matches!(content.thing, Thing::Key(_))) {
            let mut missing = Findings::about(key.name);
            missing.error("key-missing", "RFC 5958 §2", "there is no private key in it that can be read");
            findings.extend(missing.into_vec());
        }
        contents.extend(found.into_iter().filter(|content| matches!(content.thing, Thing::Key(_))));
    }
    let roots = question.roots.and_then(|input| {
        let read = Roots::from_pem(input.bytes);
        read.map_err(|error| {
            let mut unreadable = Findings::about(input.name);
            unreadable.error("roots", "RFC 5280 §6.1.1", error.to_string());
            findings.extend(unreadable.into_vec());
        })
        .ok()
    });
    let certificates: Vec<&Certificate> = contents.iter().filter_map(Content::certificate).collect();
    match path::leaf(&certificates, &mut findings) {
        Some(leaf) => {
            findings.extend(about_keys(leaf, &contents));
            findings.extend(question.name.map(|name| about_name(leaf, name)).unwrap_or_default());
            findings.extend(path::judge(leaf, &certificates, roots.as_ref(), question.at));
        }
        // What could not be read has been said already.
        None if findings.iter().any(|finding| finding.severity == Severity::Error) => {}
        None => {
            let mut missing = Findings::about("files");
            missing.error("certificate-missing", "RFC 8446 §4.4.2", "there is no certificate in them to be judged");
            findings.extend(missing.into_vec());
        }
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Inspection { parts, findings }
}

/// Whether the keys and requests beside a leaf are for the same key.
fn about_keys(leaf: &Certificate, contents: &[Content]) -> Vec<Finding> {
    let mut findings = Findings::about(lint::label(Role::Leaf, leaf));
    let mut agrees = false;
    let mut others = 0_usize;
    for content in contents {
        match &content.thing {
            Thing::Key(key) if key.public_key_der() == leaf.spki_der() => agrees = true,
            Thing::Key(_) => others += 1,
            Thing::Request(request) if request.public_key_der() != leaf.spki_der() => {
                findings.warn("request-key", "RFC 2986 §4.1", "the certificate request beside it is for another key");
            }
            _ => {}
        }
    }
    match (agrees, others) {
        (true, 0) | (false, 0) => {}
        (true, _) => {
            findings.warn("key-surplus", "RFC 8446 §4.4.3", "there is a private key that belongs to nothing here")
        }
        (false, _) => findings.error("key-mismatch", "RFC 8446 §4.4.3", "the private key does not belong to it"),
    }
    findings.into_vec()
}

/// Whether a client that asks for `name` accepts the leaf (RFC 9525 §6).
fn about_name(leaf: &Certificate, name: &str) -> Vec<Finding> {
    let mut findings = Findings::about(lint::label(Role::Leaf, leaf));
    match name.parse::<Identifier>() {
        Ok(wanted) if leaf.covers(&wanted) => {}
        Ok(wanted) => {
            let names: Vec<String> = leaf.identifiers().iter().take(10).map(Identifier::to_string).collect();
            let more = leaf.identifiers().len().saturating_sub(names.len());
            let beyond = if more > 0 { format!(" and {more} more") } else { String::new() };
            let have = if names.is_empty() { "no name at all".to_owned() } else { names.join(", ") };
            let hint = match lint::names_of_subject(leaf).iter().any(|common| *common == wanted.to_string()) {
                true => "; the common name does not count",
                false => "",
            };
            findings.error("name", "RFC 9525 §6.3", format!("it is not for `{wanted}` but for {have}{beyond}{hint}"));
        }
        Err(error) => {
            findings.error("name", "RFC 9525 §6.2", format!("no certificate can be for what is asked: {error}"));
        }
    }
    findings.into_vec()
}

/// The facts of a certificate, for people.
fn facts(certificate: &Certificate) -> Vec<(&'static str, String)> {
    let list = |items: &[String]| items.join(", ");
    let names: Vec<String> = certificate.identifiers().iter().map(Identifier::to_string).collect();
    let mut facts = vec![
        ("subject", certificate.subject()),
        ("issuer", certificate.issuer()),
        ("names", list(&names)),
        ("other names", list(certificate.other_names())),
        ("valid from", certificate.window().start.to_string()),
        ("valid until", certificate.window().end.to_string()),
        ("serial", certificate.serial()),
        ("key", certificate.key_description()),
        ("signature", certificate.signature_algorithm()),
        (
            "authority",
            match (certificate.is_ca(), certificate.path_length()) {
                (true, Some(most)) => format!("CA, path length {most}"),
                (true, None) => "CA".to_owned(),
                (false, _) => String::new(),
            },
        ),
        ("key usage", certificate.key_usage().unwrap_or_default().join(", ")),
        ("extended key usage", algorithm::purpose_names(certificate.extended_key_usage().unwrap_or_default())),
        ("fingerprint", certificate.fingerprint().to_string()),
        ("key fingerprint", certificate.key_fingerprint().to_string()),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    facts
}
