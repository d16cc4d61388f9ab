//! Replacing a certificate in a running HAProxy through its runtime API (HAProxy Management Guide §9.3).
//!
//! The answers are text for people: each is read, because the connection succeeds whatever was answered.

#[cfg(test)]
mod tests;

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::{ReloadContext, Reloaded, Reloader};
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::pki::chain::Chain;
use crate::pki::digest::sha1;
use crate::place::wire::{Wire, deadline};

/// For the whole exchange of four commands.
const LIMIT: Duration = Duration::from_secs(30);

/// For taking back what was begun, after the limit too.
const ABORT_LIMIT: Duration = Duration::from_secs(5);

/// Ten thousand certificates with long names are listed in less.
const ANSWER_BUDGET: usize = 4 << 20;

/// Hands the bundle to HAProxy and sees that it is used: a reload of the process, and the loss of its connections, is
/// not needed. What is handed over is lost when the process ends, so the disk must have it first.
#[derive(Debug)]
pub(super) struct HaproxyReload {
    socket: PathBuf,
    certificate: String,
}

impl HaproxyReload {
    pub(super) fn new(socket: PathBuf, certificate: &Path) -> Result<Self> {
        let name = certificate.to_str().filter(|name| is_word(name)).ok_or_else(|| {
            Error::new(ErrorKind::InvalidSpec, "HAProxy's runtime API cannot name this path")
                .context("certificate", certificate)
                .hint("let HAProxy load the bundle from a path without white space, quotes, `;`, `#` and `\\`")
        })?;
        Ok(Self { socket, certificate: name.to_owned() })
    }

    fn session<'a>(&'a self, limit: Duration, cancel: &'a Cancel) -> Session<'a> {
        Session { api: self, end: deadline(limit), cancel }
    }
}

impl Reloader for HaproxyReload {
    fn reload(&self, context: &ReloadContext<'_>, cancel: &Cancel) -> Result<Reloaded> {
        let payload = payload(context.bundle.expose());
        let chain = Chain::from_pem(&payload)?;
        let session = self.session(LIMIT, cancel);
        session.prepare()?;
        session.set(&payload).and_then(|()| session.commit()).inspect_err(|_| {
            // A transaction left open would be taken over by the next one on any certificate.
            let _ = self.session(ABORT_LIMIT, &Cancel::new()).ask(&["abort ssl cert ", &self.certificate], None);
        })?;
        session.see(&sha1(chain.leaf().der())).map(|()| Reloaded::Confirmed)
    }

    fn preflight(&self, cancel: &Cancel) -> Result<()> {
        self.session(LIMIT, cancel).list().map(drop)
    }

    fn describe(&self) -> String {
        format!("`{}` in HAProxy at `{}`", self.certificate, self.socket.display())
    }
}

/// The commands of one reload, with one deadline.
struct Session<'a> {
    api: &'a HaproxyReload,
    end: Instant,
    cancel: &'a Cancel,
}

