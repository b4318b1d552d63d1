//! Receivers that misbehave over real sockets: the built forwarder runs between an API double and scripts of what a receiver does
//! (docs/facts/lumberjack.md 7.2), or Elastic's server. The tests check the things that a user sees: the result, the exit status, and the
//! lines that arrived.

mod acks;
mod breaks;
mod foreign;
mod hosts;
mod matrix;
mod poison;
mod scene;
mod sender;
mod slow;
mod tls;

use crate::sentences::Test;

/// Every test of these modules.
pub(crate) const ALL: &[&[Test]] = &[
    sender::ALL,
    acks::ALL,
    breaks::ALL,
    foreign::ALL,
    hosts::ALL,
    matrix::ALL,
    poison::ALL,
    slow::ALL,
    tls::ALL,
];
