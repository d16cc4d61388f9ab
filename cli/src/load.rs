//! From the command line to a life cycle: the configuration, the selection, the options.

use std::path::{Path, PathBuf};

use certwright::{
    Builder, Cancel, Config, DEFAULT_WAIT, Endpoints, Error, ErrorKind, Lifecycle, LineageName, Options, Selection,
    Watch,
};

use crate::args::{Named, Shared};
use crate::failure::Failure;

const DEFAULT: &str = "/etc/certwright/certwright.toml";

/// Where the configuration is looked for: what the arguments, the environment or the default name.
pub(crate) fn config_path(shared: &Shared) -> PathBuf {
    let named = shared.config.clone();
    let named =
        named.or_else(|| std::env::var_os("CERTWRIGHT_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from));
    named.unwrap_or_else(|| PathBuf::from(DEFAULT))
}

/// The configuration.
pub(crate) fn config(shared: &Shared) -> Result<Config, Failure> {
    let path = config_path(shared);
    let text = std::fs::read_to_string(&path).map_err(|source| unreadable(&path, source))?;
    let config = match &shared.root {
        Some(root) => {
            let root = std::path::absolute(root).map_err(|source| {
                Error::io("the root cannot be made absolute", source).context("path", root.as_path())
            })?;
            Config::parse_below(&root, &text, &path)?
        }
        None => Config::parse(&text, &path)?,
    };
    Ok(config)
}

fn unreadable(path: &Path, source: std::io::Error) -> Failure {
    let hint = match source.kind() {
        std::io::ErrorKind::NotFound => "write one with `certwright init`, or name another with `-c FILE`",
        std::io::ErrorKind::InvalidData => "write it in UTF-8",
        _ => "let this user read it, or name another with `-c FILE`",
    };
    let error = Error::new(ErrorKind::InvalidSpec, "the configuration cannot be read").context("path", path);
    Failure::Usage(error.hint(hint).source(source))
}

/// Everything as configured, stopped by `cancel` and watched by `watch`.
pub(crate) fn lifecycle(shared: &Shared, cancel: Cancel, watch: Option<Watch>) -> Result<Lifecycle, Failure> {
    let builder = Builder::new(config(shared)?).cancel(cancel);
    let builder = match watch {
        Some(watch) => builder.watch(watch),
        None => builder,
    };
    Ok(builder.build()?)
}

/// The lineages that were named, else all.
pub(crate) fn selection(config: &Config, named: &Named) -> Result<Selection, Failure> {
    if named.lineages.is_empty() {
        return Ok(Selection::All);
    }
    for name in &named.lineages {
        known(config, name)?;
    }
    Ok(Selection::Named(named.lineages.clone()))
}

/// A lineage that the command line names and the configuration has not is bad usage.
pub(crate) fn known(config: &Config, name: &LineageName) -> Result<(), Failure> {
    config.lineage(name).map(drop).map_err(Failure::Usage)
}

/// How the verbs that write go about it.
pub(crate) fn options(shared: &Shared, endpoints: Endpoints) -> Options {
    Options::default().with_wait(shared.wait.unwrap_or(DEFAULT_WAIT)).with_endpoints(endpoints)
}

/// Whether endpoints are asked.
pub(crate) const fn endpoints(offline: bool) -> Endpoints {
    if offline { Endpoints::Leave } else { Endpoints::Ask }
}
