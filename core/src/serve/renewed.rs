//! Everything that a server of this process needs, in one call: what is active, renewed in the background, challenges answered.

use std::fmt;
use std::sync::Arc;

use super::active::ActiveCertificates;
use super::slot::Serving;
use crate::ground::error::Result;
use crate::lifecycle::report::LineageReport;
use crate::lifecycle::{Background, Builder, RunOptions};
use crate::plan::spec::Config;

/// What a server that renews its own certificates tells as it goes; its text is one line.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum News<'n> {
    /// Another generation is served, or something hinders that.
    Serving(&'n Serving),
    /// Something was done with a lineage, or failed.
    Looked(&'n LineageReport),
}

impl fmt::Display for News<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Serving(serving) => serving.fmt(f),
            Self::Looked(report) => {
                write!(f, "`{}`: ", report.lineage)?;
                match (&report.error, &report.generation) {
                    (Some(error), _) => {
                        f.write_str(&error.message)?;
                        error.hint.iter().try_for_each(|hint| write!(f, "; {hint}"))
                    }
                    (None, Some(generation)) => write!(f, "{generation} is active"),
                    (None, None) => f.write_str("nothing is active yet"),
                }
            }
        }
    }
}

impl ActiveCertificates {
    /// The certificates of `config`, obtained, renewed and followed by this process until the second part of what is returned
    /// is dropped; `tls-alpn-01` is answered by the server itself. The same as [`follow`](Self::follow),
    /// [`Builder::served_by`], [`Builder::solver`] and [`Lifecycle::spawn`](crate::Lifecycle::spawn) together.
    ///
    /// Bind the server's listener first: an authority may ask before the first certificate is there. `tell` is called from
    /// other threads, and must not block.
    ///
    /// # Errors
    ///
    /// As [`follow`](Self::follow), [`Builder::build`] and [`Lifecycle::spawn`](crate::Lifecycle::spawn).
    ///
    /// # Effects
    ///
    /// As [`Lifecycle::run`](crate::Lifecycle::run).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use certwright::{ActiveCertificates, Config};
    ///
    /// # fn main() -> certwright::Result<()> {
    /// # let text = "version = 1";
    /// let config = Config::parse(text, "service.toml".as_ref())?;
    /// let (active, renewals) = ActiveCertificates::renewed(config, |news| eprintln!("{news}"))?;
    /// // … serve TLS with `active` as the resolver …
    /// renewals.stop()?;
    /// # drop(active);
    /// # Ok(())
    /// # }
    /// ```
    pub fn renewed(config: Config, tell: impl Fn(News<'_>) + Send + Sync + 'static) -> Result<(Arc<Self>, Background)> {
        let tell = Arc::new(tell);
        let told = tell.clone();
        let active = Self::follow(&config, move |serving| told(News::Serving(serving)))?;
        let lifecycle = Builder::new(config).served_by(&active).solver(active.clone()).build()?;
        let renewals = lifecycle.spawn_telling(RunOptions::default(), move |report| tell(News::Looked(&report)))?;
        Ok((active, renewals))
    }
}
