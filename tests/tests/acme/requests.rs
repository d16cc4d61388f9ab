//! How much is asked: the requests that are not polls, exactly, as Pebble counts them.

use super::*;

/// Requests without the numbers in them, polls left out: an order is fetched for no other reason.
fn asked(stage: &Stage, since: &mut usize) -> Vec<String> {
    let all = stage.pebble.requests();
    let new = all[*since..].iter().map(|request| {
        let kept: Vec<&str> = request.split('/').take(2).collect();
        kept.join("/")
    });
    let new = new.filter(|request| request != "POST /my-order").collect();
    *since = all.len();
    new
}

const ORDER: [&str; 5] = ["POST /order-plz", "POST /authZ", "POST /chalZ", "POST /finalize-order", "POST /certZ"];

#[test]
fn one_issuance_asks_for_nothing_twice() -> Outcome {
    let stage = Stage::new(Options::default())?;
    let mut since = 0;
    let client = stage.client(stage.wish())?;
    // Cold: no account, nothing known.
    order(&client, &["cold.example"])?;
    let cold = [&["GET /dir", "HEAD /nonce-plz", "POST /sign-me-up"][..], &ORDER].concat();
    assert_eq!(asked(&stage, &mut since), cold);
    // Warm: the same process goes on with the directory and the nonce that it has.
    order(&client, &["warm.example"])?;
    assert_eq!(asked(&stage, &mut since), ORDER);
    // Another process with the account on disk.
    order(&stage.client(stage.wish())?, &["again.example"])?;
    assert_eq!(asked(&stage, &mut since), [&["GET /dir", "HEAD /nonce-plz"][..], &ORDER].concat());
    // Two names: one authorization and one challenge more, and nothing else.
    order(&client, &["a.example", "b.example"])?;
    let two = ["POST /order-plz", "POST /authZ", "POST /authZ", "POST /chalZ", "POST /chalZ"];
    assert_eq!(asked(&stage, &mut since), [&two[..], &ORDER[3..]].concat());
    Ok(())
}

#[test]
fn what_is_authorized_already_is_not_answered_again() -> Outcome {
    let stage = Stage::new(Options { authorization_reuse: 100, ..Options::default() })?;
    let mut since = 0;
    let records = Records::new(&stage, Quirk::None);
    let client = stage.client_with(stage.wish(), vec![records.clone()])?;
    order(&client, &["known.example"])?;
    asked(&stage, &mut since);
    order(&client, &["known.example"])?;
    assert_eq!(asked(&stage, &mut since), ["POST /order-plz", "POST /finalize-order", "POST /certZ"]);
    assert_eq!(records.done().len(), 3, "{:?}", records.done());
    // A new name beside a known one is the only one that is answered.
    order(&client, &["known.example", "new.example"])?;
    assert_eq!(records.done()[3..], ["present new.example", "wait new.example", "clean up new.example"]);
    Ok(())
}

#[test]
fn alternates_are_fetched_only_when_another_chain_is_wished() -> Outcome {
    let stage = Stage::new(Options { alternate_roots: 3, ..Options::default() })?;
    let mut since = 0;
    order(&stage.client(stage.wish())?, &["a.example"])?;
    assert_eq!(asked(&stage, &mut since).iter().filter(|request| *request == "POST /certZ").count(), 1);
    let mut wish = stage.wish();
    wish.preferred_chain = Some("no such root".to_owned());
    order(&stage.client(wish)?, &["b.example"])?;
    assert_eq!(asked(&stage, &mut since).iter().filter(|request| *request == "POST /certZ").count(), 4);
    Ok(())
}
