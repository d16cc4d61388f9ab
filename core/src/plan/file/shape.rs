//! The shape of `certwright.toml`, version 1. Each table here is read, described and checked for unknown keys by what is
//! written here alone.

use std::path::PathBuf;
use std::time::Duration;

use super::choice::{Argv, Check, Daemon, Issuers, Reload, Service};
use super::leaf::{CaUrl, Contact, Count, Data, DirectoryUrl, IssuerType, Label, Mode, Template};
use super::limits::Limits;
use super::principal::{Group, Owner};
use super::read::{At, Named, table};
use super::solver::Solvers;
use crate::ground::id::{Fingerprint, IssuerName, LineageName};
use crate::ground::name::{DnsName, Identifier};
use crate::pki::key::KeyAlgorithm;
use crate::plan::spec::{AclWish, Address, Encoding, Form, KeyChange, Principal, StartTls, Strategy};

table! {
    /// What certwright is to keep in place on this machine.
    struct Top {
        /// The version of this file's shape: 1.
        once "version" version: At<Count<0, { u32::MAX }>>,
        /// The directory that holds every lineage; `/var/lib/certwright` when left out.
        optional "root" root: At<PathBuf>,
        /// The issuers, by a name of your own.
        optional "issuer" issuer: Named<IssuerName, Issuer>,
        /// The lineages, by a name of your own: each is one certificate over time.
        optional "lineage" lineage: Named<LineageName, Lineage>,
        /// How to tell that the fail-over daemon of this machine runs, for `verify --ready`.
        optional "failover" failover: Daemon,
    }
}

table! {
    /// An issuer of certificates.
    struct Issuer {
        /// What it is: `local` is the embedded CA, without network and service; `acme` is an ACME server (RFC 8555); `step-ca`
        /// is step-ca by its own interface.
        needed "type" kind: At<IssuerType>,
        /// `local`: how long a certificate is valid; `30d` when left out. `step-ca`: the same; as the provisioner has it when
        /// left out.
        optional "lifetime" lifetime: At<Duration>,
        /// `local`: names below which it may issue (RFC 5280 name constraints); any when left out. Fixed when the CA is made.
        optional "permitted" permitted: Vec<At<DnsName>>,
        /// `local`: the algorithm of the CA's own keys; `ecdsa-p256` when left out.
        optional "key" key: At<KeyAlgorithm>,
        /// `acme`: the URL of the directory, as the authority publishes it.
        optional "directory" directory: At<DirectoryUrl>,
        /// `acme`: how the authority reaches you, such as `mailto:ops@example.org`.
        optional "contact" contact: Vec<At<Contact>>,
        /// `acme`: PEM file of the roots that the directory's own TLS leads to; those of the system when left out.
        optional "trust" trust: At<PathBuf>,
        /// `acme`, `step-ca`: PEM file of the roots that issued chains must lead to; for `step-ca` its own when left out.
        optional "roots" roots: At<PathBuf>,
        /// `acme`: the profile to ask for; the authority's default when left out.
        optional "profile" profile: At<Label>,
        /// `acme`: the common name of an issuer in the chain that is preferred, where the authority offers several.
        optional "preferred_chain" preferred_chain: At<Label>,
        /// `acme`: the account elsewhere that the authority wants its own to be bound to.
        optional "eab" eab: ExternalAccount,
        /// `acme`: who answers challenges, the preferred one first; needed. `[]` when the program that serves answers itself.
        optional "solver" solver: Solvers,
        /// `acme`, `step-ca`: the total time for one certificate; `10m` and `1m` when left out.
        optional "limit" limit: At<Duration>,
        /// `acme`: what the authority lets through, as `none` or a table of rates such as `50/7d`; its published limits when
        /// left out, if they are known by the directory.
        optional "limits" limits: Limits,
        /// `step-ca`: where it is, such as `https://ca.internal:9000`.
        optional "url" url: At<CaUrl>,
        /// `step-ca`: the SHA-256 of its root, in hexadecimal digits (`step certificate fingerprint root_ca.crt`).
        optional "fingerprint" fingerprint: At<Fingerprint>,
        /// `step-ca`: the provisioner that lets certificates be issued.
        optional "provisioner" provisioner: At<Label>,
        /// `step-ca`: file that holds the password of a JWK provisioner's key, on one line.
        optional "password_file" password_file: At<PathBuf>,
        /// `step-ca`: the command that prints that password, in place of the file.
        optional "password_command" password_command: Argv,
        /// `step-ca`: file with the key of a JWK provisioner, as `step` writes it or as PEM; asked of the CA when left out.
        optional "key_file" key_file: At<PathBuf>,
        /// `step-ca`: PEM file of a certificate that an X5C provisioner believes.
        optional "certificate" certificate: At<PathBuf>,
        /// `step-ca`: PEM file of that certificate's key.
        optional "certificate_key" certificate_key: At<PathBuf>,
        /// `step-ca`: file that holds a one-time token that something else has made.
        optional "token_file" token_file: At<PathBuf>,
        /// `step-ca`: the command that prints a one-time token, in place of the file.
        optional "token_command" token_command: Argv,
        /// `step-ca`: how far the beginning of a certificate lies back; as the CA has it when left out.
        optional "backdate" backdate: At<Duration>,
        /// `step-ca`: data for the provisioner's template.
        optional "template_data" template_data: At<Data>,
    }
}

