//! What the faults make of an answer that was meant well.

use serde_json::Value;

use crate::faults::Fault;
use crate::wire::body::Wire;
use crate::wire::reply::Reply;

/// The answer as it is sent, after every fault in turn.
pub(crate) fn distort(mut reply: Reply, faults: &[Fault]) -> (Reply, Wire) {
    for fault in faults {
        reply = one(reply, fault);
    }
    let body = std::mem::take(&mut reply.body);
    let wire = faults.iter().find_map(|fault| match fault {
        Fault::Endless => Some(Wire::endless(body.clone())),
        Fault::Pad(bytes) => Some(Wire::padded(body.clone(), *bytes)),
        Fault::Drip(pause) => Some(Wire::drip(body.clone(), *pause)),
        _ => None,
    });
    (reply, wire.unwrap_or_else(|| Wire::whole(body)))
}

fn one(mut reply: Reply, fault: &Fault) -> Reply {
    match fault {
        Fault::ContentType(kind) => return reply.without("Content-Type").with("Content-Type", kind),
        Fault::Header(name, value) => return reply.without(name).with(name, value),
        Fault::NoHeader(name) => return reply.without(name),
        Fault::Status(status) => reply.status = *status,
        Fault::Body(body) => reply.body.clone_from(body),
        Fault::Truncate(bytes) => reply.body.truncate(*bytes),
        Fault::Replace(pointer, value) => {
            return json(reply, |body| {
                if let Some(place) = body.pointer_mut(pointer) {
                    place.clone_from(value);
                }
            });
        }
        Fault::Remove(pointer) => return json(reply, |body| remove(body, pointer)),
        Fault::EveryString(text) => return json(reply, |body| every_string(body, text)),
        _ => {}
    }
    reply
}

/// Changes a body that is JSON; another one stays.
fn json(mut reply: Reply, change: impl FnOnce(&mut Value)) -> Reply {
    if let Ok(mut body) = serde_json::from_slice(&reply.body) {
        change(&mut body);
        reply.body = body.to_string().into_bytes();
    }
    reply
}

fn remove(body: &mut Value, pointer: &str) {
    let Some((above, name)) = pointer.rsplit_once('/') else { return };
    let name = name.replace("~1", "/").replace("~0", "~");
    match body.pointer_mut(above) {
        Some(Value::Object(fields)) => drop(fields.remove(&name)),
        Some(Value::Array(entries)) => {
            if let Some(at) = name.parse().ok().filter(|at| *at < entries.len()) {
                entries.remove(at);
            }
        }
        _ => {}
    }
}

fn every_string(value: &mut Value, text: &str) {
    match value {
        Value::String(own) => text.clone_into(own),
        Value::Array(entries) => entries.iter_mut().for_each(|entry| every_string(entry, text)),
        Value::Object(fields) => fields.values_mut().for_each(|field| every_string(field, text)),
        _ => {}
    }
}

/// The JSON pointers (RFC 6901) of every string in a text, for faults that take them one by one.
///
/// # Examples
///
/// ```
/// let answer = r#"{ "status": "valid", "urls": ["a", "b"], "size": 3 }"#;
/// assert_eq!(certwright_testbed::strings_of(answer), ["/status", "/urls/0", "/urls/1"]);
/// ```
pub fn strings_of(json: &str) -> Vec<String> {
    fn walk(value: &Value, at: &str, found: &mut Vec<String>) {
        match value {
            Value::String(_) => found.push(at.to_owned()),
            Value::Array(entries) => {
                for (number, entry) in entries.iter().enumerate() {
                    walk(entry, &format!("{at}/{number}"), found);
                }
            }
            Value::Object(fields) => {
                for (name, field) in fields {
                    walk(field, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    if let Ok(value) = serde_json::from_str(json) {
        walk(&value, "", &mut found);
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(fault: Fault) -> String {
        let reply = Reply::json(200, &json!({"a": "x", "b": ["y", 1], "c/d": {"e": "z"}}));
        String::from_utf8(one(reply, &fault).body).unwrap()
    }

    #[test]
    fn each_fault_changes_what_it_names() {
        assert_eq!(body(Fault::Replace("/b/0".into(), json!(null))), r#"{"a":"x","b":[null,1],"c/d":{"e":"z"}}"#);
        assert_eq!(body(Fault::Remove("/c~1d/e".into())), r#"{"a":"x","b":["y",1],"c/d":{}}"#);
        assert_eq!(body(Fault::Remove("/b/0".into())), r#"{"a":"x","b":[1],"c/d":{"e":"z"}}"#);
        assert_eq!(body(Fault::EveryString("\0".into())), r#"{"a":"\u0000","b":["\u0000",1],"c/d":{"e":"\u0000"}}"#);
        assert_eq!(body(Fault::Truncate(3)), r#"{"a"#);
        assert_eq!(body(Fault::Replace("/none".into(), json!(1))), r#"{"a":"x","b":["y",1],"c/d":{"e":"z"}}"#);
        let reply = one(Reply::empty(200).with("Location", "here"), &Fault::Header("location".into(), "there".into()));
        assert_eq!(reply.headers, [("location".to_owned(), "there".to_owned())]);
        assert_eq!(strings_of(&body(Fault::Status(500))), ["/a", "/b/0", "/c~1d/e"]);
    }
}
