fn f(v: Option<u8>) -> u8 { v.unwrap() }
fn main() { f(None); }
