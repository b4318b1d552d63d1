//! What must hold for any input: the parts that read what others wrote never panic, and lose nothing of what is sound.

mod any;
mod checkpoint;
mod config;
mod lumberjack;
mod range;
mod record;
