//! Which roots the CA is trusted by: first the one whose fingerprint is configured, then those that it lists itself.
//!
//! They are kept in `roots.json`, so that the CA may change its root while the old one is in use still: what it lists over a
//! connection that an old root vouches for is trusted from then on, and what it no longer lists is forgotten once one of
//! those that it lists was trusted before.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::answer;
use super::session::Session;
use crate::ground::error::{Error, ErrorKind, Public, Result, Retry};
use crate::ground::id::Fingerprint;
use crate::pki::chain;
use crate::pki::leaf::Certificate;
use crate::place::state::StateDirectory;

const FILE: &str = "roots.json";
const VERSION: u32 = 1;
/// How long others may take to write.
const LOCK_LIMIT: Duration = Duration::from_secs(10);

/// The shape of `roots.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    version: u32,
    /// The fingerprint by which the first of them was believed.
    fingerprint: String,
    /// PEM, one root each.
    roots: Vec<String>,
}

/// Trust the CA by the roots that are kept, or by the one with this fingerprint; then by those that it lists. All of them.
///
/// # Errors
///
/// `Untrusted` when the CA has no root of this fingerprint, or its TLS does not lead to the roots; and as the session.
pub(super) fn establish(
    state: &StateDirectory,
    fingerprint: &Fingerprint,
    session: &Session<'_>,
) -> Result<Vec<Certificate>> {
    let before = kept(state, fingerprint)?;
    let known = match &before {
        Some(known) => known.clone(),
        None => vec![first(fingerprint, session)?],
    };
    session.trust(&known);
    let trusted = together(&known, answer::roots(&session.get("/roots")?.body)?);
    if before.as_ref() != Some(&trusted) {
        let _lock = state.lock(LOCK_LIMIT, session.cancel())?;
        keep(state, fingerprint, &trusted)?;
    }
    if trusted != known {
        session.trust(&trusted);
    }
    Ok(trusted)
}

/// What is trusted when the CA lists these: nothing else, once one of them was trusted before. Until then the old ones too,
/// so that nobody is locked out by a list that came before its time.
fn together(known: &[Certificate], listed: Vec<Certificate>) -> Vec<Certificate> {
    let is_in = |one: &Certificate, all: &[Certificate]| all.iter().any(|other| other.der() == one.der());
    let mut trusted = listed;
    if !trusted.iter().any(|root| is_in(root, known)) {
        trusted.extend(known.iter().cloned());
    }
    trusted
}

/// The root with this fingerprint, from whoever answers: that it has the fingerprint is all that counts.
fn first(fingerprint: &Fingerprint, session: &Session<'_>) -> Result<Certificate> {
    let explain = |error: Error| {
        error.context("configured", fingerprint).context("url", Public(&session.at(""))).retry(Retry::Never).hint(
            "compare `fingerprint` with `step certificate fingerprint root_ca.crt` at the CA; do not take over what \
             another machine answers",
        )
    };
    let answer = session.ask_whoever_answers(&format!("/root/{fingerprint}")).map_err(|error| {
        if error.fact("status") == Some("404") {
            return explain(Error::new(ErrorKind::Untrusted, "the CA has no root with the configured fingerprint"));
        }
        error
    })?;
    let root = answer::root(&answer.body)?;
    if root.fingerprint() != *fingerprint {
        let error = Error::new(ErrorKind::Untrusted, "the CA's root has another fingerprint than the configured one");
        return Err(explain(error.context("found", root.fingerprint())));
    }
    Ok(root)
}

/// The roots that are kept; `None` when there are none, or another fingerprint was configured since.
fn kept(state: &StateDirectory, fingerprint: &Fingerprint) -> Result<Option<Vec<Certificate>>> {
    let Some(bytes) = state.read(FILE)? else { return Ok(None) };
    let damaged = || {
        Error::new(ErrorKind::Unfit, "the file with the CA's roots is damaged")
            .context("path", state.path().join(FILE).as_path())
            .hint("remove it: the root with the configured fingerprint is fetched again")
    };
    let shape: Shape = serde_json::from_slice(&bytes).map_err(|source| damaged().source(source))?;
    if shape.version != VERSION {
        return Err(damaged().context("version", shape.version));
    }
    if shape.fingerprint != fingerprint.to_string() {
        return Ok(None);
    }
    let roots = shape.roots.iter().map(|pem| chain::certificates(pem.as_bytes())).collect::<Result<Vec<_>>>();
    let roots = roots.map_err(|source| damaged().source(source))?.concat();
    if roots.is_empty() { Err(damaged()) } else { Ok(Some(roots)) }
}

fn keep(state: &StateDirectory, fingerprint: &Fingerprint, roots: &[Certificate]) -> Result<()> {
    let shape = Shape {
        version: VERSION,
        fingerprint: fingerprint.to_string(),
        roots: roots.iter().map(Certificate::pem).collect(),
    };
    let bytes = serde_json::to_vec_pretty(&shape)
        .map_err(|source| Error::new(ErrorKind::Bug, "the CA's roots cannot be written down").source(source))?;
    state.write(FILE, &bytes)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::pki::forge::Family;
    use crate::place::os::OsFilesystem;
    use crate::place::scratch::Scratch;

    fn root() -> Certificate {
        Family::new(&["a.example"]).root
    }

    #[test]
    fn an_old_root_goes_when_a_new_one_has_been_trusted_beside_it() {
        let (old, new) = (root(), root());
        let both = together(std::slice::from_ref(&old), vec![new.clone(), old.clone()]);
        assert_eq!(both, [new.clone(), old.clone()]);
        assert_eq!(together(&both, vec![new.clone()]), std::slice::from_ref(&new));
        // A list without anything that was trusted takes nothing away.
        assert_eq!(together(std::slice::from_ref(&old), vec![new.clone()]), [new, old]);
    }

    #[test]
    fn what_is_kept_is_for_one_fingerprint_and_damage_is_told() {
        let scratch = Scratch::new();
        let state = StateDirectory::open(Arc::new(OsFilesystem::new()), &scratch.at("state")).unwrap();
        let (one, other) = (root(), root());
        assert!(kept(&state, &one.fingerprint()).unwrap().is_none());
        keep(&state, &one.fingerprint(), &[one.clone(), other.clone()]).unwrap();
        assert_eq!(kept(&state, &one.fingerprint()).unwrap().unwrap(), [one.clone(), other.clone()]);
        assert!(kept(&state, &other.fingerprint()).unwrap().is_none());
        let text = String::from_utf8(state.read(FILE).unwrap().unwrap()).unwrap();
        for (from, to) in [("\"version\": 1", "\"version\": 2"), ("BEGIN CERT", "BEGIN CRT"), ("\"roots\"", "\"root\"")]
        {
            state.write(FILE, text.replace(from, to).as_bytes()).unwrap();
            let error = kept(&state, &one.fingerprint()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unfit, "{from}");
            assert!(error.fact("path").unwrap().ends_with(FILE));
        }
    }
}
