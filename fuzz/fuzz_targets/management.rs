//! Hostile input for `certwright_tests::fuzzing::management`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| certwright_tests::fuzzing::management(data));
