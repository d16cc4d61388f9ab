//! Names as they are managed: records, and what goes wrong with them.

use serde_json::{Value, json};

use crate::dns::faults::Questions;
use crate::dns::kind::RecordKind;
use crate::dns::records::NameRecord;
use crate::dns::server::NameServer;
use crate::management::ask::Refusal;
use crate::management::fields::Fields;
use crate::management::listener::Bed;
use crate::management::script::{name_fault, occurrence};

pub(crate) fn missing() -> Refusal {
    Refusal::new(404, "this test bed has no name server")
}

/// The records that were set, those with these values.
pub(crate) fn records(bed: &Bed, wanted: Vec<(&str, String)>) -> Result<Value, Refusal> {
    let names = bed.dns.as_ref().ok_or_else(missing)?;
    let records = names.records().all().into_iter().map(|record| shown(&record)).filter(|record| {
        wanted.iter().all(|(name, value)| {
            record.get(*name).and_then(Value::as_str).is_some_and(|have| have.eq_ignore_ascii_case(value))
        })
    });
    let mut told = json!({ "records": records.collect::<Vec<_>>() });
    if let Some(trouble) = names.shared().file_trouble() {
        told["file_trouble"] = trouble.into();
    }
    Ok(told)
}

fn shown(record: &NameRecord) -> Value {
    json!({ "name": record.name, "type": record.kind.to_string(), "ttl": record.ttl, "data": record.data })
}

/// Does what a call asks for; `None` when there is no such call.
pub(crate) fn set(bed: &Bed, method: &str, what: &str, mut fields: Fields) -> Result<Option<Value>, Refusal> {
    let names = bed.dns.as_ref().ok_or_else(missing)?;
    match (method, what) {
        ("POST", "records") => add(names, fields)?,
        ("DELETE", "records") => return remove(names, fields).map(Some),
        ("POST", "every") => {
            let addresses = fields.texts("addresses")?;
            fields.done()?;
            let read =
                addresses.iter().map(|text| text.parse().map_err(|_| Refusal::bad(format!("`{text}` is no address"))));
            names.set_every(read.collect::<Result<_, _>>()?);
        }
        ("POST", "faults") => {
            let questions = questions(&mut fields)?;
            let occurrence = occurrence(fields.value("occurrence"))?;
            let fault = name_fault(fields.value("fault").ok_or_else(|| Refusal::bad("`fault` is missing"))?);
            fields.done()?;
            names.faults().on(questions, occurrence, fault?);
        }
        ("DELETE", "faults") => {
            fields.done()?;
            names.faults().clear();
        }
        _ => return Ok(None),
    }
    Ok(Some(json!({})))
}

fn add(names: &NameServer, mut fields: Fields) -> Result<(), Refusal> {
    if let Some(text) = fields.optional_text("zone_file")? {
        fields.done()?;
        return Ok(names.records().add_zone_file(&text)?);
    }
    let name = fields.text("name")?;
    let ttl = fields.optional_number("ttl")?;
    let ttl = ttl.map(|ttl| u32::try_from(ttl).ok().filter(|ttl| i32::try_from(*ttl).is_ok()));
    if let Some(text) = fields.optional_text("text")? {
        fields.done()?;
        return Ok(names.records().add_text(&name, &text)?);
    }
    let kind: RecordKind = fields.text("type")?.parse()?;
    let data = fields.text("data")?;
    fields.done()?;
    match ttl {
        None => names.records().add(&name, kind, &data)?,
        Some(Some(ttl)) => names.records().add_with_ttl(&name, kind, ttl, &data)?,
        Some(None) => return Err(Refusal::bad("`ttl` is a number of seconds below 2^31")),
    }
    Ok(())
}

fn remove(names: &NameServer, mut fields: Fields) -> Result<Value, Refusal> {
    let name = fields.optional_text("name")?;
    let kind = fields.optional_text("type")?.map(|kind| kind.parse::<RecordKind>()).transpose()?;
    let text = fields.optional_text("text")?;
    fields.done()?;
    let removed = match (name, kind, text) {
        (Some(name), None, Some(text)) => usize::from(names.records().remove_text(&name, &text)?),
        (Some(name), kind, None) => names.records().remove(&name, kind)?,
        (None, None, None) => {
            let all = names.records().all().len();
            names.records().clear();
            all
        }
        _ => {
            return Err(Refusal::bad("take away by `name`, by `name` and `type`, by `name` and `text`, or everything"));
        }
    };
    Ok(json!({ "removed": removed }))
}

fn questions(fields: &mut Fields) -> Result<Questions, Refusal> {
    let operation = fields.optional_text("operation")?;
    let mut questions = match operation.as_deref() {
        None | Some("query") => Questions::all(),
        Some("update") => Questions::updates(),
        Some(other) => {
            return Err(Refusal::bad(format!("there is no operation `{other}`; there are `query` and `update`")));
        }
    };
    match (fields.optional_text("name")?, fields.optional_text("below")?) {
        (None, None) => {}
        (Some(name), None) => questions = questions.about(&name),
        (None, Some(name)) => questions = questions.below(&name),
        (Some(_), Some(_)) => return Err(Refusal::bad("questions are about a `name`, or `below` one")),
    }
    if let Some(kind) = fields.optional_text("type")? {
        questions = questions.of(kind.parse()?);
    }
    Ok(questions)
}
