//! `certwright man`, `completions` and `schema`: what packages install and editors read.

use std::io;
use std::path::Path;

use certwright::Error;
use clap::CommandFactory;

use crate::args::{Arguments, Completions, Man};
use crate::failure::{Done, Failure};
use crate::render::manual;
use crate::screen::Screen;

pub(crate) fn schema(screen: &mut Screen) -> Done {
    screen.text(&certwright::schema());
    Ok(0)
}

pub(crate) fn completions(these: &Completions, screen: &mut Screen) -> Done {
    let mut text = Vec::new();
    clap_complete::generate(these.shell, &mut Arguments::command(), "certwright", &mut text);
    screen.text(&String::from_utf8_lossy(&text));
    Ok(0)
}

pub(crate) fn man(these: &Man, screen: &mut Screen) -> Done {
    let unmade = |source| Error::io("the manual pages cannot be made", source);
    let Some(directory) = &these.directory else {
        screen.text(&manual::whole().map_err(unmade)?.text);
        return Ok(0);
    };
    for page in manual::all().map_err(unmade)? {
        let path = directory.join(&page.file);
        #[expect(
            clippy::disallowed_methods,
            reason = "pages are made anew from the command, for packages; no lineage is near"
        )]
        std::fs::write(&path, page.text).map_err(|source| unwritten(&path, source))?;
    }
    screen.line(&format!("wrote a page for each verb into {}", directory.display()));
    Ok(0)
}

fn unwritten(path: &Path, source: io::Error) -> Failure {
    let missing = source.kind() == io::ErrorKind::NotFound;
    let error = Error::io("the manual page cannot be written", source).context("path", path);
    if missing { Failure::Usage(error.hint("make the directory first")) } else { Failure::Run(error) }
}
