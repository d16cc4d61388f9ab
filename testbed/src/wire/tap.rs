//! A connection that can be told to end after so many more bytes.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How many bytes may still be written; `None` for any number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Allowance(Arc<Mutex<Option<usize>>>);

impl Allowance {
    pub(crate) fn set(&self, bytes: usize) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(bytes);
    }

    fn left(&self) -> Option<usize> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spend(&self, bytes: usize) {
        if let Some(left) = self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            *left = left.saturating_sub(bytes);
        }
    }
}

#[derive(Debug)]
pub(crate) struct Tap<S> {
    stream: S,
    allowance: Allowance,
}

impl<S> Tap<S> {
    pub(crate) const fn new(stream: S, allowance: Allowance) -> Self {
        Self { stream, allowance }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let allowed = match self.allowance.left() {
            None => bytes,
            Some(0) => {
                // What was allowed is let out before the end.
                ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionReset, "cut, as the test wishes")));
            }
            Some(left) => bytes.get(..left.min(bytes.len())).unwrap_or(bytes),
        };
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, allowed))?;
        self.allowance.spend(written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
