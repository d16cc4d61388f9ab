//! One order from its beginning, or from where an earlier run left it, to the chain.

use instant_acme::{NewOrder, OrderStatus};

use super::answers::Answers;
use super::chain;
use super::desk::Desk;
use super::pace::Pace;
use super::why;
use crate::ground::error::{Error, ErrorKind, Public, Result};
use crate::ground::name::Identifier;
use crate::pki::chain::Chain;

/// Where an order in hand comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// It was made for this request.
    New,
    /// An earlier run left it in flight.
    Resumed,
}

/// The chain that the authority issues.
pub(super) fn obtain(desk: &Desk<'_>) -> Result<Chain> {
    desk.obtain()
}

impl Desk<'_> {
    fn obtain(&self) -> Result<Chain> {
        self.check_profile()?;
        let library = self.library()?;
        if let Some(mut order) = self.resumed(&library)? {
            match self.complete(&mut order, Origin::Resumed)? {
                Some(chain) => return Ok(chain),
                // It had gone bad since: begin anew.
                None => self.session.cancel().check()?,
            }
        }
        let mut order = self.new_order(&library)?;
        self.request.keep_order(self.issuer, order.url())?;
        self.complete(&mut order, Origin::New)?.ok_or_else(|| Error::new(ErrorKind::Bug, "a new order was given up"))
    }

    /// The account in the shape of the client library. The directory comes out of the session: nothing is sent.
    fn library(&self) -> Result<instant_acme::Account> {
        self.session.call("account", async || {
            let key = rustls_pki_types::PrivatePkcs8KeyDer::from(self.account.key.pkcs8().expose());
            let builder = instant_acme::Account::builder_with_http(self.session.client());
            Ok(builder.from_parts(self.account.facts.url.clone(), key, self.wish.directory.clone()).await?)
        })
    }

    /// Asking for a profile that is not there would cost an order.
    fn check_profile(&self) -> Result<()> {
        let Some(wished) = &self.wish.profile else { return Ok(()) };
        let offered = self.directory.profiles.as_deref().unwrap_or_default();
        if offered.contains(wished) {
            return Ok(());
        }
        let offered =
            offered.iter().take(20).map(|name| crate::issue::http::bounded(name)).collect::<Vec<_>>().join(", ");
        Err(Error::new(ErrorKind::Refused, "the authority does not offer this profile")
            .context("profile", Public(wished))
            .context("offered", Public(&offered))
            .hint("correct `profile`, or leave it out"))
    }

    /// The order that an earlier run left, when the authority still has it and it can be completed.
    fn resumed(&self, library: &instant_acme::Account) -> Result<Option<instant_acme::Order>> {
        let Some(url) = self.request.order_in_flight(self.issuer) else { return Ok(None) };
        match self.session.call("order", async || Ok(library.order(url.clone()).await?)) {
            Ok(mut order) => Ok((order.state().status != OrderStatus::Invalid).then_some(order)),
            // Gone, or of another account, or of an authority that has moved.
            Err(error) if matches!(error.kind(), ErrorKind::Refused | ErrorKind::Protocol) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn new_order(&self, library: &instant_acme::Account) -> Result<instant_acme::Order> {
        let identifiers: Vec<_> = self.request.identifiers().iter().map(asked).collect();
        let place = |replacing: bool| {
            let replaced = self.request.replaced().filter(|_| replacing && self.directory.renewal_info.is_some());
            let replaced = replaced.and_then(super::renewal::certificate_id);
            let replacing = replaced.is_some();
            let made = self.session.call("new order", async || {
                let mut wish = NewOrder::new(&identifiers);
                if let Some(profile) = &self.wish.profile {
                    wish = wish.profile(profile);
                }
                if let Some(replaced) = replaced.clone() {
                    wish = wish.replaces(replaced);
                }
                Ok(library.new_order(&wish).await?)
            });
            (made, replacing)
        };
        let (made, replacing) = place(true);
        match made {
            // `replaces` is a courtesy (RFC 9773 §5): a certificate without it is better than none.
            Err(error) if replacing && matches!(error.kind(), ErrorKind::Refused | ErrorKind::Protocol) => {
                match self.order_made_all_the_same() {
                    Some(url) => self.session.call("order", async || Ok(library.order(url.clone()).await?)),
                    None => place(false).0,
                }
            }
            made => made,
        }
    }

    /// The order that the authority made without repeating `replaces`, which the library takes for a failure.
    fn order_made_all_the_same(&self) -> Option<String> {
        let answer = self.session.last().filter(|answer| answer.status.is_success())?;
        answer.header("location").map(str::to_owned)
    }

    /// Take an order through its states (RFC 8555 §7.1.6). `None` when a resumed one cannot be completed any more.
    fn complete(&self, order: &mut instant_acme::Order, origin: Origin) -> Result<Option<Chain>> {
        let mut answers: Option<Answers<'_>> = None;
        let mut pace = Pace::new();
        loop {
            match order.state().status {
                OrderStatus::Pending if answers.is_none() => match Answers::give(self, order) {
                    Ok(given) => answers = Some(given),
                    Err(error) if origin == Origin::Resumed && error.kind() == ErrorKind::Refused => return Ok(None),
                    Err(error) => return Err(error),
                },
                OrderStatus::Pending | OrderStatus::Processing => self.look_again(order, &mut pace)?,
                OrderStatus::Ready => {
                    answers.as_mut().map(Answers::take_away);
                    self.finalize(order)?;
                    pace = Pace::new();
                }
                OrderStatus::Valid => return chain::download(self, order).map(Some),
                OrderStatus::Invalid if origin == Origin::Resumed && answers.is_none() => return Ok(None),
                OrderStatus::Invalid => {
                    let asked = answers.as_ref().map(Answers::challenges).unwrap_or_default();
                    return Err(why::invalid(self, order, &asked));
                }
            }
        }
    }

    /// Wait as long as the authority says, or a little, and fetch the order.
    fn look_again(&self, order: &mut instant_acme::Order, pace: &mut Pace) -> Result<()> {
        let wait = pace.next(self.session.told());
        self.session.sleep(wait).map_err(|error| unfinished(error, order))?;
        self.refresh(order)
    }

    fn refresh(&self, order: &mut instant_acme::Order) -> Result<()> {
        self.session.call("order", async || Ok(order.refresh().await.map(drop)?))
    }

    /// Send our request. When an answer was lost on the way, the order has moved on without us: it is fetched.
    fn finalize(&self, order: &mut instant_acme::Order) -> Result<()> {
        let csr = self.request.csr()?;
        let finalized = self.session.call("finalize", async || Ok(order.finalize_csr(csr.der()).await?));
        let Err(error) = finalized else { return Ok(()) };
        if error.fact("problem") != Some("orderNotReady") {
            return Err(error);
        }
        self.refresh(order)?;
        match order.state().status {
            OrderStatus::Processing | OrderStatus::Valid => Ok(()),
            _ => Err(error),
        }
    }
}

/// An identifier as it is asked for (RFC 8555 §7.1.3, RFC 8738 §3).
fn asked(identifier: &Identifier) -> instant_acme::Identifier {
    match identifier {
        Identifier::Ip(address) => instant_acme::Identifier::Ip(*address),
        name => instant_acme::Identifier::Dns(name.to_string()),
    }
}

/// What a wait that was in vain leaves: the next run goes on with the same order.
fn unfinished(error: Error, order: &instant_acme::Order) -> Error {
    if error.kind() != ErrorKind::Timeout {
        return error;
    }
    error.context("order", Public(&crate::issue::http::bounded(order.url())))
}
