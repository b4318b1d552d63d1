//! The names of the packages that hold the checkpoint, or may have held it before.

use super::Context;
use crate::checkpoint::package_of;
use crate::config::Config;

/// The package that holds the checkpoint, unless the records or the host do.
pub(in crate::run) fn package_name(config: &Config, context: &Context) -> String {
    config.package.clone().unwrap_or_else(|| package_of(own_path(context)))
}

/// Packages that may hold the checkpoint if the one of today does not exist: the one that is not configured, and that of earlier forwarders,
/// whose names were not always different.
pub(super) fn former_package_names(config: &Config, context: &Context) -> Vec<String> {
    let today = package_name(config, context);
    let own = own_path(context);
    let earlier = format!("whiskjack.{}", own.unwrap_or("cli").replace('/', "."));
    let mut names = vec![package_of(own), earlier];
    names.dedup();
    names.retain(|name| *name != today);
    names
}

/// The forwarder's own name without its namespace.
pub(in crate::run) fn own_path(context: &Context) -> Option<&str> {
    context.own_name()?.trim_start_matches('/').split_once('/').map(|(_, path)| path)
}
