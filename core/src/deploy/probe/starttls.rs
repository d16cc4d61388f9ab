//! The dialects that upgrade a plain connection to TLS.
//!
//! Everything said before the upgrade is said in the clear and may come from anybody: lines are limited in length and
//! number, and a byte that arrives before the upgrade and would be read after it ends the conversation (as in
//! CVE-2011-0411 and CVE-2021-23222).

#[cfg(test)]
mod tests;

use std::io::{self, Read, Write};
use std::net::SocketAddr;

use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Public};
use crate::place::wire::Wire;
use crate::plan::spec::StartTls;

/// The longest line: several times what any of the dialects allows for what is said before the upgrade (RFC 5321
/// §4.5.3.1.5, RFC 9051 §4, RFC 1939 §3).
const LINE: usize = 4096;

/// How many lines may be said before the upgrade.
const LINES: usize = 100;

/// Why there was no upgrade.
#[derive(Debug)]
pub(super) enum Fault {
    /// The connection failed.
    Io(io::Error),
    /// The server answered, and what it answered is no.
    Refused(String),
    /// The server has no TLS to offer.
    NotOffered(String),
    /// What was said is not of this dialect.
    Strange(&'static str, String),
    /// So many bytes arrived that would be taken for a part of the encrypted conversation.
    Injected(usize),
}

impl From<io::Error> for Fault {
    fn from(source: io::Error) -> Self {
        Self::Io(source)
    }
}

impl Fault {
    pub(super) fn into_error(self, dialect: StartTls, cancel: &Cancel) -> Error {
        let name = name(dialect);
        let error = match self {
            Self::Io(source) => Wire::fault("the server hung up or fell silent before TLS", source, cancel)
                .hint("see with `ss -ltnp` which service listens there, and in its log why it ended the connection"),
            Self::Refused(said) => Error::new(ErrorKind::Network, "the server turned the connection away before TLS")
                .context("said", Public(&said))
                .hint("see in the service's log why it refuses connections from this machine"),
            Self::NotOffered(said) => Error::new(ErrorKind::Unsupported, "the server does not offer STARTTLS")
                .context("said", Public(&said))
                .hint("switch TLS on in the service's configuration, or see whether it found its certificate"),
            Self::Strange(why, said) => {
                Error::new(ErrorKind::Network, format!("the server does not speak as expected: {why}"))
                    .context("said", Public(&said))
                    .hint("see whether this address speaks the dialect that is set as `starttls`")
            }
            Self::Injected(count) => {
                Error::new(ErrorKind::Untrusted, "bytes were sent in the clear after TLS was agreed on")
                    .context("bytes", count)
                    .hint("see who is between this machine and the service, and whether the service is up to date")
            }
        };
        error.context("starttls", Public(name))
    }
}

/// The word of the configuration.
pub(super) const fn name(dialect: StartTls) -> &'static str {
    match dialect {
        StartTls::Smtp => "smtp",
        StartTls::Imap => "imap",
        StartTls::Pop3 => "pop3",
        StartTls::Postgres => "postgres",
    }
}

/// Speak until the next byte belongs to TLS.
pub(super) fn upgrade<S: Read + Write>(
    dialect: StartTls,
    local: Option<SocketAddr>,
    stream: &mut S,
) -> Result<(), Fault> {
    let mut talk = Talk { stream, received: Vec::new(), lines: 0 };
    match dialect {
        StartTls::Smtp => smtp(&mut talk, local)?,
        StartTls::Imap => imap(&mut talk)?,
        StartTls::Pop3 => pop3(&mut talk)?,
        StartTls::Postgres => postgres(&mut talk)?,
    }
    match talk.received.len() {
        0 => Ok(()),
        injected => Err(Fault::Injected(injected)),
    }
}

/// RFC 3207, with the replies of RFC 5321 §4.2.
fn smtp<S: Read + Write>(talk: &mut Talk<'_, S>, local: Option<SocketAddr>) -> Result<(), Fault> {
    talk.reply(220)?;
    // We have no name to give; the literal of our address is what RFC 5321 §4.1.4 asks for then.
    let who = match local {
        Some(SocketAddr::V4(address)) => format!("[{}]", address.ip()),
        Some(SocketAddr::V6(address)) => format!("[IPv6:{}]", address.ip()),
        None => "localhost".to_owned(),
    };
    talk.say(&format!("EHLO {who}"))?;
    let offers = talk.reply(250)?;
    let keyword = |line: &String| line.split(' ').next().is_some_and(|word| word.eq_ignore_ascii_case("STARTTLS"));
    if !offers.iter().skip(1).any(keyword) {
        return Err(Fault::NotOffered(offers.join(" | ")));
    }
    talk.say("STARTTLS")?;
    match talk.reply(220) {
        Err(Fault::Refused(said)) => Err(Fault::NotOffered(said)),
        other => other.map(drop),
    }
}

