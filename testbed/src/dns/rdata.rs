//! The data of records as text (RFC 1035 §5.1, RFC 3597 §5), by way of their form on the wire.

use std::net::{Ipv4Addr, Ipv6Addr};

use certwright::{Error, ErrorKind, Public, Result};
use hickory_proto::rr::{Name, RData};
use hickory_proto::serialize::binary::{
    BinDecoder, BinEncodable as _, BinEncoder, DecodeError, NameEncoding, Restrict,
};

use crate::dns::kind::RecordKind;
use crate::dns::{lines, name};

/// One field of a line, and whether it was in quotation marks. Escapes are still in it, as what they stand for depends on
/// where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) text: String,
    pub(crate) quoted: bool,
}

/// The data that the fields of a line stand for.
pub(crate) fn read(kind: RecordKind, fields: &[Field], origin: Option<&Name>) -> Result<RData> {
    let defect = || {
        let written: Vec<&str> = fields.iter().map(|field| field.text.as_str()).collect();
        Error::new(ErrorKind::InvalidSpec, "this is no data for a record of its type")
            .context("type", Public(&kind.to_string()))
            .context("data", Public(&written.join(" ")))
            .hint("write it as in a zone file, or as `\\# LENGTH HEX`")
    };
    if !kind.is_data() {
        return Err(defect().hint("this type is for questions and messages, not for records"));
    }
    let wire = wire(kind, fields, origin).ok_or_else(defect)?;
    from_wire(kind, &wire).map_err(|source| defect().source(source))
}

fn wire(kind: RecordKind, fields: &[Field], origin: Option<&Name>) -> Option<Vec<u8>> {
    if let [Field { text, quoted: false }, rest @ ..] = fields
        && text == "\\#"
    {
        return generic(rest);
    }
    let texts: Vec<&str> = fields.iter().map(|field| field.text.as_str()).collect();
    let named = |text: &str| to_wire(&name::parse(text, origin).ok()?);
    let number = |text: &str| Some(text.parse::<u16>().ok()?.to_be_bytes().to_vec());
    Some(match (kind, texts.as_slice()) {
        (RecordKind::A, [address]) => address.parse::<Ipv4Addr>().ok()?.octets().to_vec(),
        (RecordKind::AAAA, [address]) => address.parse::<Ipv6Addr>().ok()?.octets().to_vec(),
        (RecordKind::CNAME | RecordKind::NS | RecordKind::PTR, [target]) => named(target)?,
        (RecordKind::MX, [preference, exchange]) => [number(preference)?, named(exchange)?].concat(),
        (RecordKind::SRV, [priority, weight, port, target]) => {
            [number(priority)?, number(weight)?, number(port)?, named(target)?].concat()
        }
        (RecordKind::TXT, [_, ..]) => {
            let parts = fields.iter().map(|field| counted(&bytes(&field.text)?)).collect::<Option<Vec<_>>>()?;
            parts.concat()
        }
        (RecordKind::CAA, [flags, tag, value]) => {
            let tag_is_right = (1..=15).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric());
            let tag = tag_is_right.then(|| counted(tag.as_bytes()))??;
            [vec![flags.parse::<u8>().ok()?], tag, bytes(value)?].concat()
        }
        (RecordKind::SOA, [primary, mail, serial, times @ ..]) if times.len() == 4 => {
            let mut wire = [named(primary)?, named(mail)?, serial.parse::<u32>().ok()?.to_be_bytes().to_vec()].concat();
            for time in times {
                wire.extend(seconds(time)?.to_be_bytes());
            }
            wire
        }
        (RecordKind::TLSA, [usage, selector, matching, rest @ ..]) if !rest.is_empty() => {
            let mut wire = Vec::new();
            for one in [usage, selector, matching] {
                wire.push(one.parse::<u8>().ok()?);
            }
            wire.extend(hex(&rest.concat())?);
            wire
        }
        (RecordKind::SSHFP, [algorithm, kind, rest @ ..]) if !rest.is_empty() => {
            [vec![algorithm.parse::<u8>().ok()?, kind.parse::<u8>().ok()?], hex(&rest.concat())?].concat()
        }
        (kind, _) if OWN.contains(&kind) => return None,
        // Types that are rarely seen in a test are read by the library's parser.
        (kind, _) => of(&RData::try_from_str(kind.wire(), &texts.join(" ")).ok()?)?,
    })
}

