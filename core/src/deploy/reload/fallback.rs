//! A reload that has a second way when the first one fails.

use std::sync::Arc;

use super::{ReloadContext, Reloaded, Reloader};
use crate::ground::cancel::Cancel;
use crate::ground::error::{Error, ErrorKind, Public, Result};

/// Tries one way, and takes the other when that failed: a process that cannot be handed a certificate at run time reads it
/// from the disk, which has it by then.
#[derive(Debug)]
pub(super) struct Fallback {
    first: Arc<dyn Reloader>,
    otherwise: Arc<dyn Reloader>,
}

impl Fallback {
    pub(super) fn new(first: Arc<dyn Reloader>, otherwise: Arc<dyn Reloader>) -> Self {
        Self { first, otherwise }
    }

    /// What the second way came to, after the first one failed. Whether the service runs at all is for the second one to
    /// say; a wish to stop is no failure of the first.
    fn instead<T>(&self, first: Error, second: impl FnOnce() -> Result<T>) -> Result<(T, Error)> {
        if first.kind() == ErrorKind::Cancelled {
            return Err(first);
        }
        match second() {
            Ok(done) => Ok((done, first)),
            Err(second) => Err(second.context("before", Public(&format!("{first:#}")))),
        }
    }
}

impl Reloader for Fallback {
    fn reload(&self, context: &ReloadContext<'_>, cancel: &Cancel) -> Result<Reloaded> {
        let first = match self.first.reload(context, cancel) {
            Ok(done) => return Ok(done),
            Err(first) => first,
        };
        let (_, first) = self.instead(first, || self.otherwise.reload(context, cancel))?;
        let why = format!("{first:#}; {} instead", self.otherwise.describe());
        Ok(Reloaded::Instead { why })
    }

    fn preflight(&self, cancel: &Cancel) -> Result<()> {
        match self.first.preflight(cancel) {
            Ok(()) => Ok(()),
            Err(first) => self.instead(first, || self.otherwise.preflight(cancel)).map(drop),
        }
    }

    fn describe(&self) -> String {
        format!("{}, otherwise {}", self.first.describe(), self.otherwise.describe())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::deploy::reload::haproxy::HaproxyReload;
    use crate::deploy::reload::tests::with_context;

    /// Ends as it is told and counts.
    #[derive(Debug)]
    struct Way(Option<ErrorKind>, AtomicUsize);

    impl Way {
        fn new(fails: Option<ErrorKind>) -> Arc<Self> {
            Arc::new(Self(fails, AtomicUsize::new(0)))
        }
    }

    impl Reloader for Way {
        fn reload(&self, _: &ReloadContext<'_>, _: &Cancel) -> Result<Reloaded> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.map_or(Ok(Reloaded::Asked), |kind| Err(Error::new(kind, "it will not")))
        }

        fn preflight(&self, _: &Cancel) -> Result<()> {
            self.0.map_or(Ok(()), |kind| Err(Error::new(kind, "it would not")))
        }

        fn describe(&self) -> String {
            "the other way".to_owned()
        }
    }

    fn both(first: Option<ErrorKind>, second: Option<ErrorKind>) -> (Result<Reloaded>, Result<()>, usize) {
        let other = Way::new(second);
        let fallback = Fallback::new(Way::new(first), other.clone());
        let reloaded = with_context(b"", |context| fallback.reload(context, &Cancel::new()));
        (reloaded, fallback.preflight(&Cancel::new()), other.1.load(Ordering::Relaxed))
    }

    #[test]
    fn the_second_way_is_taken_when_the_first_fails_and_told() {
        let (reloaded, preflight, taken) = both(None, Some(ErrorKind::Io));
        assert_eq!((reloaded.unwrap(), preflight.is_ok(), taken), (Reloaded::Asked, true, 0));
        for kind in [ErrorKind::NotFound, ErrorKind::ReloadFailed, ErrorKind::Conflict, ErrorKind::Timeout] {
            let (reloaded, preflight, taken) = both(Some(kind), None);
            let why = "it will not; the other way instead".to_owned();
            assert_eq!((reloaded.unwrap(), preflight.is_ok(), taken), (Reloaded::Instead { why }, true, 1));
        }
    }

    #[test]
    fn when_neither_goes_the_second_one_says_why() {
        // That the socket is gone does not say that HAProxy does; its pid file does.
        let (reloaded, preflight, _) = both(Some(ErrorKind::ReloadFailed), Some(ErrorKind::NotFound));
        let error = reloaded.unwrap_err();
        assert_eq!((error.kind(), error.fact("before")), (ErrorKind::NotFound, Some("it will not")));
        assert_eq!(preflight.unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_wish_to_stop_is_not_a_reason_for_another_try() {
        let (reloaded, _, taken) = both(Some(ErrorKind::Cancelled), None);
        assert_eq!((reloaded.unwrap_err().kind(), taken), (ErrorKind::Cancelled, 0));
    }

    #[test]
    fn an_absent_socket_is_what_it_is_for() {
        let handed = HaproxyReload::new("/nowhere/admin.sock".into(), Path::new("/srv/bundle.pem")).unwrap();
        let fallback = Fallback::new(Arc::new(handed), Way::new(None));
        let bundle = crate::deploy::reload::tests::rcgen_bundle();
        let reloaded = with_context(&bundle, |context| fallback.reload(context, &Cancel::new())).unwrap();
        let Reloaded::Instead { why } = reloaded else { panic!("{reloaded:?}") };
        assert!(why.contains("/nowhere/admin.sock") && why.ends_with("; the other way instead"), "{why}");
    }
}
