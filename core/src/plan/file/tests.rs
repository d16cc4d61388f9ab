//! The file as its authors meet it: what is accepted and what it means, what is refused and in which words.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Draft, in_pieces, starter_file, whole};
use crate::ground::error::{Error, ErrorKind, Phase, Result};
use crate::pki::key::KeyAlgorithm;
use crate::plan::spec::{
    AclWish, Address, Command, Config, Encoding, Form, IssuerSpec, KeyChange, KeyRule, Principal, Privacy, Reload,
    Retain, Running, Spec, StartTls, Strategy,
};

const HEAD: &str = "version = 1\nroot = \"/srv/certs\"\n[issuer.lab]\ntype = \"local\"\n";

fn parse(text: &str) -> Result<Config> {
    Config::parse(text, Path::new("certwright.toml"))
}

/// The one lineage of a file that consists of the head and this body.
fn spec(body: &str) -> Spec {
    let text = format!("{HEAD}[lineage.www]\nidentifiers = [\"www.example.org\", \"example.org\"]\n{body}");
    let config = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    config.lineages.into_values().next().unwrap()
}

/// Every fault of a text, as `line:column key: message; hint`.
fn faults(text: &str) -> Vec<String> {
    let error = parse(text).map(|_| ()).expect_err(text);
    assert_eq!((error.kind(), error.phase()), (ErrorKind::InvalidSpec, Some(Phase::Plan)), "{error:?}");
    assert_eq!(error.fact("file"), Some("certwright.toml"));
    let told: Vec<String> =
        error.facts().filter(|(name, _)| *name == "fault").map(|(_, told)| told.to_owned()).collect();
    if told.is_empty() { vec![one_line(&error)] } else { told }
}

fn one_line(error: &Error) -> String {
    let fact = |name| error.fact(name).unwrap_or_default();
    let mut line = format!("line {}, column {}: {}", fact("line"), fact("column"), fact("key"));
    if error.fact("key").is_some() {
        line.push_str(": ");
    }
    line.push_str(error.message());
    if let Some(hint) = error.hint_text() {
        let _ = write!(line, "; {hint}");
    }
    line
}

fn user(name: &str) -> Principal {
    Principal::User(name.to_owned())
}

#[test]
fn the_starter_file_is_a_working_wish() {
    let config = parse(starter_file()).unwrap();
    assert_eq!(config.root, Path::new("/var/lib/certwright"));
    let [(name, spec)] = config.lineages.iter().collect::<Vec<_>>()[..] else { panic!("{config:?}") };
    assert_eq!(name.as_str(), "www");
    assert_eq!(spec.identifiers.to_string(), "www.example.org, example.org");
    assert_eq!(spec.issuer.as_ref().map(|name| name.as_str()), Some("lab"));
    assert_eq!(spec.access.readers, [user("www-data")]);
    assert_eq!(spec.check, Some(Command::new(["nginx", "-t", "-q"])));
    assert_eq!(spec.reload, Some(Reload::Unit("nginx.service".to_owned())));
    assert_eq!(spec.probes.len(), 1);
    assert_eq!(spec.retain, Retain::default());
}

/// Every line that the starter file has in a comment is a line that works.
#[test]
fn the_comments_of_the_starter_file_work_too() {
    let setting = |line: &str| line.strip_prefix("# ").filter(|rest| rest.contains(" = ")).map(str::to_owned);
    let mut tried = 0;
    let live: Vec<&str> = starter_file().lines().collect();
    for (number, line) in live.iter().enumerate() {
        let Some(uncommented) = setting(line) else { continue };
        let key = uncommented.split(" = ").next().unwrap().to_owned();
        if ["path", "strategy", "form", "encoding", "unit"].contains(&key.as_str()) || line.contains("user:haproxy") {
            continue;
        }
        // The same key said twice is an error of its own: the live line gives way, but for the header.
        let text: Vec<&str> = live
            .iter()
            .enumerate()
            .filter(|(at, other)| *at == number || !other.starts_with(&format!("{key} =")) || key == "key")
            .map(|(at, other)| if at == number { uncommented.as_str() } else { other })
            .collect();
        parse(&text.join("\n")).unwrap_or_else(|error| panic!("{error:#}\n{uncommented}"));
        tried += 1;
    }
    assert!(tried >= 17, "only {tried} lines were tried");

    let at = starter_file().find("#\n# [[lineage.www.output]]").unwrap();
    let (before, after) = starter_file().split_at(at);
    let uncommented: String = after
        .lines()
        .map(|line| {
            line.strip_prefix("# ").filter(|rest| rest.starts_with('[') || rest.contains(" = ")).unwrap_or(line)
        })
        .fold(String::new(), |text, line| text + line + "\n");
    let config = parse(&(before.to_owned() + &uncommented)).unwrap();
    assert_eq!(config.lineages.values().next().unwrap().outputs.len(), 1);
    assert!(config.failover.is_some());
}

