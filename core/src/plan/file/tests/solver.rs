//! Those who answer challenges.

use std::time::Duration;

use super::{faults, parse};
use crate::plan::spec::{
    ChallengeKind, Command, CommandSolver, Convention, DnsPersist, IssuerSpec, Rfc2136, SolverSpec, TsigAlgorithm,
    TsigKey,
};

const HEAD: &str = "version = 1\n[issuer.public]\ntype = \"acme\"\ndirectory = \"https://acme.example/directory\"\n";

fn solvers(body: &str) -> Vec<SolverSpec> {
    let text = format!("{HEAD}{body}\n");
    let config = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let Some(IssuerSpec::Acme(acme)) = config.issuers.into_values().next() else { panic!("{text}") };
    acme.solvers
}

fn solver(table: &str) -> SolverSpec {
    let solvers = solvers(&format!("solver = {table}"));
    let [only] = solvers.as_slice() else { panic!("{solvers:?}") };
    only.clone()
}

#[test]
fn one_table_or_several_in_the_order_of_preference() {
    let http = SolverSpec::HttpListener("127.0.0.1:5002".parse().unwrap());
    assert_eq!(solver("{ type = \"http-01\", listen = \"127.0.0.1:5002\" }"), http);
    assert_eq!(solver("{ type = \"http-01\", webroot = \"/srv/www\" }"), SolverSpec::HttpWebroot("/srv/www".into()));
    let tls = SolverSpec::TlsAlpnListener("[::]:443".parse().unwrap());
    assert_eq!(solver("{ type = \"tls-alpn-01\", listen = \"[::]:443\" }"), tls);
    let several = "[[issuer.public.solver]]\ntype = \"tls-alpn-01\"\nlisten = \"[::]:443\"\n[[issuer.public.solver]]\ntype = \"http-01\"\nlisten = \"127.0.0.1:5002\"";
    assert_eq!(solvers(several), [tls, http]);
    assert_eq!(solvers("solver = []"), []);
}

#[test]
fn updates_have_their_meaning() {
    let plain = Rfc2136::new("192.0.2.53:53".parse().unwrap());
    assert_eq!(solver("{ type = \"dns-01\", server = \"192.0.2.53\" }"), SolverSpec::Rfc2136(plain));
    let SolverSpec::Rfc2136(wish) = solver(
        "{ type = \"dns-01\", server = \"[2001:db8::53]:5353\", zone = \"_acme-challenge.example.org\", propagation = \"5m\",\
         key = { name = \"Update_Key\", algorithm = \"hmac-sha512\", secret_file = \"/etc/update.key\" },\
         resolver = \"192.0.2.1\", authoritative = [\"192.0.2.2\", \"192.0.2.3:5353\"] }",
    ) else {
        panic!("not by updates")
    };
    assert_eq!(wish.server, "[2001:db8::53]:5353".parse().unwrap());
    let key = TsigKey { algorithm: TsigAlgorithm::HmacSha512, ..TsigKey::new("update_key", "/etc/update.key") };
    assert_eq!((wish.key, wish.zone.as_deref()), (Some(key), Some("_acme-challenge.example.org")));
    assert_eq!(wish.propagation.limit, Duration::from_secs(300));
    assert_eq!(wish.propagation.resolver, Some("192.0.2.1:53".parse().unwrap()));
    let shown: Vec<String> = wish.propagation.authoritative.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["192.0.2.2:53", "192.0.2.3:5353"]);
}

#[test]
fn a_record_that_stays_has_its_meaning() {
    let mut wish = DnsPersist::new(Rfc2136::new("192.0.2.53:53".parse().unwrap()));
    let table = |more: &str| format!("{{ type = \"dns-persist-01\", server = \"192.0.2.53\"{more} }}");
    assert_eq!(solver(&table("")), SolverSpec::DnsPersist(wish.clone()));
    wish.lasts = Some(Duration::from_secs(400 * 86_400));
    wish.updates.zone = Some("example.org".to_owned());
    wish.updates.key = Some(TsigKey::new("update_key", "/etc/update.key"));
    wish.updates.propagation.limit = Duration::ZERO;
    let more = ", lasts = \"400d\", zone = \"example.org\", propagation = \"0s\",\
                key = { name = \"update_key\", secret_file = \"/etc/update.key\" }";
    assert_eq!(solver(&table(more)), SolverSpec::DnsPersist(wish));
    // One that stays has to be asked for.
    let script = "{ type = \"command\", convention = \"lego\", command = [\"x\"], kinds = [\"dns-persist-01\"] }";
    let SolverSpec::Command(wish) = solver(script) else { panic!("not by command") };
    assert_eq!(wish.kinds, [ChallengeKind::DnsPersist01]);
}

