//! Three headers that an authority steers a client with: `Retry-After`, `Date` (RFC 9110 §10.2.3, §6.6.1) and `Link`
//! (RFC 8288).

use std::time::Duration;

use crate::ground::time::Timestamp;

/// The longest wait that is believed: a week, which is the longest window of a limit that a public authority has. Beyond it
/// a broken server would stop renewals for good.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(7 * 86_400);

/// How long a `Retry-After` says to wait, seen from `now`, which is the server's own `Date` where it sent one.
pub(super) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // Digits that fit no number are a very long time.
        return Some(value.parse().map_or(LONGEST_WAIT, Duration::from_secs).min(LONGEST_WAIT));
    }
    Some(http_date(value)?.since(now).unwrap_or_default().min(LONGEST_WAIT))
}

/// The moment that an HTTP date is, in each of the three forms that a recipient has to read (RFC 9110 §5.6.7).
pub(super) fn http_date(value: &str) -> Option<Timestamp> {
    let value = value.trim();
    let words: Vec<&str> = value.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    let (day, month, year, time) = match words.as_slice() {
        // Sun, 06 Nov 1994 08:49:37 GMT
        [_, day, month, year, time, "GMT"] if year.len() == 4 => (*day, *month, (*year).to_owned(), *time),
        // Sunday, 06-Nov-94 08:49:37 GMT
        [_, date, time, "GMT"] => {
            let mut parts = date.split('-');
            let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
            let century = if year.parse::<u8>().ok()? < 70 { "20" } else { "19" };
            (day, month, format!("{century}{year}"), *time)
        }
        // Sun Nov  6 08:49:37 1994
        [_, month, day, time, year] if year.len() == 4 => (*day, *month, (*year).to_owned(), *time),
        _ => return None,
    };
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let day: u8 = day.parse().ok()?;
    format!("{year}-{month:02}-{day:02}T{time}Z").parse().ok()
}

/// The targets of every link with the relation `alternate`, as they stand there.
pub(super) fn alternates(value: &str) -> impl Iterator<Item = &str> {
    links(value)
        .filter(|(_, relation)| relation.split(' ').any(|one| one.eq_ignore_ascii_case("alternate")))
        .map(|(target, _)| target)
}

/// Target and relation of each link; what cannot be read ends the list.
fn links(value: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = value;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (target, parameters) = rest.strip_prefix('<')?.split_once('>')?;
        let end = end_of_link(parameters);
        let (parameters, after) = parameters.split_at_checked(end)?;
        rest = after;
        Some((target, relation(parameters).unwrap_or_default()))
    })
}

/// Where the parameters of a link end: at the comma that is in no quotes.
fn end_of_link(parameters: &str) -> usize {
    let mut quoted = false;
    let ends = |(_, byte): &(usize, u8)| {
        quoted ^= *byte == b'"';
        *byte == b',' && !quoted
    };
    parameters.bytes().enumerate().find(ends).map_or(parameters.len(), |(at, _)| at)
}

/// The first `rel` counts (RFC 8288 §3.3).
fn relation(parameters: &str) -> Option<&str> {
    parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("rel").then(|| value.trim().trim_matches('"'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9110 §5.6.7: one moment, three forms.
    #[test]
    fn the_dates_of_rfc_9110_are_one_moment() {
        let moment = Timestamp::from_unix(784_111_777);
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(http_date(text), Some(moment), "{text}");
        }
        for text in ["", "now", "Sun, 06 Nov 94", "Sun, 31 Feb 1994 08:49:37 GMT", "a b c d e f", "Sun, é-x-y z GMT"] {
            assert_eq!(http_date(text), None, "{text}");
        }
    }

    #[test]
    fn waits_are_seconds_or_a_date_and_end_somewhere() {
        let now = Timestamp::from_unix(784_111_777);
        for (text, wait) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:51:37 GMT", Some(120)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("99999999999999999999999", Some(604_800)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(604_800)),
            ("-5", None),
            ("1.5", None),
            ("", None),
        ] {
            assert_eq!(retry_after(text, now), wait.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn alternates_are_found_among_other_links() {
        let value = concat!(
            r#"<https://ca.example/dir>;rel="index", <https://ca.example/c/1/1>; rel=alternate;title="a, b","#,
            r#" </c/1/2> ; REL="up alternate", <https://ca.example/x>;title="rel=alternate""#,
        );
        assert_eq!(alternates(value).collect::<Vec<_>>(), ["https://ca.example/c/1/1", "/c/1/2"]);
        for value in ["", "<", "<>", "<x", "<x>;", "<x>;rel", "x", ",,,"] {
            assert_eq!(alternates(value).count(), 0, "{value}");
        }
    }
}
