//! What is refused elsewhere, and all at once.

use super::{HEAD, faults, parse};

#[test]
fn outputs_are_refused_in_words_too() {
    let head = format!("{HEAD}[lineage.www]\nidentifiers = [\"a.example\"]\n[[lineage.www.output]]\n");
    for (body, told) in [
        (
            "path = \"/x\"\nstrategy = \"replace\"\n",
            "line 8, column 8: lineage.www.output[0].form: the key `form` is missing; write one of `key`, `leaf`, `chain`, `fullchain`, `bundle`",
        ),
        (
            "path = \"/x\"\nform = \"key\"\n",
            "line 7, column 1: lineage.www.output[0].strategy: the key `strategy` is missing",
        ),
        (
            "strategy = \"replace\"\nform = \"key\"\n",
            "line 7, column 1: lineage.www.output[0].path: the key `path` is missing",
        ),
        (
            "path = \"/srv/certs/www/x\"\nstrategy = \"replace\"\nform = \"key\"\n",
            "line 8, column 8: lineage.www.output[0].path: the output is inside the root `/srv/certs`; choose a path outside; below the lineage's `current` every form is there anyway",
        ),
        (
            "path = \"/srv\"\nstrategy = \"replace\"\nform = \"key\"\n",
            "line 8, column 8: lineage.www.output[0].path: the root `/srv/certs` is below this path",
        ),
        (
            "path = \"/x\"\nstrategy = \"pinned\"\n",
            "line 9, column 12: lineage.www.output[0].template: a pinned output needs a template; write the line that the program includes, with `{generation}` where the path belongs",
        ),
        (
            "path = \"/x\"\nstrategy = \"pinned\"\ntemplate = \"x\"\n",
            "line 10, column 12: lineage.www.output[0].template: the template does not name the generation; write `{generation}` where the path of the generation belongs",
        ),
        (
            "path = \"/x\"\nstrategy = \"pinned\"\ntemplate = \"{generation}\"\nform = \"key\"\n",
            "line 11, column 8: lineage.www.output[0].form: an include file holds no part of the set; remove `form`; the template says which files are named",
        ),
        (
            "path = \"/x\"\nstrategy = \"pinned\"\ntemplate = \"{generation}\"\nencoding = \"pem\"\n",
            "line 11, column 12: lineage.www.output[0].encoding: an include file has no encoding; remove `encoding`",
        ),
        (
            "path = \"/x\"\nstrategy = \"replace\"\nform = \"key\"\ntemplate = \"{generation}\"\n",
            "line 11, column 12: lineage.www.output[0].template: only a pinned output has a template; write `strategy = \"pinned\"`, or remove it",
        ),
        (
            "path = \"/x\"\nstrategy = \"replace\"\nform = \"bundle\"\nencoding = \"der\"\n",
            "line 11, column 12: lineage.www.output[0].encoding: DER holds one object, and this form has several; choose form `key` or `leaf`, or another encoding",
        ),
        (
            "path = \"/x\"\nstrategy = \"replace\"\nform = \"key\"\nencoding = \"pkcs12\"\npassphrase_file = \"/p\"\n",
            "line 11, column 12: lineage.www.output[0].encoding: PKCS#12 holds key and certificates together; write `form = \"bundle\"`",
        ),
        (
            "path = \"/x\"\nstrategy = \"replace\"\nform = \"bundle\"\nencoding = \"pkcs12\"\n",
            "line 11, column 12: lineage.www.output[0].encoding: PKCS#12 needs a pass phrase; name a file with `passphrase_file`",
        ),
        (
            "path = \"/x\"\nstrategy = \"replace\"\nform = \"bundle\"\npassphrase_file = \"/p\"\n",
            "line 11, column 19: lineage.www.output[0].passphrase_file: only PKCS#12 has a pass phrase; write `encoding = \"pkcs12\"`, or remove it",
        ),
        (
            "path = \"/x\"\nstrategy = \"link\"\nform = \"key\"\nowner = \"a\"\n",
            "line 11, column 9: lineage.www.output[0]: a link has the access of what it leads to; say the access at the lineage, or place a real file with `strategy = \"replace\"`",
        ),
        (
            "path = \"/x\"\nstrategy = \"replace\"\nform = \"key\"\nmode = \"0604\"\n",
            "line 11, column 8: lineage.www.output[0].mode: mode `0604` would give the private key to everyone; write `\"0600\"` and name who needs it in `readers`",
        ),
    ] {
        assert_eq!(faults(&format!("{head}{body}")), [told]);
    }
    let public = "path = \"/x\"\nstrategy = \"replace\"\nform = \"fullchain\"\nmode = \"0644\"\n";
    assert!(parse(&format!("{head}{public}")).is_ok());
}

