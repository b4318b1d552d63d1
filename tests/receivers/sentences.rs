//! Tests as a list: the harness needs their names to count them.

/// A test: its name, which begins with the number of its point as `h09_…` if it has one, and what fails by panicking.
pub(crate) type Test = (&'static str, fn());

/// Defines functions and lists them, in order, as `ALL`.
macro_rules! sentences {
    ($($(#[$attribute:meta])* fn $name:ident() $body:block)*) => {
        $($(#[$attribute])* fn $name() $body)*

        /// Every test of this module, with its name.
        pub(crate) const ALL: &[$crate::sentences::Test] = &[$((stringify!($name), $name)),*];
    };
}
