//! `apply` over many lineages: a first look at each, then those that need work side by side with shared barriers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::apply::{First, look, work};
use super::enter::Ground;
use super::observe::Sight;
use super::report::LineageReport;
use super::{Lifecycle, Options};
use crate::deploy::attempt::Tools;
use crate::deploy::turn::{Turn, joining, same_service};
use crate::ground::id::LineageName;
use crate::place::group_sync::GroupSync;
use crate::place::store::Store;
use crate::plan::spec::Spec;

/// How many lineages are looked at before their reports are handed out: memory stays flat.
const CHUNK: usize = 1024;
/// How many deployments run side by side. Most of a deployment is waiting for the disk or a service.
const SIDE_BY_SIDE: usize = 64;

/// Apply each, hand out reports in the order of `names`. A lineage that fails or waits holds up no other.
pub(super) fn apply(
    lifecycle: &Lifecycle,
    names: &[&LineageName],
    options: &Options,
    each: &mut dyn FnMut(LineageReport),
) {
    for chunk in names.chunks(CHUNK) {
        apply_chunk(lifecycle, chunk, options, each);
    }
}

fn apply_chunk(lifecycle: &Lifecycle, names: &[&LineageName], options: &Options, each: &mut dyn FnMut(LineageReport)) {
    let tools = &lifecycle.tools;
    let store = match Store::open(&tools.fs, &lifecycle.config.root) {
        Ok(store) => store,
        Err(error) => {
            names.iter().for_each(|name| each(LineageReport::new(name, "keep").failed(&error)));
            return;
        }
    };
    let me = tools.fs.identity();
    let mut reports: Vec<Option<LineageReport>> = Vec::with_capacity(names.len());
    let mut to_do: Vec<(usize, Box<(Ground<'_>, Sight)>)> = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let Some(spec) = lifecycle.config.lineages.get(*name) else { continue };
        match look(lifecycle, (tools, &me), store.as_ref(), spec, options) {
            First::Done(report) => reports.push(Some(*report)),
            First::Work(work) => {
                to_do.push((at, work));
                reports.push(None);
            }
        }
    }
    for (at, report) in work_off(lifecycle, &to_do, store.as_ref(), options) {
        if let Some(place) = reports.get_mut(at) {
            *place = Some(report);
        }
    }
    reports.into_iter().flatten().for_each(each);
}

fn work_off(
    lifecycle: &Lifecycle,
    to_do: &[(usize, Box<(Ground<'_>, Sight)>)],
    store: Option<&Store>,
    options: &Options,
) -> Vec<(usize, LineageReport)> {
    match to_do {
        [] => return Vec::new(),
        [(at, one)] => return vec![(*at, work(lifecycle, &one.0, &one.1, options))],
        _ => {}
    }
    let shared = shared_tools(lifecycle, store);
    let turns = turns(lifecycle, to_do);
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(to_do.len()));
    std::thread::scope(|scope| {
        for _ in 0..to_do.len().min(SIDE_BY_SIDE) {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some((at, one)) = to_do.get(place) else { return };
                    let (ground, seen) = &**one;
                    let mut ground = ground.with(shared.as_ref().unwrap_or(ground.tools));
                    ground.service.turn = turns.get(place).cloned().flatten();
                    let report = work(lifecycle, &ground, seen, options);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((*at, report));
                }
            });
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Where those meet that use one service, in the order of `to_do`. Who uses one alone meets nobody, and a reloader of the
/// caller's own knows what it is about.
fn turns(lifecycle: &Lifecycle, to_do: &[(usize, Box<(Ground<'_>, Sight)>)]) -> Vec<Option<Arc<Turn>>> {
    let mut turns: Vec<Option<Arc<Turn>>> = vec![None; to_do.len()];
    let mut groups: Vec<Vec<(usize, &Spec)>> = Vec::new();
    for (place, (_, one)) in to_do.iter().enumerate() {
        let spec = one.0.spec;
        if spec.reload.is_none() || lifecycle.reloaders.contains_key(&spec.name) {
            continue;
        }
        let same = |group: &&mut Vec<(usize, &Spec)>| group.first().is_some_and(|(_, first)| same_service(first, spec));
        match groups.iter_mut().find(same) {
            Some(group) => group.push((place, spec)),
            None => groups.push(vec![(place, spec)]),
        }
    }
    for group in groups.iter().filter(|group| group.len() > 1) {
        let turn = Arc::new(Turn::new(joining(group.iter().map(|(_, spec)| *spec))));
        for (place, _) in group {
            if let Some(at) = turns.get_mut(*place) {
                *at = Some(turn.clone());
            }
        }
    }
    turns
}

/// The same tools with barriers shared. Without a root there is nothing to share yet: each syncs for itself.
fn shared_tools(lifecycle: &Lifecycle, store: Option<&Store>) -> Option<Tools> {
    let fs = GroupSync::new(lifecycle.tools.fs.clone(), store?.node()).ok()?;
    Some(Tools { fs: Arc::new(fs), ..lifecycle.tools.clone() })
}
