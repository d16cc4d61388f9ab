//! `apply` over many lineages: a first look at each, then those that need work side by side with shared barriers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::apply::{First, look, work};
use super::enter::Ground;
use super::observe::Sight;
use super::report::LineageReport;
use super::{Lifecycle, Options};
use crate::deploy::attempt::Tools;
use crate::ground::id::LineageName;
use crate::place::group_sync::GroupSync;
use crate::place::store::Store;

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
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(to_do.len()));
    std::thread::scope(|scope| {
        for _ in 0..to_do.len().min(SIDE_BY_SIDE) {
            scope.spawn(|| {
                while let Some((at, one)) = to_do.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (ground, seen) = &**one;
                    let ground = ground.with(shared.as_ref().unwrap_or(ground.tools));
                    let report = work(lifecycle, &ground, seen, options);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((*at, report));
                }
            });
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// The same tools with barriers shared. Without a root there is nothing to share yet: each syncs for itself.
fn shared_tools(lifecycle: &Lifecycle, store: Option<&Store>) -> Option<Tools> {
    let fs = GroupSync::new(lifecycle.tools.fs.clone(), store?.node()).ok()?;
    Some(Tools { fs: Arc::new(fs), ..lifecycle.tools.clone() })
}
