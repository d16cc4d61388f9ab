//! Values that may be written in more than one way.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use toml::de::DeValue;

use super::fault::{Faults, Place, quoted};
use super::leaf::{Argument, Signal, Unit};
use super::read::{At, Item, Read, entries, kind, table};
use crate::ground::id::IssuerName;
use crate::plan::nearest::nearest;
use crate::plan::preset::Preset;

table! {
    /// A service that is not at its usual place.
    struct ServiceTable {
        /// Which program it is.
        needed "preset" preset: At<Preset>,
        /// Its configuration file (for Postfix the configuration directory).
        optional "config" config: At<PathBuf>,
        /// Its pid file: with one, it is reloaded by signal, without systemd.
        optional "pid" pid: At<PathBuf>,
        /// The program that tests the configuration.
        optional "binary" binary: At<PathBuf>,
        /// Its systemd unit.
        optional "unit" unit: At<Unit>,
        /// The admin socket, for HAProxy alone: with one, the certificate is replaced at run time.
        optional "socket" socket: At<PathBuf>,
    }
}

table! {
    /// A command with a time limit of its own.
    struct CommandTable {
        /// Program and arguments.
        needed "command" command: Argv,
        /// How long it may take; `30s` when left out.
        optional "limit" limit: At<Duration>,
    }
}

table! {
    /// A signal to the process named in a pid file.
    struct SignalTable {
        /// Which signal, without `SIG`.
        needed "signal" signal: At<Signal>,
        /// The pid file.
        needed "pid_file" pid_file: At<PathBuf>,
    }
}

table! {
    /// HAProxy's runtime API.
    struct HaproxyTable {
        /// The admin socket.
        needed "haproxy" haproxy: At<PathBuf>,
        /// The certificate's name inside HAProxy: the path it was loaded from. The lineage's bundle when left out.
        optional "certificate" certificate: At<PathBuf>,
        /// How HAProxy is reloaded when the socket is not there or what it was handed was refused; not at all when left out.
        optional "otherwise" otherwise: Process,
    }
}

table! {
    /// A systemd unit.
    struct UnitTable {
        /// The unit.
        needed "unit" unit: At<Unit>,
    }
}

table! {
    /// A process named in a pid file.
    struct PidTable {
        /// The pid file.
        needed "pid_file" pid_file: At<PathBuf>,
    }
}

/// `"nginx"` or a table.
#[derive(Debug)]
pub(super) enum Service {
    /// At its usual place.
    Usual(At<Preset>),
    /// Elsewhere.
    Elsewhere(ServiceTable),
}

impl Read for Service {
    fn read(item: &Item<'_>, place: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        match item.get_ref() {
            DeValue::Table(_) => ServiceTable::read(item, place, faults).map(Self::Elsewhere),
            _ => At::read(item, place, faults).map(Self::Usual),
        }
    }

    fn schema() -> Value {
        json!({ "anyOf": [At::<Preset>::schema(), ServiceTable::schema()] })
    }
}

/// `"lab"` or `["public", "lab"]`.
#[derive(Debug)]
pub(super) enum Issuers {
    /// One.
    One(At<IssuerName>),
    /// Several, in their order.
    Several(Vec<At<IssuerName>>),
}

impl Read for Issuers {
    fn read(item: &Item<'_>, place: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        match item.get_ref() {
            DeValue::Array(_) => Read::read(item, place, faults).map(Self::Several),
            _ => At::read(item, place, faults).map(Self::One),
        }
    }

    fn schema() -> Value {
        let mut several = Vec::<At<IssuerName>>::schema();
        several["minItems"] = json!(1);
        json!({ "anyOf": [At::<IssuerName>::schema(), several] })
    }
}

/// An argument vector, bare or with a limit.
#[derive(Debug)]
pub(super) enum Check {
    /// Program and arguments.
    Argv(Argv),
    /// With a limit.
    Command(CommandTable),
}

impl Read for Check {
    fn read(item: &Item<'_>, place: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        match item.get_ref() {
            DeValue::Table(_) => CommandTable::read(item, place, faults).map(Self::Command),
            _ => Argv::read(item, place, faults).map(Self::Argv),
        }
    }

    fn schema() -> Value {
        json!({ "anyOf": [Argv::schema(), CommandTable::schema()] })
    }
}

/// How the process of a program is made to re-read.
#[derive(Debug)]
pub(super) enum Process {
    /// Program and arguments.
    Argv(Argv),
    /// With a limit.
    Command(CommandTable),
    /// By signal.
    Signal(SignalTable),
    /// By systemd.
    Unit(UnitTable),
}

impl Process {
    fn schemas() -> Vec<Value> {
        vec![Argv::schema(), CommandTable::schema(), SignalTable::schema(), UnitTable::schema()]
    }
}

impl Read for Process {
    fn read(item: &Item<'_>, place: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        let DeValue::Table(_) = item.get_ref() else { return Argv::read(item, place, faults).map(Self::Argv) };
        match pick(&["command", "signal", "unit"], item, place, faults)? {
            "command" => CommandTable::read(item, place, faults).map(Self::Command),
            "signal" => SignalTable::read(item, place, faults).map(Self::Signal),
            _ => UnitTable::read(item, place, faults).map(Self::Unit),
        }
    }

