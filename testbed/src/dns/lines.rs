//! A zone file cut into lines and fields (RFC 1035 §5.1): comments, quotation marks, parentheses.

use certwright::{Error, ErrorKind, Result};

use crate::dns::rdata::Field;

/// One entry, which may go over several lines of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// The line of the text where it begins, from 1.
    pub(crate) number: usize,
    /// Whether it begins with a blank: it is about the name of the entry before.
    pub(crate) indented: bool,
    pub(crate) fields: Vec<Field>,
}

/// Every entry that is not empty.
pub(crate) fn cut(text: &str) -> Result<Vec<Line>> {
    let mut cutter = Cutter::default();
    for (at, line) in text.split('\n').enumerate() {
        cutter.line(at + 1, line.strip_suffix('\r').unwrap_or(line))?;
    }
    cutter.end()
}

#[derive(Debug, Default)]
struct Cutter {
    lines: Vec<Line>,
    open: Option<Line>,
    depth: usize,
}

impl Cutter {
    fn line(&mut self, number: usize, text: &str) -> Result<()> {
        let indented = text.starts_with([' ', '\t']);
        let mut entry = self.open.take().unwrap_or(Line { number, indented, fields: Vec::new() });
        let mut chars = text.chars();
        let mut field: Option<Field> = None;
        while let Some(char) = chars.next() {
            match char {
                // Within a field, as in `alpn="h2"` (RFC 9460 §2.1).
                '"' if field.is_some() => {
                    let more = quoted(&mut chars, number)?;
                    field.iter_mut().for_each(|field| field.text.push_str(&more));
                }
                '"' => {
                    entry.fields.push(Field { text: quoted(&mut chars, number)?, quoted: true });
                }
                ' ' | '\t' => entry.fields.extend(field.take()),
                ';' => break,
                '(' => {
                    entry.fields.extend(field.take());
                    self.depth += 1;
                }
                ')' => {
                    entry.fields.extend(field.take());
                    self.depth = self.depth.checked_sub(1).ok_or_else(|| defect(number, "`)` closes nothing"))?;
                }
                char => {
                    let field = field.get_or_insert_with(|| Field { text: String::new(), quoted: false });
                    field.text.push(char);
                    if char == '\\' {
                        field.text.push(chars.next().ok_or_else(|| defect(number, "`\\` stands before nothing"))?);
                    }
                }
            }
        }
        entry.fields.extend(field);
        if self.depth > 0 {
            self.open = Some(entry);
        } else if !entry.fields.is_empty() {
            self.lines.push(entry);
        }
        Ok(())
    }

    fn end(self) -> Result<Vec<Line>> {
        match self.open {
            Some(open) => Err(defect(open.number, "`(` is never closed")),
            None => Ok(self.lines),
        }
    }
}

fn quoted(chars: &mut std::str::Chars<'_>, number: usize) -> Result<String> {
    let mut text = String::new();
    while let Some(char) = chars.next() {
        match char {
            '"' => return Ok(text),
            '\\' => {
                text.push('\\');
                text.extend(chars.next());
            }
            char => text.push(char),
        }
    }
    Err(defect(number, "a quotation mark is never closed"))
}

pub(crate) fn defect(number: usize, why: &'static str) -> Error {
    Error::new(ErrorKind::InvalidSpec, why)
        .context("line", number)
        .hint("write records as in a zone file (RFC 1035 §5)")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let of = |line: &Line| {
            let fields = line
                .fields
                .iter()
                .map(|field| if field.quoted { format!("<{}>", field.text) } else { field.text.clone() });
            format!("{}{}{}", line.number, if line.indented { "_" } else { ":" }, fields.collect::<Vec<_>>().join("|"))
        };
        cut(text).unwrap().iter().map(of).collect()
    }

    #[test]
    fn the_example_of_the_standard_is_cut_where_it_says() {
        // RFC 1035 §5.3, shortened.
        let text = "@   IN  SOA     VENERA      Action\\.domains (\n 20     ; SERIAL\n 7200   ; REFRESH\n 60)    ; MINIMUM\n\n        NS      A.ISI.EDU.\r\nA       A       26.3.0.103\n";
        assert_eq!(
            shown(text),
            ["1:@|IN|SOA|VENERA|Action\\.domains|20|7200|60", "6_NS|A.ISI.EDU.", "7:A|A|26.3.0.103"]
        );
        assert_eq!(shown("a HTTPS 1 . alpn=\"h2,h3\" port=443"), ["1:a|HTTPS|1|.|alpn=h2,h3|port=443"]);
        assert_eq!(shown("a TXT \"x ; (y\"\"\\\"z\" w\\;v ; c\n;only\n"), ["1:a|TXT|<x ; (y>|<\\\"z>|w\\;v"]);
    }

    #[test]
    fn what_is_not_closed_is_named_with_its_line() {
        for (text, line) in [("\na (", "2"), ("a )", "1"), ("\n\na \"b", "3"), ("a \"b\n\"", "1"), ("a \\", "1")] {
            assert_eq!(cut(text).unwrap_err().fact("line"), Some(line), "{text}");
        }
    }
}
