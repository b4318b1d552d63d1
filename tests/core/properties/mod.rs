//! Properties for any input: the parts that read foreign bytes never panic, and lose nothing that is sound.

mod any;
mod checkpoint;
mod config;
mod lumberjack;
mod range;
mod record;
