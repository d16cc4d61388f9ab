//! Single values: from text, numbers and truth values of the file to the types of the domain, or a fault with a hint.

mod step_ca;

use std::net::{IpAddr, SocketAddr};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use toml::de::DeValue;

use super::fault::quoted;
use super::read::{Leaf, Wrong};
use crate::ground::duration;
use crate::ground::id::IssuerName;
use crate::ground::name::{DnsName, Identifier};
use crate::pki::key::KeyAlgorithm;
use crate::plan::nearest::nearest;
use crate::plan::preset::Preset;
use crate::plan::spec::{
    Address, ChallengeKind, Convention, Encoding, Form, KeyChange, StartTls, Strategy, TsigAlgorithm,
};
use crate::plan::word::{Word, worded};

pub(super) use step_ca::{CaUrl, Data};

/// The text of a value.
pub(super) fn text<'v>(value: &'v DeValue<'_>, wanted: &str) -> Result<&'v str, Wrong> {
    let text = value.as_str().ok_or_else(|| Wrong::kind(wanted, value))?;
    if text.contains('\0') {
        return Err(Wrong::new("the text holds a NUL character, which no path and no argument can"));
    }
    Ok(text)
}

/// One of the words, or the nearest one as a hint.
pub(super) fn word<'w, T>(text: &str, words: impl Iterator<Item = (&'w str, T)> + Clone) -> Result<T, Wrong> {
    if let Some((_, value)) = words.clone().find(|(word, _)| *word == text) {
        return Ok(value);
    }
    let near = nearest(text, words.clone().map(|(word, _)| word));
    let words: Vec<&str> = words.map(|(word, _)| word).collect();
    let hint = match (near, words.as_slice()) {
        (Some(near), _) => format!("write `{near}`, if that was meant"),
        (None, [only]) => format!("write `{only}`"),
        (None, words) => format!("write one of `{}`", words.join("`, `")),
    };
    Err(Wrong::new(format!("there is no `{}` to choose here", quoted(text))).hint(hint))
}

/// A value whose enumeration has one word each.
macro_rules! word_leaf {
    ($($type:ty),+) => {$(
        impl Leaf for $type {
            fn leaf(value: &DeValue<'_>) -> Result<Self, Wrong> {
                word(text(value, "a word")?, Self::EVERY.iter().map(|one| (one.text(), *one)))
            }

            fn schema() -> Value {
                json!({ "enum": Self::EVERY.iter().map(|one| one.text()).collect::<Vec<_>>() })
            }
        }
    )+};
}
word_leaf!(KeyChange, Strategy, Form, Encoding, IssuerType, Preset);
word_leaf!(SolverType, ChallengeKind, Convention, TsigAlgorithm);

worded! {
    /// What kind of issuer it is.
    pub(super) enum IssuerType {
        /// The embedded CA.
        Local = "local",
        /// An ACME server.
        Acme = "acme",
        /// step-ca, by its own interface.
        StepCa = "step-ca",
    }
}

worded! {
    /// How challenges are answered.
    pub(super) enum SolverType {
        /// Over HTTP.
        Http01 = "http-01",
        /// In DNS, by dynamic updates.
        Dns01 = "dns-01",
        /// Over TLS.
        TlsAlpn01 = "tls-alpn-01",
        /// In DNS, by a record that stays.
        DnsPersist01 = "dns-persist-01",
        /// By a script.
        Command = "command",
    }
}

impl Leaf for KeyAlgorithm {
    fn leaf(value: &DeValue<'_>) -> Result<Self, Wrong> {
        word(text(value, "a word")?, Self::ALL.into_iter().map(|one| (one.word(), one)))
    }

    fn schema() -> Value {
        json!({ "enum": Self::ALL.map(Self::word) })
    }
}

/// The dialect before TLS; the word `none` says that there is none although the preset would have one.
impl Leaf for Option<StartTls> {
    fn leaf(value: &DeValue<'_>) -> Result<Self, Wrong> {
        let words = StartTls::ALL.into_iter().map(|one| (one.word(), Some(one)));
        word(text(value, "a word")?, words.chain([("none", None)]))
    }

    fn schema() -> Value {
        json!({ "enum": StartTls::ALL.iter().map(|one| one.word()).chain(["none"]).collect::<Vec<_>>() })
    }
}

