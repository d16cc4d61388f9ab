//! `http-01` answered by a web server that runs in this process already.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use crate::ground::cancel::Cancel;
use crate::ground::error::Result;
use crate::ground::secret::SecretBytes;
use crate::issue::solver::{Afterlife, Challenge, Solver};
use crate::plan::spec::ChallengeKind;

/// The answers to `http-01` challenges (RFC 8555 §8.3) that this process gives from its own web server: a [`Solver`] on
/// one side, a look-up for a handler of any framework on the other. Clones share the answers.
///
/// The authority asks on port 80, by plain HTTP, or where a redirection on port 80 leads it.
///
/// # Examples
///
/// ```
/// use certwright::HttpAnswers;
///
/// let answers = HttpAnswers::new();
/// // In the handler of every request on port 80, before anything else:
/// let body = answers.answer("/.well-known/acme-challenge/evaGxfADs6pSRb2LAv9IZf17Dt3juxGJyPCt92wrOxA");
/// assert_eq!(body, None); // Not a challenge of ours: go on as usual.
/// ```
#[derive(Clone, Default)]
pub struct HttpAnswers(Arc<RwLock<BTreeMap<String, SecretBytes>>>);

impl HttpAnswers {
    /// What every path of a challenge begins with.
    pub const PREFIX: &'static str = "/.well-known/acme-challenge/";

    /// No answers yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The body to answer a request for this path with, as `application/octet-stream` with status 200; `None` when it is
    /// the path of no challenge in flight. `path` is without query, as it was sent.
    pub fn answer(&self, path: &str) -> Option<Vec<u8>> {
        let token = path.strip_prefix(Self::PREFIX)?;
        let answers = self.0.read().unwrap_or_else(PoisonError::into_inner);
        answers.get(token).map(|answer| answer.expose().to_vec())
    }
}

impl Solver for HttpAnswers {
    fn present(&self, challenge: &Challenge, cancel: &Cancel) -> Result<()> {
        cancel.check()?;
        let mut answers = self.0.write().unwrap_or_else(PoisonError::into_inner);
        answers.insert(challenge.token().to_owned(), challenge.key_authorization().clone());
        Ok(())
    }

    fn clean_up(&self, challenge: &Challenge) -> Result<()> {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(challenge.token());
        Ok(())
    }

    fn afterlife(&self) -> Afterlife {
        Afterlife::Ends
    }

    fn kinds(&self) -> &[ChallengeKind] {
        &[ChallengeKind::Http01]
    }
}

impl fmt::Debug for HttpAnswers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpAnswers").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(token: &str) -> Challenge {
        Challenge::new(ChallengeKind::Http01, "www.example.org".parse().unwrap(), token, "thumb").unwrap()
    }

    #[test]
    fn an_answer_is_there_between_present_and_clean_up_for_its_own_path_alone() {
        let answers = HttpAnswers::new();
        let handler = answers.clone();
        let (one, two) = (challenge("one"), challenge("two"));
        let path = "/.well-known/acme-challenge/one";
        assert_eq!(handler.answer(path), None);
        for _ in 0..2 {
            answers.present(&one, &Cancel::new()).unwrap();
        }
        answers.present(&two, &Cancel::new()).unwrap();
        assert_eq!(handler.answer(path).as_deref(), Some(&b"one.thumb"[..]));
        for other in ["/one", "/.well-known/acme-challenge/", "/.well-known/acme-challenge/one/", "one", ""] {
            assert_eq!(handler.answer(other), None, "{other}");
        }
        for _ in 0..2 {
            answers.clean_up(&one).unwrap();
        }
        assert_eq!(handler.answer(path), None);
        assert!(handler.answer("/.well-known/acme-challenge/two").is_some());
    }

    #[test]
    fn nothing_is_presented_once_it_was_asked_to_stop_and_nothing_secret_is_shown() {
        let (answers, cancel) = (HttpAnswers::new(), Cancel::new());
        answers.present(&challenge("one"), &cancel).unwrap();
        cancel.cancel();
        assert!(answers.present(&challenge("two"), &cancel).is_err());
        assert_eq!(answers.answer("/.well-known/acme-challenge/two"), None);
        assert!(!format!("{answers:?}").contains("thumb"));
    }

    #[cfg(feature = "acme")]
    #[test]
    fn an_issuer_whose_program_answers_needs_one_who_does() {
        use crate::ground::error::ErrorKind;
        use crate::lifecycle::Builder;
        use crate::plan::spec::Config;

        let text =
            "version = 1\n[issuer.public]\ntype = \"acme\"\ndirectory = \"https://acme.example/\"\nsolver = []\n";
        let builder = || Builder::new(Config::parse(text, "a.toml".as_ref()).unwrap());
        let error = builder().build().unwrap_err();
        assert_eq!((error.kind(), error.fact("issuer")), (ErrorKind::InvalidSpec, Some("public")));
        builder().solver(Arc::new(HttpAnswers::new())).build().unwrap();
    }
}
