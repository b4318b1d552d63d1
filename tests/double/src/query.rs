//! Query parameters: defaults, ranges, and the platform's words about bad ones.

use crate::journal::Request;
use crate::reply::Reply;

const DEFAULT_LIMIT: usize = 30;

/// The parameters of a list or count.
#[derive(Debug)]
pub(crate) struct ListQuery {
    pub(crate) skip: usize,
    pub(crate) limit: usize,
    pub(crate) count: bool,
    pub(crate) docs: bool,
    pub(crate) name: Option<String>,
    pub(crate) since: i64,
    pub(crate) upto: i64,
}

impl ListQuery {
    /// Parses in the controller's order, so that the first bad parameter is the same one. Of a repeated one the first counts.
    pub(crate) fn parse(request: &Request, largest: usize) -> Result<Self, Reply> {
        let parameter = |name| request.param(name);
        let Rows { skip, limit, count } = Rows::parse(request, "activations", largest)?;
        let query = Self {
            skip,
            limit,
            count,
            docs: flag(request, "docs", false)?,
            name: parse("name", parameter("name"), name, None)?,
            since: parse("since", parameter("since"), epoch, i64::MIN)?,
            upto: parse("upto", parameter("upto"), epoch, i64::MAX)?,
        };
        if query.count && query.docs {
            return Err(Reply::error(400, "The parameter 'docs' is not permitted with 'count'."));
        }
        Ok(query)
    }
}

/// What the lists of all collections take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows {
    pub(crate) skip: usize,
    pub(crate) limit: usize,
    pub(crate) count: bool,
}

impl Rows {
    /// The same for the list of `collection`, which its errors name.
    pub(crate) fn parse(request: &Request, collection: &str, largest: usize) -> Result<Self, Reply> {
        let parameter = |name| request.param(name);
        let limited = |value: &str| limit(value, collection, largest);
        Ok(Self {
            skip: parse("skip", parameter("skip"), |value| skip(value, collection), 0)?,
            limit: parse("limit", parameter("limit"), limited, DEFAULT_LIMIT)?,
            count: flag(request, "count", false)?,
        })
    }
}

/// A switch. One without a value counts as not given.
pub(crate) fn flag(request: &Request, name: &str, default: bool) -> Result<bool, Reply> {
    parse(name, request.param(name).filter(|value| !value.is_empty()), boolean, default)
}

fn parse<T>(
    name: &str,
    value: Option<&str>,
    parser: impl FnOnce(&str) -> Result<T, String>,
    default: T,
) -> Result<T, Reply> {
    let malformed = |why| Reply::error(400, format!("The query parameter '{name}' was malformed:\n{why}"));
    value.map_or(Ok(default), |value| parser(value).map_err(malformed))
}

fn integer(value: &str, collection: &str) -> Result<i32, String> {
    value.parse().map_err(|_| format!("The value '{value}' is not an integer for {collection}."))
}

fn skip(value: &str, collection: &str) -> Result<usize, String> {
    let negative = |_| format!("The value '{value}' is not greater than or equal to 0 for {collection}.");
    usize::try_from(integer(value, collection)?).map_err(negative)
}

fn limit(value: &str, collection: &str, largest: usize) -> Result<usize, String> {
    match usize::try_from(integer(value, collection)?) {
        Ok(0) => Ok(largest),
        Ok(limit) if limit <= largest => Ok(limit),
        _ => Err(format!("The value '{value}' is not in the range of 0 to {largest} for {collection}.")),
    }
}

fn boolean(value: &str) -> Result<bool, String> {
    match &*value.to_ascii_lowercase() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err(format!("'{value}' is not a valid Boolean value")),
    }
}

fn epoch(value: &str) -> Result<i64, String> {
    value.parse().map_err(|_| format!("Parameter is not a valid value for epoch seconds: {value}"))
}

/// One or two segments; empty ones do not count.
fn name(value: &str) -> Result<Option<String>, String> {
    if value.trim().is_empty() {
        return Ok(None);
    }
    let segments: Vec<&str> = value.split('/').filter(|segment| !segment.is_empty()).collect();
    if (1..=2).contains(&segments.len()) && segments.iter().all(|segment| legal_name(segment)) {
        return Ok(Some(segments.join("/")));
    }
    Err(format!("Parameter may be a 'simple' name or 'package-name/simple' name: {value}"))
}

/// Whether this may be the name of a namespace, package or action: it begins with a letter, digit or `_`, goes on with
/// these and `@ .&-`, and does not end with a space.
pub(crate) fn legal_name(name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.starts_with(word) && !name.ends_with(' ') && name.chars().all(|c| word(c) || "@ .&-".contains(c))
}
