//! The activations collection: list, count, one record, its logs and its result.

use std::sync::Arc;

use serde_json::json;

use crate::query::ListQuery;
use crate::record::Record;
use crate::reply::Reply;
use crate::store::Selection;
use crate::world::World;

/// `GET …/activations`
pub(crate) fn list(world: &World, namespace: &str, query: &ListQuery) -> Reply {
    let now = world.clock().now();
    let selection = Selection {
        namespace,
        name: query.name.as_deref(),
        since: query.since,
        upto: query.upto,
        most: if query.count { usize::MAX } else { query.skip.saturating_add(query.limit) },
    };
    let mut store = world.store();
    let rows = store.select(&selection, now);
    if query.count {
        return Reply::json(json!({"activations": rows.len().saturating_sub(query.skip)}));
    }
    let page = rows.into_iter().skip(query.skip).take(query.limit);
    let body = if query.docs {
        // The index names the documents, which are read as they are now: one that is gone fails the whole page.
        let documents: Option<Vec<_>> = page.map(|row| store.get(namespace, &row.id, now)).collect();
        let Some(documents) = documents else { return Reply::server_error() };
        array(documents.iter().filter(|record| !record.corrupt).map(|record| record.full()))
    } else {
        let page: Vec<_> = page.collect();
        array(page.iter().map(|record| record.summary()))
    };
    if store.reply_limit.is_some_and(|limit| body.len() > limit) {
        return Reply::server_error();
    }
    Reply::json(body)
}

/// `GET …/activations/ID` and what is below it.
pub(crate) fn one(world: &World, namespace: &str, id: &str, part: Part) -> Reply {
    let now = world.clock().now();
    let Some(record) = world.store().get(namespace, id, now) else { return Reply::no_resource() };
    if record.corrupt {
        return Reply::error(500, "Resource is corrupted and cannot be read.");
    }
    render(&record, part)
}

/// What of a record is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    Whole,
    Logs,
    Result,
}

fn render(record: &Arc<Record>, part: Part) -> Reply {
    match part {
        Part::Whole => Reply::json(record.full()),
        Part::Logs => Reply::json(json!({"logs": record.served_logs()})),
        Part::Result => Reply::json(record.response()),
    }
}

/// Says what is wrong with an activation id, if anything is.
pub(crate) fn check_id(id: &str) -> Result<(), Reply> {
    let length = id.chars().count();
    if length != 32 {
        return Err(Reply::error(400, format!("Activation id length is {length} but must be 32.")));
    }
    if !id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(Reply::error(400, "The activation id is not valid."));
    }
    Ok(())
}

fn array<'a>(items: impl Iterator<Item = &'a str>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}
