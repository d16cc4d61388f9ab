//! `certwright init`.

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use certwright::{Error, ErrorKind};

use crate::args::{Init, Shared};
use crate::failure::{Done, Failure};
use crate::load;
use crate::screen::Screen;

pub(crate) fn run(shared: &Shared, these: &Init, screen: &mut Screen) -> Done {
    let path = these.file.clone().unwrap_or_else(|| load::config_path(shared));
    if path.as_os_str() == OsStr::new("-") {
        screen.text(certwright::starter_file());
        return Ok(0);
    }
    write(&path)?;
    screen.line(&format!("wrote {}; edit it, then run `certwright -c {} plan`", path.display(), path.display()));
    Ok(0)
}

fn write(path: &Path) -> Result<(), Failure> {
    let mut file =
        OpenOptions::new().write(true).create_new(true).open(path).map_err(|source| refused(path, source))?;
    file.write_all(certwright::starter_file().as_bytes()).and_then(|()| file.sync_all()).map_err(|source| {
        // A half that this very run made would keep the next run from writing a whole one.
        #[expect(clippy::disallowed_methods, reason = "it was made a moment ago, and made to be new")]
        let _ = std::fs::remove_file(path);
        Failure::Run(Error::io("the starter file cannot be written", source).context("path", path))
    })
}

fn refused(path: &Path, source: io::Error) -> Failure {
    match source.kind() {
        io::ErrorKind::AlreadyExists => Failure::Usage(
            Error::new(ErrorKind::InvalidSpec, "there is a file already, and it is not overwritten")
                .context("path", path)
                .hint("name another file, or `-` for standard output"),
        ),
        io::ErrorKind::NotFound => Failure::Usage(
            Error::io("the directory of the starter file is not there", source)
                .context("path", path)
                .hint("make it first, or name another file, or `-` for standard output"),
        ),
        _ => Failure::Run(Error::io("the starter file cannot be written", source).context("path", path)),
    }
}
