//! The address of the API, and the way there.

use super::RunContext;
use crate::net::proxy::Proxy;
use crate::origin::Origin;
use crate::params::HostParams;
use whiskjack_settings::text;

/// The API that may be asked. The component takes the same choice, and reports an origin that cannot be read.
pub(super) fn permitted(host: &HostParams, context: &RunContext) -> Option<Origin> {
    match &host.api_host {
        Some(named) => Origin::parse(named),
        None => Origin::parse(text::tidied(context.api_host.as_deref()?)),
    }
}

/// Finds the proxy to the API in the environment, where the parameters name none.
pub(super) fn find_proxy(host: &mut HostParams, context: &RunContext) {
    let Some(origin) = permitted(host, context).filter(|_| host.api_proxy.is_none()) else { return };
    match context.proxies.to(&origin) {
        Ok(proxy) => {
            host.secrets.extend(proxy.iter().flat_map(Proxy::secrets));
            host.api_proxy = proxy;
        }
        Err(fault) => host.faults.push(fault),
    }
}
