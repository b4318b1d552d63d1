//! HTTP Basic authentication, as the controller does it by default.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::reply::Reply;
use crate::world::World;

/// The namespace of the key in an `Authorization` header, or the refusal.
pub(crate) fn authenticate(world: &World, header: Option<&str>) -> Result<String, Reply> {
    const MISSING: &str = "The resource requires authentication, which was not supplied with the request";
    const WRONG: &str = "The supplied authentication is invalid";
    let header = header.ok_or_else(|| refusal(MISSING))?;
    let key = basic(header).ok_or_else(|| refusal(WRONG))?;
    let store = world.store();
    let namespace = store.namespaces.iter().find(|namespace| namespace.key == key);
    namespace.map(|namespace| namespace.name.clone()).ok_or_else(|| refusal(WRONG))
}

fn basic(header: &str) -> Option<String> {
    let (scheme, credentials) = header.split_once(' ')?;
    let decoded = STANDARD.decode(credentials.trim()).ok()?;
    scheme.eq_ignore_ascii_case("basic").then(|| String::from_utf8(decoded).ok())?
}

fn refusal(text: &str) -> Reply {
    const CHALLENGE: &str = "Basic realm=\"OpenWhisk secure realm\",charset=UTF-8";
    Reply::error(401, text).with("www-authenticate", CHALLENGE)
}
