//! `certwright rollback`.

use certwright::{Error, ErrorKind, GenerationId, Lifecycle, Public, Result, Return, Selection};

use super::lineage;
use crate::args::{Rollback, Shared};
use crate::screen::Screen;
use crate::{load, progress};

pub(crate) fn run(shared: &Shared, these: &Rollback, screen: &mut Screen) -> Result<u8> {
    let lifecycle = load::lifecycle(shared)?;
    let to = match &these.to {
        _ if these.release => Return::Release,
        Some(text) => Return::To(generation(&lifecycle, these, text)?),
        None => Return::Previous,
    };
    let report = lifecycle.rollback(&these.lineage, to, &load::options(shared, false))?;
    progress::erase();
    Ok(lineage::run(&report, screen))
}

/// A generation's name, or its number alone.
fn generation(lifecycle: &Lifecycle, these: &Rollback, text: &str) -> Result<GenerationId> {
    let Ok(number) = text.parse::<u64>() else { return text.parse() };
    let status = lifecycle.status(&Selection::Named(vec![these.lineage.clone()]))?;
    let all = status.lineages.iter().flat_map(|lineage| &lineage.generations);
    let ids = all.filter_map(|generation| generation.generation.parse::<GenerationId>().ok());
    ids.into_iter().find(|id| id.sequence() == number).ok_or_else(|| {
        Error::new(ErrorKind::NotFound, "there is no generation with this number")
            .context("lineage", &these.lineage)
            .context("number", Public(text))
            .hint(format!("see which there are with `certwright status {}`", these.lineage))
    })
}
