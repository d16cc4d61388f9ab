//! Records, set and seen by a test.

use std::sync::Arc;

use certwright::{Error, ErrorKind, Result};
use hickory_proto::rr::{Name, RData};

use crate::dns::kind::RecordKind;
use crate::dns::server::Shared;
use crate::dns::store::{Change, Entry, MOST, Source};
use crate::dns::{file, name, rdata};

/// One record, as it was set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NameRecord {
    /// Its name in lower case, without a final dot.
    pub name: String,
    /// Its type.
    pub kind: RecordKind,
    /// How many seconds a resolver may keep it.
    pub ttl: u32,
    /// Its data as in a zone file.
    pub data: String,
}

/// The records of a name server. Clones share them.
///
/// # Examples
///
/// ```
/// use certwright_testbed::{NameSettings, RecordKind, Settings, Testbed};
///
/// let bed = Testbed::with(Settings { dns: Some(NameSettings::default()), ..Settings::default() })?;
/// let records = bed.dns().unwrap().records();
/// records.add("www.a.example", RecordKind::A, "192.0.2.1")?;
/// records.add("_acme-challenge.a.example", RecordKind::CNAME, "a.validation.example.")?;
/// records.add_text("a.validation.example", "a \"quoted\" text")?;
/// assert_eq!(records.at("a.validation.example")[0].data, r#""a \"quoted\" text""#);
/// # Ok::<(), certwright::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Records(pub(crate) Arc<Shared>);

impl Records {
    /// Adds one record to those that are there. What is not absolute in the data is below the root.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidSpec`] for a name or data that are none, or when there are too many records.
    pub fn add(&self, name: &str, kind: RecordKind, data: &str) -> Result<()> {
        let ttl = self.0.store().ttl;
        self.add_with_ttl(name, kind, ttl, data)
    }

    /// Adds one record that resolvers may keep for so many seconds.
    ///
    /// # Errors
    ///
    /// As [`Records::add`].
    pub fn add_with_ttl(&self, name: &str, kind: RecordKind, ttl: u32, data: &str) -> Result<()> {
        let name = name::parse(name, None)?;
        let data = rdata::parse(kind, data)?;
        self.put(&name, ttl, data)
    }

    /// Adds a TXT record of this text, whatever is in it.
    ///
    /// # Errors
    ///
    /// As [`Records::add`].
    pub fn add_text(&self, name: &str, text: &str) -> Result<()> {
        let ttl = self.0.store().ttl;
        self.put(&name::parse(name, None)?, ttl, rdata::texts(text))
    }

    /// Adds the records of a zone file (RFC 1035 §5), all or none. What is not absolute in it is below the root, where
    /// `$ORIGIN` does not say otherwise.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidSpec`] with the line that cannot be read.
    pub fn add_zone_file(&self, text: &str) -> Result<()> {
        let ttl = self.0.store().ttl;
        for read in file::read(text, ttl)? {
            self.put(&read.name, read.ttl, read.data)?;
        }
        Ok(())
    }

    fn put(&self, name: &Name, ttl: u32, data: RData) -> Result<()> {
        match self.0.store().add(name, Entry { ttl, data, source: Source::Told }) {
            Change::Made | Change::None => Ok(()),
            Change::Full => Err(Error::new(ErrorKind::InvalidSpec, "there are too many records")
                .context("records", MOST)
                .hint("remove those that are not needed any more")),
        }
    }

    /// Takes every record of a name and a type away, or of every type. Says how many there were.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidSpec`] for a name that is none.
    pub fn remove(&self, name: &str, kind: Option<RecordKind>) -> Result<usize> {
        let name = name::parse(name, None)?;
        Ok(self.0.store().remove(&name, kind, |_| true))
    }

    /// Takes the TXT record of this text away. Says whether there was one.
    ///
    /// # Errors
    ///
    /// As [`Records::remove`].
    pub fn remove_text(&self, name: &str, text: &str) -> Result<bool> {
        let (name, data) = (name::parse(name, None)?, rdata::texts(text));
        Ok(self.0.store().remove(&name, Some(RecordKind::TXT), |entry| entry.data == data) > 0)
    }

    /// The records that were set for a name; none for a name that is none.
    pub fn at(&self, name: &str) -> Vec<NameRecord> {
        let Ok(name) = name::parse(name, None) else { return Vec::new() };
        self.shown(|other| *other == name)
    }

    /// Every record that was set.
    pub fn all(&self) -> Vec<NameRecord> {
        self.shown(|_| true)
    }

    /// Takes every record away.
    pub fn clear(&self) {
        let mut store = self.0.store();
        let names: Vec<Name> = store.all().map(|(name, _)| name.clone()).collect();
        for name in names {
            store.remove(&name, None, |_| true);
        }
    }

    fn shown(&self, wanted: impl Fn(&Name) -> bool) -> Vec<NameRecord> {
        let store = self.0.store();
        let records = store.all().filter(|(name, _)| wanted(name)).map(|(name, entry)| NameRecord {
            name: name::text(name),
            kind: entry.data.record_type().into(),
            ttl: entry.ttl,
            data: rdata::text(&entry.data),
        });
        records.collect()
    }
}
