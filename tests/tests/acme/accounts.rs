//! Accounts: made once, bound, changed, given another key, taken over, given up.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use certwright::ExternalAccount;
use certwright_tests::process::run;
use certwright_tests::program::program;
use certwright_tests::servers::pebble;

use super::*;

#[test]
fn an_account_is_made_once_and_nobody_else_reads_its_key() -> Outcome {
    let stage = Stage::new(Options::default())?;
    let client = stage.client(stage.wish())?;
    assert_eq!(client.account(&Cancel::new()).unwrap_err().kind(), ErrorKind::NotFound);
    std::thread::scope(|scope| {
        let orders: Vec<_> = (0..4)
            .map(|number| {
                let client = stage.client(stage.wish()).unwrap();
                scope.spawn(move || order(&client, &[&format!("n{number}.example")]).map(drop))
            })
            .collect();
        orders.into_iter().try_for_each(|order| order.join().unwrap())
    })?;
    let made = stage.pebble.requests().iter().filter(|request| *request == "POST /sign-me-up").count();
    assert_eq!(made, 1, "four clients at once make one account");
    for file in ["account.pem", "account.json"] {
        assert_eq!(std::fs::metadata(stage.state(file))?.permissions().mode() & 0o777, 0o600, "{file}");
    }
    let account = client.account(&Cancel::new())?;
    assert_eq!((account.status.as_str(), account.contact.len()), ("valid", 0));
    assert!(account.url.starts_with("https://") && account.terms.is_some(), "{account:?}");
    Ok(())
}

#[test]
fn a_key_without_its_account_finds_it_again() -> Outcome {
    let stage = Stage::new(Options::default())?;
    order(&stage.client(stage.wish())?, &["a.example"])?;
    let before = stage.client(stage.wish())?.account(&Cancel::new())?;
    // As after a crash between the authority's answer and the disk.
    std::fs::remove_file(stage.state("account.json"))?;
    order(&stage.client(stage.wish())?, &["b.example"])?;
    assert_eq!(stage.client(stage.wish())?.account(&Cancel::new())?, before);
    Ok(())
}

#[test]
fn contacts_follow_the_wish() -> Outcome {
    let stage = Stage::new(Options::default())?;
    let mut wish = stage.wish();
    wish.contact = vec!["mailto:one@example.org".to_owned()];
    order(&stage.client(wish.clone())?, &["a.example"])?;
    assert_eq!(stage.client(wish.clone())?.account(&Cancel::new())?.contact, wish.contact);
    wish.contact = vec!["mailto:two@example.org".to_owned(), "mailto:three@example.org".to_owned()];
    order(&stage.client(wish.clone())?, &["b.example"])?;
    assert_eq!(stage.client(wish.clone())?.account(&Cancel::new())?.contact, wish.contact);
    // Whoever wishes for none leaves those alone that there are.
    order(&stage.client(stage.wish())?, &["c.example"])?;
    assert_eq!(stage.client(wish.clone())?.account(&Cancel::new())?.contact, wish.contact);
    // What the authority does not take is said in its words.
    wish.contact = vec!["mailto:".to_owned() + "nobody"];
    let error = order(&stage.client(wish)?, &["d.example"]).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error:#}");
    assert!(error.fact("problem").is_some_and(|problem| problem.ends_with("Contact")), "{error:#}");
    Ok(())
}

#[test]
fn an_account_is_bound_to_one_elsewhere() -> Outcome {
    let key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
    let external_account = Some(pebble::ExternalAccount { id: "kid-1", key });
    let stage = Stage::new(Options { external_account, ..Options::default() })?;
    let error = order(&stage.client(stage.wish())?, &["a.example"]).err().unwrap();
    assert_eq!(error.fact("problem"), Some("externalAccountRequired"), "{error:#}");
    assert!(!stage.pebble.requests().contains(&"POST /sign-me-up".to_owned()), "nothing is tried in vain");

    let file = stage.scratch.join("mac-key");
    let mut wish = stage.wish();
    wish.external_account = Some(ExternalAccount::new("kid-1", &file));
    let other = key.replace("zWND", "AAAA");
    for (content, kind) in [("not base64url!", ErrorKind::Unfit), (other.as_str(), ErrorKind::Refused)] {
        std::fs::write(&file, content)?;
        let error = order(&stage.client(wish.clone())?, &["a.example"]).err().unwrap();
        assert_eq!(error.kind(), kind, "{error:#}");
        assert!(!format!("{error:#}").contains(content), "a MAC key is in no error");
    }
    std::fs::write(&file, format!("{key}\n"))?;
    stage.accepts(&order(&stage.client(wish)?, &["a.example"])?, 0)
}

#[test]
fn a_fresh_key_takes_the_place_of_the_old_one() -> Outcome {
    let stage = Stage::new(Options::default())?;
    let client = stage.client(stage.wish())?;
    order(&client, &["a.example"])?;
    let before = client.account(&Cancel::new())?;
    let old = std::fs::read(stage.state("account.pem"))?;
    let after = client.roll_over(&Cancel::new())?;
    assert_eq!(after.url, before.url);
    assert_ne!(after.thumbprint, before.thumbprint);
    assert!(!stage.state("account-next.pem").exists());
    assert_eq!(client.account(&Cancel::new())?.thumbprint, after.thumbprint);
    order(&client, &["b.example"])?;
    // The old key is of no use any more.
    std::fs::write(stage.state("account.pem"), old)?;
    assert_eq!(order(&stage.client(stage.wish())?, &["c.example"]).err().unwrap().kind(), ErrorKind::Refused);
    Ok(())
}