    fn schema() -> Value {
        json!({ "anyOf": Self::schemas() })
    }
}

/// How a program is made to re-read.
#[derive(Debug)]
pub(super) enum Reload {
    /// By its process.
    Process(Process),
    /// By HAProxy's runtime API.
    Haproxy(HaproxyTable),
}

impl Read for Reload {
    fn read(item: &Item<'_>, place: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        let DeValue::Table(_) = item.get_ref() else { return Process::read(item, place, faults).map(Self::Process) };
        match pick(&["command", "signal", "unit", "haproxy"], item, place, faults)? {
            "haproxy" => HaproxyTable::read(item, place, faults).map(Self::Haproxy),
            _ => Process::read(item, place, faults).map(Self::Process),
        }
    }

    fn schema() -> Value {
        let mut schemas = Process::schemas();
        schemas.push(HaproxyTable::schema());
        json!({ "anyOf": schemas })
    }
}

/// How a daemon is seen to run.
#[derive(Debug)]
pub(super) enum Daemon {
    /// Its process is alive.
    Pid(PidTable),
    /// Its unit is active.
    Unit(UnitTable),
}

impl Read for Daemon {
    fn read(item: &Item<'_>, place: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        match pick(&["pid_file", "unit"], item, place, faults)? {
            "unit" => UnitTable::read(item, place, faults).map(Self::Unit),
            _ => PidTable::read(item, place, faults).map(Self::Pid),
        }
    }

    fn schema() -> Value {
        json!({ "anyOf": [PidTable::schema(), UnitTable::schema()] })
    }
}

/// The one of these keys that the table has: it says what kind of table it is.
pub(super) fn pick<'k>(keys: &[&'k str], item: &Item<'_>, place: &Place<'_>, faults: &mut Faults) -> Option<&'k str> {
    let entries = entries(item, place, faults)?;
    let present: Vec<&str> = keys.iter().copied().filter(|key| entries.contains_key(*key)).collect();
    match present.as_slice() {
        [only] => Some(only),
        [] => {
            let list = keys.join("`, `");
            let near =
                entries.keys().find_map(|key| Some((key.get_ref(), nearest(key.get_ref(), keys.iter().copied())?)));
            let hint = match near {
                Some((written, near)) => format!("write `{near}` in place of `{}`, if that was meant", quoted(written)),
                None => format!("say one of `{list}`"),
            };
            faults.add(item.span().start, place, format!("there is none of `{list}` here"), Some(hint));
            None
        }
        [first, second, ..] => {
            let at = entries.get_key_value(*second).map_or(item.span().start, |(key, _)| key.span().start);
            faults.add(
                at,
                place,
                format!("`{first}` and `{second}` exclude each other"),
                Some("keep one of them".to_owned()),
            );
            None
        }
    }
}

/// Program and arguments. Never a line for a shell.
#[derive(Debug)]
pub(super) struct Argv(pub(super) At<Vec<String>>);

impl Argv {
    /// A program and its arguments, when there is a program that can be found without a current directory.
    pub(super) fn check(
        at: usize,
        arguments: Vec<At<Argument>>,
        place: &Place<'_>,
        faults: &mut Faults,
    ) -> Option<Self> {
        let fault = match arguments.first().map(|program| program.value.0.as_str()) {
            None => Some("the command is empty"),
            Some("") => Some("the program has no name"),
            Some(program) if program.contains('/') && !program.starts_with('/') => {
                Some("the program is neither a bare name nor an absolute path")
            }
            Some(program) if arguments.len() == 1 && program.contains(char::is_whitespace) => {
                faults.add_at(at, place, "this is a line for a shell, not a program", Some(array_hint(program)));
                return None;
            }
            Some(_) => None,
        };
        if let Some(fault) = fault {
            let hint = "name a program first, such as `[\"/usr/sbin/nginx\", \"-t\"]`";
            faults.add_at(at, place, fault, Some(hint.to_owned()));
            return None;
        }
        let argv = arguments.into_iter().map(|argument| argument.value.0).collect();
        Some(Self(At { value: argv, at }))
    }
}

impl Read for Argv {
    fn read(item: &Item<'_>, place: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        let start = item.span().start;
        match item.get_ref() {
            DeValue::Array(_) => {
                let arguments = Vec::<At<Argument>>::read(item, place, faults)?;
                Self::check(faults.base.saturating_add(start), arguments, place, faults)
            }
            DeValue::String(line) => {
                faults.add(start, place, "a command is not a line for a shell", Some(array_hint(line)));
                None
            }
            other => {
                faults.add(start, place, format!("expected a program with its arguments, found {}", kind(other)), None);
                None
            }
        }
    }

    fn schema() -> Value {
        json!({ "type": "array", "items": { "type": "string" }, "minItems": 1 })
    }
}

/// How to write what looks like a line for a shell.
fn array_hint(line: &str) -> String {
    if line.contains(['|', '&', ';', '<', '>', '$', '`', '\'', '"', '\\', '*', '(', '\n']) || line.trim().is_empty() {
        return "put it into a script and name that script, such as `[\"/usr/local/sbin/reload-web\"]`".to_owned();
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    format!("write `[\"{}\"]`", quoted(&words.join("\", \"")))
}
