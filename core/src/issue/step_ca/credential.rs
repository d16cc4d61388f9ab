//! What a provisioner is convinced with, made ready: a key is opened, a certificate read, a token fetched.

use serde_json::Value;
use zeroize::Zeroizing;

use super::client::StepCaClient;
use super::provisioner;
use super::session::Session;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::ground::secret::SecretBytes;
use crate::pki::chain::Chain;
use crate::pki::jwe;
use crate::pki::jws::AccountKey;
use crate::pki::key::PrivateKey;
use crate::pki::material::Material;
use crate::place::command::{self, Status};
use crate::place::{input, secret_file};
use crate::plan::spec::{SecretSource, StepCredential, StepJwk, StepX5c};

/// Who signs one-time tokens.
pub(super) enum Signer {
    Jwk {
        provisioner: String,
        kid: String,
        key: AccountKey,
    },
    X5c {
        provisioner: String,
        chain: Vec<Vec<u8>>,
        key: AccountKey,
    },
    /// Somebody else has.
    Ready(String),
}

/// The signer of the configured credential; `None` when there is none.
///
/// # Errors
///
/// What reading a file, running a command and asking the CA bring; `Refused` for a password that opens nothing.
pub(super) fn ready(client: &StepCaClient, session: &Session<'_>) -> Result<Option<Signer>> {
    let signer = match &client.wish.credential {
        None => return Ok(None),
        Some(StepCredential::Jwk(wish)) => with_key(client, wish, session)?,
        Some(StepCredential::X5c(wish)) => with_certificate(client, wish)?,
        Some(StepCredential::Token(source)) => {
            let token = secret(client, source, session)?;
            let text = std::str::from_utf8(token.expose()).unwrap_or_default().trim();
            Signer::Ready(text.to_owned())
        }
    };
    Ok(Some(signer))
}

fn with_key(client: &StepCaClient, wish: &StepJwk, session: &Session<'_>) -> Result<Signer> {
    let about = |error: Error| match error.fact("provisioner") {
        Some(_) => error,
        None => error.context("provisioner", Public(&wish.provisioner)),
    };
    if let Some(path) = &wish.key_file {
        let bytes = secret_file::read(&*client.files, path)?;
        let key = key_in_file(&bytes, || password(client, wish, session));
        let (key, kid) = key.map_err(|error| about(error.context("path", path.as_path())))?;
        return signer(wish, key, kid);
    }
    let found = provisioner::named(&wish.provisioner, "JWK", session)?;
    let password = password(client, wish, session).map_err(about)?;
    let mut last = None;
    for provisioner in &found {
        let opened = provisioner::encrypted(provisioner, session)
            .and_then(|encrypted| jwe::open(&encrypted, password.expose()))
            .and_then(|opened| PrivateKey::from_jwk(opened.expose()));
        match opened {
            Ok(key) => return signer(wish, key, provisioner.kid.clone()),
            // Of several keys under one name the password opens one.
            Err(error) => last = Some(error),
        }
    }
    Err(about(last.unwrap_or_else(|| Error::new(ErrorKind::Bug, "a provisioner was found and lost"))))
}

fn signer(wish: &StepJwk, key: PrivateKey, kid: Option<String>) -> Result<Signer> {
    let key = AccountKey::new(&key)?;
    let kid = kid.unwrap_or_else(|| key.thumbprint());
    Ok(Signer::Jwk { provisioner: wish.provisioner.clone(), kid, key })
}