#[test]
fn every_word_has_its_meaning() {
    let spec = spec(
        r#"
        issuer = "lab"
        key = "rsa-3072"
        key_change = "renew"
        roots = "/etc/ssl/roots.pem"
        readers = ["user:www-data", "group:1000"]
        owner = "root"
        group = "ssl-cert"
        mode = "0640"
        acl = ["user:backup:r--", "group:audit:---"]
        private = true
        check = { command = ["/usr/sbin/nginx", "-t"], limit = "5s" }
        reload = { signal = "USR1", pid_file = "/run/x.pid" }
        running = { pid_file = "/run/x.pid" }
        probe = [
            { address = "127.0.0.1:443", server_name = "bücher.example" },
            { address = "[::1]:25", starttls = "smtp", limit = "3s", connections = 4 },
            { address = "localhost:8443" },
            { address = "file:/etc/x/leaf.pem" },
        ]
        retain = { count = 2, age = "1d" }
        [[lineage.www.output]]
        path = "/etc/x/b.p12"
        strategy = "replace"
        form = "bundle"
        encoding = "pkcs12"
        passphrase_file = "/etc/x/pass"
        readers = ["user:tomcat"]
        [[lineage.www.output]]
        path = "/etc/x/leaf.der"
        strategy = "link"
        form = "leaf"
        encoding = "der"
        [[lineage.www.output]]
        path = "/etc/x/tls.conf"
        strategy = "pinned"
        template = "cert {generation}/fullchain.pem"
        mode = "0644"
        "#,
    );
    assert_eq!(spec.key, KeyAlgorithm::Rsa3072);
    assert_eq!(spec.key_change, KeyChange::Renew);
    assert_eq!(spec.roots, Some(PathBuf::from("/etc/ssl/roots.pem")));
    assert_eq!(spec.access.readers, [user("www-data"), Principal::Group("1000".to_owned())]);
    assert_eq!(spec.access.owner, Some(user("root")));
    assert_eq!(spec.access.group, Some(Principal::Group("ssl-cert".to_owned())));
    assert_eq!(spec.access.mode, Some(0o640));
    let acl = [AclWish::new(user("backup"), 4), AclWish::new(Principal::Group("audit".to_owned()), 0)];
    assert_eq!(spec.access.acl, acl);
    assert_eq!(spec.privacy, Privacy::Private);
    let check = spec.check.unwrap();
    assert_eq!((check.argv.join(" "), check.limit), ("/usr/sbin/nginx -t".to_owned(), Duration::from_secs(5)));
    assert_eq!(spec.reload, Some(Reload::Signal { signal: "USR1".to_owned(), pid_file: "/run/x.pid".into() }));
    assert_eq!(spec.running, Some(Running::PidFile("/run/x.pid".into())));
    assert_eq!(spec.retain, Retain::new(2, Duration::from_secs(86_400)));
    assert_eq!(spec.key_rule, KeyRule::None);

    let [web, mail, host, file] = &spec.probes[..] else { panic!("{:?}", spec.probes) };
    assert_eq!(web.address, Address::Socket(([127, 0, 0, 1], 443).into()));
    assert_eq!(web.server_name.as_ref().map(|name| name.as_str()), Some("xn--bcher-kva.example"));
    assert_eq!((mail.starttls, mail.limit, mail.connections), (Some(StartTls::Smtp), Duration::from_secs(3), 4));
    assert_eq!(mail.server_name.as_ref().map(|name| name.as_str()), Some("www.example.org"));
    assert_eq!((&host.address, host.connections), (&Address::Host("localhost".to_owned(), 8443), 1));
    assert_eq!((&file.address, &file.server_name), (&Address::File("/etc/x/leaf.pem".into()), &None));

    let [p12, der, pinned] = &spec.outputs[..] else { panic!("{:?}", spec.outputs) };
    assert_eq!((p12.strategy, p12.form, p12.encoding), (Strategy::Replace, Form::Bundle, Encoding::Pkcs12));
    assert_eq!(p12.passphrase_file, Some(PathBuf::from("/etc/x/pass")));
    assert_eq!(p12.access.as_ref().map(|access| access.readers.clone()), Some(vec![user("tomcat")]));
    assert_eq!((der.strategy, der.form, der.encoding, &der.access), (Strategy::Link, Form::Leaf, Encoding::Der, &None));
    assert_eq!(pinned.template.as_deref(), Some("cert {generation}/fullchain.pem"));
    assert!(!pinned.form.is_secret());
    assert_eq!(pinned.access.as_ref().and_then(|access| access.mode), Some(0o644));
}