/// What is read here and nowhere else: the library's parser lets more fields than there should be pass.
const OWN: &[RecordKind] = &[
    RecordKind::A,
    RecordKind::AAAA,
    RecordKind::CNAME,
    RecordKind::NS,
    RecordKind::PTR,
    RecordKind::MX,
    RecordKind::SRV,
    RecordKind::TXT,
    RecordKind::CAA,
    RecordKind::SOA,
    RecordKind::TLSA,
    RecordKind::SSHFP,
];

/// `\# LENGTH HEX` without its beginning (RFC 3597 §5).
fn generic(fields: &[Field]) -> Option<Vec<u8>> {
    let (length, rest) = fields.split_first()?;
    let wire = hex(&rest.iter().map(|field| field.text.as_str()).collect::<String>())?;
    (length.text.parse() == Ok(wire.len())).then_some(wire)
}

/// Seconds, or a sum of numbers with units as `1h30m`.
pub(crate) fn seconds(text: &str) -> Option<u32> {
    hickory_proto::serialize::txt::parse_ttl(text).ok().filter(|seconds| i32::try_from(*seconds).is_ok())
}

/// The bytes that a character string stands for.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let (mut found, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let (byte, after) = if *first == b'\\' { name::escaped(after)? } else { (*first, after) };
        found.push(byte);
        rest = after;
    }
    Some(found)
}

/// With its length before it.
fn counted(bytes: &[u8]) -> Option<Vec<u8>> {
    Some([&[u8::try_from(bytes.len()).ok()?], bytes].concat())
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let nibble = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => Some(nibble(high)? << 4 | nibble(low)?),
            _ => None,
        })
        .collect()
}

/// A text as the data of TXT: cut into strings where it is long (RFC 1035 §3.3.14).
pub(crate) fn texts(text: &str) -> RData {
    let parts: Vec<&[u8]> = if text.is_empty() { vec![b""] } else { text.as_bytes().chunks(255).collect() };
    RData::TXT(hickory_proto::rr::rdata::TXT::from_bytes(parts))
}

fn from_wire(kind: RecordKind, wire: &[u8]) -> std::result::Result<RData, DecodeError> {
    let length = u16::try_from(wire.len()).map_err(|_| DecodeError::InsufficientBytes)?;
    let mut decoder = BinDecoder::new(wire);
    let data = RData::read(&mut decoder, kind.wire(), Restrict::new(length))?;
    if decoder.is_empty() { Ok(data) } else { Err(DecodeError::InsufficientBytes) }
}

fn to_wire(name: &Name) -> Option<Vec<u8>> {
    let mut wire = Vec::new();
    let mut encoder = BinEncoder::new(&mut wire);
    name.emit(&mut encoder.with_name_encoding(NameEncoding::Uncompressed)).ok()?;
    Some(wire)
}

/// The data as it is on the wire, where nothing is compressed.
pub(crate) fn of(data: &RData) -> Option<Vec<u8>> {
    let mut wire = Vec::new();
    let mut encoder = BinEncoder::new(&mut wire);
    data.emit(&mut encoder.with_name_encoding(NameEncoding::Uncompressed)).ok()?;
    Some(wire)
}

/// Data as in a zone file.
pub(crate) fn text(data: &RData) -> String {
    match data {
        RData::A(address) => address.0.to_string(),
        RData::AAAA(address) => address.0.to_string(),
        RData::CNAME(target) => name::absolute(&target.0),
        RData::NS(target) => name::absolute(&target.0),
        RData::PTR(target) => name::absolute(&target.0),
        RData::MX(mx) => format!("{} {}", mx.preference, name::absolute(&mx.exchange)),
        RData::SRV(srv) => {
            format!("{} {} {} {}", srv.priority, srv.weight, srv.port, name::absolute(&srv.target))
        }
        RData::TXT(text) => text.txt_data.iter().map(|part| quoted(part)).collect::<Vec<_>>().join(" "),
        RData::SOA(soa) => format!(
            "{} {} {} {} {} {} {}",
            name::absolute(&soa.mname),
            name::absolute(&soa.rname),
            soa.serial,
            soa.refresh,
            soa.retry,
            soa.expire,
            soa.minimum
        ),
        other => rare(other),
    }
}

