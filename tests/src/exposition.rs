//! A strict reader of the text format of Prometheus, version 0.0.4, after its published description: what a collector would
//! take, and nothing that it would only forgive.

use std::collections::{BTreeMap, BTreeSet};

/// The samples by name and labels, as they were written.
pub type Samples = BTreeMap<(String, Vec<(String, String)>), f64>;

/// Reads the whole of it.
///
/// # Errors
///
/// The first line that is not in the format, and why.
pub fn read(text: &str) -> Result<Samples, String> {
    if !text.is_empty() && !text.ends_with('\n') {
        return Err("the last line does not end".to_owned());
    }
    let mut reader = Reader::default();
    for (number, line) in text.lines().enumerate() {
        reader.line(line).map_err(|why| format!("line {}: {why}: {line}", number + 1))?;
    }
    Ok(reader.samples)
}

#[derive(Default)]
struct Reader {
    family: Option<(String, String)>,
    helped: BTreeSet<String>,
    typed: BTreeSet<String>,
    closed: BTreeSet<String>,
    samples: Samples,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), String> {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').ok_or("a help without text")?;
            metric_name(name)?;
            if help.replace("\\\\", "").replace("\\n", "").contains('\\') {
                return Err("an escape that there is not".to_owned());
            }
            return if self.helped.insert(name.to_owned()) { Ok(()) } else { Err("a second help".to_owned()) };
        }
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').ok_or("a type without kind")?;
            metric_name(name)?;
            if !["counter", "gauge", "histogram", "summary", "untyped"].contains(&kind) {
                return Err(format!("no kind `{kind}`"));
            }
            if !self.helped.contains(name) || !self.typed.insert(name.to_owned()) {
                return Err("a type without help before it, or a second one".to_owned());
            }
            if kind == "counter" && !name.ends_with("_total") {
                return Err("a counter that is not called so".to_owned());
            }
            if let Some((before, _)) = self.family.replace((name.to_owned(), kind.to_owned())) {
                self.closed.insert(before);
            }
            return Ok(());
        }
        if line.starts_with('#') || line.trim() != line || line.is_empty() {
            return Err("neither help, type nor sample".to_owned());
        }
        self.sample(line)
    }

    fn sample(&mut self, line: &str) -> Result<(), String> {
        let end = line.find(['{', ' ']).ok_or("a name alone")?;
        let (name, rest) = line.split_at(end);
        metric_name(name)?;
        match &self.family {
            Some((family, _)) if family == name => {}
            _ => return Err("a sample outside its family".to_owned()),
        }
        let (labels, rest) = match rest.strip_prefix('{') {
            Some(rest) => labels(rest)?,
            None => (Vec::new(), rest),
        };
        let value = rest.strip_prefix(' ').ok_or("no blank before the value")?;
        if value.contains(' ') {
            return Err("a time stamp, which a collector of files refuses".to_owned());
        }
        let value: f64 = value.parse().map_err(|_| format!("`{value}` is no number"))?;
        if self.family.as_ref().is_some_and(|(_, kind)| kind == "counter") && (value.is_nan() || value < 0.0) {
            return Err("a counter below zero".to_owned());
        }
        match self.samples.insert((name.to_owned(), labels), value) {
            None => Ok(()),
            Some(_) => Err("the same sample twice".to_owned()),
        }
    }
}

fn metric_name(name: &str) -> Result<(), String> {
    let good = name
        .chars()
        .enumerate()
        .all(|(at, c)| c.is_ascii_alphabetic() || c == '_' || c == ':' || (at > 0 && c.is_ascii_digit()));
    if good && !name.is_empty() { Ok(()) } else { Err(format!("`{name}` is no name")) }
}

type Labels<'t> = (Vec<(String, String)>, &'t str);

fn labels(mut rest: &str) -> Result<Labels<'_>, String> {
    let mut labels: Vec<(String, String)> = Vec::new();
    loop {
        let (name, after) = rest.split_once("=\"").ok_or("a label without value")?;
        let good = name
            .chars()
            .enumerate()
            .all(|(at, c)| c.is_ascii_alphabetic() || c == '_' || (at > 0 && c.is_ascii_digit()));
        if !good || name.is_empty() || labels.iter().any(|(other, _)| other == name) {
            return Err(format!("`{name}` is no label, or there twice"));
        }
        let mut value = String::new();
        let mut characters = after.char_indices();
        let end = loop {
            match characters.next() {
                Some((at, '"')) => break at,
                Some((_, '\\')) => match characters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, escaped @ ('\\' | '"'))) => value.push(escaped),
                    _ => return Err("an escape that there is not".to_owned()),
                },
                Some((_, character)) => value.push(character),
                None => return Err("a value without end".to_owned()),
            }
        };
        labels.push((name.to_owned(), value));
        rest = &after[end + 1..];
        match (rest.strip_prefix(','), rest.strip_prefix('}')) {
            (Some(more), _) => rest = more,
            (_, Some(after)) => {
                labels.sort();
                return Ok((labels, after));
            }
            _ => return Err("labels without end".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_is_in_the_format_and_nothing_else() {
        let head = "# HELP a_total How often.\n# TYPE a_total counter\n";
        let samples = read(&format!("{head}a_total{{x=\"1\\\"\\\\\\n\",y=\"\"}} 3\na_total 4.5\n")).unwrap();
        assert_eq!(samples.len(), 2);
        let labels = vec![("x".to_owned(), "1\"\\\n".to_owned()), ("y".to_owned(), String::new())];
        assert_eq!(samples[&("a_total".to_owned(), labels)], 3.0);
        for wrong in [
            "a_total 1\n",
            "# TYPE a_total counter\na_total 1\n",
            "# HELP a How.\n# TYPE a counter\na 1\n",
            &format!("{head}a_total 1"),
            &format!("{head}a_total 1\na_total 1\n"),
            &format!("{head}a_total -1\n"),
            &format!("{head}a_total one\n"),
            &format!("{head}a_total 1 1700000000\n"),
            &format!("{head}b_total 1\n"),
            &format!("{head}a_total{{x=1}} 1\n"),
            &format!("{head}a_total{{x=\"1\"}}1\n"),
            &format!("{head}a_total{{x=\"\\t\"}} 1\n"),
            &format!("{head}a_total{{x=\"1\" 1\n"),
            &format!("{head}a_total{{x=\"1\",x=\"2\"}} 1\n"),
            &format!("{head}{head}"),
            &format!("{head}\n"),
            "# something\n",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