/// A value that a parser of the ground floor makes of text.
macro_rules! parsed_leaf {
    ($($type:ty, $wanted:literal, $schema:tt;)+) => {$(
        impl Leaf for $type {
            fn leaf(value: &DeValue<'_>) -> Result<Self, Wrong> {
                let text = text(value, $wanted)?;
                text.parse().map_err(|error| Wrong::text(text, &error))
            }

            fn schema() -> Value {
                json!($schema)
            }
        }
    )+};
}
parsed_leaf! {
    Identifier, "a DNS name or an IP address as text", { "type": "string", "minLength": 1 };
    DnsName, "a DNS name as text", { "type": "string", "minLength": 1 };
    IssuerName, "the name of an issuer as text", { "type": "string", "pattern": "^[a-z0-9][a-z0-9._-]{0,63}$" };
}

impl Leaf for Duration {
    fn leaf(value: &DeValue<'_>) -> Result<Self, Wrong> {
        if let Some(number) = value.as_integer() {
            return Err(
                Wrong::kind("a duration as text", value).hint(format!("say the unit, such as `\"{}s\"`", number))
            );
        }
        let text = text(value, "a duration as text")?;
        duration::parse(text).map_err(|error| Wrong::text(text, &error))
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^[0-9]+[smhdw]$" })
    }
}

impl Leaf for bool {
    fn leaf(value: &DeValue<'_>) -> Result<Self, Wrong> {
        value.as_bool().ok_or_else(|| Wrong::kind("true or false", value))
    }

    fn schema() -> Value {
        json!({ "type": "boolean" })
    }
}

/// A whole number of things, from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count<const MIN: u32, const MAX: u32>(pub(super) u32);

impl<const MIN: u32, const MAX: u32> Leaf for Count<MIN, MAX> {
    fn leaf(value: &DeValue<'_>) -> Result<Self, Wrong> {
        let number = value.as_integer().ok_or_else(|| Wrong::kind("a whole number", value))?;
        u32::from_str_radix(number.as_str(), number.radix())
            .ok()
            .filter(|number| (MIN..=MAX).contains(number))
            .map(Self)
            .ok_or_else(|| Wrong::new(format!("`{number}` is not from {MIN} to {MAX}")))
    }

    fn schema() -> Value {
        json!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

/// Mode bits as people write them, in octal text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mode(pub(super) u32);

impl Leaf for Mode {
    fn leaf(value: &DeValue<'_>) -> Result<Self, Wrong> {
        if let Some(number) = value.as_integer() {
            // Whoever writes 640 means the octal digits; who writes 0o640 has said so.
            let digits = number.as_str();
            let wrong = Wrong::kind("the mode as text", value);
            return Err(
                wrong.hint(format!("write `\"{:0>4}\"`, in quotes, which says that it is octal", quoted(digits)))
            );
        }
        let text = text(value, "the mode as text")?;
        let digits = text.strip_prefix('0').unwrap_or(text);
        let mode = (digits.len() == 3).then(|| u32::from_str_radix(digits, 8).ok()).flatten();
        let mode = mode.filter(|_| digits.bytes().all(|digit| digit.is_ascii_digit()));
        match mode {
            Some(mode) if mode & 0o600 == 0o600 => Ok(Self(mode)),
            Some(_) => Err(Wrong::new(format!("with mode `{text}` the owner cannot read and write the file"))
                .hint("begin with 6, such as `\"0640\"`")),
            None => Err(Wrong::new(format!("`{}` is not a mode", quoted(text)))
                .hint("write three octal digits after a zero, such as `\"0640\"`")),
        }
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^0?[67][0-7][0-7]$" })
    }
}

/// An absolute path in its one plain spelling.
impl Leaf for PathBuf {
    fn leaf(value: &DeValue<'_>) -> Result<Self, Wrong> {
        let text = text(value, "an absolute path as text")?;
        path(text)
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^/" })
    }
}

fn path(text: &str) -> Result<PathBuf, Wrong> {
    let wrong = |message: &str| Wrong::new(format!("`{}` {message}", quoted(text)));
    if !text.starts_with('/') {
        return Err(wrong("is not an absolute path").hint("begin it with `/`: a timer has no current directory"));
    }
    if text.len() > 4095 {
        return Err(wrong("is longer than any path can be"));
    }
    let plain: PathBuf = Path::new(text).components().filter(|part| !matches!(part, Component::CurDir)).collect();
    if plain.components().any(|part| matches!(part, Component::ParentDir)) {
        return Err(wrong("holds `..`").hint("write the path without detours, so that it can be compared with others"));
    }
    if plain.as_os_str() != text {
        return Err(wrong("is not the plain spelling of the path")
            .hint(format!("write `{}`", quoted(&plain.to_string_lossy()))));
    }
    Ok(plain)
}

/// The URL of an ACME directory.
#[derive(Debug)]
pub(super) struct DirectoryUrl(pub(super) String);

impl Leaf for DirectoryUrl {
    fn leaf(value: &DeValue<'_>) -> Result<Self, Wrong> {
        let text = text(value, "a URL as text")?;
        let host = text.strip_prefix("https://").and_then(|rest| rest.split(['/', '?', '#']).next());
        let plain = text.len() <= 2048 && text.bytes().all(|byte| byte.is_ascii_graphic());
        match host {
            Some(host) if plain && !host.is_empty() && !host.contains('@') => Ok(Self(text.to_owned())),
            _ => Err(Wrong::new(format!("`{}` is not an https URL", quoted(text)))
                .hint("write it as the authority publishes it, such as `https://acme.example/directory`")),
        }
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^https://[^/@]+", "maxLength": 2048 })
    }
}

/// A contact URL of an ACME account (RFC 8555 §7.3).
#[derive(Debug)]
pub(super) struct Contact(pub(super) String);

impl Leaf for Contact {
    fn leaf(value: &DeValue<'_>) -> Result<Self, Wrong> {
        let text = text(value, "a contact URL as text")?;
        let wrong = || Wrong::new(format!("`{}` is not a contact URL", quoted(text)));
        if !text.contains(':') && text.contains('@') {
            return Err(wrong().hint(format!("write `mailto:{}`", quoted(text))));
        }
        let scheme = |scheme: &str| !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let good = text.split_once(':').is_some_and(|(before, rest)| scheme(before) && !rest.is_empty());
        if good && text.len() <= 512 && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(Self(text.to_owned()));
        }
        Err(wrong().hint("write a URL, such as `mailto:ops@example.org`"))
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^[A-Za-z0-9]+:.+", "maxLength": 512 })
    }
}

/// A name that somebody else chose: no control characters, and not endless.
#[derive(Debug)]
pub(super) struct Label(pub(super) String);

impl Leaf for Label {
    fn leaf(value: &DeValue<'_>) -> Result<Self, Wrong> {
        let text = text(value, "text")?;
        if text.trim() != text || text.is_empty() || text.len() > 256 || text.contains(char::is_control) {
            return Err(Wrong::new(format!("`{}` is no name", quoted(text)))
                .hint("write it as the authority shows it, without blanks around it"));
        }
        Ok(Self(text.to_owned()))
    }

