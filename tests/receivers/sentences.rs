//! Tests as a list: the harness needs their names to count them.

/// Defines functions and lists them, in order, as `ALL`.
macro_rules! sentences {
    ($($(#[$attribute:meta])* fn $name:ident() $body:block)*) => {
        $($(#[$attribute])* fn $name() $body)*

        /// Every test of this module, with its name.
        pub(crate) const ALL: &[(&str, fn())] = &[$((stringify!($name), $name)),*];
    };
}
