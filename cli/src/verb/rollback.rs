//! `certwright rollback`.

use certwright::{
    Endpoints, Error, ErrorKind, GenerationId, Lifecycle, LineageName, Public, Result, Return, Selection,
};

use crate::args::{Rollback, Shared};
use crate::failure::Done;
use crate::load;
use crate::render::lineage;
use crate::screen::Screen;
use crate::signals::Signals;

pub(crate) fn run(shared: &Shared, these: &Rollback, screen: &mut Screen) -> Done {
    let signals = Signals::watch()?;
    let lifecycle = load::lifecycle(shared, signals.cancel(), screen.watch())?;
    load::known(lifecycle.config(), &these.lineage)?;
    let to = match &these.to {
        _ if these.release => Return::Release,
        Some(text) => Return::To(generation(&lifecycle, &these.lineage, text)?),
        None => Return::Previous,
    };
    let report = lifecycle.rollback(&these.lineage, to, &load::options(shared, Endpoints::Ask))?;
    Ok(lineage::run(&report, &these.lineage, screen))
}

/// A generation's name, or its number alone.
fn generation(lifecycle: &Lifecycle, lineage: &LineageName, text: &str) -> Result<GenerationId> {
    let Ok(number) = text.parse::<u64>() else { return text.parse() };
    let status = lifecycle.status(&Selection::Named(vec![lineage.clone()]))?;
    let all = status.lineages.iter().flat_map(|lineage| &lineage.generations);
    let mut ids = all.filter_map(|generation| generation.generation.parse::<GenerationId>().ok());
    ids.find(|id| id.sequence() == number).ok_or_else(|| {
        Error::new(ErrorKind::NotFound, "there is no generation with this number")
            .context("lineage", lineage)
            .context("number", Public(text))
            .hint(format!("see which there are with `certwright status {lineage}`"))
    })
}
