//! `certwright init`.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use certwright::{Error, ErrorKind, Result};

use crate::args::Init;
use crate::screen::Screen;

pub(crate) fn run(these: &Init, screen: &mut Screen) -> Result<u8> {
    if these.file == Path::new("-") {
        return Ok(screen.text(certwright::starter_file()));
    }
    let path = these.file.as_path();
    let written = OpenOptions::new().write(true).create_new(true).open(path);
    let written = written.and_then(|mut file| file.write_all(certwright::starter_file().as_bytes()));
    written.map_err(|source| match source.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Error::new(ErrorKind::InvalidSpec, "there is a file already, and it is not overwritten")
                .context("path", path)
                .hint("name another file, or `-` for standard output")
        }
        _ => Error::io("the starter file cannot be written", source).context("path", path),
    })?;
    screen.line(&format!("wrote {}; edit it, then run `certwright -c {} plan`", path.display(), path.display()));
    Ok(0)
}
