//! The few lines of DER (X.690) that a public key needs.

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OID: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;

/// One element with a definite length of the shortest form.
pub(crate) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let bytes = content.len().to_be_bytes();
    let significant: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
    let mut element = vec![tag];
    match significant.as_slice() {
        [] => element.push(0),
        [short] if *short < 0x80 => element.push(*short),
        long => {
            element.push(0x80 | u8::try_from(long.len()).unwrap_or(8));
            element.extend(long);
        }
    }
    element.extend(content);
    element
}

/// The elements within the first one here, each with its own tag and length. What is not DER ends the list.
pub(crate) fn elements(whole: &[u8]) -> Vec<&[u8]> {
    let mut rest = split(whole).map(|(content, first, _)| first.get(first.len() - content..).unwrap_or_default());
    let mut found = Vec::new();
    while let Some((_, first, more)) = rest.and_then(split) {
        found.push(first);
        rest = Some(more);
    }
    found
}

/// How long the content of the first element is, that element, and what follows it.
fn split(bytes: &[u8]) -> Option<(usize, &[u8], &[u8])> {
    let (short, digits) = match *bytes.get(1)? {
        short @ ..0x80 => (usize::from(short), 0),
        long => (0, usize::from(long & 0x7f)),
    };
    let head = digits + 2;
    let long = bytes.get(2..head)?.iter().try_fold(0usize, |length, digit| {
        length.checked_mul(256).and_then(|length| length.checked_add(usize::from(*digit)))
    })?;
    let content = short + long;
    let (first, more) = bytes.split_at_checked(head.checked_add(content)?)?;
    Some((content, first, more))
}

/// An unsigned number, given in big-endian bytes.
pub(crate) fn unsigned(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    let digits = bytes.get(start..).unwrap_or_default();
    let sign: &[u8] = if digits.first().is_none_or(|first| *first >= 0x80) { &[0] } else { &[] };
    element(INTEGER, &[sign, digits])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_together_is_taken_apart() {
        let parts = [unsigned(&[5]), element(OCTET_STRING, &[&[7; 300]]), element(SEQUENCE, &[])];
        let whole = element(SEQUENCE, &[&parts[0], &parts[1], &parts[2]]);
        assert_eq!(elements(&whole), parts);
        assert!(elements(&whole[..40]).is_empty() && elements(&[]).is_empty() && elements(&[0x30, 0x81]).is_empty());
    }

    #[test]
    fn lengths_and_signs_are_those_of_x690() {
        assert_eq!(element(SEQUENCE, &[]), [0x30, 0]);
        assert_eq!(element(OCTET_STRING, &[&[7; 0x7f]])[..2], [4, 0x7f]);
        assert_eq!(element(OCTET_STRING, &[&[7; 0x80]])[..3], [4, 0x81, 0x80]);
        assert_eq!(element(OCTET_STRING, &[&[7; 0x100]])[..4], [4, 0x82, 1, 0]);
        assert_eq!(unsigned(&[0, 0, 1]), [2, 1, 1]);
        assert_eq!(unsigned(&[0x80]), [2, 2, 0, 0x80]);
        assert_eq!(unsigned(&[]), [2, 1, 0]);
    }
}