#[test]
fn issuer_root_and_failover_have_their_meaning() {
    let text = r#"
        version = 1
        [issuer.lab]
        type = "local"
        lifetime = "12h"
        permitted = ["example.org"]
        key = "ed25519"
        [issuer.plain]
        type = "local"
        [failover]
        unit = "keepalived.service"
    "#;
    let config = parse(text).unwrap();
    assert_eq!(config.root, Path::new("/var/lib/certwright"));
    let IssuerSpec::Local(lab) = &config.issuers[&"lab".parse().unwrap()];
    assert_eq!((lab.lifetime, lab.key), (Duration::from_secs(43_200), KeyAlgorithm::Ed25519));
    assert_eq!(lab.permitted, ["example.org".parse().unwrap()]);
    let IssuerSpec::Local(plain) = &config.issuers[&"plain".parse().unwrap()];
    assert_eq!(plain.lifetime, Duration::from_secs(30 * 86_400));
    assert_eq!(config.failover.map(|it| it.running), Some(Running::Unit("keepalived.service".to_owned())));
}

#[test]
fn a_service_fills_in_and_gives_way() {
    let filled = spec("service = \"nginx\"\n");
    let [endpoint] = &filled.probes[..] else { panic!("{:?}", filled.probes) };
    assert_eq!(endpoint.address.to_string(), "127.0.0.1:443");
    assert_eq!(endpoint.server_name.as_ref().map(|name| name.as_str()), Some("www.example.org"));
    assert_eq!(filled.running, Some(Running::Unit("nginx.service".to_owned())));

    let by_hand = spec(
        "service = \"nginx\"\ncheck = [\"true\"]\nreload = { unit = \"web.service\" }\nprobe = []\nrunning = { unit = \"web.service\" }\n",
    );
    assert_eq!(by_hand.check, Some(Command::new(["true"])));
    assert_eq!(by_hand.reload, Some(Reload::Unit("web.service".to_owned())));
    assert_eq!(by_hand.running, Some(Running::Unit("web.service".to_owned())));
    assert!(by_hand.probes.is_empty());

    let elsewhere =
        spec("service = { preset = \"nginx\", config = \"/s/n.conf\", pid = \"/s/n.pid\", binary = \"/s/nginx\" }\n");
    assert_eq!(elsewhere.check, Some(Command::new(["/s/nginx", "-t", "-q", "-c", "/s/n.conf"])));
    assert_eq!(elsewhere.reload, Some(Reload::Signal { signal: "HUP".to_owned(), pid_file: "/s/n.pid".into() }));

    let mail = spec(
        "service = \"postfix\"\nprobe = [{ address = \"[::1]:587\" }, { address = \"[::1]:465\" }, { address = \"[::1]:2525\", starttls = \"none\" }]\n",
    );
    let dialects: Vec<_> = mail.probes.iter().map(|probe| probe.starttls).collect();
    assert_eq!(dialects, [Some(StartTls::Smtp), None, None]);

    let database = spec(
        "service = \"postgresql\"\n[[lineage.www.output]]\npath = \"/p/key.pem\"\nstrategy = \"replace\"\nform = \"key\"\n[[lineage.www.output]]\npath = \"/p/chain.pem\"\nstrategy = \"replace\"\nform = \"chain\"\n",
    );
    assert_eq!(database.key_rule, KeyRule::Postgres);
    let rules: Vec<_> = database.outputs.iter().map(|output| output.key_rule).collect();
    assert_eq!(rules, [KeyRule::Postgres, KeyRule::None]);
    assert_eq!(database.probes[0].starttls, Some(StartTls::Postgres));

    let pinned = spec("service = \"nginx\"\n[[lineage.www.output]]\npath = \"/n/tls.conf\"\nstrategy = \"pinned\"\n");
    assert!(pinned.outputs[0].template.as_ref().unwrap().contains("ssl_certificate_key {generation}/key.pem;"));
}

