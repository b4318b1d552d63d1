//! The one engine configuration that the build step and the shipped program share.
//!
//! Native code compiled ahead of time is refused unless both sides agree on the engine's version, target and settings.
//! That is why the settings live here, in a crate of their own, and why the compiler is a feature of it.

use wasmtime::Config;

/// The settings of every engine in this project.
pub fn config() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .memory_init_cow(true)
        // Maps, symbols and unwind tables serve debuggers only. Traps keep their message and the names of the functions on the stack.
        .generate_address_map(false)
        .debug_symbols(false)
        .native_unwind_info(false);
    config
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_engine_accepts_the_settings() {
        wasmtime::Engine::new(&super::config()).unwrap();
    }
}
