//! OpenSSL reads what is written here, and what it writes is read here.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a failing test may panic")]

use std::fs;
use std::sync::Arc;

use certwright::{
    Cancel, Certificate, Chain, Csr, ErrorKind, Input, Inspection, Issuer, KeyAlgorithm, LocalCa, LocalIssuer,
    Material, OsFilesystem, PrivateKey, Question, Request, Sans, Severity, SystemClock, inspect,
};
use certwright_tests::scratch::Scratch;

/// Run `openssl`; its standard output when it succeeds, its complaint when not.
fn openssl(arguments: &[&str]) -> Result<Vec<u8>, String> {
    let output = certwright_tests::openssl::openssl(arguments).unwrap();
    if output.status.success() { Ok(output.stdout) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

fn path(scratch: &Scratch, name: &str) -> String {
    scratch.join(name).to_str().unwrap().to_owned()
}

fn write(scratch: &Scratch, name: &str, bytes: &[u8]) -> String {
    fs::write(scratch.join(name), bytes).unwrap();
    path(scratch, name)
}

fn read(path: &str) -> Vec<u8> {
    fs::read(path).unwrap()
}

/// How OpenSSL makes a key of this kind.
fn generation(algorithm: KeyAlgorithm) -> &'static [&'static str] {
    match algorithm {
        KeyAlgorithm::EcdsaP256 => &["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
        KeyAlgorithm::EcdsaP384 => &["EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
        KeyAlgorithm::Ed25519 => &["ED25519"],
        KeyAlgorithm::Rsa2048 => &["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
        KeyAlgorithm::Rsa3072 => &["RSA", "-pkeyopt", "rsa_keygen_bits:3072"],
        KeyAlgorithm::Rsa4096 => &["RSA", "-pkeyopt", "rsa_keygen_bits:4096"],
        other => panic!("how is {other} made?"),
    }
}

#[test]
fn openssl_reads_every_kind_of_key_made_here() {
    let scratch = Scratch::in_memory().unwrap();
    for algorithm in KeyAlgorithm::ALL {
        let key = PrivateKey::generate(algorithm).unwrap();
        assert_eq!(key.algorithm(), algorithm);
        let path = write(&scratch, "key.pem", key.to_pem().expose());
        openssl(&["pkey", "-in", &path, "-check", "-noout"]).unwrap();
        let public = openssl(&["pkey", "-in", &path, "-pubout", "-outform", "DER"]).unwrap();
        assert_eq!(public, key.public_key_der(), "{algorithm}");
        let der = write(&scratch, "key.der", key.to_der().expose());
        assert_eq!(openssl(&["pkey", "-in", &der, "-inform", "DER", "-pubout", "-outform", "DER"]).unwrap(), public);
    }
}

#[test]
fn every_encoding_of_openssl_is_read_as_the_same_key() {
    let scratch = Scratch::in_memory().unwrap();
    for algorithm in KeyAlgorithm::ALL {
        let pkcs8 = path(&scratch, "pkcs8.pem");
        openssl(&[&["genpkey", "-out", &pkcs8, "-algorithm"], generation(algorithm)].concat()).unwrap();
        let public = openssl(&["pkey", "-in", &pkcs8, "-pubout", "-outform", "DER"]).unwrap();

        // Ed25519 has one encoding alone (RFC 8410 §7).
        let old_form: &[&str] = if algorithm == KeyAlgorithm::Ed25519 { &[] } else { &["-traditional"] };
        let traditional = openssl(&[&["pkey", "-in", &pkcs8], old_form].concat()).unwrap();
        let word = match algorithm {
            KeyAlgorithm::EcdsaP256 | KeyAlgorithm::EcdsaP384 => "BEGIN EC PRIVATE KEY",
            KeyAlgorithm::Ed25519 => "BEGIN PRIVATE KEY",
            _ => "BEGIN RSA PRIVATE KEY",
        };
        assert!(String::from_utf8_lossy(&traditional).contains(word));
        let crlf = String::from_utf8(read(&pkcs8)).unwrap().replace('\n', "\r\n");
        for text in [read(&pkcs8), traditional, format!("\u{feff}Key:\r\n{crlf}\r\n").into_bytes()] {
            let key = PrivateKey::from_pem(&text).unwrap();
            assert_eq!((key.algorithm(), key.public_key_der()), (algorithm, public.as_slice()));
        }
        for extra in [&[][..], old_form] {
            let der = openssl(&[&["pkey", "-in", &pkcs8, "-outform", "DER"], extra].concat()).unwrap();
            assert_eq!(PrivateKey::from_der(&der).unwrap().public_key_der(), public);
        }
    }
}

#[test]
fn a_key_file_with_curve_parameters_before_the_key_is_read() {
    let text = openssl(&["ecparam", "-name", "prime256v1", "-genkey"]).unwrap();
    assert!(String::from_utf8_lossy(&text).contains("BEGIN EC PARAMETERS"));
    assert_eq!(PrivateKey::from_pem(&text).unwrap().algorithm(), KeyAlgorithm::EcdsaP256);
}

#[test]
fn keys_that_cannot_be_used_say_why() {
    let scratch = Scratch::in_memory().unwrap();
    let plain = path(&scratch, "plain.pem");
    openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", &plain]).unwrap();
    let made = |arguments: &[&str]| openssl(arguments).unwrap();
    let damaged = {
        // Another key's public part behind this key's private part.
        let ours = made(&["pkey", "-in", &plain, "-outform", "DER"]);
        let other = made(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-outform", "DER"]);
        let cut = ours.len() - 65;
        [&ours[..cut], &other[cut..]].concat()
    };
    for (text, kind, word) in [
        (
            made(&["pkey", "-in", &plain, "-aes256", "-passout", "pass:secret"]),
            ErrorKind::Unfit,
            "encrypted with a pass phrase",
        ),
        (
            made(&["pkey", "-in", &plain, "-aes256", "-passout", "pass:secret", "-traditional"]),
            ErrorKind::Unfit,
            "encrypted with a pass phrase",
        ),
        (made(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"]), ErrorKind::Unfit, "too short"),
        (
            made(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"]),
            ErrorKind::Unsupported,
            "P-521",
        ),
        (
            made(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"]),
            ErrorKind::Unsupported,
            "secp256k1",
        ),
        (
            made(&["ecparam", "-name", "prime256v1", "-genkey", "-param_enc", "explicit"]),
            ErrorKind::Unsupported,
            "parameters",
        ),
        (made(&["ec", "-in", &plain, "-no_public"]), ErrorKind::Unsupported, "without its public part"),
        (made(&["ec", "-in", &plain, "-conv_form", "compressed"]), ErrorKind::Unsupported, "compressed"),
        (made(&["genpkey", "-algorithm", "ED448"]), ErrorKind::Unsupported, "Ed448"),
        (made(&["genpkey", "-algorithm", "RSA-PSS"]), ErrorKind::Unsupported, "PSS"),
        (made(&["pkey", "-in", &plain, "-pubout"]), ErrorKind::Unfit, "nothing of the wanted kind"),
        ([read(&plain), read(&plain)].concat(), ErrorKind::Unfit, "more than one"),
        (read(&plain)[..100].to_vec(), ErrorKind::Unfit, "no end"),
        (b"<html>404</html>".to_vec(), ErrorKind::Unfit, "HTML"),
    ] {
        let error = PrivateKey::from_pem(&text).unwrap_err();
        assert!(error.to_string().contains(word), "{error} does not say {word:?}");
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.hint_text().is_some(), "{error}");
    }
    let error = PrivateKey::from_der(&damaged).unwrap_err();
    assert!(error.to_string().contains("do not belong together"), "{error}");
}

fn sans(names: &[&str]) -> Sans {
    Sans::new(names.iter().map(|name| name.parse().unwrap()).collect()).unwrap()
}

fn now() -> certwright::Timestamp {
    certwright::Clock::now(&SystemClock)
}

/// The findings that weigh, as text.
fn weighty(inspection: &Inspection) -> Vec<String> {
    let findings = inspection.findings.iter().filter(|finding| finding.severity != Severity::Notice);
    findings.map(ToString::to_string).collect()
}

#[test]
fn openssl_accepts_what_the_embedded_ca_issues() {
    let scratch = Scratch::in_memory().unwrap();
    let anything = KeyAlgorithm::ALL.map(|algorithm| (algorithm, &[][..]));
    for (algorithm, permitted) in anything.into_iter().chain([(KeyAlgorithm::EcdsaP256, &["example.org"][..])]) {
        let mut wish = LocalIssuer::default();
        wish.key = algorithm;
        wish.permitted = permitted.iter().map(|name| name.parse().unwrap()).collect();
        let name = format!("{algorithm}-{}", permitted.len()).parse().unwrap();
        let ca = LocalCa::new(name, wish, Arc::new(OsFilesystem::new()), scratch.path(), Arc::new(SystemClock));
        let mut names = vec!["www.example.org", "*.shop.example.org"];
        if permitted.is_empty() {
            names.extend(["192.0.2.1", "2001:db8::1"]);
        }
        let (lineage, names) = ("www".parse().unwrap(), sans(&names));
        let key = PrivateKey::generate(algorithm).unwrap();
        let issued = ca.issue(&Request::new(&lineage, &names, &key), &Cancel::new()).unwrap();

        let root_pem = ca.root_pem(&Cancel::new()).unwrap();
        let root = write(&scratch, "root.pem", root_pem.as_bytes());
        let chain = write(&scratch, "chain.pem", issued.chain.chain_pem().as_bytes());
        let leaf = write(&scratch, "leaf.pem", issued.chain.leaf_pem().as_bytes());
        let base = ["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", &root, "-untrusted", &chain];
        for asked in ["www.example.org", "a.shop.example.org"] {
            openssl(&[&base[..], &["-verify_hostname", asked, &leaf]].concat()).unwrap();
        }
        openssl(&[&base[..], &["-verify_hostname", "other.example.org", &leaf]].concat()).unwrap_err();
        if permitted.is_empty() {
            for asked in ["192.0.2.1", "2001:db8::1"] {
                openssl(&[&base[..], &["-verify_ip", asked, &leaf]].concat()).unwrap();
            }
        }
        assert_eq!(openssl(&["x509", "-in", &leaf, "-pubkey", "-noout"]).unwrap(), {
            let key = write(&scratch, "key.pem", key.to_pem().expose());
            openssl(&["pkey", "-in", &key, "-pubout"]).unwrap()
        });

        let material = Material::new(key, issued.chain).unwrap();
        let mut question = Question::at(now());
        question.roots = Some(Input::new("root.pem", root_pem.as_bytes()));
        question.name = Some("www.example.org");
        let bundle = material.bundle_pem();
        assert_eq!(weighty(&inspect(&[Input::new("bundle", bundle.expose())], &question)), [""; 0]);
    }
}

#[test]
fn openssl_accepts_our_requests() {
    let scratch = Scratch::in_memory().unwrap();
    let names = sans(&["www.example.org", "*.example.org", "192.0.2.1"]);
    for algorithm in KeyAlgorithm::ALL {
        let key = PrivateKey::generate(algorithm).unwrap();
        let path = write(&scratch, "csr.pem", Csr::new(&key, &names).unwrap().pem().as_bytes());
        let text = openssl(&["req", "-in", &path, "-verify", "-noout", "-text"]).unwrap();
        let text = String::from_utf8_lossy(&text);
        assert!(text.contains("DNS:www.example.org, DNS:*.example.org, IP Address:192.0.2.1"), "{text}");
    }
}

#[test]
fn requests_of_openssl_are_read() {
    let scratch = Scratch::in_memory().unwrap();
    let key = path(&scratch, "key.pem");
    openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", &key]).unwrap();
    let sign = ["req", "-new", "-key", &key, "-subj", "/O=Lab/CN=a.example"];
    let names = ["-addext", "subjectAltName=DNS:a.example,IP:192.0.2.7,email:root@a.example"];
    let pss: &[&str] = &["-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"];
    for hash in [&["-sha256"][..], &["-sha384"], &["-sha512"], pss] {
        let text = openssl(&[&sign[..], &names, hash].concat()).unwrap();
        let csr = Csr::from_pem(&text).unwrap();
        assert_eq!(csr.subject(), "O=Lab, CN=a.example");
        assert!(csr.identifiers().iter().eq(sans(&["a.example", "192.0.2.7"]).iter()));
        assert_eq!(csr.other_names(), ["rfc822Name `root@a.example`"]);
    }
    let odd = ["-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:20"];
    let error = Csr::from_pem(&openssl(&[&sign[..], &names, &odd].concat()).unwrap()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

/// A CA and a leaf below it made by OpenSSL: paths of the CA and the leaf.
fn foreign_pki(scratch: &Scratch, kind: &[&str], sign: &[&str], leaf_extensions: &str) -> (String, String) {
    let [ca_key, ca, key, request, leaf] =
        ["ca.key", "ca.pem", "leaf.key", "leaf.csr", "leaf.pem"].map(|name| path(scratch, name));
    for path in [&ca_key, &key] {
        openssl(&[&["genpkey", "-out", path, "-algorithm"], kind].concat()).unwrap();
    }
    let extensions =
        "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n";
    let config = write(scratch, "ca.cnf", format!("[req]\ndistinguished_name=dn\n[dn]\n[ca]\n{extensions}").as_bytes());
    let make = ["req", "-x509", "-new", "-key", &ca_key, "-out", &ca, "-subj", "/O=Lab/CN=Lab Root", "-days", "400"];
    openssl(&[&make[..], &["-config", &config, "-extensions", "ca"], sign].concat()).unwrap();
    openssl(&["req", "-new", "-key", &key, "-subj", "/CN=a.example", "-out", &request]).unwrap();
    let ext = write(scratch, "leaf.ext", leaf_extensions.as_bytes());
    let issue = [
        "x509", "-req", "-in", &request, "-CA", &ca, "-CAkey", &ca_key, "-out", &leaf, "-days", "30", "-extfile", &ext,
    ];
    openssl(&[&issue[..], sign].concat()).unwrap();
    (ca, leaf)
}

const GOOD_LEAF: &str = "subjectAltName=DNS:a.example,IP:192.0.2.7\nextendedKeyUsage=serverAuth\n\
                         keyUsage=critical,digitalSignature\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n";

#[test]
fn facts_agree_with_those_of_openssl() {
    let scratch = Scratch::in_memory().unwrap();
    let (_, file) = foreign_pki(&scratch, generation(KeyAlgorithm::EcdsaP384), &["-sha384"], GOOD_LEAF);
    let chain = Chain::from_pem(&read(&file)).unwrap();
    let leaf: &Certificate = chain.leaf();
    let says = |option: &[&str]| {
        let said = openssl(&[&["x509", "-in", &file, "-noout"], option].concat()).unwrap();
        String::from_utf8(said).unwrap().trim().split_once('=').unwrap().1.to_owned()
    };
    assert_eq!(says(&["-fingerprint", "-sha256"]).replace(':', "").to_lowercase(), leaf.fingerprint().to_string());
    assert_eq!(says(&["-serial"]).to_lowercase(), leaf.serial().trim_start_matches("00"));
    assert_eq!(says(&["-issuer"]).replace(" = ", "="), leaf.issuer());
    assert_eq!(says(&["-startdate", "-dateopt", "iso_8601"]).replace(' ', "T"), leaf.window().start.to_string());
    assert_eq!(says(&["-enddate", "-dateopt", "iso_8601"]).replace(' ', "T"), leaf.window().end.to_string());
    assert_eq!(
        (leaf.key_description().as_str(), leaf.signature_algorithm().as_str()),
        ("ecdsa-p384", "ecdsa-with-SHA384")
    );
    assert!(leaf.identifiers().iter().eq(sans(&["a.example", "192.0.2.7"]).iter()));
    assert_eq!(leaf.key_usage().unwrap(), ["digitalSignature"]);
    assert_eq!(leaf.extended_key_usage().unwrap(), ["1.3.6.1.5.5.7.3.1"]);
    assert_eq!(leaf.pem().as_bytes(), openssl(&["x509", "-in", &file]).unwrap());
}

#[test]
fn an_inspection_and_openssl_come_to_the_same_verdict() {
    let scratch = Scratch::in_memory().unwrap();
    let p256 = generation(KeyAlgorithm::EcdsaP256);
    let rsa = generation(KeyAlgorithm::Rsa2048);
    let pss: &[&str] = &["-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"];
    let without = |word: &str| {
        GOOD_LEAF.lines().filter(|line| !line.starts_with(word)).map(|line| format!("{line}\n")).collect::<String>()
    };
    let other = GOOD_LEAF.replace("a.example", "b.example");
    let client = GOOD_LEAF.replace("serverAuth", "clientAuth");
    for (kind, sign, extensions, accepted) in [
        (p256, &["-sha256"][..], GOOD_LEAF, true),
        (rsa, &["-sha256"], GOOD_LEAF, true),
        (rsa, &["-sha512"], GOOD_LEAF, true),
        (rsa, pss, GOOD_LEAF, true),
        (generation(KeyAlgorithm::Ed25519), &[], GOOD_LEAF, true),
        (p256, &["-sha256"], &client, false),
        (p256, &["-sha256"], &without("extendedKeyUsage"), true),
        (p256, &["-sha256"], &other, false),
    ] {
        let (ca, leaf) = foreign_pki(&scratch, kind, sign, extensions);
        let verdict = openssl(&[
            "verify",
            "-x509_strict",
            "-purpose",
            "sslserver",
            "-verify_hostname",
            "a.example",
            "-CAfile",
            &ca,
            &leaf,
        ]);
        assert_eq!(verdict.is_ok(), accepted, "{extensions}: {verdict:?}");
        let (ca, leaf, key) = (read(&ca), read(&leaf), read(&path(&scratch, "leaf.key")));
        let mut question = Question::at(now());
        question.roots = Some(Input::new("ca.pem", &ca));
        question.key = Some(Input::new("leaf.key", &key));
        question.name = Some("a.example");
        let inspection = inspect(&[Input::new("leaf.pem", &leaf)], &question);
        assert_eq!(inspection.worst() != Some(Severity::Error), accepted, "{:#?}", inspection.findings);
    }
}