#[test]
fn haproxy_is_told_the_path_it_loaded() {
    let certificate = |body: &str| match spec(body).reload {
        Some(Reload::Haproxy { certificate, .. }) => certificate.display().to_string(),
        other => panic!("{other:?}"),
    };
    let bundle = "[[lineage.www.output]]\npath = \"/h/www.pem\"\nstrategy = \"replace\"\nform = \"bundle\"\n";
    assert_eq!(certificate("reload = { haproxy = \"/h/sock\" }\n"), "/srv/certs/www/current/bundle.pem");
    assert_eq!(certificate(&format!("reload = {{ haproxy = \"/h/sock\" }}\n{bundle}")), "/h/www.pem");
    assert_eq!(certificate(&format!("reload = {{ haproxy = \"/h/sock\", certificate = \"/h/x\" }}\n{bundle}")), "/h/x");
    assert_eq!(
        certificate(&format!("service = {{ preset = \"haproxy\", socket = \"/h/s\" }}\n{bundle}")),
        "/h/www.pem"
    );

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

/// Each line of a lineage that cannot be meant, with what is said about it. The line stands on line 7 of its file.
#[test]
fn says_what_is_wrong_where_and_what_to_write() {
    for (line, told) in [
        (
            "isuer = \"lab\"",
            "column 1: lineage.www.isuer: there is no key `isuer` here; write `issuer`, if that was meant",
        ),
        ("issuer = \"lob\"", "column 10: lineage.www.issuer: there is no issuer `lob`; write `lab`, if that was meant"),
        ("issuer = \"other\"", "column 10: lineage.www.issuer: there is no issuer `other`; add `[issuer.other]`"),
        (
            "issuer = \"../x\"",
            "column 10: lineage.www.issuer: `../x`: this cannot be the name of an issuer; use 1 to 64 of a-z, 0-9, `.`, `_` and `-`, beginning with a letter or digit",
        ),
        ("issuer = 1", "column 10: lineage.www.issuer: expected the name of an issuer as text, found a whole number"),
        (
            "key = \"ecdsa-p265\"",
            "column 7: lineage.www.key: there is no `ecdsa-p265` to choose here; write `ecdsa-p256`, if that was meant",
        ),
        (
            "key_change = \"always\"",
            "column 14: lineage.www.key_change: there is no `always` to choose here; write one of `rekey`, `renew`",
        ),
        (
            "roots = \"roots.pem\"",
            "column 9: lineage.www.roots: `roots.pem` is not an absolute path; begin it with `/`: a timer has no current directory",
        ),
        (
            "roots = \"/a/../b\"",
            "column 9: lineage.www.roots: `/a/../b` holds `..`; write the path without detours, so that it can be compared with others",
        ),
        (
            "roots = \"/a//b/\"",
            "column 9: lineage.www.roots: `/a//b/` is not the plain spelling of the path; write `/a/b`",
        ),
        (
            "roots = \"/a\\u0000b\"",
            "column 9: lineage.www.roots: the text holds a NUL character, which no path and no argument can",
        ),
        ("readers = \"user:a\"", "column 11: lineage.www.readers: expected an array, found text; write `[\"user:a\"]`"),
        (
            "readers = [\"www-data\"]",
            "column 12: lineage.www.readers[0]: `www-data` does not say whether it is a user or a group; write `user:www-data` or `group:www-data`",
        ),
        (
            "readers = [\"user:a\", \"user:b:c\"]",
            "column 22: lineage.www.readers[1]: `b:c` cannot be the name of a user or group",
        ),
        (
            "readers = [\"user:4294967295\"]",
            "column 12: lineage.www.readers[0]: `4294967295` is no user or group number",
        ),
        ("readers = [\"user:007\"]", "column 12: lineage.www.readers[0]: `007` is a number with leading zeros"),
        ("readers = [\"user:a\", \"user:a\"]", "column 22: lineage.www.readers: `user:a` is given twice"),
        (
            "owner = \"user:root\"",
            "column 9: lineage.www.owner: `user:root`: the key already says what it is; write `root`",
        ),
        ("owner = 0", "column 9: lineage.www.owner: expected the name of a user, found a whole number; write `\"0\"`"),
        (
            "mode = 640",
            "column 8: lineage.www.mode: expected the mode as text, found a whole number; write `\"0640\"`, in quotes, which says that it is octal",
        ),
        (
            "mode = 0o640",
            "column 8: lineage.www.mode: expected the mode as text, found a whole number; write `\"0640\"`, in quotes, which says that it is octal",
        ),
        (
            "mode = 0640",
            "column 8: unexpected leading zero, expected nothing; write a mode in quotes, such as `mode = \"0640\"`",
        ),
        (
            "mode = \"0644\"",
            "column 8: lineage.www.mode: mode `0644` would give the private key to everyone; write `\"0640\"` and name who needs it in `readers`",
        ),
        (
            "mode = \"0240\"",
            "column 8: lineage.www.mode: with mode `0240` the owner cannot read and write the file; begin with 6, such as `\"0640\"`",
        ),
        (
            "mode = \"06400\"",
            "column 8: lineage.www.mode: `06400` is not a mode; write three octal digits after a zero, such as `\"0640\"`",
        ),
        (
            "mode = \"+640\"",
            "column 8: lineage.www.mode: `+640` is not a mode; write three octal digits after a zero, such as `\"0640\"`",
        ),
        (
            "acl = [\"user:a:r\"]",
            "column 8: lineage.www.acl[0]: `user:a:r` is not an ACL entry; write it as `user:NAME:r--` or `group:NAME:r--`, with all three letters",
        ),
        (
            "acl = [\"user:a:r--\", \"user:a:---\"]",
            "column 22: lineage.www.acl: `user:a` has two ACL entries; make one entry of the two",
        ),
        ("private = \"yes\"", "column 11: lineage.www.private: expected true or false, found text"),
        (
            "service = \"ngnix\"",
            "column 11: lineage.www.service: there is no `ngnix` to choose here; write `nginx`, if that was meant",
        ),
        ("service = { config = \"/x\" }", "column 11: lineage.www.service.preset: the key `preset` is missing"),
        (
            "service = { preset = \"nginx\", socket = \"/x\" }",
            "column 40: lineage.www.service.socket: nginx has no admin socket; remove it, or write `preset = \"haproxy\"`",
        ),
        (
            "service = { preset = \"postfix\", config = \"/etc/postfix/main.cf\" }",
            "column 42: lineage.www.service.config: Postfix is configured by a directory, and this is a file in one; write `/etc/postfix`",
        ),
        (
            "check = \"nginx -t\"",
            "column 9: lineage.www.check: a command is not a line for a shell; write `[\"nginx\", \"-t\"]`",
        ),
        (
            "check = \"nginx -t && true\"",
            "column 9: lineage.www.check: a command is not a line for a shell; put it into a script and name that script, such as `[\"/usr/local/sbin/reload-web\"]`",
        ),
        (
            "check = [\"nginx -t\"]",
            "column 9: lineage.www.check: this is a line for a shell, not a program; write `[\"nginx\", \"-t\"]`",
        ),
        (
            "check = []",
            "column 9: lineage.www.check: the command is empty; name a program first, such as `[\"/usr/sbin/nginx\", \"-t\"]`",
        ),
        (
            "check = [\"\"]",
            "column 9: lineage.www.check: the program has no name; name a program first, such as `[\"/usr/sbin/nginx\", \"-t\"]`",
        ),
        (
            "check = [\"./check\"]",
            "column 9: lineage.www.check: the program is neither a bare name nor an absolute path; name a program first, such as `[\"/usr/sbin/nginx\", \"-t\"]`",
        ),
        ("check = [\"a\", 1]", "column 15: lineage.www.check[1]: expected an argument as text, found a whole number"),
        (
            "check = { command = [\"a\"], limit = \"0s\" }",
            "column 36: lineage.www.check.limit: `0s` is not from 1s to 1h",
        ),
        (
            "check = { command = [\"a\"], limit = 30 }",
            "column 36: lineage.www.check.limit: expected a duration as text, found a whole number; say the unit, such as `\"30s\"`",
        ),
        ("check = { limit = \"1s\" }", "column 9: lineage.www.check.command: the key `command` is missing"),
        (
            "reload = { signl = \"HUP\" }",
            "column 10: lineage.www.reload: there is none of `command`, `signal`, `unit`, `haproxy` here; write `signal` in place of `signl`, if that was meant",
        ),
        (
            "reload = { }",
            "column 10: lineage.www.reload: there is none of `command`, `signal`, `unit`, `haproxy` here; say one of `command`, `signal`, `unit`, `haproxy`",
        ),
        (
            "reload = { unit = \"a\", signal = \"HUP\" }",
            "column 12: lineage.www.reload: `signal` and `unit` exclude each other; keep one of them",
        ),
        (
            "reload = { signal = \"SIGHUP\", pid_file = \"/x\" }",
            "column 21: lineage.www.reload.signal: `SIGHUP` is written without `SIG`; write `HUP`",
        ),
        (
            "reload = { signal = \"KILL\", pid_file = \"/x\" }",
            "column 21: lineage.www.reload.signal: there is no `KILL` to choose here; write one of `HUP`, `USR1`, `USR2`",
        ),
        ("reload = { signal = \"HUP\" }", "column 10: lineage.www.reload.pid_file: the key `pid_file` is missing"),
        (
            "reload = { unit = \"--now\" }",
            "column 19: lineage.www.reload.unit: `--now` is not the name of a systemd unit; write it as `systemctl list-units` shows it, such as `nginx.service`",
        ),
        ("probe = [\"127.0.0.1:443\"]", "column 10: lineage.www.probe[0]: expected a table, found text"),
        (
            "probe = [{ address = \"127.0.0.1\" }]",
            "column 22: lineage.www.probe[0].address: `127.0.0.1` names no port; write `127.0.0.1:443`, `[::1]:443`, `host.example:443` or `file:/path`",
        ),
        (
            "probe = [{ address = \"127.0.0.1:0\" }]",
            "column 22: lineage.www.probe[0].address: `127.0.0.1:0` names port 0, which nothing listens on; write `127.0.0.1:443`, `[::1]:443`, `host.example:443` or `file:/path`",
        ),
        (
            "probe = [{ address = \"https://a\" }]",
            "column 22: lineage.www.probe[0].address: `https://a` names no port; write `127.0.0.1:443`, `[::1]:443`, `host.example:443` or `file:/path`",
        ),
        (
            "probe = [{ address = \"::1:443:x\" }]",
            "column 22: lineage.www.probe[0].address: `::1:443:x` names no port; write `127.0.0.1:443`, `[::1]:443`, `host.example:443` or `file:/path`",
        ),
        (
            "probe = [{ address = \"a b:443\" }]",
            "column 22: lineage.www.probe[0].address: `a b:443` is not an address; write `127.0.0.1:443`, `[::1]:443`, `host.example:443` or `file:/path`",
        ),
        (
            "probe = [{ address = \"file:x\" }]",
            "column 22: lineage.www.probe[0].address: `x` is not an absolute path; begin it with `/`: a timer has no current directory",
        ),
        (
            "probe = [{ address = \"file:/x\", starttls = \"smtp\" }]",
            "column 44: lineage.www.probe[0].starttls: a file is read, not connected to; remove `starttls`",
        ),
        (
            "probe = [{ address = \"a:1\", server_name = \"*.a.example\" }]",
            "column 43: lineage.www.probe[0].server_name: `*.a.example`: this is not a valid DNS name; write the name as it is looked up in DNS, without scheme, port, path or trailing dot",
        ),
        (
            "probe = [{ address = \"a:1\", connections = 0 }]",
            "column 43: lineage.www.probe[0].connections: `0` is not from 1 to 1000",
        ),
        (
            "probe = [{ address = \"a:1\", limit = \"1h\" }]",
            "column 37: lineage.www.probe[0].limit: `1h` is not from 1s to 10m",
        ),
        ("running = \"nginx\"", "column 11: lineage.www.running: expected a table, found text"),
        ("retain = { age = \"1h\" }", "column 18: lineage.www.retain.age: `1h` is not from 1d to 36500d"),
        ("retain = { count = -1 }", "column 20: lineage.www.retain.count: `-1` is not from 1 to 1000000"),
        ("output = 3", "column 10: lineage.www.output: expected an array, found a whole number"),
        ("identifiers = [\"a.example\"]", "column 1: duplicate key; remove one of the two"),
        (
            "colour = \"red\"",
            "column 1: lineage.www.colour: there is no key `colour` here; known here: `identifiers`, `issuer`, `key`, `key_change`, `roots`, `readers`, `owner`, `group`, `mode`, `acl`, `private`, `service`, `check`, `reload`, `probe`, `running`, `output`, `retain`",
        ),
    ] {
        let text = format!("{HEAD}[lineage.www]\nidentifiers = [\"www.example.org\"]\n{line}\n");
        assert_eq!(faults(&text), [format!("line 7, {told}")]);
    }
}

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
            "version = 1\n[issuer.a]\ntype = \"acme\"\n",
            "line 3, column 8: issuer.a.type: there is no `acme` to choose here; write `local`",
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

/// What the pieces give, if they give anything, and what the whole gives.
fn both_ways(text: &str) -> (Option<Result<Config>>, Result<Config>) {
    let name = Path::new("f");
    let finish = |(draft, faults): (Draft, _)| draft.finish(text, name, faults);
    (in_pieces(text).map(finish), whole(text, name).and_then(finish))
}

fn agree(text: &str) -> bool {
    let (pieces, whole) = both_ways(text);
    let show = |result: &Result<Config>| match result {
        Ok(config) => format!("{config:?}"),
        Err(error) => format!("{error:?}"),
    };
    if let Some(pieces) = &pieces {
        assert_eq!(show(pieces), show(&whole), "{text}");
    }
    pieces.is_some()
}

#[test]
fn pieces_and_the_whole_agree() {
    let lineage = |name: &str| format!("[lineage.{name}]\nidentifiers = [\"{name}.example\"]\n");
    let usual = format!(
        "{HEAD}{}[[lineage.a.output]]\npath = \"/x\"\nstrategy = \"link\"\nform = \"key\"\n{}[issuer.b]\ntype = \"local\"\n{}[failover]\nunit = \"k\"\n",
        lineage("a"),
        lineage("b"),
        lineage("c")
    );
    assert!(agree(&usual));
    assert!(agree(starter_file()));
    assert!(agree(&usual.replace("identifiers", "identifers")), "faults are found in pieces too");
    let b = lineage("b");
    for (unusual, why) in [
        (format!("{HEAD}lineage.a.x = 1\n"), "a key of the issuer"),
        (format!("version = 1\nlineage.a.identifiers = [\"a.example\"]\n{b}"), "a dotted key before a header"),
        (
            format!("version = 1\nlineage = {{ a = {{ identifiers = [\"a.example\"] }} }}\n{b}"),
            "an inline table is closed",
        ),
        (format!("version = 1\n  [failover]\nunit = \"x\"\n{b}"), "an indented header"),
        (format!("version = 1\n{b}{b}"), "twice"),
        (format!("version = 1\n{b}[lineage.'b']\n"), "twice in two spellings"),
        (format!("version = 1\n{b}[failover]\nunit = \"x\"\n[failover]\n"), "twice"),
        (
            format!(
                "version = 1\n{b}{}[[lineage.b.output]]\npath = \"/x\"\nstrategy = \"link\"\nform = \"key\"\n",
                lineage("c")
            ),
            "out of order",
        ),
        (
            format!(
                "version = 1\n[lineage.a]\nidentifiers = [\"a.example\"]\ncheck = [\"x\", '''\n[lineage.z]\n''']\n{b}"
            ),
            "a header in a string",
        ),
        (format!("version = 1\n[lineage.a]\ncheck = [\n[lineage.z]\n]\n{b}"), "a header in an array"),
        (format!("{HEAD}[lineage]\n[lineage.a]\nidentifiers = [\"a.example\"]\n"), "a table of tables"),
    ] {
        agree(&unusual);
        let _ = why;
    }
    // A string over several lines is one value although a line of it looks like a header.
    let spec = parse(&format!(
        "version = 1\n[lineage.a]\nidentifiers = [\"a.example\"]\ncheck = [\"x\", '''\n[lineage.z]\n''']\n{b}"
    ))
    .unwrap();
    assert_eq!(spec.lineages.len(), 2);
}

/// A small generator of its own, so that a failure can be played again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }
}

