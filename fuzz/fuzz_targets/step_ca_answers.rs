//! Hostile input for `certwright_tests::fuzzing::step_ca_answers`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| certwright_tests::fuzzing::step_ca_answers(data));
