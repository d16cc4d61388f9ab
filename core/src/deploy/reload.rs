//! Making a service re-read its certificate.

mod callback;
mod command;
mod fallback;
mod haproxy;
mod signal;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod unit;

use std::fmt;
use std::sync::Arc;

pub use self::callback::ReloadCallback;
use self::command::CommandReload;
use self::fallback::Fallback;
use self::haproxy::HaproxyReload;
use self::signal::SignalReload;
use self::unit::UnitReload;
use crate::ground::cancel::Cancel;
use crate::ground::error::Result;
use crate::ground::id::{Fingerprint, GenerationId, LineageName};
use crate::ground::secret::SecretBytes;
use crate::place::filesystem::Filesystem;
use crate::plan::spec::Reload;

/// Makes a service re-read its certificate from the generation that is active now.
///
/// It is called after the switch, after the service's check, and again with the previous generation when the new one is
/// given up. After a crash it is called again for a generation that the service may have taken already.
///
/// Implementers must:
///
/// - be idempotent: a second call for the same generation leaves what one call leaves;
/// - end within a time limit of their own, and soon after `cancel` asks for it;
/// - answer [`Reloaded::Confirmed`] only when the service itself said that it uses this generation, and
///   [`Reloaded::Asked`] when it was told and the rest is not known;
/// - return an error when it is not known whether the service was told: the caller asks the service what it serves;
/// - use [`NotFound`](crate::ErrorKind::NotFound) when the service does not run, which may be as wished, and another kind
///   when it runs and cannot be made to re-read;
/// - never write the bundle to a log, an error, an argument vector or an environment variable.
///
/// They should leave the service serving what it served before when they fail. They may be called from any thread, for
/// one lineage never by two at once.
pub trait Reloader: fmt::Debug + Send + Sync {
    /// Make the service re-read.
    ///
    /// # Errors
    ///
    /// `ReloadFailed`, `NotFound` when the service does not run, `Timeout`, `Cancelled`, `Permission`, `Network`.
    ///
    /// # Effects
    ///
    /// The service's.
    fn reload(&self, context: &ReloadContext<'_>, cancel: &Cancel) -> Result<Reloaded>;

    /// Whether it could be done now, asked before the switch so that it need not be undone. Changes nothing.
    ///
    /// # Errors
    ///
    /// Those that [`reload`](Self::reload) would end with, as far as they can be foreseen.
    fn preflight(&self, cancel: &Cancel) -> Result<()> {
        cancel.check()
    }

    /// What is done, in a few words for reports: "SIGHUP to the process in `/run/nginx.pid`".
    fn describe(&self) -> String {
        format!("{self:?}")
    }
}

/// For which generation a service is reloaded.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ReloadContext<'a> {
    /// The lineage.
    pub lineage: &'a LineageName,
    /// The generation that is active now.
    pub generation: GenerationId,
    /// The fingerprint of its leaf, which the service is to serve.
    pub leaf: Fingerprint,
    /// Its key, leaf and chain in PEM, for services that are handed them.
    pub bundle: &'a SecretBytes,
}

impl<'a> ReloadContext<'a> {
    /// The context of this generation.
    pub const fn new(
        lineage: &'a LineageName,
        generation: GenerationId,
        leaf: Fingerprint,
        bundle: &'a SecretBytes,
    ) -> Self {
        Self { lineage, generation, leaf, bundle }
    }

    /// What commands may know: which lineage and which generation, nothing secret.
    pub(super) fn variables(&self) -> [(&'static str, String); 2] {
        [("CERTWRIGHT_LINEAGE", self.lineage.to_string()), ("CERTWRIGHT_GENERATION", self.generation.to_string())]
    }
}

/// How far a reload was seen to go.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reloaded {
    /// The service was told; it re-reads when it gets to it, or fails to.
    Asked,
    /// The service said that it uses the new generation.
    Confirmed,
    /// It could not be done in the way that comes first, and the service was told in the one that is there for that. The
    /// report and the history have it.
    Instead {
        /// Why the first way failed and which one was taken, in a sentence.
        why: String,
    },
}

/// The reloader for a wish, to be called by itself, or from within another one that adds to it
/// ([`Builder::reloader`](crate::Builder::reloader)).
///
/// # Errors
///
/// [`InvalidSpec`](crate::ErrorKind::InvalidSpec) when the wish cannot be meant.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
///
/// use certwright::{Command, Filesystem, OsFilesystem, Reload};
///
/// let files: Arc<dyn Filesystem> = Arc::new(OsFilesystem::new());
/// let wish = Reload::Command(Command::new(["systemctl", "reload", "nginx"]));
/// assert_eq!(certwright::reloader(&wish, &files)?.describe(), "command `systemctl reload nginx`");
/// # Ok::<(), certwright::Error>(())
/// ```
pub fn reloader(wish: &Reload, fs: &Arc<dyn Filesystem>) -> Result<Arc<dyn Reloader>> {
    Ok(match wish {
        Reload::Command(command) => Arc::new(CommandReload::new(command.clone())),
        Reload::Signal { signal, pid_file } => Arc::new(SignalReload::new(signal, pid_file.clone(), fs.clone())?),
        Reload::Unit(unit) => Arc::new(UnitReload::new(unit)?),
        Reload::Haproxy { socket, certificate, otherwise } => {
            let handed = Arc::new(HaproxyReload::new(socket.clone(), certificate)?);
            match otherwise {
                Some(wish) => Arc::new(Fallback::new(handed, reloader(wish, fs)?)),
                None => handed,
            }
        }
    })
}
