//! What a client did at a test bed, for people.

use certwright_testbed::{ChallengeTold, Story};

/// One line for each thing that happened, a heading before each kind of thing.
pub(crate) fn lines(story: &Story) -> Vec<String> {
    let mut lines = vec!["what the client did".to_owned()];
    for account in &story.accounts {
        let contact = if account.contact.is_empty() { "no contact".to_owned() } else { account.contact.join(" ") };
        lines.push(format!("account      {}, {contact}", account.status));
    }
    for order in &story.orders {
        let why = order.error.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        lines.push(format!("order        {}, {}{why}", order.status, order.identifiers.join(" ")));
        lines.extend(order.challenges.iter().map(challenge));
    }
    for certificate in &story.certificates {
        let days = certificate.lifetime.as_secs() / 86_400;
        let revoked = certificate.revoked.map(|reason| format!(", revoked for reason {reason}")).unwrap_or_default();
        let (names, serial) = (certificate.identifiers.join(" "), &certificate.serial);
        lines.push(format!("certificate  {names}, {days} days, serial {serial}{revoked}"));
    }
    let requests = story.requests.iter().map(|(endpoint, count)| format!("{endpoint} {count}"));
    let requests = requests.collect::<Vec<_>>().join(", ");
    lines.push(format!("requests     {}", if requests.is_empty() { "none" } else { &requests }));
    for query in story.queries.iter().map(|query| ("query", query)).chain(story.updates.iter().map(|it| ("update", it)))
    {
        let (word, query) = query;
        lines.push(format!("{word:<13}{} {}: {}, {} times", query.name, query.kind, query.answer, query.count));
    }
    for problem in &story.problems {
        let times = if problem.count == 1 { String::new() } else { format!(", {} times", problem.count) };
        lines.push(format!("problem      {} at {}{times}: {}", problem.kind, problem.endpoint, problem.detail));
    }
    let wasted = [
        (story.wasted.bad_nonces, "refused for the nonce"),
        (story.wasted.early_polls, "polled before Retry-After"),
        (story.wasted.needless_nonces, "nonces fetched that the answer before had brought"),
    ];
    let wasted = wasted.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    let wasted = wasted.collect::<Vec<_>>().join(", ");
    if !wasted.is_empty() {
        lines.push(format!("wasted       {wasted}"));
    }
    lines
}

fn challenge(challenge: &ChallengeTold) -> String {
    let why = challenge.error.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    format!("  challenge  {} for {}, {}{why}", challenge.kind, challenge.identifier, challenge.status)
}
