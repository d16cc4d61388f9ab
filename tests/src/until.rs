//! Waiting for what cannot be waited on: a look, again and again, until it is so or its time is over.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// Looks until there is something to see. It looks at least once.
///
/// # Errors
///
/// `TimedOut` after this time, with `what` was waited for and why the last look failed.
pub fn until<T>(limit: Duration, what: &str, mut look: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        match look() {
            Ok(seen) => return Ok(seen),
            Err(error) if Instant::now() >= deadline => {
                let message = format!("{what}: not so after {limit:?}: {error}");
                return Err(io::Error::new(io::ErrorKind::TimedOut, message));
            }
            Err(_) => thread::park_timeout(PAUSE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_until_it_is_so_or_gives_up() {
        let mut looks = 0;
        let seen = until(Duration::from_secs(60), "the third look", || {
            looks += 1;
            if looks == 3 { Ok(looks) } else { Err(io::Error::other("not yet")) }
        });
        assert_eq!(seen.unwrap(), 3);
        let error = until(Duration::ZERO, "the thing", || Err::<(), _>(io::Error::other("no"))).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(error.to_string().contains("the thing") && error.to_string().ends_with("no"));
    }
}
