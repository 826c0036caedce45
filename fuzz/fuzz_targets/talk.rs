#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dep_preflight_fuzz::talk(data));
