//! From the shape of an issuer to the wish: what its type takes, and nothing else.

use std::time::Duration;

use super::answer;
use super::bounds::bounded;
use super::fault::{Faults, Place};
use super::leaf::IssuerType;
use super::read::At;
use super::shape;
use super::solver::EXAMPLE;
use super::step_ca;
use crate::ground::id::IssuerName;
use crate::plan::spec::{AcmeIssuer, ExternalAccount, IssuerSpec, LocalIssuer};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// The wish for an issuer.
pub(super) fn issuer(name: &At<IssuerName>, shape: shape::Issuer, faults: &mut Faults) -> Option<IssuerSpec> {
    let top = Place::TOP.key("issuer");
    let place = top.key(name.value.as_str());
    let before = faults.count();
    refuse(&shape, &place, faults);
    let spec = match shape.kind.value {
        IssuerType::Local => Some(IssuerSpec::Local(local(shape, &place, faults))),
        IssuerType::Acme => acme(shape, name.at, &place, faults).map(|acme| IssuerSpec::Acme(Box::new(acme))),
        IssuerType::StepCa => {
            step_ca::step_ca(shape, name.at, &place, faults).map(|step| IssuerSpec::StepCa(Box::new(step)))
        }
    };
    spec.filter(|_| faults.count() == before)
}

fn local(shape: shape::Issuer, place: &Place<'_>, faults: &mut Faults) -> LocalIssuer {
    let mut issuer = LocalIssuer::default();
    if let Some(lifetime) = shape.lifetime {
        // Apple's requirements for TLS server certificates (support article 103769) end at 825 days, for private CAs too.
        issuer.lifetime = bounded(&lifetime, MINUTE, 825 * DAY, &place.key("lifetime"), faults);
    }
    issuer.permitted = shape.permitted.into_iter().flatten().map(|name| name.value).collect();
    issuer.key = shape.key.map(|key| key.value).unwrap_or_default();
    issuer
}

fn acme(shape: shape::Issuer, at: usize, place: &Place<'_>, faults: &mut Faults) -> Option<AcmeIssuer> {
    let Some(directory) = shape.directory else {
        let hint = "write the URL that the authority publishes, such as `https://acme.example/directory`";
        faults.add_at(at, &place.key("directory"), "the key `directory` is missing", Some(hint.to_owned()));
        return None;
    };
    let Some(written) = shape.solver else {
        let hint = EXAMPLE;
        faults.add_at(at, &place.key("solver"), "the key `solver` is missing", Some(hint.to_owned()));
        return None;
    };
    let solvers = answer::solvers(written, &place.key("solver"), faults);
    let limit = shape.limit.map(|limit| bounded(&limit, 10 * SECOND, DAY, &place.key("limit"), faults));
    Some(AcmeIssuer {
        directory: directory.value.0,
        contact: shape.contact.into_iter().flatten().map(|contact| contact.value.0).collect(),
        trust: shape.trust.map(|path| path.value),
        roots: shape.roots.map(|path| path.value),
        profile: shape.profile.map(|profile| profile.value.0),
        preferred_chain: shape.preferred_chain.map(|name| name.value.0),
        external_account: shape.eab.map(|eab| ExternalAccount::new(eab.kid.value.0, eab.key_file.value)),
        solvers,
        limit: limit.unwrap_or(AcmeIssuer::DEFAULT_LIMIT),
        limits: shape.limits.map(|limits| limits.wish).unwrap_or_default(),
    })
}

/// A key that is there: its name, the types that take it, and where its value stands.
type Present = (&'static str, &'static [IssuerType], Option<usize>);

const LOCAL: &[IssuerType] = &[IssuerType::Local];
const ACME: &[IssuerType] = &[IssuerType::Acme];
const STEP_CA: &[IssuerType] = &[IssuerType::StepCa];

fn keys(shape: &shape::Issuer) -> [Present; 25] {
    fn at<T>(value: Option<&At<T>>) -> Option<usize> {
        value.map(|value| value.at)
    }
    [
        ("lifetime", &[IssuerType::Local, IssuerType::StepCa], at(shape.lifetime.as_ref())),
        ("permitted", LOCAL, shape.permitted.as_deref().map(|list| first(list, shape.kind.at))),
        ("key", LOCAL, at(shape.key.as_ref())),
        ("directory", ACME, at(shape.directory.as_ref())),
        ("contact", ACME, shape.contact.as_deref().map(|list| first(list, shape.kind.at))),
        ("trust", ACME, at(shape.trust.as_ref())),
        ("roots", &[IssuerType::Acme, IssuerType::StepCa], at(shape.roots.as_ref())),
        ("profile", ACME, at(shape.profile.as_ref())),
        ("preferred_chain", ACME, at(shape.preferred_chain.as_ref())),
        ("eab", ACME, shape.eab.as_ref().map(|value| value.kid.at)),
        ("solver", ACME, shape.solver.as_ref().map(|solvers| solvers.0.at)),
        ("limit", &[IssuerType::Acme, IssuerType::StepCa], at(shape.limit.as_ref())),
        ("limits", ACME, shape.limits.as_ref().map(|value| value.at)),
        ("url", STEP_CA, at(shape.url.as_ref())),
        ("fingerprint", STEP_CA, at(shape.fingerprint.as_ref())),
        ("provisioner", STEP_CA, at(shape.provisioner.as_ref())),
        ("password_file", STEP_CA, at(shape.password_file.as_ref())),
        ("password_command", STEP_CA, shape.password_command.as_ref().map(|argv| argv.0.at)),
        ("key_file", STEP_CA, at(shape.key_file.as_ref())),
        ("certificate", STEP_CA, at(shape.certificate.as_ref())),
        ("certificate_key", STEP_CA, at(shape.certificate_key.as_ref())),
        ("token_file", STEP_CA, at(shape.token_file.as_ref())),
        ("token_command", STEP_CA, shape.token_command.as_ref().map(|argv| argv.0.at)),
        ("backdate", STEP_CA, at(shape.backdate.as_ref())),
        ("template_data", STEP_CA, at(shape.template_data.as_ref())),
    ]
}

fn first<T>(list: &[At<T>], otherwise: usize) -> usize {
    list.first().map_or(otherwise, |first| first.at)
}

/// Note the keys that an issuer of this type does not take.
fn refuse(shape: &shape::Issuer, place: &Place<'_>, faults: &mut Faults) {
    let kind = shape.kind.value;
    for (key, types, at) in keys(shape) {
        if let Some(at) = at.filter(|_| !types.contains(&kind)) {
            let message = format!("an issuer of type `{}` has no `{key}`", kind.word());
            faults.add_at(at, &place.key(key), message, Some("remove it, or write another `type`".to_owned()));
        }
    }
}