/// A rollover that is cut off before the authority was asked, and after it has agreed.
#[test]
fn a_rollover_that_was_cut_off_is_settled() -> Outcome {
    let stage = Stage::new(Options::default())?;
    order(&stage.client(stage.wish())?, &["a.example"])?;
    let old = std::fs::read(stage.state("account.pem"))?;
    let stranger = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    std::fs::write(stage.state("account-next.pem"), stranger.to_pem().expose())?;
    order(&stage.client(stage.wish())?, &["b.example"])?;
    assert_eq!(std::fs::read(stage.state("account.pem"))?, old);

    stage.client(stage.wish())?.roll_over(&Cancel::new())?;
    std::fs::rename(stage.state("account.pem"), stage.state("account-next.pem"))?;
    std::fs::write(stage.state("account.pem"), old)?;
    order(&stage.client(stage.wish())?, &["c.example"])?;
    assert!(!stage.state("account-next.pem").exists());
    Ok(())
}

#[test]
fn an_account_that_was_given_up_is_not_used() -> Outcome {
    let stage = Stage::new(Options::default())?;
    let client = stage.client(stage.wish())?;
    order(&client, &["a.example"])?;
    assert_eq!(client.deactivate(&Cancel::new())?.status, "deactivated");
    let before = stage.pebble.requests().len();
    let error = order(&stage.client(stage.wish())?, &["b.example"]).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("deactivated") && error.hint_text().is_some(), "{error:#}");
    let after = stage.pebble.requests();
    assert!(!after[before..].iter().any(|request| request.starts_with("POST")), "{after:?}");
    Ok(())
}

/// The account of the real certbot, whose key is RSA.
#[test]
fn the_account_of_certbot_is_taken_over() -> Outcome {
    let stage = Stage::new(Options::default())?;
    let home = stage.scratch.join("certbot");
    let path = |name: &str| home.join(name).display().to_string();
    let mut command = Command::new(program("certbot"));
    command.args(["register", "--non-interactive", "--agree-tos", "--no-eff-email", "--email", "ops@example.org"]);
    command.args(["--server", &stage.pebble.directory, "--config-dir", &path("config")]);
    command.args(["--work-dir", &path("work"), "--logs-dir", &path("logs")]);
    command.env("REQUESTS_CA_BUNDLE", &stage.pebble.trust);
    let output = run(&mut command, Duration::from_secs(60))?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut account = home.join("config/accounts");
    while !account.join("private_key.json").exists() {
        let below = std::fs::read_dir(&account)?.next().expect("an account below")?;
        account = below.path();
    }
    let theirs: serde_json::Value = serde_json::from_slice(&std::fs::read(account.join("regr.json"))?)?;

    let client = stage.client(stage.wish())?;
    let imported = client.import(&account, &Cancel::new())?;
    assert_eq!(Some(imported.url.as_str()), theirs["uri"].as_str());
    assert_eq!(imported.contact, ["mailto:ops@example.org"]);
    let key = PrivateKey::from_pem(&std::fs::read(stage.state("account.pem"))?)?;
    assert_eq!(key.algorithm(), KeyAlgorithm::EcdsaP256);
    stage.accepts(&order(&client, &["a.example"])?, 0)?;
    assert_eq!(client.account(&Cancel::new())?.url, imported.url);
    // A second import would forget the first.
    assert_eq!(client.import(&account, &Cancel::new()).unwrap_err().kind(), ErrorKind::Conflict);
    Ok(())
}

/// The other three clients keep a PEM file; where, is all that differs.
#[test]
fn keys_are_found_where_the_other_clients_keep_them() -> Outcome {
    let stage = Stage::new(Options::default())?;
    order(&stage.client(stage.wish())?, &["a.example"])?;
    let (key, url) = (stage.state("account.pem"), stage.client(stage.wish())?.account(&Cancel::new())?.url);
    for (number, place) in
        ["account_key.pem", "account.key", "keys/ops@example.org.key", "ops@example.org.key"].iter().enumerate()
    {
        let theirs = stage.scratch.join(format!("theirs-{number}"));
        let file = theirs.join(place);
        std::fs::create_dir_all(file.parent().expect("a directory"))?;
        std::fs::copy(&key, &file)?;
        for (turn, from) in [theirs, file].into_iter().enumerate() {
            let root = stage.scratch.join(format!("ours-{number}-{turn}"));
            std::fs::create_dir(&root)?;
            let files = Arc::new(OsFilesystem::new());
            let client =
                AcmeClient::new("public".parse()?, stage.wish(), Vec::new(), files, &root, Arc::new(SystemClock));
            assert_eq!(client.import(&from, &Cancel::new())?.url, url, "{place}");
        }
    }
    let empty = stage.scratch.join("empty");
    std::fs::create_dir(&empty)?;
    let client = stage.client(stage.wish())?;
    assert_eq!(client.import(&empty, &Cancel::new()).unwrap_err().kind(), ErrorKind::NotFound);
    // A key that the authority has never seen.
    std::fs::remove_dir_all(stage.scratch.join(".issuers"))?;
    std::fs::write(empty.join("account.key"), PrivateKey::generate(KeyAlgorithm::EcdsaP384)?.to_pem().expose())?;
    let error = client.import(&empty, &Cancel::new()).unwrap_err();
    assert_eq!(error.fact("problem"), Some("accountDoesNotExist"), "{error:#}");
    assert!(!stage.state("account.pem").exists(), "nothing was taken over");
    Ok(())
}
