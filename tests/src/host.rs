//! A machine in small: a lineage, and the server that reads it.

use std::fs;
use std::io;

use crate::cli::Ran;
use crate::served::{self, Leaf};
use crate::servers::Server;
use crate::site::Site;

/// The name that everything here is about.
pub const NAME: &str = "www.example.org";

/// The identifiers of a lineage, as its configuration has them. To go from one to the other takes another certificate.
pub const ONE: &str = "\"www.example.org\"";
/// The identifiers of a lineage, with one more.
pub const TWO: &str = "\"www.example.org\", \"example.org\"";

/// A lineage and its server.
#[derive(Debug)]
pub struct Host {
    /// The lineage.
    pub site: Site,
    /// The server.
    pub server: Server,
    /// The keys of every wish beyond identifiers, service and probe.
    pub keys: String,
    /// The tables of every wish, for outputs.
    pub tables: String,
}

impl Host {
    /// Nothing is issued, and nothing runs.
    ///
    /// # Errors
    ///
    /// When the server cannot be made.
    pub fn new(site: Site, make: impl FnOnce(&Site) -> io::Result<Server>) -> io::Result<Self> {
        let server = make(&site)?;
        let keys = format!("readers = [\"user:{}\"]", server.user().uid);
        Ok(Self { site, server, keys, tables: String::new() })
    }

    /// Has a certificate issued and the server serve it; all is as wished then.
    ///
    /// # Errors
    ///
    /// When it is not.
    pub fn bring_up(&mut self) -> io::Result<()> {
        self.site.wish(&format!("identifiers = [{ONE}]\n{}\n{}", self.keys, self.tables))?;
        self.apply_to(0)?;
        self.server.start()?;
        self.wish(ONE, "")?;
        self.apply_to(0)?;
        self.expect_served(&self.site.leaf()?)?;
        match self.site.generations()?.len() {
            1 => Ok(()),
            count => Err(io::Error::other(format!("there are {count} generations"))),
        }
    }

    /// Wishes for these identifiers, this service and, in place of what the service fills in, `more`.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn wish(&self, identifiers: &str, more: &str) -> io::Result<()> {
        self.wish_within("10s", identifiers, more)
    }

    /// The same with a time limit for the new certificate to be seen.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn wish_within(&self, limit: &str, identifiers: &str, more: &str) -> io::Result<()> {
        let probe = |place: &crate::servers::Place| {
            let dialect = place.dialect.map(|dialect| format!(", starttls = \"{dialect}\"")).unwrap_or_default();
            let address = place.address;
            format!(
                "{{ address = \"{address}\", server_name = \"{NAME}\", limit = \"{limit}\", connections = 2{dialect} }}"
            )
        };
        let probes: Vec<String> = self.server.places.iter().map(probe).collect();
        let service =
            if more.contains("service =") { String::new() } else { format!("service = {}", self.server.service()) };
        let (keys, tables) = (&self.keys, &self.tables);
        let probes = probes.join(", ");
        self.site
            .wish(&format!("identifiers = [{identifiers}]\n{keys}\n{service}\nprobe = [{probes}]\n{more}\n{tables}"))
    }

    /// Applies, for people.
    ///
    /// # Errors
    ///
    /// When that did not come to an exit status.
    pub fn apply(&self) -> io::Result<Ran> {
        self.site.run(&["apply"])
    }

    /// Applies, and expects this exit status.
    ///
    /// # Errors
    ///
    /// With what was said, when it is another.
    pub fn apply_to(&self, code: i32) -> io::Result<Ran> {
        let ran = self.apply()?;
        if ran.code == code {
            return Ok(ran);
        }
        let logged = self.server.said();
        Err(io::Error::other(format!("apply ended with {} for {code}: {}\nthe server: {logged}", ran.code, ran.said())))
    }

    /// Expects every place to serve this leaf.
    ///
    /// # Errors
    ///
    /// Where another is served.
    pub fn expect_served(&self, leaf: &Leaf) -> io::Result<()> {
        for place in &self.server.places {
            if served::leaf(*place, Some(NAME))? != *leaf {
                return Err(io::Error::other(format!("another certificate is served at {place:?}")));
            }
        }
        Ok(())
    }

    /// Lets what is deferred be tried at the next run.
    ///
    /// # Errors
    ///
    /// When it cannot be.
    pub fn release(&self) -> io::Result<()> {
        let ran = self.site.run(&["rollback", crate::site::LINEAGE, "--release"])?;
        if ran.code == 0 { Ok(()) } else { Err(io::Error::other(ran.said())) }
    }

    /// Writes nonsense into the server's configuration, until what is given back is dropped.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn break_configuration(&self) -> io::Result<Broken> {
        let path = self.server.main.clone();
        let whole = fs::read_to_string(&path)?;
        fs::write(&path, format!("{whole}\n{NONSENSE} yes;\n"))?;
        Ok(Broken { path, whole })
    }
}

/// What no server has in its configuration.
pub const NONSENSE: &str = "no_such_directive";

/// A configuration that a server refuses.
#[derive(Debug)]
pub struct Broken {
    path: std::path::PathBuf,
    whole: String,
}

impl Drop for Broken {
    fn drop(&mut self) {
        // The test is over if this fails, and its next line says so.
        let _ = fs::write(&self.path, &self.whole);
    }
}