#[test]
fn the_parts_of_a_file_are_held_against_each_other() {
    let output = |path: &str| format!("path = \"{path}\"\nstrategy = \"replace\"\nform = \"key\"\n");
    let two = |first: &str, second: &str| {
        format!(
            "version = 1\n[lineage.a]\nidentifiers = [\"a.example\"]\n[[lineage.a.output]]\n{}[lineage.b]\nidentifiers = [\"b.example\"]\n[[lineage.b.output]]\n{}",
            output(first),
            output(second)
        )
    };
    assert_eq!(
        faults(&two("/x/k.pem", "/x/k.pem")),
        [
            "line 11, column 8: lineage.b.output[0].path: `/x/k.pem` is also an output of `lineage.a` (line 5); give each its own path"
        ]
    );
    assert_eq!(
        faults(&two("/x/k/e", "/x/k")),
        [
            "line 11, column 8: lineage.b.output[0].path: `/x/k` and `/x/k/e` of `lineage.a` (line 5) cannot both be files; give each its own path"
        ]
    );
    assert!(parse(&two("/x/k", "/x/k-e")).is_ok());

    let permitted = |identifier: &str| {
        format!(
            "version = 1\n[issuer.lab]\ntype = \"local\"\npermitted = [\"example.org\"]\n[lineage.www]\nissuer = \"lab\"\nidentifiers = [\"{identifier}\"]\n"
        )
    };
    for fine in ["example.org", "a.b.example.org", "*.example.org", "192.0.2.1"] {
        assert!(parse(&permitted(fine)).is_ok(), "{fine}");
    }
    for outside in ["example.com", "notexample.org", "*.notexample.org", "org"] {
        assert_eq!(
            faults(&permitted(outside)),
            [format!(
                "line 5, column 10: lineage.www.identifiers: issuer `lab` may not issue for `{outside}`; name its domain in `permitted` of `[issuer.lab]` before the CA is made"
            )]
        );
    }
}

#[test]
fn the_top_of_the_file_is_checked() {
    for (text, told) in [
        ("", "line 1, column 1: version: the key `version` is missing; begin the file with `version = 1`"),
        ("version = \"1\"\n", "line 1, column 11: version: expected a whole number, found text"),
        (
            "version = 1\nlineages = {}\n",
            "line 2, column 1: lineages: there is no key `lineages` here; write `lineage`, if that was meant",
        ),
        (
            "version = 1\n[lineage.WWW]\nidentifiers = [\"a.example\"]\n",
            "line 2, column 10: lineage.WWW: `WWW`: this cannot be the name of a lineage; use 1 to 64 of a-z, 0-9, `.`, `_` and `-`, beginning with a letter or digit",
        ),
        ("version = 1\n[lineage.www]\n", "line 2, column 1: lineage.www.identifiers: the key `identifiers` is missing"),
        (
            "version = 1\n[lineage.www]\nidentifiers = []\n",
            "line 2, column 10: lineage.www.identifiers: there is no identifier; name at least one DNS name or IP address in `identifiers`",
        ),
        (
            "version = 1\n[lineage.www]\nidentifiers = [\"a.example\", \"A.example\"]\n",
            "line 3, column 29: lineage.www.identifiers: `a.example` is given twice; remove one of the two",
        ),
        (
            "version = 1\n[lineage.www]\nidentifiers = [\"*\"]\n",
            "line 3, column 16: lineage.www.identifiers[0]: `*`: this is not a valid DNS name; write the name as it is looked up in DNS, without scheme, port, path or trailing dot",
        ),
        (
            "version = 1\n[lineage.www]\nidentifiers = [\"a.example\"]\n[lineage.www]\n",
            "line 4, column 10: duplicate key; remove one of the two",
        ),
        ("version = 1\n[issuer.a]\n", "line 2, column 1: issuer.a.type: the key `type` is missing"),
        (
            "version = 1\n[issuer.a]\ntype = \"vault\"\n",
            "line 3, column 8: issuer.a.type: there is no `vault` to choose here; write one of `local`, `acme`, `step-ca`",
        ),
        (
            "version = 1\n[issuer.a]\ntype = \"acme\"\n",
            "line 2, column 9: issuer.a.directory: the key `directory` is missing; write the URL that the authority publishes, such as `https://acme.example/directory`",
        ),
        (
            "version = 1\n[issuer.a]\ntype = \"local\"\nlifetime = \"10w52\"\n",
            "line 4, column 12: issuer.a.lifetime: `10w52`: this is not a duration; write a whole number and a unit, such as `90s`, `15m`, `12h`, `30d` or `2w`",
        ),
        (
            "version = 1\n[issuer.a]\ntype = \"local\"\nlifetime = \"900d\"\n",
            "line 4, column 12: issuer.a.lifetime: `900d` is not from 1m to 825d",
        ),
        (
            "version = 1\nroot = \".\"\n",
            "line 2, column 8: root: `.` is not an absolute path; begin it with `/`: a timer has no current directory",
        ),
        (
            "version = 1\n[failover]\n",
            "line 2, column 1: failover: there is none of `pid_file`, `unit` here; say one of `pid_file`, `unit`",
        ),
    ] {
        assert_eq!(faults(text), [told], "{text}");
    }
    // A file of another version is told so and nothing else.
    let error = parse("version = 2\nnonsense = 1\n").unwrap_err();
    assert_eq!(error.message(), "the file has version 2; this program reads version 1");
}

