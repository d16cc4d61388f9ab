//! Questions on standard input, one a line, each answered by one line before the next one is waited for.

use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;

use certwright::access::{Capabilities, PathFacts, PathVerdict, Permissions};
use certwright::{Error, Identity, OsFilesystem};
use serde::{Deserialize, Serialize};

use super::answer::known;
use crate::failure::Done;
use crate::screen::Screen;

/// The longest path, every byte of it escaped, and as many groups as Linux lets a process have fit.
const LIMIT: usize = 1 << 20;

/// Keys that are not known are left alone, so that questions can carry their own notes.
#[derive(Deserialize)]
struct Question {
    path: PathBuf,
    uid: u32,
    gid: u32,
    #[serde(default)]
    groups: Vec<u32>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Told { r: Option<bool>, w: Option<bool>, x: Option<bool>, why: String },
    Failed { error: String },
}

pub(super) fn answer_all(screen: &mut Screen) -> Done {
    let fs = OsFilesystem::new();
    let mut input = BufReader::new(io::stdin().lock());
    let mut line = Vec::new();
    loop {
        let question =
            next(&mut input, &mut line).map_err(|source| Error::io("standard input cannot be read", source))?;
        match question {
            Next::Line => screen.json(&answer(&fs, &line).unwrap_or_else(|error| Answer::Failed { error })),
            Next::TooLong => {
                screen.json(&Answer::Failed { error: format!("the question is longer than {LIMIT} bytes") });
            }
            Next::End => return Ok(0),
        }
        // Whoever asks one by one waits for the answer; whoever has asked the next one already does not.
        if !input.buffer().contains(&b'\n') {
            screen.flush();
        }
    }
}

enum Next {
    Line,
    TooLong,
    End,
}

/// The next line, without its end.
fn next(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Next> {
    line.clear();
    let most = LIMIT as u64 + 1;
    if input.by_ref().take(most).read_until(b'\n', line)? == 0 {
        return Ok(Next::End);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if line.len() > LIMIT {
        line.clear();
        input.skip_until(b'\n')?;
        return Ok(Next::TooLong);
    }
    Ok(Next::Line)
}

fn answer(fs: &OsFilesystem, line: &[u8]) -> Result<Answer, String> {
    let question: Question = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let who = Identity::new(question.uid, question.gid, question.groups);
    let facts = PathFacts::read(fs, &question.path).map_err(|error| format!("{error:#}"))?;
    let verdict = |want| facts.explain(&who, Capabilities::NONE, want);
    let [r, w, x] = [Permissions::READ, Permissions::WRITE, Permissions::EXECUTE].map(verdict);
    let [read, write, execute] = [&r, &w, &x].map(|answer| known(&answer.verdict));
    Ok(Answer::Told { r: read, w: write, x: execute, why: why(&[r, w, x]) })
}

/// What decided, once for those answers that the same component gives for the same reason.
fn why(answers: &[PathVerdict]) -> String {
    let mut told: Vec<String> = Vec::with_capacity(answers.len());
    for answer in answers {
        let text = answer.to_string();
        if !told.contains(&text) {
            told.push(text);
        }
    }
    told.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_costs_no_other() {
        let long = vec![b'x'; LIMIT + 7];
        let text = [b"a\n\n", long.as_slice(), b"\n", &long[..LIMIT], b"\nlast"].concat();
        let mut input = BufReader::new(text.as_slice());
        let mut line = Vec::new();
        let mut lengths = Vec::new();
        loop {
            match next(&mut input, &mut line).unwrap() {
                Next::Line => lengths.push(Some(line.len())),
                Next::TooLong => lengths.push(None),
                Next::End => break,
            }
        }
        assert_eq!(lengths, [Some(1), Some(0), None, Some(LIMIT), Some(4)]);
    }
}
