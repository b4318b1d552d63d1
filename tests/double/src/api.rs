//! Routes of the REST API.

use crate::actions;
use crate::alarms;
use crate::auth::authenticate;
use crate::entities;
use crate::journal::Request;
use crate::limits;
use crate::list::{Part, check_id, list, one};
use crate::options::Limits;
use crate::packages;
use crate::query::{ListQuery, Rows, legal_name};
use crate::reply::Reply;
use crate::rules;
use crate::triggers;
use crate::world::World;

/// Answers a request from what the world holds.
pub(crate) fn answer(world: &World, limits: &Limits, request: &Request) -> Reply {
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    let reply = match segments[..] {
        [] | [""] if request.method == "GET" => Reply::json(limits::info(limits)),
        ["api", "v1", "namespaces"] | ["api", "v1", "namespaces", ""] if request.method == "GET" => {
            match authenticate(world, request.header("authorization")) {
                Ok(own) => Reply::json(serde_json::json!([own])),
                Err(refusal) => refusal,
            }
        }
        ["api", "v1", "namespaces", namespace, ref rest @ ..] if !rest.is_empty() => {
            in_namespace(world, limits, request, namespace, rest).unwrap_or_else(|refusal| refusal)
        }
        _ => Reply::no_route(),
    };
    if reply.status == 200 && !accepts_json(request) {
        let text = "Resource representation is only available with these types:\napplication/json";
        return Reply::error(406, text);
    }
    reply
}

fn in_namespace(
    world: &World,
    limits: &Limits,
    request: &Request,
    namespace: &str,
    rest: &[&str],
) -> Result<Reply, Reply> {
    let own = authenticate(world, request.header("authorization"))?;
    if namespace != "_" && !legal_name(namespace) {
        return Err(Reply::error(400, "The namespace contains illegal characters."));
    }
    let (rest, slash) = match rest {
        [front @ .., ""] => (front, true),
        _ => (rest, false),
    };
    let entity = if rest.len() > 1 { Some(rest[1]) } else { None };
    let authorize = || {
        let path = entity.map_or_else(|| namespace.to_owned(), |entity| format!("{namespace}/{entity}"));
        if namespace == "_" || namespace == own { Ok(()) } else { Err(Reply::forbidden(&path)) }
    };
    let read_only = || if request.method == "GET" { Ok(()) } else { Err(Reply::not_allowed("GET")) };
    match *rest {
        ["limits"] => {
            read_only()?;
            authorize()?;
            Ok(Reply::json(limits::of_namespace(limits)))
        }
        ["activations"] => {
            read_only()?;
            authorize()?;
            Ok(list(world, &own, &ListQuery::parse(request, limits.max_list)?))
        }
        ["activations", id, ref part @ ..] => {
            let part = part_of(part, slash).ok_or_else(Reply::no_route)?;
            read_only()?;
            check_id(id)?;
            authorize()?;
            Ok(one(world, &own, id, part))
        }
        ["packages", name] => {
            authorize()?;
            Ok(packages::answer(world, &own, name, request, limits.max_parameters_bytes))
        }
        [kind @ ("packages" | "actions" | "triggers" | "rules")] => {
            read_only()?;
            authorize()?;
            let rows = Rows::parse(request, kind, limits.max_list)?;
            Ok(Reply::json(entities::list(&world.store(), kind, &own, rows)))
        }
        ["actions", ref name @ ..] if (1..=2).contains(&name.len()) => {
            let path = name.join("/");
            // The packages of `whisk.system` are everybody's.
            if namespace == "whisk.system" {
                return alarms::answer(world, &own, &path, request);
            }
            authorize()?;
            actions::answer(world, limits, (own, path), request)
        }
        ["triggers", name] => {
            authorize()?;
            triggers::answer(world, limits.max_parameters_bytes, (own, name.to_owned()), request)
        }
        ["rules", name] => {
            authorize()?;
            rules::answer(world, limits.max_parameters_bytes, (own, name.to_owned()), request)
        }
        _ => Err(Reply::no_route()),
    }
}

/// A slash may follow a record's id, but neither of its parts.
fn part_of(part: &[&str], slash: bool) -> Option<Part> {
    match (part, slash) {
        ([], _) => Some(Part::Whole),
        (["logs"], false) => Some(Part::Logs),
        (["result"], false) => Some(Part::Result),
        _ => None,
    }
}

fn accepts_json(request: &Request) -> bool {
    let Some(accept) = request.header("accept") else { return true };
    let types = accept.split(',').map(|range| range.split(';').next().unwrap_or_default().trim());
    types.into_iter().any(|range| matches!(range, "application/json" | "application/*" | "*/*"))
}
