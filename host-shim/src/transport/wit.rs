//! `transport` of the WIT world, with our [`Lent`](super::Lent) for its resource.

#![allow(missing_debug_implementations, unreachable_pub, reason = "generated")]

wasmtime::component::bindgen!({
    path: "../wit",
    inline: "package whiskjack:host; world lent { import whiskjack:forwarder/transport@0.1.0; }",
    world: "whiskjack:host/lent",
    imports: { default: async | trappable },
    require_store_data_send: true,
    with: { "whiskjack:forwarder/transport.connection": super::Lent },
});
