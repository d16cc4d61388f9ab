//! From the tree that the TOML parser makes to the shapes of the file, gathering every fault on the way.
//!
//! This is not a derived deserializer because one of those stops at its first fault and forgets where it stood. A file for
//! a thousand lineages is put right in one go only when all its faults are told at once, with line, column and key.
//! What a key is called, what it takes and what the schema says about it stands in one place: [`table!`].

use serde_json::{Value, json};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{Faults, Place, quoted};
use crate::ground::error::Error;
use crate::plan::nearest::nearest;

/// A value of the document with its place in the text.
pub(super) type Item<'t> = Spanned<DeValue<'t>>;

/// Something that can stand on the right of a key.
pub(super) trait Read: Sized {
    /// Read it, or note at least one fault and return `None`.
    fn read(item: &Item<'_>, place: &Place<'_>, faults: &mut Faults) -> Option<Self>;

    /// What the schema says about it.
    fn schema() -> Value;
}

/// A single value with the offset where it stands in the whole text.
#[derive(Debug)]
pub(super) struct At<T> {
    /// The value.
    pub(super) value: T,
    /// Where it stands.
    pub(super) at: usize,
}

/// What is wrong with a single value.
pub(super) struct Wrong {
    message: String,
    hint: Option<String>,
}

impl Wrong {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A value of another kind than the one that is wanted.
    pub(super) fn kind(wanted: &str, found: &DeValue<'_>) -> Self {
        Self::new(format!("expected {wanted}, found {}", kind(found)))
    }

    /// The fault of a parser of the ground floor, with the text that it was given.
    pub(super) fn text(text: &str, error: &Error) -> Self {
        let wrong = Self::new(format!("`{}`: {}", quoted(text), error.message()));
        match error.hint_text() {
            Some(hint) => wrong.hint(hint),
            None => wrong,
        }
    }
}

/// A single value that is checked on its own.
pub(super) trait Leaf: Sized {
    /// The value, or what is wrong with it.
    fn leaf(value: &DeValue<'_>) -> Result<Self, Wrong>;

    /// What the schema says about it.
    fn schema() -> Value;
}

impl<T: Leaf> Read for At<T> {
    fn read(item: &Item<'_>, place: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        let at = item.span().start;
        match T::leaf(item.get_ref()) {
            Ok(value) => Some(Self { value, at: faults.base.saturating_add(at) }),
            Err(wrong) => {
                faults.add(at, place, wrong.message, wrong.hint);
                None
            }
        }
    }

    fn schema() -> Value {
        T::schema()
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(item: &Item<'_>, place: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        let DeValue::Array(elements) = item.get_ref() else {
            let found = item.get_ref();
            let hint = found.as_str().map(|one| format!("write `[\"{}\"]`", quoted(one)));
            faults.add(item.span().start, place, format!("expected an array, found {}", kind(found)), hint);
            return None;
        };
        let mut values = Self::with_capacity(elements.len());
        for (at, element) in elements.iter().enumerate() {
            values.extend(T::read(element, &place.index(at), faults));
        }
        (values.len() == elements.len()).then_some(values)
    }

    fn schema() -> Value {
        json!({ "type": "array", "items": T::schema() })
    }
}

/// A table whose keys are names that the author of the file chose.
#[derive(Debug)]
pub(super) struct Named<N, T>(pub(super) Vec<(At<N>, Option<T>)>);

impl<N: std::str::FromStr<Err = Error>, T: Read> Read for Named<N, T> {
    fn read(item: &Item<'_>, place: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        let entries = entries(item, place, faults)?;
        let mut named = Vec::with_capacity(entries.len());
        for (key, item) in entries {
            let text: &str = key.get_ref();
            let place = place.key(text);
            let name = match text.parse::<N>() {
                Ok(name) => Some(At { value: name, at: faults.base.saturating_add(key.span().start) }),
                Err(error) => {
                    let wrong = Wrong::text(text, &error);
                    faults.add(key.span().start, &place, wrong.message, wrong.hint);
                    None
                }
            };
            let value = T::read(item, &place, faults);
            named.extend(name.map(|name| (name, value)));
        }
        // A name whose table has faults is still a name: what refers to it is not a fault as well.
        Some(Self(named))
    }

    fn schema() -> Value {
        json!({
            "type": "object",
            "propertyNames": { "pattern": "^[a-z0-9][a-z0-9._-]{0,63}$" },
            "additionalProperties": T::schema(),
        })
    }
}

/// The entries of a table, or a fault.
pub(super) fn entries<'i, 't>(item: &'i Item<'t>, place: &Place<'_>, faults: &mut Faults) -> Option<&'i DeTable<'t>> {
    if let DeValue::Table(entries) = item.get_ref() {
        return Some(entries);
    }
    faults.add(item.span().start, place, format!("expected a table, found {}", kind(item.get_ref())), None);
    None
}

/// Note a key that this table does not have.
#[cold]
pub(super) fn unknown_key(at: usize, key: &str, known: &[&str], place: &Place<'_>, faults: &mut Faults) {
    let hint = match nearest(key, known.iter().copied()) {
        Some(near) => format!("write `{near}`, if that was meant"),
        None => format!("known here: `{}`", known.join("`, `")),
    };
    faults.add(at, &place.key(key), format!("there is no key `{}` here", quoted(key)), Some(hint));
}

/// What people call this kind of value.
pub(super) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

/// A table with the keys that we chose.
pub(super) trait Table: Read {
    /// Every key.
    const KEYS: &'static [&'static str];