impl Session<'_> {
    /// No transaction may be open: one on another certificate would be given our key (HAProxy 2.6 answers "Transaction
    /// updated" and names the other one), and one on ours may hold parts that we do not replace.
    fn prepare(&self) -> Result<()> {
        match self.list()? {
            None => Ok(()),
            Some(open) if open == self.api.certificate => {
                let answer = self.ask(&["abort ssl cert ", &open], None)?;
                if answer.contains("Transaction aborted for certificate") {
                    return Ok(());
                }
                Err(self.refusal("HAProxy did not give up an earlier transaction", &answer))
            }
            Some(open) => Err(self
                .about(Error::new(ErrorKind::Conflict, "HAProxy has a transaction open on another certificate"))
                .context("transaction", Public(&open))
                .hint("end it with `commit ssl cert` or `abort ssl cert` on the admin socket")),
        }
    }

    /// The certificate on which a transaction is open. Fails when ours is not loaded.
    fn list(&self) -> Result<Option<String>> {
        let answer = self.ask(&["show ssl cert"], None)?;
        let (mut open, mut loaded, mut section) = (None, false, "");
        for line in answer.lines() {
            match (section, line) {
                (_, "# transaction" | "# filename") => section = line,
                ("# transaction", line) if open.is_none() && !line.is_empty() => {
                    open = Some(line.strip_prefix('*').unwrap_or(line).to_owned());
                }
                ("# filename", line) => loaded |= line == self.api.certificate,
                _ => {}
            }
        }
        if section != "# filename" {
            return Err(self.refusal("HAProxy did not list its certificates", &answer));
        }
        if !loaded {
            return Err(self
                .about(Error::new(ErrorKind::ReloadFailed, "HAProxy has loaded no certificate from this path"))
                .hint("write the path as in HAProxy's `crt`; `show ssl cert` on the admin socket lists them"));
        }
        Ok(open)
    }

    fn set(&self, payload: &[u8]) -> Result<()> {
        let answer = self.ask(&["set ssl cert ", &self.api.certificate, " <<"], Some(payload))?;
        match answer.lines().find_map(taken_for) {
            Some(name) if name == self.api.certificate => Ok(()),
            Some(other) => {
                // It was begun after we looked, and holds our key now: nobody must commit that under another name.
                if is_word(other) {
                    let _ = self.ask(&["abort ssl cert ", other], None);
                }
                Err(self
                    .about(Error::new(ErrorKind::Conflict, "HAProxy has a transaction open on another certificate"))
                    .context("transaction", Public(other))
                    .hint("begin that transaction again: it was given up, because HAProxy had put this bundle into it"))
            }
            None => Err(self.refusal("HAProxy did not take the bundle", &answer)),
        }
    }

    fn commit(&self) -> Result<()> {
        let answer = self.ask(&["commit ssl cert ", &self.api.certificate], None)?;
        if answer.lines().rfind(|line| !line.is_empty()) == Some("Success!") {
            return Ok(());
        }
        Err(self.refusal("HAProxy did not commit the bundle; it serves the certificate it had", &answer))
    }

    /// Whether the certificate that HAProxy uses now is the one with this SHA-1, the only digest that it shows.
    fn see(&self, wanted: &str) -> Result<()> {
        let answer = self.ask(&["show ssl cert ", &self.api.certificate], None)?;
        let shown = answer.lines().find_map(|line| line.strip_prefix("SHA1 FingerPrint: "));
        match shown.map(str::trim) {
            Some(shown) if shown.eq_ignore_ascii_case(wanted) => Ok(()),
            Some(shown) => Err(self
                .about(Error::new(ErrorKind::ReloadFailed, "HAProxy committed the bundle and uses another certificate"))
                .context("uses_sha1", Public(shown))
                .context("wanted_sha1", Public(wanted))
                .hint("see whether something else changes this certificate through the admin socket")),
            None => Err(self.refusal("HAProxy does not show which certificate it uses", &answer)),
        }
    }

    /// One command on a connection of its own, which HAProxy closes after its answer.
    fn ask(&self, words: &[&str], payload: Option<&[u8]>) -> Result<String> {
        self.exchange(words, payload).map_err(|source| {
            let error = match source.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused if self.cancel.check().is_ok() => {
                    Error::new(ErrorKind::NotFound, "no HAProxy listens on the admin socket")
                        .source(source)
                        .hint("start HAProxy, or correct the path in `stats socket`")
                }
                io::ErrorKind::PermissionDenied => Error::io("the admin socket of HAProxy may not be used", source)
                    .hint("run as root, or let `stats socket` give this user access"),
                _ => Wire::fault("the exchange with HAProxy failed", source, self.cancel)
                    .hint("see in HAProxy's log whether it runs and is not overloaded"),
            };
            self.about(error)
        })
    }

    fn exchange(&self, words: &[&str], payload: Option<&[u8]>) -> io::Result<String> {
        let payload = payload.unwrap_or_default();
        let size = words.iter().map(|word| word.len()).sum::<usize>() + payload.len() + 2;
        let mut request = Zeroizing::new(Vec::with_capacity(size));
        words.iter().for_each(|word| request.extend_from_slice(word.as_bytes()));
        request.push(b'\n');
        if !payload.is_empty() {
            // An empty line ends the payload.
            request.extend_from_slice(payload);
            request.push(b'\n');
        }
        let mut wire = Wire::unix(&self.api.socket, self.end, ANSWER_BUDGET, self.cancel)?;
        match wire.write_all(&request) {
            // HAProxy hangs up in the middle of what it does not want; its answer may be there all the same.
            Err(error) if matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) => {}
            other => other?,
        }
        let mut answer = Vec::new();
        match wire.read_to_end(&mut answer) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
            other => drop(other?),
        }
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    /// What HAProxy's answer means when it is not the wanted one.
    fn refusal(&self, message: &'static str, answer: &str) -> Error {
        let said: Vec<&str> = answer.lines().map(str::trim).filter(|line| !line.is_empty()).take(5).collect();
        let (kind, hint) = match said.as_slice() {
            [] => (
                ErrorKind::ReloadFailed,
                "raise `tune.bufsize` when the bundle is larger than it, and see HAProxy's log",
            ),
            // The second is what HAProxy 2.6 answers to `show ssl cert` below the level it asks for.
            ["Permission denied" | "Can't allocate memory!", ..] => {
                (ErrorKind::Permission, "give the socket `level admin` in `stats socket`")
            }
            [first, ..] if first.starts_with("Unknown command") => {
                (ErrorKind::Unsupported, "use HAProxy 2.2 or newer with OpenSSL, or reload it by a command")
            }
            _ => (ErrorKind::ReloadFailed, "read HAProxy's answer; its configuration may ask for more than the bundle"),
        };
        let error = self.about(Error::new(kind, message)).hint(hint);
        let said: String = said.join(" | ").chars().take(500).collect();
        if said.is_empty() { error } else { error.context("answer", Public(&said)) }
    }

    fn about(&self, error: Error) -> Error {
        error.context("socket", self.api.socket.as_path()).context("certificate", Public(&self.api.certificate))
    }
}

/// Whether a name stays one word of a command line: white space would end it, `;` begins the next command, `\` escapes, and
/// a leading `*` means the transaction instead.
fn is_word(name: &str) -> bool {
    let ends = |c: char| c.is_whitespace() || c.is_control() || matches!(c, ';' | '\\' | '"' | '\'' | '#');
    !name.is_empty() && !name.starts_with(['*', '<', '@']) && !name.contains(ends)
}

/// The certificate whose transaction was given a payload, as the answer to `set ssl cert` names it.
fn taken_for(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("Transaction created").or_else(|| line.strip_prefix("Transaction updated"))?;
    rest.strip_prefix(" for certificate ")?.strip_suffix('!')
}

/// The bundle as a payload: an empty line, or one that HAProxy would take for one, must not end it early.
fn payload(bundle: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut payload = Zeroizing::new(Vec::with_capacity(bundle.len() + 1));
    for line in bundle.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()) {
        payload.extend_from_slice(line);
        payload.push(b'\n');
    }
    payload
}
