//! What is refused in a lineage, and in which words.

use super::{HEAD, faults};

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
        (
            "issuer = [\"lab\", \"lob\"]",
            "column 18: lineage.www.issuer: there is no issuer `lob`; write `lab`, if that was meant",
        ),
        ("issuer = [\"lab\", \"lab\"]", "column 18: lineage.www.issuer: `lab` is given twice; remove one of the two"),
        (
            "issuer = [1]",
            "column 11: lineage.www.issuer[0]: expected the name of an issuer as text, found a whole number",
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
