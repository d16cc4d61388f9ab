//! `limits`: what an authority lets through, as `"none"` or a table of rates such as `"50/7d"`.

use std::time::Duration;

use serde_json::{Value, json};
use toml::de::DeValue;

use super::fault::{Faults, Place, quoted};
use super::leaf::{text, word};
use super::read::{At, Item, Leaf, Read, Wrong, table};
use crate::ground::duration;
use crate::plan::spec::{self, LimitTable, Rate};

const LONGEST: Duration = Duration::from_secs(366 * 86_400);

table! {
    /// What an authority lets through; what is left out is not limited.
    struct LimitsTable {
        /// New orders of the account.
        optional "orders" orders: At<Rate>,
        /// Certificates for one registered domain.
        optional "domain" domain: At<Rate>,
        /// Certificates for exactly the same identifiers.
        optional "set" set: At<Rate>,
        /// Failed validations of one identifier.
        optional "failures" failures: At<Rate>,
    }
}

impl Leaf for Rate {
    fn leaf(value: &DeValue<'_>) -> Result<Self, Wrong> {
        let text = text(value, "a rate as text")?;
        let wrong = |why| {
            Wrong::new(format!("`{}` {why}", quoted(text))).hint("write how many within which time, such as `50/7d`")
        };
        let (count, period) = text.split_once('/').ok_or_else(|| wrong("is no rate"))?;
        let count: u32 = count.parse().ok().filter(|count| *count > 0).ok_or_else(|| wrong("does not say how many"))?;
        let period = duration::parse(period).map_err(|_| wrong("does not say within which time"))?;
        if period.as_secs() < u64::from(count) || period > LONGEST {
            return Err(wrong("is more than one a second or longer than a year"));
        }
        Ok(Self::new(count, period))
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^[1-9][0-9]*/[0-9]+[smhdw]$" })
    }
}

/// `"none"` or a table.
#[derive(Debug)]
pub(super) struct Limits {
    /// Where it stands.
    pub(super) at: usize,
    /// What it says.
    pub(super) wish: spec::Limits,
}

impl Read for Limits {
    fn read(item: &Item<'_>, place: &Place<'_>, faults: &mut Faults) -> Option<Self> {
        let at = faults.base.saturating_add(item.span().start);
        let wish = match item.get_ref() {
            DeValue::Table(_) => {
                let rate = |one: Option<At<Rate>>| one.map(|one| one.value);
                let LimitsTable { orders, domain, set, failures } = LimitsTable::read(item, place, faults)?;
                let table =
                    LimitTable { orders: rate(orders), domain: rate(domain), set: rate(set), failures: rate(failures) };
                spec::Limits::Own(table)
            }
            _ => At::<Uncounted>::read(item, place, faults).map(|_| spec::Limits::Uncounted)?,
        };
        Some(Self { at, wish })
    }

    fn schema() -> Value {
        json!({ "anyOf": [At::<Uncounted>::schema(), LimitsTable::schema()] })
    }
}

/// The word `none`.
#[derive(Clone, Debug)]
struct Uncounted;

impl Leaf for Uncounted {
    fn leaf(value: &DeValue<'_>) -> Result<Self, Wrong> {
        word(text(value, "`none` or a table")?, [("none", Self)].into_iter())
    }

    fn schema() -> Value {
        json!({ "enum": ["none"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<spec::Limits, String> {
        let table = toml::de::DeTable::parse(text).unwrap();
        let mut faults = Faults::default();
        let item = &table.get_ref()["limits"];
        let read = Limits::read(item, &Place::TOP.key("limits"), &mut faults);
        match faults.into_error(text, "x.toml".as_ref()) {
            Some(error) => Err(format!("{error}; {}", error.hint_text().unwrap_or_default())),
            None => Ok(read.unwrap().wish),
        }
    }

    #[test]
    fn none_or_a_table_of_rates() {
        assert_eq!(read("limits = \"none\""), Ok(spec::Limits::Uncounted));
        let day = Duration::from_secs(86_400);
        let own = LimitTable {
            orders: Some(Rate::new(300, Duration::from_secs(3 * 3_600))),
            domain: Some(Rate::new(50, 7 * day)),
            ..LimitTable::default()
        };
        assert_eq!(read("limits = { orders = \"300/3h\", domain = \"50/7d\" }"), Ok(spec::Limits::Own(own)));
        assert_eq!(read("limits = {}"), Ok(spec::Limits::Own(LimitTable::default())));
    }

    #[test]
    fn what_is_no_rate_is_said() {
        for (text, told) in [
            ("limits = \"some\"", "write `none`"),
            ("limits = 5", "expected `none` or a table, found a whole number"),
            ("limits = { order = \"1/1h\" }", "write `orders`, if that was meant"),
            ("limits = { orders = 300 }", "expected a rate as text"),
            ("limits = { orders = \"300\" }", "`300` is no rate"),
            ("limits = { orders = \"0/1h\" }", "does not say how many"),
            ("limits = { orders = \"-1/1h\" }", "does not say how many"),
            ("limits = { orders = \"5/hour\" }", "does not say within which time"),
            ("limits = { orders = \"61/1m\" }", "more than one a second"),
            ("limits = { orders = \"1/400d\" }", "longer than a year"),
        ] {
            let said = read(text).unwrap_err();
            assert!(said.contains(told), "{text}: {said}");
        }
    }
}
