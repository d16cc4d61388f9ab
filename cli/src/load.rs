//! From the command line to a life cycle: the configuration, the wish to stop, the selection.

use std::path::{Path, PathBuf};

use certwright::{
    Builder, Cancel, Config, DEFAULT_WAIT, Endpoints, Error, ErrorKind, Lifecycle, LineageName, Options, Result,
    Selection,
};
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::args::{Named, Shared};
use crate::progress;

const DEFAULT: &str = "/etc/certwright/certwright.toml";

/// The configuration that the arguments, the environment or the default name.
pub(crate) fn config(shared: &Shared) -> Result<Config> {
    let path = shared.config.clone().or_else(|| std::env::var_os("CERTWRIGHT_CONFIG").map(PathBuf::from));
    let path = path.unwrap_or_else(|| PathBuf::from(DEFAULT));
    let text = read_text(&path)?;
    match &shared.root {
        Some(root) => Config::parse_below(root, &text, &path),
        None => Config::parse(&text, &path),
    }
}

fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|source| {
        let missing = source.kind() == std::io::ErrorKind::NotFound;
        let error = Error::new(ErrorKind::InvalidSpec, "the configuration cannot be read").context("path", path);
        let hint = if missing {
            "write one with `certwright init FILE`, and name it with `-c FILE` or `CERTWRIGHT_CONFIG`"
        } else {
            "let this user read it, or name another one with `-c FILE`"
        };
        error.hint(hint).source(source)
    })
}

/// Everything as configured, told about signals and watched.
pub(crate) fn lifecycle(shared: &Shared) -> Result<Lifecycle> {
    let mut builder = Builder::new(config(shared)?).cancel(cancel()?);
    if let Some(watch) = progress::watch().filter(|_| !shared.quiet) {
        builder = builder.watch(watch);
    }
    builder.build()
}

/// The first SIGINT or SIGTERM asks to stop at the next safe point, the second one ends the process.
pub(crate) fn cancel() -> Result<Cancel> {
    let cancel = Cancel::new();
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, cancel.flag())
            .and_then(|_| signal_hook::flag::register(signal, cancel.flag()))
            .map_err(|source| Error::io("signals cannot be watched", source))?;
    }
    Ok(cancel)
}

/// How the verbs that write go about it.
pub(crate) fn options(shared: &Shared, offline: bool) -> Options {
    Options::default().with_wait(shared.wait.unwrap_or(DEFAULT_WAIT)).with_endpoints(endpoints(offline))
}

/// Whether endpoints are asked.
pub(crate) fn endpoints(offline: bool) -> Endpoints {
    if offline { Endpoints::Leave } else { Endpoints::Ask }
}

/// The lineages that were named, else all.
pub(crate) fn selection(named: &Named) -> Selection {
    names(&named.lineages)
}

fn names(names: &[LineageName]) -> Selection {
    if names.is_empty() { Selection::All } else { Selection::Named(names.to_vec()) }
}

/// A file that the operator named.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|source| Error::io("the file cannot be read", source).context("path", path))
}
