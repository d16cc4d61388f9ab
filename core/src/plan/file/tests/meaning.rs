//! What is accepted, and what it means.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::starter_file;
use super::{HEAD, parse, spec, user};
use crate::ground::error::ErrorKind;
use crate::pki::key::KeyAlgorithm;
use crate::plan::spec::{
    AclWish, Address, Command, Config, Encoding, Form, IssuerSpec, KeyChange, KeyRule, Principal, Privacy, Reload,
    Retain, Running, StartTls, Strategy,
};

#[test]
fn the_starter_file_is_a_working_wish() {
    let config = parse(starter_file()).unwrap();
    assert_eq!(config.root, Path::new("/var/lib/certwright"));
    let [(name, spec)] = config.lineages.iter().collect::<Vec<_>>()[..] else { panic!("{config:?}") };
    assert_eq!(name.as_str(), "www");
    assert_eq!(spec.identifiers.to_string(), "www.example.org, example.org");
    assert_eq!(spec.issuers.iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["lab"]);
    assert_eq!(spec.access.readers, [user("www-data")]);
    assert_eq!(spec.check, Some(Command::of_service(["nginx", "-t", "-q"])));
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
    let IssuerSpec::Local(lab) = &config.issuers[&"lab".parse().unwrap()] else { panic!("not local") };
    assert_eq!((lab.lifetime, lab.key), (Duration::from_secs(43_200), KeyAlgorithm::Ed25519));
    assert_eq!(lab.permitted, ["example.org".parse().unwrap()]);
    let IssuerSpec::Local(plain) = &config.issuers[&"plain".parse().unwrap()] else { panic!("not local") };
    assert_eq!(plain.lifetime, Duration::from_secs(30 * 86_400));
    assert_eq!(config.failover.map(|it| it.running), Some(Running::Unit("keepalived.service".to_owned())));
}

#[test]
fn a_root_that_is_given_wins() {
    let text = format!("{HEAD}[lineage.www]\nidentifiers = [\"a.example\"]\nreload = {{ haproxy = \"/s\" }}\n");
    let below = |root: &str| Config::parse_below(Path::new(root), &text, Path::new("f"));
    let config = below("/elsewhere").unwrap();
    assert_eq!(config.root, Path::new("/elsewhere"));
    let reload = config.lineages.into_values().next().and_then(|spec| spec.reload);
    let certificate = "/elsewhere/www/current/bundle.pem".into();
    assert_eq!(reload, Some(Reload::Haproxy { socket: "/s".into(), certificate, otherwise: None }));
    assert_eq!(below("elsewhere").unwrap_err().kind(), ErrorKind::InvalidSpec);
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
    assert_eq!(elsewhere.check, Some(Command::of_service(["/s/nginx", "-t", "-q", "-c", "/s/n.conf"])));
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
fn haproxy_may_be_reloaded_where_nothing_can_be_handed_to_it() {
    let otherwise = |body: &str| match spec(body).reload {
        Some(Reload::Haproxy { otherwise, .. }) => otherwise.map(|reload| *reload),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        otherwise("reload = { haproxy = \"/h/s\", otherwise = { unit = \"haproxy.service\" } }\n"),
        Some(Reload::Unit("haproxy.service".to_owned()))
    );
    let by_signal = Reload::Signal { signal: "USR2".to_owned(), pid_file: "/h/p".into() };
    assert_eq!(otherwise("service = { preset = \"haproxy\", socket = \"/h/s\", pid = \"/h/p\" }\n"), Some(by_signal));
    assert_eq!(otherwise("service = { preset = \"haproxy\", socket = \"/h/s\" }\n"), None);
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
}

#[test]
fn a_missing_lineage_is_named_with_its_neighbour() {
    let config = parse(starter_file()).unwrap();
    let error = config.lineage(&"wwww".parse().unwrap()).unwrap_err();
    assert_eq!((error.kind(), error.hint_text()), (ErrorKind::NotFound, Some("write `www`, if that was meant")));
    assert!(config.lineage(&"www".parse().unwrap()).is_ok());
}
