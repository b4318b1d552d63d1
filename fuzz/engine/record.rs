#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| whiskjack_fuzz::record::try_with(bytes));
