//! From the shape of a lineage to the wish: defaults filled in, presets applied, what cannot be meant refused.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::access::{self, Raw};
use super::bounds::bounded;
use super::choice::{self, CommandTable, Daemon};
use super::fault::{Faults, Place};
use super::output;
use super::probe;
use super::read::At;
use super::shape;
use crate::ground::id::{IssuerName, LineageName};
use crate::ground::name::{Identifier, Sans};
use crate::plan::preset::{Preset, Service};
use crate::plan::spec::{Command, Encoding, Form, KeyChange, KeyRule, Output, Privacy, Reload, Retain, Running, Spec};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// A wish, and where in the text its parts stand that other parts of the file may contradict.
#[derive(Debug)]
pub(super) struct Placed {
    /// The wish.
    pub(super) spec: Spec,
    /// Where its name stands.
    pub(super) at: usize,
    /// Where each of its issuers is named.
    pub(super) issuers_at: Vec<usize>,
    /// Where the path of each output stands.
    pub(super) outputs_at: Vec<usize>,
}

/// The wish for one lineage below `root`.
pub(super) fn lineage(
    name: At<LineageName>,
    shape: shape::Lineage,
    root: &Path,
    faults: &mut Faults,
) -> Option<Placed> {
    let At { value: name, at } = name;
    let top = Place::TOP.key("lineage");
    let place = top.key(name.as_str());
    let before = faults.count();

    let identifiers = identifiers(shape.identifiers, at, &place, faults);
    let service = shape.service.and_then(|service| service_of(service, &place.key("service"), faults));
    let preset = service.as_ref().map(|service| service.preset);
    let key_rule = preset.map_or(KeyRule::None, Preset::key_rule);
    let raw = Raw { readers: shape.readers, owner: shape.owner, group: shape.group, mode: shape.mode, acl: shape.acl };
    let access = access::wish(raw, access::Content::Secret, &place, faults);

    // Exact sizes: with 100,000 lineages every spare element counts.
    let written = shape.output.unwrap_or_default();
    let mut outputs = Vec::with_capacity(written.len());
    let mut outputs_at = Vec::with_capacity(written.len());
    let list = place.key("output");
    for (number, shape) in written.into_iter().enumerate() {
        outputs_at.push(shape.path.at);
        outputs.extend(output::output(shape, root, preset, &list.index(number), faults));
    }

    let certificate = Certificate { outputs: &outputs, root, name: &name };
    let reload_place = place.key("reload");
    let reload = match (shape.reload, &service) {
        (Some(by_hand), _) => reload(by_hand, &certificate, &reload_place, faults),
        (None, Some(service)) => {
            let path = if service.socket.is_some() { certificate.path(at, &reload_place, faults) } else { None };
            Some(service.reload(&path.unwrap_or_default()))
        }
        (None, None) => None,
    };
    let check = match shape.check {
        Some(by_hand) => command(by_hand, &place.key("check"), faults),
        None => service.as_ref().and_then(Service::check),
    };
    let running = shape.running.map(running).or_else(|| service.as_ref().map(Service::running));
    let probes =
        identifiers.as_ref().map(|sans| probe::endpoints(shape.probe, preset, sans, &place.key("probe"), faults));
    let retain = shape.retain.map_or_else(Retain::default, |shape| retain(&shape, &place.key("retain"), faults));

    let (issuers, issuers_at) = issuers(shape.issuer, at, &place.key("issuer"), faults);
    if faults.count() != before {
        return None;
    }
    let spec = Spec {
        issuers,
        key: shape.key.map(|key| key.value).unwrap_or_default(),
        key_change: shape.key_change.map_or_else(KeyChange::default, |change| change.value),
        roots: shape.roots.map(|roots| roots.value),
        access,
        privacy: if shape.private.is_some_and(|private| private.value) { Privacy::Private } else { Privacy::Open },
        outputs,
        check,
        reload,
        probes: probes?,
        running,
        key_rule,
        retain,
        ..Spec::new(name, identifiers?)
    };
    Some(Placed { spec, at, issuers_at, outputs_at })
}

/// The issuers in their order, and where each is named.
fn issuers(
    written: Option<choice::Issuers>,
    at: usize,
    place: &Place<'_>,
    faults: &mut Faults,
) -> (Vec<IssuerName>, Vec<usize>) {
    let some = written.is_some();
    let written = match written {
        None => Vec::new(),
        Some(choice::Issuers::One(one)) => vec![one],
        Some(choice::Issuers::Several(several)) => several,
    };
    if written.is_empty() && some {
        let message = "there is no issuer in the list";
        faults.add_at(at, place, message, Some("name one, or remove the key".to_owned()));
    }
    if let Some(twice) = access::twice(&written, |issuer| issuer) {
        let message = format!("`{}` is given twice", twice.value);
        faults.add_at(twice.at, place, message, Some("remove one of the two".to_owned()));
    }
    written.into_iter().map(|issuer| (issuer.value, issuer.at)).unzip()
}

fn identifiers(written: Vec<At<Identifier>>, at: usize, place: &Place<'_>, faults: &mut Faults) -> Option<Sans> {
    let place = place.key("identifiers");
    if let Some(twice) = access::twice(&written, |identifier| identifier) {
        let message = format!("`{}` is given twice", twice.value);
        faults.add_at(twice.at, &place, message, Some("remove one of the two".to_owned()));
        return None;
    }
    match Sans::new(written.into_iter().map(|identifier| identifier.value).collect()) {
        Ok(sans) => Some(sans),
        Err(error) => {
            faults.add_at(at, &place, error.message().to_owned(), error.hint_text().map(str::to_owned));
            None
        }
    }
}

