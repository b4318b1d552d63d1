//! Checking parameters and context before a run is planned, so that all faults are told at once.

use super::Context;
use crate::config::{Config, Fault, Faults, Origin, api_key};
use serde_json::Value;

/// Key of a fault that is about the API key.
const KEY: &str = "__OW_API_KEY";

/// Checks parameters and context, and the API key where it is the component that sends it; gives the key as it is sent.
pub fn configure_with_key(
    params: &[u8],
    context: &mut Context,
    key: &str,
) -> Result<(Config, Origin, String), Faults> {
    let read = api_key(key);
    context.authorized = read.is_ok();
    match (configure(params, context), read) {
        (Ok((config, origin)), Ok(key)) => Ok((config, origin, key.into())),
        (Err(Faults(mut faults)), Err(remedy)) if !key.is_empty() => {
            let about_key = faults.iter_mut().filter(|fault| fault.key == KEY);
            about_key.for_each(|fault| fault.remedy = remedy.into());
            Err(Faults(faults))
        }
        (Err(faults), _) => Err(faults),
        // Without a key there is a fault.
        (Ok(_), Err(remedy)) => Err(Faults::one(KEY, &Value::Null, remedy)),
    }
}

/// Checks parameters and context, all faults at once. Gives the configuration and the API's origin.
pub fn configure(params: &[u8], context: &Context) -> Result<(Config, Origin), Faults> {
    let mut faults = Vec::new();
    let config = Config::parse(params, context.own_name()).map_err(|found| faults.extend(found.0)).ok();
    let from_platform = context.api_host.as_deref().map(Origin::parse);
    let origin = match (config.as_ref().and_then(|config| config.api_host.clone()), from_platform) {
        (Some(origin), _) | (None, Some(Ok(origin))) => Some(origin),
        (None, Some(Err(remedy))) => {
            faults.push(Fault::new("__OW_API_HOST", &Value::Null, remedy));
            None
        }
        (None, None) => {
            // With a faulty configuration nobody knows whether it would have named the API.
            if config.is_some() {
                faults.push(Fault::new(
                    "api.host",
                    &Value::Null,
                    "give the origin of the OpenWhisk API: the platform does not name it (__OW_API_HOST)",
                ));
            }
            None
        }
    };
    if !context.authorized {
        let name = context.own_name().unwrap_or("ACTION");
        let remedy = format!(
            "there is no API key: OpenWhisk hands it to an action only with the annotation provide-api-key. Run \
             `wsk action update {name} --annotation provide-api-key true`"
        );
        faults.push(Fault::new(KEY, &Value::Null, remedy));
    }
    match (config, origin) {
        (Some(mut config), Some(origin)) if faults.is_empty() => {
            if origin.is_exposed() {
                config.warnings.push(format!(
                    "the API is asked in the clear ({origin}): anybody between here and the API can take the API key"
                ));
            }
            Ok((config, origin))
        }
        _ => Err(Faults(faults)),
    }
}
