//! Hostile input for `certwright_tests::fuzzing::dns_messages`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| certwright_tests::fuzzing::dns_messages(data));
