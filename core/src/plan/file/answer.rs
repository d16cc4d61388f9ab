//! From the shape of those who answer challenges to the wish.

use std::net::SocketAddr;
use std::time::Duration;

use super::access::twice;
use super::bounds::bounded;
use super::fault::{Faults, Place};
use super::leaf::NameServer;
use super::read::At;
use super::solver::{CommandTable, DnsTable, PersistTable, Solver, Solvers};
use crate::plan::spec::{
    ChallengeKind, Command, CommandSolver, Convention, DnsPersist, Propagation, Rfc2136, SolverSpec, TsigKey,
};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// The wishes for everyone who answers, the preferred one first.
pub(super) fn solvers(written: Solvers, place: &Place<'_>, faults: &mut Faults) -> Vec<SolverSpec> {
    let At { value: solvers, .. } = written.0;
    let mut specs = Vec::with_capacity(solvers.len());
    for solver in solvers {
        specs.extend(match solver {
            Solver::HttpListener(listen) => Some(SolverSpec::HttpListener(listen.0)),
            Solver::HttpWebroot(root) => Some(SolverSpec::HttpWebroot(root)),
            Solver::TlsAlpn(listen) => Some(SolverSpec::TlsAlpnListener(listen.0)),
            Solver::Dns(table) => Some(SolverSpec::Rfc2136(updates(table, place, faults))),
            Solver::Persist(table) => Some(SolverSpec::DnsPersist(lasting(table, place, faults))),
            Solver::Command(table) => command(table, place, faults).map(SolverSpec::Command),
        });
    }
    specs
}

fn updates(table: DnsTable, place: &Place<'_>, faults: &mut Faults) -> Rfc2136 {
    let mut wish = Rfc2136::new(table.server.value.0);
    wish.key = table.key.map(|key| TsigKey {
        algorithm: key.algorithm.map(|algorithm| algorithm.value).unwrap_or_default(),
        ..TsigKey::new(key.name.value.0, key.secret_file.value)
    });
    wish.zone = table.zone.map(|zone| zone.value.0);
    wish.propagation = propagation(table.propagation, table.resolver, table.authoritative, place, faults);
    wish
}

fn lasting(table: PersistTable, place: &Place<'_>, faults: &mut Faults) -> DnsPersist {
    let (lasts, table) = table.split();
    // Half of it has to outlast the time until the next renewal is tried.
    let lasts = lasts.map(|lasts| bounded(&lasts, 30 * DAY, 36_500 * DAY, &place.key("lasts"), faults));
    let mut wish = DnsPersist::new(updates(table, place, faults));
    wish.lasts = lasts;
    wish
}

fn propagation(
    limit: Option<At<Duration>>,
    resolver: Option<At<NameServer>>,
    authoritative: Option<Vec<At<NameServer>>>,
    place: &Place<'_>,
    faults: &mut Faults,
) -> Propagation {
    let mut wish = Propagation::default();
    if let Some(limit) = limit {
        wish.limit = bounded(&limit, Duration::ZERO, HOUR, &place.key("propagation"), faults);
    }
    wish.resolver = resolver.map(|resolver| resolver.value.0);
    wish.authoritative = authoritative.into_iter().flatten().map(|server| -> SocketAddr { server.value.0 }).collect();
    wish
}

fn command(table: CommandTable, place: &Place<'_>, faults: &mut Faults) -> Option<CommandSolver> {
    let convention = table.convention.value;
    let before = faults.count();
    let kinds = kinds(table.kinds, &table.convention, &place.key("kinds"), faults);
    if let Some(cleanup) = table.cleanup.as_ref().filter(|_| convention != Convention::Certbot) {
        let message = format!("a script for {convention} cleans up by itself when it is called to");
        faults.add_at(cleanup.0.at, &place.key("cleanup"), message, Some("remove it".to_owned()));
    }
    let mut limit = Command::DEFAULT_LIMIT;
    if let Some(written) = &table.limit {
        limit = bounded(written, SECOND, HOUR, &place.key("limit"), faults);
    }
    let with_limit = |argv: Vec<String>| {
        let mut command = Command::new(argv);
        command.limit = limit;
        command
    };
    let mut wish = CommandSolver::new(convention, with_limit(table.command.0.value), kinds);
    wish.cleanup = table.cleanup.map(|cleanup| with_limit(cleanup.0.value));
    wish.propagation = propagation(table.propagation, table.resolver, table.authoritative, place, faults);
    (faults.count() == before).then_some(wish)
}

fn kinds(
    written: Option<Vec<At<ChallengeKind>>>,
    convention: &At<Convention>,
    place: &Place<'_>,
    faults: &mut Faults,
) -> Vec<ChallengeKind> {
    let known = convention.value.kinds();
    let listed = || known.iter().map(|kind| format!("\"{kind}\"")).collect::<Vec<_>>().join(", ");
    let written = written.unwrap_or_default();
    // One that stays has to be asked for.
    let usual: Vec<ChallengeKind> = known.iter().copied().filter(|kind| *kind != ChallengeKind::DnsPersist01).collect();
    match (written.as_slice(), usual.as_slice()) {
        ([], [only]) => return vec![*only],
        ([], _) => {
            let hint = format!("write those that the script answers, of `[{}]`", listed());
            faults.add_at(convention.at, place, "which challenges the script answers is not said", Some(hint));
        }
        _ => {}
    }
    if let Some(again) = twice(&written, |kind| kind) {
        let message = format!("`{}` is given twice", again.value);
        faults.add_at(again.at, place, message, Some("remove one of the two".to_owned()));
    }
    for kind in written.iter().filter(|kind| !known.contains(&kind.value)) {
        let message = format!("{} hands no challenge of kind `{}` to a script", convention.value, kind.value);
        faults.add_at(kind.at, place, message, Some(format!("write of `[{}]`", listed())));
    }
    written.into_iter().map(|kind| kind.value).collect()
}