#[test]
fn commands_have_their_meaning() {
    let lego = CommandSolver::new(Convention::Lego, Command::new(["/opt/dns.sh"]), vec![ChallengeKind::Dns01]);
    assert_eq!(
        solver("{ type = \"command\", convention = \"lego\", command = [\"/opt/dns.sh\"] }"),
        SolverSpec::Command(lego)
    );
    let SolverSpec::Command(wish) = solver(
        "{ type = \"command\", convention = \"certbot\", command = [\"auth\", \"-v\"], cleanup = [\"clean\"], limit = \"2m\",\
         kinds = [\"dns-01\", \"http-01\"], propagation = \"0s\" }",
    ) else {
        panic!("not by command")
    };
    let command = |argv: &[&str]| {
        let mut command = Command::new(argv.iter().copied());
        command.limit = Duration::from_secs(120);
        command
    };
    assert_eq!((wish.command, wish.cleanup), (command(&["auth", "-v"]), Some(command(&["clean"]))));
    assert_eq!(wish.kinds, [ChallengeKind::Dns01, ChallengeKind::Http01]);
    assert_eq!(wish.propagation.limit, Duration::ZERO);
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_place() {
    let example = "write `solver = { type = \"http-01\", listen = \"[::]:80\" }`, or one of another `type`";
    for (table, told) in [
        (
            "{ type = \"http-01\" }",
            "column 10: issuer.public.solver: there is none of `listen`, `webroot` here; say one of `listen`, `webroot`",
        ),
        (
            "{ type = \"http-01\", listen = \"[::]:80\", webroot = \"/srv\" }",
            "column 50: issuer.public.solver: `listen` and `webroot` exclude each other; keep one of them",
        ),
        (
            "{ type = \"http-01\", lisen = \"[::]:80\" }",
            "column 30: issuer.public.solver.lisen: there is no key `lisen` here; write `listen`, if that was meant",
        ),
        (
            "{ type = \"http1\" }",
            "column 19: issuer.public.solver.type: there is no `http1` to choose here; write `http-01`, if that was meant",
        ),
        (
            "{ webroot = \"/srv\" }",
            "column 10: issuer.public.solver.type: the key `type` is missing; write `type = \"http-01\"`",
        ),
        (
            "{ type = \"tls-alpn-01\", listen = 443 }",
            "column 43: issuer.public.solver.listen: expected an address with a port as text, found a whole number; write `\"[::]:443\"` to listen on every address",
        ),
        (
            "{ type = \"tls-alpn-01\", listen = \"443\" }",
            "column 43: issuer.public.solver.listen: `443` is not an address with a port; write `[::]:80`, `0.0.0.0:80` or `127.0.0.1:5002`",
        ),
        (
            "{ type = \"dns-01\", server = \"ns1.example.org\" }",
            "column 38: issuer.public.solver.server: `ns1.example.org` is not the address of a name server; write `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53` or `[2001:db8::53]:5353`",
        ),
        (
            "{ type = \"dns-01\", server = \"192.0.2.1\", zone = \"example.org.\" }",
            "column 58: issuer.public.solver.zone: `example.org.` is not a name in DNS; write `example.org`, without the dot at its end",
        ),
        (
            "{ type = \"dns-01\", server = \"192.0.2.1\", key = { name = \"k\" } }",
            "column 57: issuer.public.solver.key.secret_file: the key `secret_file` is missing",
        ),
        (
            "{ type = \"dns-01\", server = \"192.0.2.1\", propagation = \"2d\" }",
            "column 65: issuer.public.solver.propagation: `2d` is not from 0s to 1h",
        ),
        (
            "{ type = \"dns-persist-01\", server = \"192.0.2.1\", lasts = \"8d\" }",
            "column 67: issuer.public.solver.lasts: `8d` is not from 30d to 36500d",
        ),
        (
            "{ type = \"dns-01\", server = \"192.0.2.1\", lasts = \"90d\" }",
            "column 51: issuer.public.solver.lasts: there is no key `lasts` here; known here: `type`, `server`, `key`, `zone`, `propagation`, `resolver`, `authoritative`",
        ),
        (
            "{ type = \"command\", convention = \"dehydrated\", command = [\"hook\"] }",
            "column 43: issuer.public.solver.kinds: which challenges the script answers is not said; write those that the script answers, of `[\"http-01\", \"dns-01\", \"tls-alpn-01\"]`",
        ),
        (
            "{ type = \"command\", convention = \"lego\", command = [\"x\"], kinds = [\"http-01\"] }",
            "column 77: issuer.public.solver.kinds: lego hands no challenge of kind `http-01` to a script; write of `[\"dns-01\", \"dns-persist-01\"]`",
        ),
        (
            "{ type = \"command\", convention = \"uacme\", command = [\"x\"], kinds = [\"dns-01\", \"dns-01\"] }",
            "column 88: issuer.public.solver.kinds: `dns-01` is given twice; remove one of the two",
        ),
        (
            "{ type = \"command\", convention = \"lego\", command = [\"x\"], cleanup = [\"y\"] }",
            "column 78: issuer.public.solver.cleanup: a script for lego cleans up by itself when it is called to; remove it",
        ),
        (
            "{ type = \"command\", convention = \"lego\", command = \"x -y\" }",
            "column 61: issuer.public.solver.command: a command is not a line for a shell; write `[\"x\", \"-y\"]`",
        ),
        (
            "\"http-01\"",
            &format!("column 10: issuer.public.solver: expected a table or an array of tables, found text; {example}"),
        ),
    ] {
        assert_eq!(faults(&format!("{HEAD}solver = {table}\n")), [format!("line 5, {told}")], "{table}");
    }
    assert_eq!(
        faults(HEAD),
        [format!("line 2, column 9: issuer.public.solver: the key `solver` is missing; {example}")]
    );
    let local = "version = 1\n[issuer.lab]\ntype = \"local\"\nsolver = { type = \"http-01\", listen = \"[::]:80\" }\n";
    assert_eq!(
        faults(local),
        [
            "line 4, column 10: issuer.lab.solver: an issuer of type `local` has no `solver`; remove it, or write another `type`"
        ]
    );
}