/// RFC 9051 §6.2.1.
fn imap<S: Read + Write>(talk: &mut Talk<'_, S>) -> Result<(), Fault> {
    let greeting = talk.line()?;
    match greeting.split_ascii_whitespace().take(2).collect::<Vec<_>>().as_slice() {
        ["*", state] if state.eq_ignore_ascii_case("OK") => {}
        ["*", state] if state.eq_ignore_ascii_case("BYE") => return Err(Fault::Refused(greeting)),
        // No STARTTLS is possible any more, which is how somebody in between would keep it from happening (§11.1).
        ["*", state] if state.eq_ignore_ascii_case("PREAUTH") => return Err(Fault::NotOffered(greeting)),
        _ => return Err(Fault::Strange("this is no IMAP greeting", greeting)),
    }
    talk.say("a STARTTLS")?;
    loop {
        let line = talk.line()?;
        match line.split(' ').take(2).collect::<Vec<_>>().as_slice() {
            ["*", ..] => {}
            ["a", state] if state.eq_ignore_ascii_case("OK") => return Ok(()),
            ["a", state] if state.eq_ignore_ascii_case("NO") || state.eq_ignore_ascii_case("BAD") => {
                return Err(Fault::NotOffered(line));
            }
            _ => return Err(Fault::Strange("this is no IMAP response", line)),
        }
    }
}

/// RFC 2595 §4.
fn pop3<S: Read + Write>(talk: &mut Talk<'_, S>) -> Result<(), Fault> {
    let status = |line: String| match line.split(' ').next() {
        Some("+OK") => Ok(()),
        Some("-ERR") => Err(Fault::Refused(line)),
        _ => Err(Fault::Strange("this is no POP3 status", line)),
    };
    status(talk.line()?)?;
    talk.say("STLS")?;
    match status(talk.line()?) {
        Err(Fault::Refused(said)) => Err(Fault::NotOffered(said)),
        other => other,
    }
}

/// PostgreSQL 15 manual §55.2.10 and §55.7: SSLRequest is a length of 8 and the code 80877103; the answer is one byte.
fn postgres<S: Read + Write>(talk: &mut Talk<'_, S>) -> Result<(), Fault> {
    talk.stream.write_all(&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])?;
    talk.stream.flush()?;
    talk.more()?;
    match talk.received.remove(0) {
        b'S' => Ok(()),
        b'N' => Err(Fault::NotOffered("N".to_owned())),
        b'E' => Err(Fault::Refused(lossy(&talk.received))),
        other => Err(Fault::Strange("this is no answer to SSLRequest", lossy(&[other]))),
    }
}

/// A conversation in lines, with what was received and not yet read.
struct Talk<'s, S> {
    stream: &'s mut S,
    received: Vec<u8>,
    lines: usize,
}

impl<S: Read + Write> Talk<'_, S> {
    fn say(&mut self, line: &str) -> Result<(), Fault> {
        // Nothing may be waiting that would be taken for the answer to what is only now asked.
        if !self.received.is_empty() {
            return Err(Fault::Strange("it answers before it was asked", lossy(&self.received)));
        }
        self.stream.write_all(format!("{line}\r\n").as_bytes())?;
        Ok(self.stream.flush()?)
    }

    /// Receive at least one byte more.
    fn more(&mut self) -> Result<(), Fault> {
        let mut chunk = [0; 1024];
        match self.stream.read(&mut chunk)? {
            0 => Err(Fault::Io(io::ErrorKind::UnexpectedEof.into())),
            count => {
                self.received.extend_from_slice(chunk.get(..count).unwrap_or_default());
                Ok(())
            }
        }
    }

    /// One line, ended by CR LF and nothing else.
    fn line(&mut self) -> Result<String, Fault> {
        if self.lines == LINES {
            return Err(Fault::Strange("it does not stop talking", String::new()));
        }
        self.lines += 1;
        loop {
            if let Some(at) = self.received.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.received.drain(..=at).collect();
                let text = line.strip_suffix(b"\r\n").filter(|text| !text.contains(&b'\r') && !text.contains(&0));
                return match text {
                    Some(text) if text.len() <= LINE => Ok(lossy(text)),
                    Some(_) => Err(Fault::Strange("its line is too long", String::new())),
                    None => Err(Fault::Strange("its line does not end in CR LF", lossy(&line))),
                };
            }
            if self.received.len() > LINE {
                return Err(Fault::Strange("its line is too long", String::new()));
            }
            self.more()?;
        }
    }

    /// A reply of one or more lines with this code (RFC 5321 §4.2.1): the texts.
    fn reply(&mut self, wanted: u16) -> Result<Vec<String>, Fault> {
        let mut texts = Vec::new();
        let mut first = None;
        loop {
            let line = self.line()?;
            let digits = line.get(..3).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
            let code: Option<u16> = digits.and_then(|digits| digits.parse().ok());
            let (Some(code), rest) = (code, line.get(3..).unwrap_or_default()) else {
                return Err(Fault::Strange("this is no SMTP reply", line));
            };
            if *first.get_or_insert(code) != code {
                return Err(Fault::Strange("the lines of its reply have different codes", line));
            }
            let (last, text) = match rest.as_bytes().first() {
                None => (true, ""),
                Some(b' ') => (true, rest.get(1..).unwrap_or_default()),
                Some(b'-') => (false, rest.get(1..).unwrap_or_default()),
                Some(_) => return Err(Fault::Strange("this is no SMTP reply", line)),
            };
            texts.push(text.to_owned());
            if !last {
                continue;
            }
            return if code == wanted {
                Ok(texts)
            } else {
                Err(Fault::Refused(format!("{code} {}", texts.join(" | "))))
            };
        }
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.get(..200).unwrap_or(bytes)).into_owned()
}
