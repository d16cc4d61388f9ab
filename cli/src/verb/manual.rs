//! `certwright completions` and `certwright man`.

use certwright::{Error, Result};
use clap::CommandFactory;

use crate::args::{Arguments, Completions};
use crate::screen::Screen;

pub(crate) fn completions(these: &Completions, screen: &mut Screen) -> Result<u8> {
    let mut text = Vec::new();
    clap_complete::generate(these.shell, &mut Arguments::command(), "certwright", &mut text);
    Ok(screen.text(&String::from_utf8_lossy(&text)))
}

/// One page: the command, then each verb.
pub(crate) fn page(screen: &mut Screen) -> Result<u8> {
    let mut command = Arguments::command();
    command.build();
    let mut text = Vec::new();
    let failed = |source| Error::io("the manual page cannot be made", source);
    clap_mangen::Man::new(command.clone()).render(&mut text).map_err(failed)?;
    for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
        let verb = verb.clone().disable_help_flag(true);
        let man = clap_mangen::Man::new(verb);
        man.render_synopsis_section(&mut text).map_err(failed)?;
        man.render_description_section(&mut text).map_err(failed)?;
        man.render_options_section(&mut text).map_err(failed)?;
    }
    Ok(screen.text(&String::from_utf8_lossy(&text)))
}
