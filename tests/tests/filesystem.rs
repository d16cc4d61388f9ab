//! The conformance suite of `Filesystem` over the model and over the kernel, on a disk and in memory.

use certwright::OsFilesystem;
use certwright_tests::conformance::filesystem::Bench;
use certwright_tests::model_fs::ModelFs;
use certwright_tests::scratch::Scratch;

type Bench_ = std::io::Result<Bench>;

mod model {
    use super::*;
    certwright_tests::filesystem_suite!(|| -> Bench_ { Bench::model(ModelFs::default()) });
}

/// Over the kernel: files change hands and other users open them.
mod as_root {
    use super::*;

    mod disk {
        use super::*;
        certwright_tests::filesystem_suite!(|| -> Bench_ { Ok(Bench::real(OsFilesystem::new(), Scratch::on_disk()?)) });
    }

    mod disk_stepwise {
        use super::*;
        certwright_tests::filesystem_suite!(|| -> Bench_ {
            Ok(Bench::real(OsFilesystem::stepwise(), Scratch::on_disk()?))
        });
    }

    mod memory {
        use super::*;
        certwright_tests::filesystem_suite!(|| -> Bench_ {
            Ok(Bench::real(OsFilesystem::new(), Scratch::in_memory()?))
        });
    }
}

/// Where something is wanting.
mod wanting {
    use certwright_tests::conformance::filesystem::{Outcome, full, read_only, without_acls};
    use certwright_tests::model_fs::{Acls, Settings};
    use certwright_tests::namespace::in_mount;

    use super::*;

    fn model(change: impl FnOnce(&mut Settings)) -> Bench_ {
        let fs = ModelFs::default();
        fs.change(change);
        Bench::model(fs)
    }

    fn mounted(test: &str, mount: &str, case: fn(&Bench) -> Outcome) -> Outcome {
        match in_mount(test, mount)? {
            Some(root) => case(&Bench::mounted(OsFilesystem::new(), root)),
            None => Ok(()),
        }
    }

    #[test]
    fn room_in_the_model() -> Outcome {
        full(&model(|settings| settings.bytes = Some(65_536))?)
    }

    #[test]
    fn room_in_memory_as_root() -> Outcome {
        mounted("wanting::room_in_memory_as_root", r#"mount -t tmpfs -o size=64k none "$0""#, full)
    }

    #[test]
    fn the_right_to_write_in_the_model() -> Outcome {
        let fs = ModelFs::default();
        let bench = Bench::model(fs.clone())?;
        fs.plant_file("/bench/root/f", b"f", 0o644)?;
        fs.plant_directory("/bench/root/d", 0o755)?;
        fs.plant_link("/bench/root/l", "f")?;
        fs.change(|settings| settings.read_only = true);
        read_only(&bench)
    }

    #[test]
    fn the_right_to_write_in_memory_as_root() -> Outcome {
        let mount = r#"mount -t tmpfs none "$0"; printf f >"$0/f"; mkdir "$0/d"; ln -s f "$0/l"
            mount -o remount,ro "$0""#;
        mounted("wanting::the_right_to_write_in_memory_as_root", mount, read_only)
    }

    #[test]
    fn acls_in_the_model() -> Outcome {
        without_acls(&model(|settings| settings.acls = Acls::Unsupported)?)
    }

    #[test]
    fn acls_on_ramfs_as_root() -> Outcome {
        mounted("wanting::acls_on_ramfs_as_root", r#"mount -t ramfs none "$0""#, without_acls)
    }
}

/// The model against the kernel, by random acts.
mod at_random {
    use certwright_tests::conformance::filesystem::Outcome;
    use certwright_tests::differ::compare;

    use super::*;

    fn same(seeds: std::ops::Range<u64>, scratch: fn() -> std::io::Result<Scratch>) -> Outcome {
        for seed in seeds {
            let (model, kernel) = (Bench::model(ModelFs::default())?, Bench::real(OsFilesystem::new(), scratch()?));
            compare(seed, 120, &model, &kernel)?;
        }
        Ok(())
    }

    #[test]
    fn on_disk_as_root() -> Outcome {
        same(0..150, Scratch::on_disk)
    }

    #[test]
    fn in_memory_as_root() -> Outcome {
        same(1000..1300, Scratch::in_memory)
    }
}
