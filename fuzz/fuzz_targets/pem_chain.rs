//! Hostile input for `certwright_tests::fuzzing::pem_chain`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| certwright_tests::fuzzing::pem_chain(data));
