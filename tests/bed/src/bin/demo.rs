//! `cargo xtask demo`: the whole way from an activation's log to a receiver, on one machine.

fn main() {
    println!("The demo is not written yet.");
}