#[test]
fn all_faults_are_told_at_once_in_their_order() {
    let text = r#"version = 1
root = "certs"
[issuer.lab]
tipe = "local"
[lineage.a]
identifiers = ["a b", "ok.example", 3]
issuer = "lab"
mode = 640
check = "x y"
[lineage.b]
issuer = "none"
identifiers = ["b.example"]
[lineage.b.retain]
cont = 1
[lineage.c]
identifiers = ["c.example"]
issuer = "nowhere"
"#;
    assert_eq!(
        faults(text)
            .iter()
            .map(|told| told.split_once("; ").map_or(told.as_str(), |(told, _)| told))
            .collect::<Vec<_>>(),
        [
            "line 2, column 8: root: `certs` is not an absolute path",
            "line 3, column 1: issuer.lab.type: the key `type` is missing",
            "line 4, column 1: issuer.lab.tipe: there is no key `tipe` here",
            "line 6, column 16: lineage.a.identifiers[0]: `a b`: this is not a valid DNS name",
            "line 6, column 37: lineage.a.identifiers[2]: expected a DNS name or an IP address as text, found a whole number",
            "line 8, column 8: lineage.a.mode: expected the mode as text, found a whole number",
            "line 9, column 9: lineage.a.check: a command is not a line for a shell",
            "line 14, column 1: lineage.b.retain.cont: there is no key `cont` here",
            "line 17, column 10: lineage.c.issuer: there is no issuer `nowhere`",
        ]
    );
    // Syntax is told first, every fault of it.
    assert_eq!(faults("version = 1\na = \nb = 01\nc = 2\n").len(), 2);
}

#[test]
fn messages_show_no_control_characters_and_no_endless_text() {
    let text = format!("version = 1\n[lineage.www]\nidentifiers = [\"{}\", \"\\u001b[2J\"]\n", "a".repeat(10_000));
    for told in faults(&text) {
        assert!(told.len() < 400 && !told.contains('\u{1b}'), "{told}");
    }
}

#[test]
fn several_bundles_are_for_the_author_to_choose_from() {
    let bundle = "[[lineage.www.output]]\npath = \"/h/www.pem\"\nstrategy = \"replace\"\nform = \"bundle\"\n";
    let two = format!(
        "{HEAD}[lineage.www]\nidentifiers = [\"a.example\"]\nreload = {{ haproxy = \"/h/s\" }}\n{bundle}{bundle}"
    );
    let two = two.replacen("/h/www.pem", "/h/other.pem", 1);
    assert_eq!(
        faults(&two),
        [
            "line 7, column 22: lineage.www.reload: there are several bundles that HAProxy may have loaded; write `reload = { haproxy = \"SOCKET\", certificate = \"PATH\" }`"
        ]
    );
}

#[test]
fn an_issuer_takes_what_its_type_takes() {
    for (body, told) in [
        (
            "type = \"acme\"\n",
            "line 2, column 9: issuer.x.directory: the key `directory` is missing; write the URL that the authority publishes, such as `https://acme.example/directory`",
        ),
        (
            "type = \"local\"\ndirectory = \"https://ca.example/d\"\n",
            "line 4, column 13: issuer.x.directory: an issuer of type `local` has no `directory`; remove it, or write another `type`",
        ),
        (
            "type = \"acme\"\ndirectory = \"https://ca.example/d\"\nlifetime = \"30d\"\n",
            "line 5, column 12: issuer.x.lifetime: an issuer of type `acme` has no `lifetime`; remove it, or write another `type`",
        ),
        (
            "type = \"acme\"\ndirectory = \"http://ca.example/d\"\n",
            "line 4, column 13: issuer.x.directory: `http://ca.example/d` is not an https URL; write it as the authority publishes it, such as `https://acme.example/directory`",
        ),
        (
            "type = \"acme\"\ndirectory = \"https://ca.example/d\"\ncontact = [\"ops@example.org\"]\n",
            "line 5, column 12: issuer.x.contact[0]: `ops@example.org` is not a contact URL; write `mailto:ops@example.org`",
        ),
        (
            "type = \"acme\"\ndirectory = \"https://ca.example/d\"\neab = { kid = \"k\" }\n",
            "line 5, column 7: issuer.x.eab.key_file: the key `key_file` is missing",
        ),
        (
            "type = \"acme\"\ndirectory = \"https://ca.example/d\"\nlimit = \"1s\"\nsolver = { type = \"http-01\", listen = \"127.0.0.1:5002\" }\n",
            "line 5, column 9: issuer.x.limit: `1s` is not from 10s to 1d",
        ),
    ] {
        let text = format!("version = 1\n[issuer.x]\n{body}[lineage.www]\nidentifiers = [\"a.example\"]\n");
        let found = faults(&text);
        assert!(found.iter().any(|fault| fault == told), "{told}\n{found:#?}");
    }
}
