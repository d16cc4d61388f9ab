//! The JSON Schema of `certwright.toml`, for editors and generators.

use serde_json::Value;

use super::read::Read as _;
use super::shape::Top;

/// The JSON Schema (draft 2020-12) of `certwright.toml`, as text.
///
/// It says what a file may look like; whether the parts fit together is said by [`Config::parse`](crate::Config::parse).
pub fn schema() -> String {
    let mut schema = Top::schema();
    if let Some(top) = schema.as_object_mut() {
        top.insert("$schema".to_owned(), Value::from("https://json-schema.org/draft/2020-12/schema"));
        top.insert("title".to_owned(), Value::from("certwright.toml"));
    }
    format!("{schema:#}\n")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::choice;
    use super::super::read::{Read, Table};
    use super::super::shape::{ExternalAccount, Issuer, Lineage, Output, Probe, Retain, Top};
    use super::super::solver;
    use super::super::starter_file;
    use super::schema;

    /// The part of JSON Schema that is used here: enough to judge a file by, apart from patterns.
    fn accepts(schema: &Value, value: &Value) -> bool {
        let empty = serde_json::Map::new();
        let list = |key: &str| schema.get(key).and_then(Value::as_array);
        let number = |key: &str| schema.get(key).and_then(Value::as_f64);
        let kind = match schema.get("type").and_then(Value::as_str) {
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("string") => value.is_string(),
            Some("integer") => value.is_i64() || value.is_u64(),
            Some("boolean") => value.is_boolean(),
            Some(other) => panic!("the validator does not know type {other}"),
            None => true,
        };
        let object = value.as_object().unwrap_or(&empty);
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        kind && list("anyOf").is_none_or(|any| any.iter().any(|one| accepts(one, value)))
            && list("enum").is_none_or(|words| words.contains(value))
            && list("required").is_none_or(|keys| keys.iter().all(|key| object.contains_key(key.as_str().unwrap())))
            && value.as_f64().is_none_or(|it| number("minimum").is_none_or(|min| it >= min))
            && value.as_f64().is_none_or(|it| number("maximum").is_none_or(|max| it <= max))
            && value.as_array().is_none_or(|all| {
                schema.get("items").is_none_or(|items| all.iter().all(|one| accepts(items, one)))
                    && number("minItems").is_none_or(|least| all.len() as f64 >= least)
            })
            && object.iter().all(|(key, value)| match (properties.get(key), schema.get("additionalProperties")) {
                (Some(schema), _) => accepts(schema, value),
                (None, Some(Value::Bool(allowed))) => *allowed,
                (None, Some(schema)) => accepts(schema, value),
                (None, None) => true,
            })
    }

    fn judged(text: &str) -> bool {
        accepts(&serde_json::from_str(&schema()).unwrap(), &toml::from_str(text).unwrap())
    }

    #[test]
    fn the_copy_in_the_documentation_is_current() {
        let copy = include_str!("../../../../docs/certwright.schema.json");
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert!(read(copy) == read(&schema()), "run `certwright schema > docs/certwright.schema.json`");
    }

    #[test]
    fn accepts_what_the_parser_accepts() {
        assert!(judged(starter_file()));
        for body in [
            "service = { preset = \"nginx\", pid = \"/x\" }",
            "check = [\"a\"]",
            "check = { command = [\"a\"], limit = \"1s\" }",
            "reload = [\"a\"]",
            "reload = { signal = \"HUP\", pid_file = \"/x\" }",
            "reload = { unit = \"x\" }",
            "reload = { haproxy = \"/x\", certificate = \"/y\" }",
            "reload = { haproxy = \"/x\", otherwise = { signal = \"USR2\", pid_file = \"/y\" } }",
            "reload = { haproxy = \"/x\", otherwise = [\"a\"] }",
            "probe = [{ address = \"[::1]:25\", starttls = \"none\", limit = \"1s\", connections = 2 }]",
            "mode = \"0640\"\nacl = [\"user:a:r--\"]\nprivate = true",
            "[[lineage.www.output]]\npath = \"/x\"\nstrategy = \"pinned\"\ntemplate = \"{generation}\"",
        ] {
            let text = format!("version = 1\n[lineage.www]\nidentifiers = [\"a.example\"]\n{body}\n");
            assert!(crate::Config::parse(&text, "f".as_ref()).is_ok() && judged(&text), "{body}");
        }
    }

    #[test]
    fn refuses_what_the_parser_refuses() {
        for text in [
            "root = \"/x\"",
            "version = 1\nlineages = {}",
            "version = 1\n[lineage.www]",
            "version = 1\n[lineage.www]\nidentifiers = [\"a.example\"]\nmode = 640",
            "version = 1\n[lineage.www]\nidentifiers = [\"a.example\"]\nkey = \"rsa\"",
            "version = 1\n[lineage.www]\nidentifiers = [\"a.example\"]\ncheck = \"nginx -t\"",
            "version = 1\n[lineage.www]\nidentifiers = [\"a.example\"]\ncheck = []",
            "version = 1\n[lineage.www]\nidentifiers = [\"a.example\"]\nreload = { unit = \"x\", signal = \"HUP\" }",
            "version = 1\n[lineage.www]\nidentifiers = [\"a.example\"]\n[[lineage.www.output]]\npath = \"/x\"",
            "version = 1\n[failover]",
        ] {
            assert!(crate::Config::parse(text, "f".as_ref()).is_err() && !judged(text), "{text}");
        }
    }

    /// Every key has a description, and there is no key that only one of the two knows.
    #[test]
    fn parser_and_schema_know_the_same_keys() {
        fn keys<T: Table>() {
            let schema = <T as Read>::schema();
            let mut known: Vec<&str> = T::KEYS.to_vec();
            known.sort_unstable();
            let properties = schema["properties"].as_object().unwrap();
            let mut described: Vec<&String> = properties.keys().collect();
            described.sort_unstable();
            assert_eq!(described, known);
            for (key, property) in properties {
                assert!(property["description"].as_str().is_some_and(|text| text.ends_with('.')), "{key}");
            }
            assert_eq!(schema["additionalProperties"], json!(false));
        }
        keys::<Top>();
        keys::<Issuer>();
        keys::<ExternalAccount>();
        keys::<solver::HttpTable>();
        keys::<solver::TlsAlpnTable>();
        keys::<solver::DnsTable>();
        keys::<solver::TsigTable>();
        keys::<solver::CommandTable>();
        keys::<Lineage>();
        keys::<Output>();
        keys::<Probe>();
        keys::<Retain>();
        keys::<choice::ServiceTable>();
        keys::<choice::CommandTable>();
        keys::<choice::SignalTable>();
        keys::<choice::UnitTable>();
        keys::<choice::PidTable>();
        keys::<choice::HaproxyTable>();
    }
}
