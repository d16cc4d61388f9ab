//! Colour, where people look and want it.

use std::env;

use certwright::report::Outcome;

/// What a word means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Nothing beside what it says.
    Plain,
    /// As wished.
    Good,
    /// Not as wished, and somebody should act.
    Bad,
    /// Worth a look.
    Notable,
    /// Beside the point.
    Quiet,
    /// A heading.
    Strong,
}

/// Whether words are coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    /// They are.
    On,
    /// They are not.
    Off,
}

/// Whether a stream ends at a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// People look.
    Person,
    /// A file or a program reads.
    Program,
}

impl Paint {
    /// By the environment: `NO_COLOR` (<https://no-color.org>) before `CLICOLOR_FORCE` and `CLICOLOR`
    /// (<https://bixense.com/clicolors/>), then by who reads.
    pub(crate) fn choose(reader: Reader) -> Self {
        Self::chosen(|name| env::var(name).ok().filter(|value| !value.is_empty()), reader)
    }

    fn chosen(variable: impl Fn(&str) -> Option<String>, reader: Reader) -> Self {
        let is = |name: &str, wanted: &str| variable(name).is_some_and(|value| value == wanted);
        if variable("NO_COLOR").is_some() {
            Self::Off
        } else if variable("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
            Self::On
        } else if is("CLICOLOR", "0") || is("TERM", "dumb") || reader == Reader::Program {
            Self::Off
        } else {
            Self::On
        }
    }

    /// A word in the colour of its meaning.
    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Plain => return text.to_owned(),
            Tone::Good => "32",
            Tone::Bad => "1;31",
            Tone::Notable => "33",
            Tone::Quiet => "2",
            Tone::Strong => "1",
        };
        match self {
            Self::On if !text.is_empty() => format!("\x1b[{code}m{text}\x1b[0m"),
            _ => text.to_owned(),
        }
    }
}

/// The word for an outcome, and its meaning.
pub(crate) const fn outcome(outcome: Outcome) -> (Tone, &'static str) {
    match outcome {
        Outcome::Well => (Tone::Good, "well"),
        Outcome::Finding => (Tone::Notable, "finding"),
        Outcome::Busy => (Tone::Notable, "busy"),
        Outcome::Failed => (Tone::Bad, "failed"),
        Outcome::Invalid => (Tone::Bad, "invalid"),
        _ => (Tone::Bad, "stuck"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_color_wins_then_force_then_who_reads() {
        let choose = |variables: &[(&str, &str)], reader| {
            let value =
                |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            Paint::chosen(value, reader)
        };
        use Reader::{Person, Program};
        assert_eq!(choose(&[], Person), Paint::On);
        assert_eq!(choose(&[], Program), Paint::Off);
        // Any value that is not empty counts.
        assert_eq!(choose(&[("NO_COLOR", "0")], Person), Paint::Off);
        assert_eq!(choose(&[("CLICOLOR_FORCE", "1")], Program), Paint::On);
        assert_eq!(choose(&[("CLICOLOR_FORCE", "0")], Program), Paint::Off);
        assert_eq!(choose(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], Person), Paint::Off);
        assert_eq!(choose(&[("CLICOLOR", "0")], Person), Paint::Off);
        assert_eq!(choose(&[("TERM", "dumb")], Person), Paint::Off);
    }
}
