//! Times as clients write them (RFC 3339).

use certwright::Timestamp;

/// Reads one, such as `2026-11-24T08:00:00Z`; a fraction of a second is dropped.
pub(crate) fn read(text: &str) -> Option<Timestamp> {
    let field = |from: usize, to: usize| -> Option<i64> {
        let digits = text.get(from..to)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let mark = |at: usize, marks: &[u8]| text.as_bytes().get(at).is_some_and(|byte| marks.contains(byte));
    if !(mark(4, b"-") && mark(7, b"-") && mark(10, b"Tt ") && mark(13, b":") && mark(16, b":")) {
        return None;
    }
    let (year, month, day) = (field(0, 4)?, field(5, 7)?, field(8, 10)?);
    let (hour, minute, second) = (field(11, 13)?, field(14, 16)?, field(17, 19)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=longest).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut zone = text.get(19..)?;
    if let Some(fraction) = zone.strip_prefix('.') {
        zone = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
        if zone.len() == fraction.len() {
            return None;
        }
    }
    let offset = match zone {
        "Z" | "z" => 0,
        _ => {
            let sign = if zone.starts_with('-') { -1 } else { 1 };
            let (hours, minutes) = zone.strip_prefix(['+', '-'])?.split_once(':')?;
            let part =
                |text: &str, most: i64| text.parse().ok().filter(|part| text.len() == 2 && (0..=most).contains(part));
            sign * (part(hours, 23)? * 3_600 + part(minutes, 59)? * 60)
        }
    };
    let unix = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset;
    Some(Timestamp::from_unix(unix))
}

/// Days since 1970-01-01 in the Gregorian calendar. Years begin in March here, so that the leap day is their last.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let months = (month + 9) % 12;
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leaps + (153 * months + 2) / 5 + day - 719_469
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_date() {
        // As `date -u -d … +%s` prints them.
        for (text, unix) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-11-24T08:00:00Z", 1_795_507_200),
            ("2024-02-29T23:59:59.125Z", 1_709_251_199),
            ("2100-03-01T00:00:00z", 4_107_542_400),
            ("1985-04-12T23:20:50.52Z", 482_196_050),
            ("1996-12-19T16:39:57-08:00", 851_042_397),
        ] {
            assert_eq!(read(text), Some(Timestamp::from_unix(unix)), "{text}");
        }
    }

    #[test]
    fn nonsense_is_none() {
        for text in [
            "",
            "now",
            "2026-11-24",
            "2026-11-24T08:00:00",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-11-24T24:00:00Z",
            "2026-11-24T08:00:00.Z",
            "2026-11-24T08:00:00+1:00",
            "2026-11-24T08:00:00ZZ",
            "+026-11-24T08:00:00Z",
            "2026-11-24T08:00:0éZ",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
