//! From the shape of an issuer to the wish for step-ca: one way to convince a provisioner, and no second one.

use std::time::Duration;

use super::bounds::bounded;
use super::fault::{Faults, Place};
use super::shape;
use crate::plan::spec::{Command, SecretSource, StepCaIssuer, StepCredential, StepJwk, StepX5c};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);

pub(super) fn step_ca(shape: shape::Issuer, at: usize, place: &Place<'_>, faults: &mut Faults) -> Option<StepCaIssuer> {
    let mut missing = |key: &str, hint: &str| {
        faults.add_at(at, &place.key(key), format!("the key `{key}` is missing"), Some(hint.to_owned()));
    };
    if shape.url.is_none() {
        missing("url", "write where the CA is, such as `https://ca.internal:9000`");
    }
    if shape.fingerprint.is_none() {
        missing("fingerprint", "write what `step certificate fingerprint root_ca.crt` says at the CA");
    }
    let (url, fingerprint) = (shape.url.as_ref()?.value.0.clone(), shape.fingerprint.as_ref()?.value);
    let lifetime = shape.lifetime.as_ref().map(|one| bounded(one, SECOND, 825 * DAY, &place.key("lifetime"), faults));
    let backdate = shape.backdate.as_ref().map(|one| bounded(one, Duration::ZERO, DAY, &place.key("backdate"), faults));
    let limit = shape.limit.as_ref().map(|one| bounded(one, SECOND, DAY, &place.key("limit"), faults));
    let template_data = shape.template_data.as_ref().map(|data| data.value.0.clone());
    let roots = shape.roots.as_ref().map(|path| path.value.clone());
    let credential = credential(shape, place, faults)?;
    Some(StepCaIssuer {
        url,
        fingerprint,
        credential,
        lifetime,
        backdate,
        template_data,
        roots,
        limit: limit.unwrap_or(StepCaIssuer::DEFAULT_LIMIT),
    })
}

/// `None` when it is not said well; the inner one when there is none.
#[expect(clippy::option_option, reason = "a fault is not the absence of a credential")]
fn credential(shape: shape::Issuer, place: &Place<'_>, faults: &mut Faults) -> Option<Option<StepCredential>> {
    let before = faults.count();
    let key_at = shape.key_file.as_ref().map(|path| path.at);
    let password = secret(shape.password_file, shape.password_command, "password", place, faults);
    let token = secret(shape.token_file, shape.token_command, "token", place, faults);
    let certificate = match (shape.certificate, shape.certificate_key) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        (Some(one), None) => {
            let hint = Some("name the PEM file of the certificate's key".to_owned());
            faults.add_at(one.at, &place.key("certificate_key"), "the key `certificate_key` is missing", hint);
            None
        }
        (None, Some(one)) => {
            let hint = Some("name the PEM file of the certificate".to_owned());
            faults.add_at(one.at, &place.key("certificate"), "the key `certificate` is missing", hint);
            None
        }
    };
    let ways = [
        ("password_file", password.as_ref().map(|(_, at)| *at).or(key_at)),
        ("certificate", certificate.as_ref().map(|(one, _)| one.at)),
        ("token_file", token.as_ref().map(|(_, at)| *at)),
    ];
    let mut said = ways.iter().filter_map(|(key, at)| at.map(|at| (*key, at)));
    if let (Some(_), Some((key, at))) = (said.next(), said.next()) {
        let hint = "leave a password or key (JWK), a certificate (X5C), or a token; write two issuers for two ways";
        faults.add_at(at, &place.key(key), "there is more than one way to convince the CA", Some(hint.to_owned()));
    }
    if faults.count() != before {
        return None;
    }
    let provisioner = shape.provisioner;
    if let Some((source, _)) = token {
        if let Some(named) = provisioner {
            let hint = Some("remove it".to_owned());
            faults.add_at(named.at, &place.key("provisioner"), "a token says itself which provisioner it is of", hint);
            return None;
        }
        return Some(Some(StepCredential::Token(source)));
    }
    let needs = certificate.as_ref().map(|(one, _)| one.at).or(password.as_ref().map(|(_, at)| *at)).or(key_at);
    match (provisioner, needs) {
        (None, None) => Some(None),
        (None, Some(at)) => {
            let hint = Some("write the name of the provisioner, as the CA's `ca.json` has it".to_owned());
            faults.add_at(at, &place.key("provisioner"), "the key `provisioner` is missing", hint);
            None
        }
        (Some(named), None) => {
            let hint = "write `password_file` (JWK), or `certificate` and `certificate_key` (X5C)".to_owned();
            faults.add_at(named.at, place, "how the provisioner is convinced is not said", Some(hint));
            None
        }
        (Some(named), Some(_)) => Some(Some(match certificate {
            Some((certificate, key)) => StepCredential::X5c(StepX5c::new(named.value.0, certificate.value, key.value)),
            None => StepCredential::Jwk(StepJwk {
                provisioner: named.value.0,
                password: password.map(|(source, _)| source),
                key_file: shape.key_file.map(|path| path.value),
            }),
        })),
    }
}

/// A secret from a file or a command, and where that stands.
fn secret(
    file: Option<super::read::At<std::path::PathBuf>>,
    command: Option<super::choice::Argv>,
    what: &str,
    place: &Place<'_>,
    faults: &mut Faults,
) -> Option<(SecretSource, usize)> {
    match (file, command) {
        (Some(_), Some(command)) => {
            let (key, hint) = (format!("{what}_command"), Some("remove one of the two".to_owned()));
            let message = format!("the {what} is said by a file and by a command");
            faults.add_at(command.0.at, &place.key(&key), message, hint);
            None
        }
        (Some(file), None) => Some((SecretSource::File(file.value), file.at)),
        (None, Some(command)) => Some((SecretSource::Command(Command::new(command.0.value)), command.0.at)),
        (None, None) => None,
    }
}
