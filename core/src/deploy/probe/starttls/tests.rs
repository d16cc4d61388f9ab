use std::collections::VecDeque;

use super::*;
use crate::deploy::probe::tests::{Pair, Server, hold, look, serving, shake};

/// What each side says, in turn.
#[derive(Clone)]
enum Said {
    Server(Vec<u8>),
    Client(Vec<u8>),
}

fn server(text: impl AsRef<[u8]>) -> Said {
    Said::Server(text.as_ref().to_vec())
}

fn client(text: impl AsRef<[u8]>) -> Said {
    Said::Client(text.as_ref().to_vec())
}

/// A server that follows a script, says it in pieces of one size, hangs up at its end, and accepts no other word.
struct Script {
    said: VecDeque<Said>,
    piece: usize,
}

impl Read for Script {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(Said::Server(text)) = self.said.front_mut() else {
            assert!(self.said.is_empty(), "it waits for an answer to what it has not said");
            return Ok(0);
        };
        let count = text.len().min(self.piece).min(into.len());
        into[..count].copy_from_slice(&text[..count]);
        text.drain(..count);
        if text.is_empty() {
            self.said.pop_front();
        }
        Ok(count)
    }
}

impl Write for Script {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        match self.said.pop_front() {
            Some(Said::Client(text)) => assert_eq!(String::from_utf8_lossy(&text), String::from_utf8_lossy(from)),
            Some(Said::Server(text)) => panic!("{from:?} was said before {text:?} was heard"),
            None => panic!("{from:?} was said after the end"),
        }
        Ok(from.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn play(dialect: StartTls, said: &[Said], piece: usize) -> Result<(), Fault> {
    let mut script = Script { said: said.iter().cloned().collect(), piece };
    let end = upgrade(dialect, "192.0.2.7:40000".parse().ok(), &mut script);
    assert!(end.is_err() || script.said.is_empty(), "it went on to TLS before the end");
    end
}

const REQUEST: &[u8] = &[0, 0, 0, 8, 4, 210, 22, 47];

/// Conversations that end in TLS, as the standards show them or as common servers speak.
fn good() -> Vec<(StartTls, Vec<Said>)> {
    vec![
        (
            StartTls::Smtp,
            vec![
                server("220-mx.example.org ESMTP Postfix\r\n220 (Debian/GNU)\r\n"),
                client("EHLO [192.0.2.7]\r\n"),
                server("250-mx.example.org\r\n250-SIZE 10240000\r\n250-starttls\r\n250 SMTPUTF8\r\n"),
                client("STARTTLS\r\n"),
                server("220 2.0.0 Ready to start TLS\r\n"),
            ],
        ),
        (
            // Replies without text.
            StartTls::Smtp,
            vec![
                server("220\r\n"),
                client("EHLO [192.0.2.7]\r\n"),
                server("250-\r\n250-STARTTLS\r\n250\r\n"),
                client("STARTTLS\r\n"),
                server("220\r\n"),
            ],
        ),
        (
            StartTls::Imap,
            vec![
                server("* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] Dovecot (Debian) ready.\r\n"),
                client("a STARTTLS\r\n"),
                server("* CAPABILITY IMAP4rev1\r\n* OK still here\r\na OK Begin TLS negotiation now.\r\n"),
            ],
        ),
        (StartTls::Pop3, vec![server("+OK <1896.697170952@dbc>\r\n"), client("STLS\r\n"), server("+OK\r\n")]),
        (StartTls::Postgres, vec![client(REQUEST), server("S")]),
    ]
}

#[test]
fn leads_to_tls_however_it_is_cut_into_pieces() {
    for (dialect, said) in good() {
        for piece in [1, 2, 3, 7, 1024] {
            play(dialect, &said, piece).unwrap();
        }
    }
}

#[test]
fn a_conversation_that_ends_at_any_byte_is_a_failed_connection() {
    for (dialect, said) in good() {
        for (turn, what) in said.iter().enumerate() {
            let Said::Server(text) = what else { continue };
            for length in 0..text.len() {
                let mut cut = said[..turn].to_vec();
                cut.push(server(&text[..length]));
                cut.retain(|said| !matches!(said, Said::Server(text) if text.is_empty()));
                let fault = play(dialect, &cut, 1024).unwrap_err();
                assert!(
                    matches!(&fault, Fault::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof),
                    "{fault:?}"
                );
            }
        }
    }
}

#[test]
fn a_byte_after_the_last_word_in_the_clear_is_refused() {
    for (dialect, mut said) in good() {
        let Some(Said::Server(last)) = said.last_mut() else { unreachable!() };
        last.extend_from_slice(b"250 injected\r\n");
        let fault = play(dialect, &said, 1024).unwrap_err();
        assert!(matches!(fault, Fault::Injected(14)), "{fault:?}");
        assert_eq!(fault.into_error(dialect, &Cancel::new()).kind(), ErrorKind::Untrusted);
    }
}

#[test]
fn an_answer_before_the_question_is_refused() {
    let early = [
        (StartTls::Smtp, "220 mx\r\n250-mx\r\n250 STARTTLS\r\n220 go\r\n"),
        (StartTls::Imap, "* OK ready\r\na OK begin\r\n"),
        (StartTls::Pop3, "+OK ready\r\n+OK begin\r\n"),
    ];
    for (dialect, text) in early {
        let fault = play(dialect, &[server(text)], 1024).unwrap_err();
        assert!(matches!(fault, Fault::Strange(..)), "{fault:?}");
    }
}

#[test]
fn no_is_told_apart_from_not_understood() {
    let ehlo = || client("EHLO [192.0.2.7]\r\n");
    let kind = |dialect, said: &[Said]| {
        let error = play(dialect, said, 1024).unwrap_err().into_error(dialect, &Cancel::new());
        assert!(error.hint_text().is_some() && error.fact("starttls").is_some(), "{error}");
        error.kind()
    };
    let hello = [server("220 mx\r\n"), ehlo()];
    let asked = [&hello[..], &[server("250-mx\r\n250 STARTTLS\r\n"), client("STARTTLS\r\n")]].concat();
    let not_offered = [
        (StartTls::Smtp, [&hello[..], &[server("250-mx\r\n250-PIPELINING\r\n250 XSTARTTLS\r\n")]].concat()),
        // The first line is the greeting, whatever it says (RFC 5321 §4.1.1.1).
        (StartTls::Smtp, [&hello[..], &[server("250 STARTTLS\r\n")]].concat()),
        (StartTls::Smtp, [&asked[..], &[server("454 TLS not available due to temporary reason\r\n")]].concat()),
        (StartTls::Imap, vec![server("* PREAUTH welcome back\r\n")]),
        (StartTls::Imap, vec![server("* OK hi\r\n"), client("a STARTTLS\r\n"), server("a NO no key\r\n")]),
        (StartTls::Imap, vec![server("* OK hi\r\n"), client("a STARTTLS\r\n"), server("a BAD what\r\n")]),
        (StartTls::Pop3, vec![server("+OK hi\r\n"), client("STLS\r\n"), server("-ERR no TLS\r\n")]),
        (StartTls::Postgres, vec![client(REQUEST), server("N")]),
    ];
    for (dialect, said) in not_offered {
        assert_eq!(kind(dialect, &said), ErrorKind::Unsupported, "{dialect:?}");
    }
    let turned_away = [
        (StartTls::Smtp, vec![server("554-no\r\n554 service for you\r\n")]),
        (StartTls::Smtp, [&hello[..], &[server("502 not implemented\r\n")]].concat()),
        (StartTls::Imap, vec![server("* BYE too many\r\n")]),
        (StartTls::Pop3, vec![server("-ERR too many\r\n")]),
        (StartTls::Postgres, vec![client(REQUEST), server("ESFATAL\0")]),
    ];
    for (dialect, said) in turned_away {
        let fault = play(dialect, &said, 1024).unwrap_err();
        assert!(matches!(fault, Fault::Refused(_)), "{fault:?}");
        assert_eq!(kind(dialect, &said), ErrorKind::Network);
    }
}

#[test]
fn what_is_not_of_the_dialect_is_refused() {
    let smtp = ["", "22 mx", "2200 mx", "220_mx", "abc mx", "+OK", "* OK", "220 a\rb", "220 a\0b", "2\u{661}0 mx"];
    let imap = ["", "OK", "+OK", "220 mx", "* ok\0", "* CAPABILITY", "a OK"];
    let pop3 = ["", "OK", "+OKAY", "-ERROR", "220 mx", "* OK", "+ok"];
    for (dialect, greetings) in [(StartTls::Smtp, &smtp[..]), (StartTls::Imap, &imap[..]), (StartTls::Pop3, &pop3[..])]
    {
        for greeting in greetings {
            let fault = play(dialect, &[server(format!("{greeting}\r\n"))], 1024).unwrap_err();
            assert!(matches!(fault, Fault::Strange(..)), "{greeting:?}: {fault:?}");
        }
    }
    for (dialect, text) in [
        (StartTls::Smtp, "220 mx\n"),
        (StartTls::Smtp, "220-mx\r\n250 mx\r\n"),
        (StartTls::Imap, "* OK ready\n"),
        (StartTls::Pop3, "+OK ready\r\r\n"),
    ] {
        let fault = play(dialect, &[server(text)], 1024).unwrap_err();
        assert!(matches!(fault, Fault::Strange(..)), "{text:?}: {fault:?}");
    }
    let imap = [server("* OK hi\r\n"), client("a STARTTLS\r\n"), server("b OK begin\r\n")];
    assert!(matches!(play(StartTls::Imap, &imap, 1024), Err(Fault::Strange(..))));
    for answer in ["s", "\0", "SS", "\u{16}"] {
        let fault = play(StartTls::Postgres, &[client(REQUEST), server(answer)], 1024).unwrap_err();
        assert!(matches!(fault, Fault::Strange(..) | Fault::Injected(1)), "{answer:?}: {fault:?}");
    }
}

#[test]
fn lines_are_limited_in_length_and_number() {
    let text = |length: usize| format!("220 {}\r\n", "x".repeat(length - 4));
    let rest = [
        client("EHLO [192.0.2.7]\r\n"),
        server("250-mx\r\n250 STARTTLS\r\n"),
        client("STARTTLS\r\n"),
        server("220 go\r\n"),
    ];
    let with = |greeting: String| [&[server(greeting)], &rest[..]].concat();
    play(StartTls::Smtp, &with(text(LINE)), 1000).unwrap();
    for length in [LINE + 1, LINE + 2, LINE + 100] {
        for piece in [1, 1000] {
            assert!(matches!(play(StartTls::Smtp, &with(text(length)), piece), Err(Fault::Strange(..))), "{length}");
        }
    }
    // Of a line that never ends no more is read than tells that it is too long.
    let mut endless = Script { said: [server(vec![b'x'; 1 << 20])].into(), piece: 1024 };
    assert!(matches!(upgrade(StartTls::Imap, None, &mut endless), Err(Fault::Strange(..))));
    let Some(Said::Server(left)) = endless.said.front() else { panic!("everything was read") };
    assert!(left.len() > (1 << 20) - 2 * LINE);
    // Three lines are said after the greeting.
    let lines = |count: usize| with("220-x\r\n".repeat(count - 1) + "220 x\r\n");
    play(StartTls::Smtp, &lines(LINES - 3), 1000).unwrap();
    assert!(matches!(play(StartTls::Smtp, &lines(LINES - 2), 1000), Err(Fault::Strange(..))));
    let untagged = [server("* OK\r\n"), client("a STARTTLS\r\n"), server("* x\r\n".repeat(1000))];
    assert!(matches!(play(StartTls::Imap, &untagged, 1000), Err(Fault::Strange(..))));
}

#[test]
fn what_was_said_cannot_draw_on_a_terminal() {
    let fault = play(StartTls::Pop3, &[server("-ERR \x1b[2Jgone\r\n")], 1024).unwrap_err();
    assert_eq!(fault.into_error(StartTls::Pop3, &Cancel::new()).fact("said"), Some("-ERR \\u{1b}[2Jgone"));
}

#[test]
fn a_server_that_falls_silent_at_any_byte_is_left_on_time() {
    let limit = std::time::Duration::from_millis(300);
    for (dialect, said) in good() {
        let all: Vec<(usize, usize)> = said
            .iter()
            .enumerate()
            .filter_map(|(turn, what)| match what {
                Said::Server(text) => Some((0..text.len()).step_by(3).map(move |length| (turn, length))),
                Said::Client(_) => None,
            })
            .flatten()
            .collect();
        std::thread::scope(|scope| {
            let looks: Vec<_> = all
                .into_iter()
                .map(|(turn, length)| {
                    let said = said.clone();
                    scope.spawn(move || {
                        let server = Server::start(move |mut stream| {
                            for (at, what) in said.iter().enumerate() {
                                match what {
                                    Said::Client(text) => {
                                        let mut heard = vec![0; text.len()];
                                        stream.read_exact(&mut heard).unwrap();
                                    }
                                    Said::Server(text) if at == turn => {
                                        stream.write_all(&text[..length]).unwrap();
                                        return hold(&stream);
                                    }
                                    Said::Server(text) => stream.write_all(text).unwrap(),
                                }
                            }
                        });
                        let mut wish = server.endpoint();
                        wish.starttls = Some(dialect);
                        wish.limit = limit;
                        look(&wish).unwrap_err()
                    })
                })
                .collect();
            for look in looks {
                let error = look.join().unwrap();
                assert_eq!(
                    (error.kind(), error.fact("starttls")),
                    (ErrorKind::Timeout, Some(name(dialect))),
                    "{error:#}"
                );
            }
        });
    }
}

#[test]
fn what_is_injected_in_the_clear_never_becomes_the_beginning_of_tls() {
    let pair = Pair::new();
    for (dialect, said) in good() {
        let config = serving(&pair);
        let server = Server::start(move |mut stream| {
            for (at, what) in said.iter().enumerate() {
                match what {
                    Said::Client(text) => stream.read_exact(&mut vec![0; text.len()]).unwrap(),
                    Said::Server(text) if at + 1 == said.len() => {
                        stream.write_all(&[text.as_slice(), b"x"].concat()).unwrap();
                    }
                    Said::Server(text) => stream.write_all(text).unwrap(),
                }
            }
            drop(shake(&config, stream));
        });
        let mut wish = server.endpoint();
        wish.starttls = Some(dialect);
        let error = look(&wish).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Untrusted, "{dialect:?}: {error:#}");
    }
}
