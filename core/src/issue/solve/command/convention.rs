//! The arguments and the environment that scripts for other clients expect, as the clients' manuals say.

use hickory_proto::rr::Name;

use crate::ground::error::{Error, ErrorKind, Result};
use crate::ground::name::Identifier;
use crate::issue::solve::value;
use crate::issue::solver::Challenge;
use crate::pki::acme_identifier;
use crate::plan::spec::{ChallengeKind, Convention};

/// What a call is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Act<'a> {
    /// Put the answer in place.
    Present,
    /// Take it away; with what the presenting call printed, when that ended well.
    CleanUp(Option<&'a [u8]>),
}

/// What a command is given beside its own arguments.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) arguments: Vec<String>,
    pub(super) variables: Vec<(&'static str, String)>,
}

/// How this convention has it. `record` is where the aliases of a `dns-01` record lead, where the convention tells it.
///
/// # Errors
///
/// `Unsupported` for a kind that the client hands to no script.
pub(super) fn call(
    convention: Convention,
    challenge: &Challenge,
    record: Option<&Name>,
    act: &Act<'_>,
) -> Result<Call> {
    if !convention.kinds().contains(&challenge.kind()) {
        return Err(Error::new(ErrorKind::Unsupported, "scripts of this convention answer no challenge of this kind")
            .context("identifier", challenge.identifier())
            .hint("correct `convention` or `kinds`"));
    }
    let token = challenge.token().to_owned();
    let name = challenge.identifier().to_string();
    let presents = *act == Act::Present;
    let (arguments, variables) = match convention {
        Convention::Dehydrated => {
            let word = if presents { "deploy_challenge" } else { "clean_challenge" };
            let name = match (challenge.kind(), challenge.identifier()) {
                // dehydrated calls an address by its reverse name there.
                (ChallengeKind::TlsAlpn01, address @ Identifier::Ip(_)) => acme_identifier::server_name(address),
                _ => name,
            };
            let answer = match challenge.kind() {
                ChallengeKind::Http01 => authorization(challenge),
                ChallengeKind::TlsAlpn01 => value::hex(challenge),
                _ => value::txt(challenge),
            };
            let variables = vec![("CHALLENGETYPE", challenge.kind().word().to_owned())];
            (vec![word.to_owned(), name, token, answer], variables)
        }
        Convention::Certbot => (Vec::new(), certbot(challenge, name, token, act)),
        Convention::Lego => {
            let word = if presents { "present" } else { "cleanup" };
            let (label, value) = match challenge.persistent() {
                Some(wanted) => ("_validation-persist", wanted.value(None)),
                None => ("_acme-challenge", value::txt(challenge)),
            };
            let record = record.map_or_else(|| format!("{label}.{name}."), Name::to_ascii);
            (vec![word.to_owned(), record, value], Vec::new())
        }
        Convention::LegoRaw => {
            let word = if presents { "present" } else { "cleanup" };
            (vec![word.to_owned(), "--".to_owned(), name, token, authorization(challenge)], Vec::new())
        }
        Convention::Uacme => {
            let method = match act {
                Act::Present => "begin",
                Act::CleanUp(Some(_)) => "done",
                Act::CleanUp(None) => "failed",
            };
            let answer = match challenge.kind() {
                ChallengeKind::Http01 => authorization(challenge),
                _ => value::txt(challenge),
            };
            let arguments = vec![method.to_owned(), challenge.kind().word().to_owned(), name, token, answer];
            let names = ["UACME_METHOD", "UACME_TYPE", "UACME_IDENT", "UACME_TOKEN", "UACME_AUTH"];
            let mut variables: Vec<_> = names.into_iter().zip(arguments.iter().cloned()).collect();
            variables.push(("UACME_VERBOSE", "0".to_owned()));
            (arguments, variables)
        }
    };
    Ok(Call { arguments, variables })
}

/// certbot tells a manual hook everything by its environment. It calls one hook for each challenge, as is done here, so
/// that there are none remaining each time and a script that waits for the last one waits.
fn certbot(challenge: &Challenge, name: String, token: String, act: &Act<'_>) -> Vec<(&'static str, String)> {
    let answer = match challenge.kind() {
        ChallengeKind::Http01 => authorization(challenge),
        _ => value::txt(challenge),
    };
    let mut variables = vec![
        ("CERTBOT_DOMAIN", name.clone()),
        ("CERTBOT_IDENTIFIER", name.clone()),
        ("CERTBOT_VALIDATION", answer),
        ("CERTBOT_REMAINING_CHALLENGES", "0".to_owned()),
        ("CERTBOT_ALL_DOMAINS", name.clone()),
        ("CERTBOT_ALL_IDENTIFIERS", name),
    ];
    if challenge.kind() == ChallengeKind::Http01 {
        variables.push(("CERTBOT_TOKEN", token));
    }
    if let Act::CleanUp(printed) = act {
        let printed = String::from_utf8_lossy(printed.unwrap_or_default());
        // A zero byte would end the variable, and no environment can hold one.
        variables.push(("CERTBOT_AUTH_OUTPUT", printed.trim().replace('\0', "")));
    }
    variables
}

/// Token and thumbprint, which are printable (RFC 8555 §8.1).
fn authorization(challenge: &Challenge) -> String {
    String::from_utf8_lossy(challenge.key_authorization().expose()).into_owned()
}