#[test]
fn no_text_makes_it_panic_and_both_ways_agree() {
    let scraps = [
        "[",
        "]",
        "\"",
        "'''",
        "\n",
        "=",
        ".",
        "{",
        "}",
        ",",
        "#",
        "\n[lineage.www]\n",
        "\n[[lineage.www.output]]\n",
        "0",
        "é",
        "\u{1b}",
        "version",
        "issuer",
    ];
    let mut dice = Dice(0x5eed);
    let seeds = [starter_file().to_owned(), starter_file().replace("\n# ", "\n")];
    let mut cut_well = 0;
    for round in 0..3_000 {
        let mut text = seeds[round % 2].clone();
        for _ in 0..=dice.roll(4) {
            let mut at = dice.roll(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            match dice.roll(3) {
                0 => text.insert_str(at, scraps[dice.roll(scraps.len())]),
                1 => drop(text.remove(at)),
                _ => text.truncate(at.max(1)),
            }
            if text.is_empty() {
                break;
            }
        }
        cut_well += usize::from(agree(&text));
    }
    assert!(cut_well > 500, "only {cut_well} texts were read in pieces");
}

#[test]
fn many_lineages_are_read() {
    let mut text = HEAD.to_owned();
    for number in 0..2_000 {
        let _ =
            write!(text, "[lineage.site-{number}]\nidentifiers = [\"www{number}.example.org\"]\nissuer = \"lab\"\n");
    }
    let (pieces, _) = both_ways(&text);
    assert_eq!(pieces.unwrap().unwrap().lineages.len(), 2_000);
}

#[test]
fn a_missing_lineage_is_named_with_its_neighbour() {
    let config = parse(starter_file()).unwrap();
    let error = config.lineage(&"wwww".parse().unwrap()).unwrap_err();
    assert_eq!((error.kind(), error.hint_text()), (ErrorKind::NotFound, Some("write `www`, if that was meant")));
    assert!(config.lineage(&"www".parse().unwrap()).is_ok());
}
