//! What differs from run to run, blanked out.

/// Times, generations, fingerprints and numbers of processes in this text, and `directory`, become words in brackets.
pub(crate) fn filtered(text: &str, directory: &str) -> String {
    let text = text.replace(directory, "[DIR]");
    let mut words = String::new();
    let mut word = String::new();
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() || letter == '-' || letter == ':' {
            word.push(letter);
        } else {
            words.push_str(&blanked(&std::mem::take(&mut word)));
            words.push(letter);
        }
    }
    words.push_str(&blanked(&word));
    // As an ordinary user, in a namespace, there is nobody else to be.
    days(&words).replace("(by model and kernel)", "(by [EVIDENCE])").replace("(by model)", "(by [EVIDENCE])")
}

fn blanked(word: &str) -> String {
    // A label may stand before what it is about.
    let (bare, end) = match word.strip_suffix(':') {
        Some(bare) => (bare, ":"),
        None => (word, ""),
    };
    let blank = match bare.len() {
        64 if is_hex(bare) => "[FINGERPRINT]",
        20 if is_moment(bare) => "[TIME]",
        13 => match bare.split_once('-') {
            Some((number, short)) if number.len() == 4 && is_hex(number) && is_hex(short) => {
                return format!("{number}-[LEAF]{end}");
            }
            _ => bare,
        },
        _ => bare,
    };
    format!("{blank}{end}")
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_moment(text: &str) -> bool {
    let shape: String = text.chars().map(|letter| if letter.is_ascii_digit() { '0' } else { letter }).collect();
    shape == "0000-00-00T00:00:00Z"
}

/// A renewal time is chosen by the number of the machine.
fn days(text: &str) -> String {
    let mut parts = text.split(", in ");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|letter: char| letter.is_ascii_digit());
        out.push_str(if rest.len() < part.len() { ", in [N]" } else { ", in " });
        out.push_str(rest);
    }
    out
}

#[test]
fn what_differs_is_blanked_and_nothing_else() {
    let text = "www: 0001-b84cd790 until 2026-12-24T10:32:40Z, in 29 days, in /tmp/x/key: user:65533:r-- 1234-nothex12";
    let blank = "www: 0001-[LEAF] until [TIME], in [N] days, in [DIR]/key: user:65533:r-- 1234-nothex12";
    assert_eq!(filtered(text, "/tmp/x"), blank);
}
