//! What step-ca answers, and what its provisioners' keys are wrapped in, as our client reads it.

use certwright::fuzzing::step_ca as read;

/// The body of an answer, read as each kind that there is, and as an encrypted key.
///
/// # Panics
///
/// When an error of it could not be shown, a root is no CA, or something was opened with a password that nobody has used.
pub fn step_ca_answers(data: &[u8]) {
    let (faults, roots) = read::answer(data);
    for error in &faults {
        assert!(error.hint_text().is_some(), "{error} says no next step");
        let shown = format!("{error:#}");
        assert!(
            !shown.chars().any(|one| one.is_control() && one != '\n'),
            "a control character reaches a terminal: {shown:?}"
        );
    }
    assert!(roots.iter().all(certwright::Certificate::is_ca), "a root is no CA");
    if let Ok(text) = std::str::from_utf8(data) {
        // The check of the wrapping holds by chance once in 2^64 times.
        let opened = read::jwe(text, b"a password that nobody has used");
        assert!(opened.is_err(), "opened without the password");
        let _ = read::jwe(text, b"password");
    }
}