    fn schema() -> Value {
        json!({ "type": "string", "minLength": 1, "maxLength": 256 })
    }
}

/// One argument of a command.
#[derive(Debug)]
pub(super) struct Argument(pub(super) String);

impl Leaf for Argument {
    fn leaf(value: &DeValue<'_>) -> Result<Self, Wrong> {
        text(value, "an argument as text").map(|text| Self(text.to_owned()))
    }

    fn schema() -> Value {
        json!({ "type": "string" })
    }
}

/// The text of an include file.
#[derive(Debug)]
pub(super) struct Template(pub(super) String);

impl Template {
    /// What stands for the path of the generation.
    pub(super) const SLOT: &str = "{generation}";
    const LONGEST: usize = 65_536;
}

impl Leaf for Template {
    fn leaf(value: &DeValue<'_>) -> Result<Self, Wrong> {
        let text = text(value, "text")?;
        if text.len() > Self::LONGEST {
            return Err(Wrong::new(format!("the template is longer than {} bytes", Self::LONGEST)));
        }
        if !text.contains(Self::SLOT) {
            let hint = "write `{generation}` where the path of the generation belongs";
            return Err(Wrong::new("the template does not name the generation").hint(hint));
        }
        Ok(Self(text.to_owned()))
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "\\{generation\\}", "maxLength": Self::LONGEST })
    }
}

