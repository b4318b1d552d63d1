#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| whiskjack_fuzz::lines::try_with(bytes));