table! {
    /// An account elsewhere that an ACME account is bound to (RFC 8555 §7.3.4).
    struct ExternalAccount {
        /// The key identifier that the authority gave out.
        needed "kid" kid: At<Label>,
        /// File that holds the MAC key, base64url, on one line.
        needed "key_file" key_file: At<PathBuf>,
    }
}

table! {
    /// One certificate over time: what it is for, who reads it, which program uses it.
    struct Lineage {
        /// DNS names, wildcards and IP addresses that the certificate is for.
        needed "identifiers" identifiers: Vec<At<Identifier>>,
        /// The issuer that is asked, or several in their order: the next is asked when one refuses. Another client brings
        /// key and certificates when left out.
        optional "issuer" issuer: Issuers,
        /// The algorithm of the key; `ecdsa-p256` when left out.
        optional "key" key: At<KeyAlgorithm>,
        /// Whether a renewal brings a fresh key: `rekey` (so when left out) or `renew`.
        optional "key_change" key_change: At<KeyChange>,
        /// PEM file of roots that the chain must lead to.
        optional "roots" roots: At<PathBuf>,
        /// Who must be able to read the secrets, as `user:NAME` or `group:NAME`.
        optional "readers" readers: Vec<At<Principal>>,
        /// The owner of the secrets; the user that runs certwright when left out.
        optional "owner" owner: At<Owner>,
        /// The group of the secrets.
        optional "group" group: At<Group>,
        /// Mode bits of the secrets, in quotes, such as `"0640"`.
        optional "mode" mode: At<Mode>,
        /// Raw ACL entries beside the readers, such as `user:backup:r--`.
        optional "acl" acl: Vec<At<AclWish>>,
        /// Whether the directories too are closed to everyone but the readers.
        optional "private" private: At<bool>,
        /// The program that uses the certificate: fills in check, reload, probe and what it insists on.
        optional "service" service: Service,
        /// The program's own configuration test.
        optional "check" check: Check,
        /// How the program is made to re-read.
        optional "reload" reload: Reload,
        /// What to ask, to see which certificate is served; `[]` for nothing, although the service would have an endpoint.
        optional "probe" probe: Vec<Probe>,
        /// How to tell that the program runs, for `verify --ready`.
        optional "running" running: Daemon,
        /// Files that programs read outside the lineage's directory.
        optional "output" output: Vec<Output>,
        /// What to keep of old generations.
        optional "retain" retain: Retain,
    }
}

table! {
    /// A file that a program reads.
    struct Output {
        /// Where it is.
        needed "path" path: At<PathBuf>,
        /// How it changes: `replace` a real file, set a `link` once that leads through `current`, or replace a one-line
        /// include file that names the generation (`pinned`).
        needed "strategy" strategy: At<Strategy>,
        /// What is in it.
        optional "form" form: At<Form>,
        /// How it is written; `pem` when left out.
        optional "encoding" encoding: At<Encoding>,
        /// Who must be able to read it; the lineage's readers when no access is said here.
        optional "readers" readers: Vec<At<Principal>>,
        /// The owner of the file.
        optional "owner" owner: At<Owner>,
        /// The group of the file.
        optional "group" group: At<Group>,
        /// Mode bits of the file, in quotes, such as `"0640"`.
        optional "mode" mode: At<Mode>,
        /// Raw ACL entries beside the readers.
        optional "acl" acl: Vec<At<AclWish>>,
        /// The text of a `pinned` include file, with `{generation}` where the path of the generation belongs; the
        /// service's usual lines when left out.
        optional "template" template: At<Template>,
        /// File that holds the pass phrase of a `pkcs12` file; one line end at its end does not count.
        optional "passphrase_file" passphrase_file: At<PathBuf>,
    }
}

table! {
    /// An endpoint that is asked which certificate it serves.
    struct Probe {
        /// `127.0.0.1:443`, `[::1]:443`, `host:443`, or `file:/path` for a file that a program reads.
        needed "address" address: At<Address>,
        /// The name sent as SNI; the first DNS name of the lineage when left out.
        optional "server_name" server_name: At<DnsName>,
        /// The dialect spoken before TLS.
        optional "starttls" starttls: At<Option<StartTls>>,
        /// The total time for one answer; `10s` when left out.
        optional "limit" limit: At<Duration>,
        /// How many fresh connections must all see the new certificate; 1 when left out.
        optional "connections" connections: At<Count<1, 1000>>,
    }
}

table! {
    /// What to keep of old generations: what is beyond the count and older than the age goes.
    struct Retain {
        /// How many are kept whatever their age; 5 when left out.
        optional "count" count: At<Count<1, 1_000_000>>,
        /// How long each is kept whatever their number, at least `1d`; `30d` when left out.
        optional "age" age: At<Duration>,
    }
}
