//! What is set: faults, the clock, limits, windows, revocations, and a new beginning.

use std::time::Duration;

use certwright::{ChallengeKind, Clock as _, Identifier};
use serde_json::{Value, json};

use crate::acme::world::World;
use crate::management::ask::Refusal;
use crate::management::fields::{Fields, nearest, time};
use crate::management::listener::Bed;
use crate::management::script::{endpoint, fault, occurrence, verdict};
use crate::management::show::clock;
use crate::settings::{Limit, Limits};

/// Does what a call asks for; `None` when there is no such call.
pub(crate) fn set(bed: &Bed, method: &str, path: &str, mut fields: Fields) -> Result<Option<Value>, Refusal> {
    let told = match (method, path) {
        ("POST", "/v1/faults") => {
            let endpoint = fields.optional_text("endpoint")?.map(|word| endpoint(&word)).transpose()?;
            let occurrence = occurrence(fields.value("occurrence"))?;
            let fault = fault(fields.value("fault").ok_or_else(|| Refusal::bad("`fault` is missing"))?);
            fields.done()?;
            match endpoint {
                Some(endpoint) => bed.shared.faults.on(endpoint, occurrence, fault?),
                None => bed.shared.faults.everywhere(occurrence, fault?),
            }
            json!({})
        }
        ("DELETE", "/v1/faults") => {
            fields.done()?;
            bed.shared.faults.clear();
            json!({})
        }
        ("POST", "/v1/verdicts") => {
            let name = fields.optional_text("identifier")?.map(|name| name.parse::<Identifier>()).transpose()?;
            let kind = fields.optional_text("challenge")?.map(|kind| challenge(&kind)).transpose()?;
            let occurrence = occurrence(fields.value("occurrence"))?;
            let verdict = verdict(fields.value("verdict").ok_or_else(|| Refusal::bad("`verdict` is missing"))?);
            fields.done()?;
            bed.shared.faults.judge(name, kind, occurrence, verdict?);
            json!({})
        }
        ("POST", "/v1/clock") => move_clock(bed, fields)?,
        ("POST", "/v1/limits") => {
            let limits = limits(fields)?;
            bed.shared.world().settings.limits = limits;
            json!({})
        }
        ("POST", "/v1/terms") => {
            let terms = fields.optional_text("url")?;
            fields.done()?;
            bed.shared.world().settings.terms = terms;
            json!({})
        }
        ("POST", "/v1/window") => {
            let window = fields.window()?;
            fields.done()?;
            bed.shared.world().suggested = Some(window);
            json!({})
        }
        ("DELETE", "/v1/window") => {
            fields.done()?;
            bed.shared.world().suggested = None;
            json!({})
        }
        ("POST", "/v1/revoke") => revoke(bed, fields)?,
        ("POST", "/v1/reset") => {
            fields.done()?;
            reset(bed)?;
            json!({})
        }
        _ => return Ok(None),
    };
    Ok(Some(told))
}

fn challenge(word: &str) -> Result<ChallengeKind, Refusal> {
    let kind = ChallengeKind::ALL.into_iter().find(|kind| kind.word() == word);
    kind.ok_or_else(|| {
        let known = nearest(word, ChallengeKind::ALL.iter().map(|kind| kind.word())).unwrap_or_default();
        Refusal::bad(format!("there is no challenge `{word}`; is `{known}` meant?"))
    })
}

fn move_clock(bed: &Bed, mut fields: Fields) -> Result<Value, Refusal> {
    let forward = fields.optional_number("advance_seconds")?.map(Duration::from_secs);
    let back = fields.optional_number("back_seconds")?.map(Duration::from_secs);
    let now = fields.optional_text("set")?.map(|text| time(&text)).transpose()?;
    fields.done()?;
    match (forward, back, now) {
        (Some(span), None, None) => bed.clock.advance(span),
        (None, Some(span), None) => bed.clock.set_back(span),
        (None, None, Some(wanted)) => {
            let now = bed.clock.now();
            match (wanted.since(now), now.since(wanted)) {
                (Some(span), _) => bed.clock.advance(span),
                (None, Some(span)) => bed.clock.set_back(span),
                (None, None) => {}
            }
        }
        _ => return Err(Refusal::bad("the clock takes one of `advance_seconds`, `back_seconds` and `set`")),
    }
    Ok(clock(bed))
}

fn limits(mut fields: Fields) -> Result<Limits, Refusal> {
    let like = fields.optional_text("like")?;
    let mut limits = match like.as_deref() {
        None => Limits::default(),
        Some("lets_encrypt") => Limits::lets_encrypt(),
        Some(other) => {
            return Err(Refusal::bad(format!("there are no limits like `{other}`; is `lets_encrypt` meant?")));
        }
    };
    for (name, place) in [
        ("accounts_per_address", &mut limits.accounts_per_address),
        ("orders_per_account", &mut limits.orders_per_account),
        ("certificates_per_domain", &mut limits.certificates_per_domain),
        ("certificates_per_set", &mut limits.certificates_per_set),
        ("failures_per_identifier", &mut limits.failures_per_identifier),
    ] {
        let Some(value) = fields.value(name) else { continue };
        let mut limit = Fields::from(value, "a limit")?;
        let (count, seconds) = (limit.number("count")?, limit.number("within_seconds")?);
        limit.done()?;
        *place = Some(Limit { count, within: Duration::from_secs(seconds) });
    }
    fields.done()?;
    Ok(limits)
}

/// As the authority does it: nobody asked for it.
fn revoke(bed: &Bed, mut fields: Fields) -> Result<Value, Refusal> {
    let number: usize = fields.number("id")?;
    let reason = fields.optional_number("reason")?.unwrap_or_default();
    fields.done()?;
    if reason > 10 || reason == 7 {
        return Err(Refusal::bad("`reason` is a number of RFC 5280 §5.3.1: 0 to 10 without 7"));
    }
    let mut world = bed.shared.world();
    let certified = world.certificates.get_mut(number);
    let certified = certified.ok_or_else(|| Refusal::new(404, format!("there is no certificate {number}")))?;
    if certified.revoked.is_some() {
        return Err(Refusal::new(409, "this certificate was revoked before"));
    }
    certified.revoked = Some(reason);
    world.changed = true;
    Ok(json!({}))
}

/// Everything as it was at the start, but for the authority's keys, the addresses and the time.
fn reset(bed: &Bed) -> Result<(), Refusal> {
    let mut world = bed.shared.world();
    let fresh = World::new(bed.settings.clone(), world.site.clone(), std::sync::Arc::clone(&bed.clock));
    let mut fresh = fresh.map_err(|error| Refusal::new(500, format!("{error:#}")))?;
    // Who trusts the roots goes on trusting them, and who holds the script goes on writing it.
    std::mem::swap(&mut fresh.ca, &mut world.ca);
    std::mem::swap(&mut fresh.script, &mut world.script);
    std::mem::swap(&mut fresh.log, &mut world.log);
    fresh.log.clear();
    *world = fresh;
    drop(world);
    bed.shared.faults.clear();
    if let Some(names) = &bed.dns {
        names.faults().clear();
        names.shared().begin_again();
        names.clear_log();
        if let Some(settings) = &bed.settings.dns {
            names.set_every(settings.every.clone());
        }
    }
    Ok(())
}
