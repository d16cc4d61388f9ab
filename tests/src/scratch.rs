//! Directories that go away with their owner.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// An empty directory (0711, so that other users can be led into it), removed with all that is in it when dropped.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// In the system's directory for temporary files: the disk at hand.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn on_disk() -> io::Result<Self> {
        Self::beneath(&std::env::temp_dir())
    }

    /// In `/dev/shm`: memory.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn in_memory() -> io::Result<Self> {
        Self::beneath(Path::new("/dev/shm"))
    }

    /// In a directory of the caller's choice.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn beneath(above: &Path) -> io::Result<Self> {
        use std::os::unix::fs::PermissionsExt;
        static COUNT: AtomicU32 = AtomicU32::new(0);
        loop {
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = above.join(format!("certwright-test-{}-{number}", std::process::id()));
            match std::fs::create_dir(&path) {
                // Left over by an earlier process of the same number.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => {
                    made?;
                    let scratch = Self { path };
                    std::fs::set_permissions(&scratch.path, std::fs::Permissions::from_mode(0o711))?;
                    return Ok(scratch);
                }
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A path in it.
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is left for people to look at; a test must not fail twice.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::Scratch;

    #[test]
    fn two_are_apart_and_go_away() {
        for make in [Scratch::on_disk, Scratch::in_memory] {
            let (one, two) = (make().unwrap(), make().unwrap());
            assert_ne!(one.path(), two.path());
            std::fs::create_dir(one.join("d")).unwrap();
            std::fs::write(one.join("d/f"), "x").unwrap();
            let path = one.path().to_owned();
            drop(one);
            assert!(!path.exists() && two.path().exists());
        }
    }
}