    /// Read it from entries whose header or brace stands at `at`. An optional key with a fault is as good as absent here;
    /// [`Read::read`] gives a table up that has any.
    fn read_entries(entries: &DeTable<'_>, at: usize, place: &Place<'_>, faults: &mut Faults) -> Option<Self>;
}

/// The schema of a table: its keys with description, whether they are needed, and what they take.
pub(super) fn object<const N: usize>(about: &str, keys: [(&str, &str, bool, Value); N]) -> Value {
    let mut properties = serde_json::Map::new();
    let mut required = Vec::new();
    for (key, about, needed, mut schema) in keys {
        if let Some(schema) = schema.as_object_mut() {
            schema.insert("description".to_owned(), Value::from(prose(about)));
        }
        properties.insert(key.to_owned(), schema);
        required.extend(needed.then_some(key));
    }
    let mut table = json!({
        "type": "object",
        "description": prose(about),
        "properties": properties,
        "additionalProperties": false,
    });
    if let (Some(table), false) = (table.as_object_mut(), required.is_empty()) {
        table.insert("required".to_owned(), Value::from(required));
    }
    table
}

/// Lines of documentation as one paragraph.
fn prose(lines: &str) -> String {
    lines.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// Declare a table of the file: a struct, how it is read, and what the schema says about it.
///
/// Each field is `needed` or `optional`, the key as it is written, the field, and its type; `once` is needed in the file
/// and optional in each of its pieces. The documentation of the field is its description in the schema.
macro_rules! table {
    (
        $(#[doc = $doc:literal])+
        struct $name:ident {
            $($(#[doc = $field_doc:literal])+ $need:ident $key:literal $field:ident: $type:ty,)+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug)]
        pub(super) struct $name {
            $($(#[doc = $field_doc])+ pub(super) $field: $crate::plan::file::read::table!(@type $need $type),)+
        }

        impl $crate::plan::file::read::Table for $name {
            const KEYS: &'static [&'static str] = &[$($key),+];

            fn read_entries(
                entries: &toml::de::DeTable<'_>,
                at: usize,
                place: &$crate::plan::file::fault::Place<'_>,
                faults: &mut $crate::plan::file::fault::Faults,
            ) -> Option<Self> {
                $(let mut $field: Option<$type> = None;)+
                for (key, item) in entries {
                    let name: &str = key.get_ref();
                    match name {
                        $($key => $field = <$type as $crate::plan::file::read::Read>::read(item, &place.key(name), faults),)+
                        _ => $crate::plan::file::read::unknown_key(key.span().start, name, Self::KEYS, place, faults),
                    }
                }
                // Not every table has a key that is needed.
                let _ = at;
                $($crate::plan::file::read::table!(@check $need $key $field entries at place faults);)+
                Some(Self { $($field: $crate::plan::file::read::table!(@take $need $field),)+ })
            }
        }

        impl $crate::plan::file::read::Read for $name {
            fn read(
                item: &$crate::plan::file::read::Item<'_>,
                place: &$crate::plan::file::fault::Place<'_>,
                faults: &mut $crate::plan::file::fault::Faults,
            ) -> Option<Self> {
                let before = faults.count();
                let entries = $crate::plan::file::read::entries(item, place, faults)?;
                let at = item.span().start;
                let table = <Self as $crate::plan::file::read::Table>::read_entries(entries, at, place, faults)?;
                (faults.count() == before).then_some(table)
            }

            fn schema() -> serde_json::Value {
                $crate::plan::file::read::object(
                    concat!($($doc, "\n"),+),
                    [$((
                        $key,
                        concat!($($field_doc, "\n"),+),
                        $crate::plan::file::read::table!(@needed $need),
                        <$type as $crate::plan::file::read::Read>::schema(),
                    )),+],
                )
            }
        }
    };
    (@type needed $type:ty) => { $type };
    (@type $optional:ident $type:ty) => { Option<$type> };
    (@needed optional) => { false };
    (@needed $needed:ident) => { true };
    (@check needed $key:literal $field:ident $entries:ident $at:ident $place:ident $faults:ident) => {
        if $field.is_none() && !$entries.contains_key($key) {
            $faults.add($at, &$place.key($key), concat!("the key `", $key, "` is missing"), None);
        }
    };
    (@check $optional:ident $key:literal $field:ident $entries:ident $at:ident $place:ident $faults:ident) => {};
    (@take needed $field:ident) => { $field? };
    (@take $optional:ident $field:ident) => { $field };
}
pub(super) use table;
