#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| whiskjack_fuzz::frames::try_with(bytes));