fn rare(data: &RData) -> String {
    let wire = of(data).unwrap_or_default();
    if RecordKind::from(data.record_type()) == RecordKind::CAA
        && let [flags, length, rest @ ..] = wire.as_slice()
        && let Some((tag, value)) = rest.split_at_checked(usize::from(*length))
    {
        return format!("{flags} {} {}", String::from_utf8_lossy(tag), quoted(value));
    }
    let hex: String = wire.iter().map(|byte| format!("{byte:02X}")).collect();
    format!("\\# {} {hex}", wire.len()).trim_end().to_owned()
}

/// A character string in quotation marks.
pub(crate) fn quoted(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for byte in bytes {
        match byte {
            b'"' | b'\\' => {
                text.push('\\');
                text.push(char::from(*byte));
            }
            b' '..=b'~' => text.push(char::from(*byte)),
            other => text.push_str(&format!("\\{other:03}")),
        }
    }
    text.push('"');
    text
}

/// Data as in a zone file, on one line.
pub(crate) fn parse(kind: RecordKind, data: &str) -> Result<RData> {
    match lines::cut(data)?.as_slice() {
        [line] => read(kind, &line.fields, None),
        [] => read(kind, &[], None),
        [_, second, ..] => Err(lines::defect(second.number, "the data of one record is on one line")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_as_the_same() {
        for (kind, data) in [
            ("A", "192.0.2.1"),
            ("AAAA", "2001:db8::1"),
            ("MX", "10 mx.example."),
            ("SRV", "1 2 443 a.example."),
            ("CAA", "128 issue \"ca.example; a=b\""),
            ("TXT", "\"a\" \"b \\\"c\\\" \\\\ ;\" \"\""),
            ("TXT", "\"\\000\\255\""),
            ("SOA", "ns.example. me\\.you.example. 1 2 3 4 5"),
            ("TYPE65280", "\\# 3 010203"),
            ("TYPE65280", "\\# 0"),
            ("CNAME", "."),
        ] {
            let kind: RecordKind = kind.parse().unwrap();
            assert_eq!(text(&parse(kind, data).unwrap()), data);
        }
        // RFC 3597 §5: the same data in both forms.
        assert_eq!(parse(RecordKind::A, "\\# 4 0A000001").unwrap(), parse(RecordKind::A, "10.0.0.1").unwrap());
    }

    #[test]
    fn the_example_of_a_caa_record_is_that_of_rfc_8659() {
        // RFC 8659 §4.1.1: flags, the length of the tag, tag, value.
        let data = parse(RecordKind::CAA, "0 issue \"ca1.example.net\"").unwrap();
        assert_eq!(of(&data).unwrap(), b"\x00\x05issueca1.example.net");
    }

    #[test]
    fn long_texts_are_cut_and_broken_data_is_refused() {
        let RData::TXT(long) = texts(&"x".repeat(600)) else { panic!("no TXT") };
        assert_eq!(long.txt_data.iter().map(|part| part.len()).collect::<Vec<_>>(), [255, 255, 90]);
        for (kind, data) in [
            ("A", "192.0.2"),
            ("A", ""),
            ("A", "192.0.2.1 192.0.2.2"),
            ("A", "192.0.2.1\n192.0.2.2"),
            ("AAAA", "192.0.2.1"),
            ("MX", "70000 a."),
            ("CAA", "0 is-sue x"),
            ("CAA", "256 issue x"),
            ("TXT", ""),
            ("TXT", "\"a"),
            ("TXT", "a\\256"),
            ("A", "\\# 3 010203"),
            ("TYPE65280", "\\# 2 010203"),
            ("TYPE65280", "\\# 1 0"),
            ("ANY", "\\# 0"),
            ("OPT", "\\# 0"),
            ("CNAME", "a..b"),
        ] {
            assert!(parse(kind.parse().unwrap(), data).is_err(), "{kind} {data}");
        }
        let over = "x".repeat(256);
        assert!(parse(RecordKind::TXT, &over).is_err() && parse(RecordKind::TXT, &over[1..]).is_ok());
    }
}
