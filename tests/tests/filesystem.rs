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

mod disk {
    use super::*;
    certwright_tests::filesystem_suite!(|| -> Bench_ { Ok(Bench::real(OsFilesystem::new(), Scratch::on_disk()?)) });
}

mod disk_stepwise {
    use super::*;
    certwright_tests::filesystem_suite!(|| -> Bench_ { Ok(Bench::real(OsFilesystem::stepwise(), Scratch::on_disk()?)) });
}

mod memory {
    use super::*;
    certwright_tests::filesystem_suite!(|| -> Bench_ { Ok(Bench::real(OsFilesystem::new(), Scratch::in_memory()?)) });
}