/// The key in a file: PEM, a JWK, or a JWK that is encrypted, as `step` writes it. And its identifier, where it has one.
fn key_in_file(
    bytes: &SecretBytes,
    password: impl FnOnce() -> Result<SecretBytes>,
) -> Result<(PrivateKey, Option<String>)> {
    let text = std::str::from_utf8(bytes.expose()).unwrap_or_default().trim();
    if text.contains("-----BEGIN") {
        return PrivateKey::from_pem(bytes.expose()).map(|key| (key, None));
    }
    let open = text.starts_with('{') && text.contains("\"kty\"") && !text.contains("\"ciphertext\"");
    let jwk = if open { bytes.clone() } else { jwe::open(text, password()?.expose())? };
    let kid = serde_json::from_slice::<Value>(jwk.expose())
        .ok()
        .and_then(|value| value.get("kid")?.as_str().map(str::to_owned));
    PrivateKey::from_jwk(jwk.expose()).map(|key| (key, kid))
}

fn with_certificate(client: &StepCaClient, wish: &StepX5c) -> Result<Signer> {
    let at = |error: Error| error.context("provisioner", Public(&wish.provisioner));
    let chain = input::read(&*client.files, &wish.certificate, Chain::MAX_INPUT)?;
    let chain = Chain::from_pem(&chain).map_err(|error| at(error.context("path", wish.certificate.as_path())))?;
    let key = secret_file::read(&*client.files, &wish.key)?;
    let key = PrivateKey::from_pem(key.expose()).map_err(|error| at(error.context("path", wish.key.as_path())))?;
    let material = Material::new(key, chain).map_err(|error| at(error.context("path", wish.key.as_path())))?;
    let end = material.chain().leaf().window().end;
    if end < client.clock.now() {
        return Err(at(Error::new(ErrorKind::Unfit, "the certificate for the provisioner has expired")
            .context("path", wish.certificate.as_path())
            .context("expired", end)
            .hint("renew it, and put it in the place of the old one")));
    }
    Ok(Signer::X5c {
        provisioner: wish.provisioner.clone(),
        chain: material.chain().certificates().map(|one| one.der().to_vec()).collect(),
        key: AccountKey::new(material.key())?,
    })
}

fn password(client: &StepCaClient, wish: &StepJwk, session: &Session<'_>) -> Result<SecretBytes> {
    match (&client.password, &wish.password) {
        (Some(password), _) => password(),
        (None, Some(source)) => secret(client, source, session),
        (None, None) => Err(Error::new(ErrorKind::InvalidSpec, "nobody says the password of the provisioner's key")
            .hint("write `password_file` or `password_command`")),
    }
}

/// A secret without the line break at its end.
fn secret(client: &StepCaClient, source: &SecretSource, session: &Session<'_>) -> Result<SecretBytes> {
    let (bytes, empty) = match source {
        SecretSource::File(path) => {
            let bytes = secret_file::read(&*client.files, path)?;
            (bytes, Error::new(ErrorKind::Unfit, "the file with the secret is empty").context("path", path.as_path()))
        }
        SecretSource::Command(command) => {
            let name = command.argv.first().map_or("", String::as_str);
            let at = |error: Error| error.context("command", Public(name));
            let outcome = command::run_for_output(command, &[], session.cancel())?;
            match outcome.status {
                Status::Exited(0) => {}
                Status::Cancelled => {
                    return Err(at(Error::new(ErrorKind::Cancelled, "the command was stopped as asked")));
                }
                status => {
                    // What it printed on standard output may be the secret; the other stream is for people.
                    return Err(at(Error::new(ErrorKind::Unfit, "the command that tells the secret failed")
                        .context("ended", Public(&format!("{status:?}")))
                        .context("output", Public(&outcome.output.last_lines(5)))
                        .hint("run it by hand as the user that runs certwright")));
                }
            }
            (
                outcome.printed.into(),
                at(Error::new(ErrorKind::Unfit, "the command that tells the secret printed nothing")),
            )
        }
    };
    let mut text = bytes.expose();
    if let Some(line) = text.strip_suffix(b"\n") {
        text = line.strip_suffix(b"\r").unwrap_or(line);
    }
    if text.is_empty() {
        return Err(empty.hint("put the secret there, on one line"));
    }
    Ok(Zeroizing::new(text.to_vec()).into())
}