/// A signal that makes a program re-read, never one that ends it by default purpose.
#[derive(Debug)]
pub(super) struct Signal(pub(super) &'static str);

impl Signal {
    const NAMES: [&'static str; 3] = ["HUP", "USR1", "USR2"];
}

impl Leaf for Signal {
    fn leaf(value: &DeValue<'_>) -> Result<Self, Wrong> {
        let text = text(value, "the name of a signal")?;
        let bare = text.strip_prefix("SIG").unwrap_or(text);
        if bare != text && Self::NAMES.contains(&bare) {
            return Err(Wrong::new(format!("`{text}` is written without `SIG`")).hint(format!("write `{bare}`")));
        }
        word(text, Self::NAMES.into_iter().map(|name| (name, name))).map(Self)
    }

    fn schema() -> Value {
        json!({ "enum": Self::NAMES })
    }
}

/// The name of a systemd unit (systemd.unit(5), "string escaping").
#[derive(Debug)]
pub(super) struct Unit(pub(super) String);

impl Leaf for Unit {
    fn leaf(value: &DeValue<'_>) -> Result<Self, Wrong> {
        let text = text(value, "the name of a unit")?;
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b':' | b'-' | b'_' | b'.' | b'\\' | b'@');
        if (1..=255).contains(&text.len()) && !text.starts_with('-') && text.bytes().all(allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err(Wrong::new(format!("`{}` is not the name of a systemd unit", quoted(text)))
            .hint("write it as `systemctl list-units` shows it, such as `nginx.service`"))
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^[A-Za-z0-9:_.\\\\@][A-Za-z0-9:_.\\\\@-]{0,254}$" })
    }
}

/// Where certwright itself listens.
#[derive(Debug)]
pub(super) struct Listen(pub(super) SocketAddr);

impl Leaf for Listen {
    fn leaf(value: &DeValue<'_>) -> Result<Self, Wrong> {
        if let Some(number) = value.as_integer() {
            let wrong = Wrong::kind("an address with a port as text", value);
            return Err(wrong.hint(format!("write `\"[::]:{number}\"` to listen on every address")));
        }
        let text = text(value, "an address with a port as text")?;
        let wrong = |message: &str| {
            Wrong::new(format!("`{}` {message}", quoted(text)))
                .hint("write `[::]:80`, `0.0.0.0:80` or `127.0.0.1:5002`")
        };
        let address: SocketAddr = text.parse().map_err(|_| wrong("is not an address with a port"))?;
        if address.port() == 0 { Err(wrong("names port 0, which nobody could find")) } else { Ok(Self(address)) }
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^.+:[0-9]+$" })
    }
}

/// A name server by its address; port 53 when none is said.
#[derive(Debug)]
pub(super) struct NameServer(pub(super) SocketAddr);

impl Leaf for NameServer {
    fn leaf(value: &DeValue<'_>) -> Result<Self, Wrong> {
        let text = text(value, "the address of a name server as text")?;
        let address = text.parse().or_else(|_| text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53)));
        match address {
            Ok(address) if address.port() != 0 => Ok(Self(address)),
            _ => Err(Wrong::new(format!("`{}` is not the address of a name server", quoted(text)))
                .hint("write `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53` or `[2001:db8::53]:5353`")),
        }
    }

    fn schema() -> Value {
        json!({ "type": "string", "minLength": 2 })
    }
}

/// A name in DNS that need not be that of a host, such as the name of a key or of a zone: underscores are allowed.
#[derive(Debug)]
pub(super) struct DomainName(pub(super) String);

impl Leaf for DomainName {
    fn leaf(value: &DeValue<'_>) -> Result<Self, Wrong> {
        let text = text(value, "a name in DNS as text")?;
        let wrong = || Wrong::new(format!("`{}` is not a name in DNS", quoted(text)));
        if let Some(plain) = text.strip_suffix('.').filter(|plain| !plain.is_empty()) {
            return Err(wrong().hint(format!("write `{}`, without the dot at its end", quoted(plain))));
        }
        let fits = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        if text.len() > 253 || !text.split('.').all(fits) {
            return Err(wrong().hint("write letters, digits, `-` and `_`, with dots between labels"));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+)*$", "maxLength": 253 })
    }
}

/// Where an endpoint is.
impl Leaf for Address {
    fn leaf(value: &DeValue<'_>) -> Result<Self, Wrong> {
        let text = text(value, "an address as text")?;
        if let Some(file) = text.strip_prefix("file:") {
            return path(file).map(Self::File);
        }
        let wrong = |message: &str| {
            Wrong::new(format!("`{}` {message}", quoted(text)))
                .hint("write `127.0.0.1:443`, `[::1]:443`, `host.example:443` or `file:/path`")
        };
        let address = match text.parse::<SocketAddr>() {
            Ok(address) => Self::Socket(address),
            Err(_) => {
                let (host, port) = text.rsplit_once(':').ok_or_else(|| wrong("names no port"))?;
                let digits = port.bytes().all(|digit| digit.is_ascii_digit());
                let port = port.parse().ok().filter(|_| digits).ok_or_else(|| wrong("names no port"))?;
                let host: DnsName = host.parse().map_err(|_| wrong("is not an address"))?;
                Self::Host(host.to_string(), port)
            }
        };
        if address.port() == Some(0) { Err(wrong("names port 0, which nothing listens on")) } else { Ok(address) }
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^(file:/.+|.+:[0-9]+)$" })
    }
}
