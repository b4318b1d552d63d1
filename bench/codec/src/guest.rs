//! The component's side of `wit/codec.wit`.

use crate::codecs::{self, Codec};
use std::cell::RefCell;

#[allow(unsafe_code, reason = "generated: it passes memory over the component's boundary")]
mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "guest" });
    export!(Bench with_types_in self);

    use super::Bench;
}

#[derive(Default)]
struct State {
    windows: Vec<Vec<u8>>,
    codec: Option<Box<dyn Codec>>,
    streams: Vec<u8>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

struct Bench;

impl bindings::Guest for Bench {
    fn load(windows: Vec<Vec<u8>>) {
        STATE.with_borrow_mut(|state| state.windows = windows);
    }

    fn choose(codec: String, level: u8) -> bool {
        STATE.with_borrow_mut(|state| {
            state.codec = codecs::open(&codec, level);
            state.codec.is_some()
        })
    }

    fn run() -> u64 {
        STATE.with_borrow_mut(|State { windows, codec, streams }| {
            streams.clear();
            if let Some(codec) = codec {
                windows.iter().for_each(|window| codec.append(window, streams));
            }
            streams.len() as u64
        })
    }

    fn streams() -> Vec<u8> {
        STATE.with_borrow(|state| state.streams.clone())
    }
}