fn service_of(shape: choice::Service, place: &Place<'_>, faults: &mut Faults) -> Option<Service> {
    let shape = match shape {
        choice::Service::Usual(preset) => return Some(Service::new(preset.value)),
        choice::Service::Elsewhere(shape) => shape,
    };
    let preset = shape.preset.value;
    if let Some(socket) = shape.socket.as_ref().filter(|_| preset != Preset::Haproxy) {
        let hint = format!("remove it, or write `preset = \"{}\"`", Preset::Haproxy);
        faults.add_at(socket.at, &place.key("socket"), format!("{preset} has no admin socket"), Some(hint));
        return None;
    }
    if let Some(config) =
        shape.config.as_ref().filter(|config| preset == Preset::Postfix && config.value.ends_with("main.cf"))
    {
        let directory = config.value.parent().unwrap_or(Path::new("/")).display();
        let message = "Postfix is configured by a directory, and this is a file in one";
        faults.add_at(config.at, &place.key("config"), message, Some(format!("write `{directory}`")));
        return None;
    }
    Some(Service {
        config: shape.config.map(|path| path.value),
        pid: shape.pid.map(|path| path.value),
        binary: shape.binary.map(|path| path.value),
        unit: shape.unit.map(|unit| unit.value.0),
        socket: shape.socket.map(|path| path.value),
        ..Service::new(preset)
    })
}

fn command(shape: choice::Check, place: &Place<'_>, faults: &mut Faults) -> Option<Command> {
    match shape {
        choice::Check::Argv(argv) => Some(Command::new(argv.0.value)),
        choice::Check::Command(table) => command_with_limit(table, place, faults),
    }
}

fn command_with_limit(table: CommandTable, place: &Place<'_>, faults: &mut Faults) -> Option<Command> {
    let mut command = Command::new(table.command.0.value);
    if let Some(limit) = table.limit {
        command.limit = bounded(&limit, SECOND, 60 * MINUTE, &place.key("limit"), faults);
    }
    Some(command)
}

fn reload(
    shape: choice::Reload,
    certificate: &Certificate<'_>,
    place: &Place<'_>,
    faults: &mut Faults,
) -> Option<Reload> {
    let table = match shape {
        choice::Reload::Process(process) => return reload_process(process, place, faults),
        choice::Reload::Haproxy(table) => table,
    };
    let named = table.certificate.map(|path| path.value);
    let certificate = named.or_else(|| certificate.path(table.haproxy.at, place, faults))?;
    let otherwise = match table.otherwise {
        Some(process) => Some(Box::new(reload_process(process, &place.key("otherwise"), faults)?)),
        None => None,
    };
    Some(Reload::Haproxy { socket: table.haproxy.value, certificate, otherwise })
}

fn reload_process(shape: choice::Process, place: &Place<'_>, faults: &mut Faults) -> Option<Reload> {
    Some(match shape {
        choice::Process::Argv(argv) => Reload::Command(Command::new(argv.0.value)),
        choice::Process::Command(table) => Reload::Command(command_with_limit(table, place, faults)?),
        choice::Process::Signal(table) => {
            Reload::Signal { signal: table.signal.value.0.to_owned(), pid_file: table.pid_file.value }
        }
        choice::Process::Unit(table) => Reload::Unit(table.unit.value.0),
    })
}

/// The path that HAProxy loaded a lineage's bundle from, when it was not said.
struct Certificate<'c> {
    outputs: &'c [Output],
    root: &'c Path,
    name: &'c LineageName,
}

impl Certificate<'_> {
    /// The one bundle outside, or the one that is always there; several are for the author of the file to choose from.
    fn path(&self, at: usize, place: &Place<'_>, faults: &mut Faults) -> Option<PathBuf> {
        let mut bundles = self
            .outputs
            .iter()
            .filter(|output| output.form == Form::Bundle && output.encoding == Encoding::Pem)
            .map(|output| output.path.as_path());
        match (bundles.next(), bundles.next()) {
            (None, _) => Some(self.root.join(self.name.as_str()).join("current").join(Form::Bundle.file_name())),
            (Some(only), None) => Some(only.to_owned()),
            (Some(_), Some(_)) => {
                let hint = "write `reload = { haproxy = \"SOCKET\", certificate = \"PATH\" }`".to_owned();
                faults.add_at(at, place, "there are several bundles that HAProxy may have loaded", Some(hint));
                None
            }
        }
    }
}

/// How a daemon is seen to run.
pub(super) fn running(shape: Daemon) -> Running {
    match shape {
        Daemon::Pid(table) => Running::PidFile(table.pid_file.value),
        Daemon::Unit(table) => Running::Unit(table.unit.value.0),
    }
}

fn retain(shape: &shape::Retain, place: &Place<'_>, faults: &mut Faults) -> Retain {
    let mut retain = Retain::default();
    if let Some(count) = &shape.count {
        retain.count = count.value.0;
    }
    if let Some(age) = &shape.age {
        retain.age = bounded(age, DAY, 36_500 * DAY, &place.key("age"), faults);
    }
    retain
}
