//! Bodies that end, and bodies that do not.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

/// Bytes of what follows a body that is too long.
const BLANKS: &[u8] = &[b' '; 16 * 1024];

pub(crate) enum Wire {
    /// All at once.
    Whole(Option<Bytes>),
    /// So many blanks after it; `None` for no end.
    Padded(Option<Bytes>, Option<u64>),
    /// One byte at a time.
    Drip { rest: Bytes, pause: Duration, sleep: Pin<Box<Sleep>> },
}

impl Wire {
    pub(crate) fn whole(body: Vec<u8>) -> Self {
        Self::Whole(Some(body.into()))
    }

    pub(crate) fn endless(body: Vec<u8>) -> Self {
        Self::Padded(Some(body.into()), None)
    }

    pub(crate) fn padded(body: Vec<u8>, to: u64) -> Self {
        let have = u64::try_from(body.len()).unwrap_or(u64::MAX);
        Self::Padded(Some(body.into()), Some(to.saturating_sub(have)))
    }

    pub(crate) fn drip(body: Vec<u8>, pause: Duration) -> Self {
        Self::Drip { rest: body.into(), pause, sleep: Box::pin(sleep_until(Instant::now())) }
    }
}

impl Body for Wire {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = match self.get_mut() {
            Self::Whole(body) => body.take(),
            Self::Padded(first, left) => match (first.take(), left) {
                (Some(first), _) => Some(first),
                (None, None) => Some(Bytes::from_static(BLANKS)),
                (None, Some(0)) => None,
                (None, Some(left)) => {
                    let count = usize::try_from(*left).unwrap_or(usize::MAX).min(BLANKS.len());
                    *left -= u64::try_from(count).unwrap_or(*left);
                    Some(Bytes::from_static(BLANKS).slice(..count))
                }
            },
            Self::Drip { rest, .. } if rest.is_empty() => None,
            Self::Drip { rest, pause, sleep } => {
                ready!(sleep.as_mut().poll(cx));
                let next = sleep.deadline() + *pause;
                sleep.as_mut().reset(next);
                Some(rest.split_to(1))
            }
        };
        Poll::Ready(next.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn size_hint(&self) -> SizeHint {
        let length =
            |body: &Option<Bytes>| body.as_ref().map_or(0, |body| u64::try_from(body.len()).unwrap_or(u64::MAX));
        match self {
            Self::Whole(body) => SizeHint::with_exact(length(body)),
            Self::Padded(first, Some(left)) => SizeHint::with_exact(length(first).saturating_add(*left)),
            Self::Padded(_, None) => SizeHint::default(),
            Self::Drip { rest, .. } => SizeHint::with_exact(u64::try_from(rest.len()).unwrap_or(u64::MAX)),
        }
    }
}
