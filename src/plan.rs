//! Planning a run: where it goes on, what it has to do, and until when.

mod load;
mod names;
mod quiet;
mod share;

use crate::api::{Api, Question};
use crate::checkpoint::{Checkpoint, Held, LogPlace, MOST_IDS, Owed, OwedRecord, Part, package_of};
use crate::config::{Config, Fault, Faults, LogLevel, Origin, Output, api_key};
use crate::ports::{Failure, Ports};
use crate::range::Range;
use crate::record::Summary;
use crate::source::{Action, Entry, NAMESPACE, Selection, Source};
use load::{Loaded, Loader};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Where a run takes place, as far as the core needs to know.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// The API, as the platform names it.
    pub api_host: Option<String>,
    /// Whether requests can be authorized at all.
    pub authorized: bool,
    /// The forwarder itself, if it runs as an action.
    pub own_action: Option<OwnAction>,
    /// When the host ends the run, milliseconds since 1970.
    pub deadline_ms: Option<u64>,
    /// Who keeps the checkpoint.
    pub keeper: Keeper,
}

/// The forwarder as an action.
#[derive(Debug, Clone)]
pub struct OwnAction {
    /// Its full name, `/namespace/[package/]action`.
    pub name: String,
    /// The activation that the run is part of.
    pub activation: Option<String>,
}

/// Who keeps the checkpoint.
#[derive(Debug, Clone, Default)]
pub enum Keeper {
    /// The platform.
    #[default]
    Platform,
    /// The host, and what it kept.
    Host(Option<Vec<u8>>),
}

/// A run thought through. It goes from instance to instance.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// Where the lines go, and how.
    pub output: Output,
    /// Where the checkpoint goes.
    pub store: Keep,
    /// How far back to look for late records, in milliseconds.
    pub lookback_ms: u64,
    /// Where log lines are, as configured or as earlier runs learned.
    pub logs: LogPlace,
    /// Whether the configuration says so: then nothing is learned.
    pub logs_configured: bool,
    /// How much to log.
    pub log_level: LogLevel,
    /// What the checkpoint said.
    #[serde(with = "crate::handover::as_json")]
    pub checkpoint: Checkpoint,
    /// What the whole namespace's source chooses, if there is one: the entries of `actions`.
    pub selection: Vec<String>,
    /// What is to be done, by source.
    pub work: BTreeMap<String, Vec<Owed>>,
    /// What of that is done already, as there is nothing in it.
    pub settled: BTreeMap<String, Vec<Owed>>,
    /// What was counted of it, by source: ranges of new activations, cut so that workers can share them.
    pub counted: BTreeMap<String, Vec<Counted>>,
    /// When that was, milliseconds since 1970.
    pub counted_ms: u64,
    /// When the run began, milliseconds since 1970; new activations are those up to here.
    pub began_ms: u64,
    /// When to stop fetching and sending, so that there is time to save the checkpoint.
    pub stop_ms: u64,
    /// When everything must be over.
    pub deadline_ms: u64,
    /// What the report shall mention.
    pub warnings: Vec<String>,
    /// Why this run does nothing: another one is at work.
    pub skipped: Option<String>,
    /// Whether there will be an activation record of this run, from which the next one can read.
    pub recorded: bool,
    /// So many ids of what it has done a slice and its rests hand back at most; digests stand for the others.
    pub most_ids: usize,
    /// Requests to the API so far.
    pub requests: u64,
}

/// Where the checkpoint goes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Keep {
    /// To an annotation of a package; or, if that is refused, to the result.
    Package(Held),
    /// To the result, and so to the forwarder's own activation record.
    Records,
    /// Back to the host.
    Host,
}

/// A range of new activations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// Their starts.
    pub range: Range,
    /// How many there are, if the API said so. There may be more by now.
    pub count: Option<u64>,
}

/// A unit of work: a part of a source's work that depends on no other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// The source, as configured.
    pub source: String,
    /// Its place in the plan: workers that share the load begin with the receiver that this number chooses.
    pub lane: usize,
    /// Which activations, and how to find them.
    pub owed: Owed,
    /// How many activations the API counted in the range when the run was planned, if it did.
    pub count: Option<u64>,
    /// Whether it is the rest of another slice of this run.
    pub continued: bool,
    /// Activations in the range that earlier slices of this run have done.
    pub done: Vec<Summary>,
    /// Ranges of which earlier slices of this run have done all or some again, as only a digest of them was known.
    pub renewed: Vec<Range>,
    /// How many ids earlier slices of this run have handed back.
    pub handed_back: usize,
    /// Records that are owed by themselves. They are gone on with when the range is at its end; with [`Part::Record`] they are all that there is to do.
    #[serde(with = "crate::handover::as_json")]
    pub records: Vec<OwedRecord>,
}

/// Why a run cannot be planned.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The configuration, or what the platform lacks.
    #[error("{0}")]
    Config(#[from] Faults),
    /// The API.
    #[error("{0}")]
    Api(Failure),
    /// The checkpoint.
    #[error("{0}")]
    Checkpoint(Failure),
}

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

/// Reads the checkpoint and lists the work.
pub fn plan(config: &Config, context: &Context, ports: Ports<'_>) -> Result<Plan, PlanError> {
    let began_ms = ports.clock.now_ms();
    config.check_clock(began_ms)?;
    let deadline_ms = context.deadline_ms.unwrap_or(u64::MAX);
    let stop_ms = stop(began_ms, deadline_ms);
    let api = Api::new(ports, stop_ms);
    let warnings = config.warnings.clone();
    let mut loader = Loader {
        config,
        context,
        ports,
        api: &api,
        now_ms: began_ms,
        stop_ms,
        warnings,
        records: None,
        platform: None,
        requests: 0,
    };
    if loader.reads_package() {
        let name = package_name(config, context);
        let filter = config.sources.first().and_then(Source::filter);
        let refresh = Range::new(began_ms, began_ms).map(|range| Question::Count(filter.as_deref(), range));
        api.ask_ahead([Question::Package(&name)].into_iter().chain(refresh));
    }
    let mut loaded = loader.load()?;
    if config.logs.unwrap_or(loaded.checkpoint.platform.logs(began_ms)) == LogPlace::Api {
        loaded.checkpoint.undo_doubtful();
    }
    let lookback =
        |checkpoint: &Checkpoint| config.lookback_ms.unwrap_or(checkpoint.platform.lookback_ms(began_ms));
    let (mut work, mut settled, mut counted) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    if loaded.occupied.is_none() {
        refresh_index(&api, config, began_ms).map_err(PlanError::Api)?;
        let ask = |checkpoint: &Checkpoint| {
            let lookback_ms = lookback(checkpoint);
            let work = all_work(config, checkpoint, began_ms, lookback_ms);
            let recent = began_ms.saturating_sub(lookback_ms);
            let asked = quiet::ask(&api, config, checkpoint, &work, [recent, began_ms, lookback_ms]);
            (work, asked, recent)
        };
        // The counts are on their way while the lease is written.
        let mut begun = ask(&loaded.checkpoint);
        if loader.take_lease(&mut loaded)? {
            begun = ask(&loaded.checkpoint);
        }
        if loaded.occupied.is_none() {
            let (all, asked, recent) = begun;
            let quiet = asked.answers(&api);
            counted = share::pieces(&api, config, &all, &quiet, recent);
            let is_silent = |name: &str| {
                let done = quiet.settled.get(name).map_or(&[][..], Vec::as_slice);
                let is_empty = |owed: &Owed| {
                    done.contains(owed) || quiet.new.get(&(name.to_owned(), owed.range)) == Some(&0)
                };
                all.get(name)
                    .is_some_and(|all| all.iter().all(|owed| owed.part != Part::Fresh || is_empty(owed)))
            };
            let strays = names::warnings(&api, config, &mut loaded.checkpoint, is_silent, began_ms);
            loader.warnings.extend(strays);
            (work, settled) = (all, quiet.settled);
        }
    }
    let Loaded { keep, checkpoint, occupied, .. } = loaded;
    let lookback_ms = lookback(&checkpoint);
    let pieces = config.sources.len().max(counted.values().map(Vec::len).sum());
    Ok(Plan {
        output: config.output.clone(),
        store: keep,
        lookback_ms,
        logs: config.logs.unwrap_or(checkpoint.platform.logs(began_ms)),
        logs_configured: config.logs.is_some(),
        log_level: config.log_level,
        checkpoint,
        selection: config.sources.iter().flat_map(Source::entries).collect(),
        work,
        settled,
        counted,
        counted_ms: ports.clock.now_ms(),
        began_ms,
        stop_ms,
        deadline_ms,
        skipped: occupied.map(|lease| lease.describe()),
        recorded: context.own_action.is_some(),
        most_ids: (MOST_IDS / pieces.max(1)).max(FEWEST_IDS),
        requests: api.requests() + loader.requests,
        warnings: loader.warnings,
    })
}

fn all_work(
    config: &Config,
    checkpoint: &Checkpoint,
    now_ms: u64,
    lookback_ms: u64,
) -> BTreeMap<String, Vec<Owed>> {
    let names = config.sources.iter().map(Source::name);
    let work = |name: &String| {
        let state = checkpoint.sources.get(name);
        state.map(|state| state.work(now_ms, lookback_ms)).unwrap_or_default()
    };
    names.map(|name| (name.clone(), work(&name))).collect()
}

/// Asks for a count and forgets it: list and count may show the index as of the question before, which can be hours old, and only then
/// bring it up to date (facts/openwhisk.md 1.7). What is asked from now on shows what was visible when the run began.
fn refresh_index(api: &Api<'_>, config: &Config, now_ms: u64) -> Result<(), Failure> {
    let Some(now) = Range::new(now_ms, now_ms) else { return Ok(()) };
    let mut refused = None;
    for source in &config.sources {
        match api.refresh(source.filter().as_deref(), now) {
            Ok(()) => return Ok(()),
            // One action's trouble is not that of the others.
            Err(failure) => refused.get_or_insert(failure),
        };
    }
    refused.map_or(Ok(()), Err)
}

impl Context {
    fn own_name(&self) -> Option<&str> {
        self.own_action.as_ref().map(|own| own.name.as_str())
    }
}

impl From<&str> for OwnAction {
    fn from(name: &str) -> Self {
        Self { name: name.into(), activation: None }
    }
}

impl Plan {
    /// The source of that name.
    pub fn source(&self, name: &str) -> Option<Source> {
        if name != NAMESPACE {
            return Action::parse(name).ok().map(Source::Action);
        }
        let entries: Result<Vec<Entry>, String> =
            self.selection.iter().map(|entry| Entry::parse(entry)).collect();
        entries.ok().map(|entries| Source::Namespace(Selection::new(entries, None)))
    }

    /// All slices, most urgent first: new activations of every source, then late ones, then single records and the backlog.
    pub fn slices(&self) -> Vec<Slice> {
        let mut slices: Vec<Slice> = Vec::new();
        let least_urgent = self.work.values().map(Vec::len).max().unwrap_or_default();
        for urgency in 0..least_urgent.max(BACKLOG + 1) {
            if urgency == BACKLOG {
                for slice in self.records() {
                    slices.push(Slice { lane: slices.len(), ..slice });
                }
            }
            let open = self.work.iter().filter_map(|(source, work)| {
                let settled = self.settled.get(source).map_or(&[][..], Vec::as_slice);
                let owed = work.get(urgency).filter(|owed| !settled.contains(owed))?;
                Some((source, owed.part, self.pieces(source, *owed)))
            });
            let open: Vec<(&String, Part, Vec<Counted>)> = open.collect();
            // The newest of every source first, then what is before that.
            let most = open.iter().map(|(_, _, pieces)| pieces.len()).max().unwrap_or_default();
            for place in 0..most {
                for (source, part, pieces) in &open {
                    slices.extend(pieces.get(place).map(|Counted { range, count }| Slice {
                        lane: slices.len(),
                        count: *count,
                        ..Slice::new((*source).clone(), Owed { range: *range, part: *part })
                    }));
                }
            }
        }
        slices
    }

    /// A slice for each record that is owed by itself.
    fn records(&self) -> impl Iterator<Item = Slice> {
        let states =
            self.work.keys().filter_map(|source| Some((source, self.checkpoint.sources.get(source)?)));
        states.flat_map(|(source, state)| {
            let newest_first = state.records.iter().rev();
            newest_first.filter_map(|record| Slice::of_records(source.clone(), vec![record.clone()]))
        })
    }

    /// A part of the work in its pieces, newest first.
    fn pieces(&self, source: &str, Owed { range, part }: Owed) -> Vec<Counted> {
        let counted = self.counted.get(source).into_iter().flatten();
        let pieces: Vec<Counted> =
            counted.filter(|piece| part == Part::Fresh && range.overlaps(piece.range)).copied().collect();
        if pieces.is_empty() { vec![Counted { range, count: None }] } else { pieces }
    }
}

impl Slice {
    /// A slice that no other came before.
    pub fn new(source: String, owed: Owed) -> Self {
        Self {
            source,
            lane: 0,
            owed,
            count: None,
            continued: false,
            done: Vec::new(),
            renewed: Vec::new(),
            handed_back: 0,
            records: Vec::new(),
        }
    }

    /// A slice of records that are owed by themselves, of which there must be one.
    pub fn of_records(source: String, records: Vec<OwedRecord>) -> Option<Self> {
        let start = records.first()?.start;
        let range = Range::new(start, start)?;
        Some(Self { records, ..Self::new(source, Owed { range, part: Part::Record }) })
    }
}

/// Place of the backlog in the work of a source that has something new and a look-back.
const BACKLOG: usize = 2;

/// Even with very many sources each hands back so many ids: what a quiet one has done in a minute or two.
const FEWEST_IDS: usize = 256;

/// A tenth of the time, but between half a second and five, is left for the checkpoint.
fn stop(now_ms: u64, deadline_ms: u64) -> u64 {
    let left = deadline_ms.saturating_sub(now_ms);
    deadline_ms.saturating_sub((left / 10).clamp(500, 5000))
}

/// The package that holds the checkpoint, unless the records or the host do.
fn package_name(config: &Config, context: &Context) -> String {
    config.package.clone().unwrap_or_else(|| package_of(own_path(context)))
}

/// Packages that may hold the checkpoint if the one of today does not exist: the one that is not configured, and that of earlier forwarders,
/// whose names were not always different.
fn former_package_names(config: &Config, context: &Context) -> Vec<String> {
    let today = package_name(config, context);
    let own = own_path(context);
    let earlier = format!("whiskjack.{}", own.unwrap_or("cli").replace('/', "."));
    let mut names = vec![package_of(own), earlier];
    names.dedup();
    names.retain(|name| *name != today);
    names
}

/// The forwarder's own name without its namespace.
fn own_path(context: &Context) -> Option<&str> {
    context.own_name()?.trim_start_matches('/').split_once('/').map(|(_, path)| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMS: &[u8] = br#"{"actions":["a"],"logstash":{"host":"h","port":1}}"#;

    fn context() -> Context {
        Context {
            api_host: Some("https://api:443".into()),
            authorized: true,
            own_action: Some("/guest/fwd".into()),
            ..Context::default()
        }
    }

    #[test]
    fn a_missing_key_is_reported_with_its_remedy_beside_the_faults_of_the_configuration() {
        let faults = configure(b"{}", &Context { authorized: false, ..context() }).unwrap_err();
        let text = faults.to_string();
        assert!(text.contains("wsk action update /guest/fwd --annotation provide-api-key true"), "{text}");
        assert!(text.contains("actions: ") && text.contains("logstash: "), "{text}");
    }

    #[test]
    fn a_key_counts_without_what_is_around_it_and_what_is_not_one_is_a_fault_before_any_request() {
        let mut unauthorized = Context { authorized: false, ..context() };
        for text in ["u:sesame", "u:sesame\n", "\"u:sesame\"\r\n"] {
            let (_, _, key) = configure_with_key(PARAMS, &mut unauthorized, text).unwrap();
            assert_eq!(key, "u:sesame", "{text:?}");
        }
        let faults = configure_with_key(PARAMS, &mut unauthorized, "sesame").unwrap_err().to_string();
        assert!(faults.starts_with("__OW_API_KEY: the API key is not of the form"), "{faults}");
        assert!(!faults.contains("sesame"), "{faults}");
        let faults = configure_with_key(PARAMS, &mut unauthorized, "").unwrap_err().to_string();
        assert!(faults.contains("provide-api-key"), "{faults}");
    }

    #[test]
    fn a_configuration_may_begin_with_a_byte_order_mark_and_its_texts_too() {
        let params = "\u{feff}{\"actions\":[\"\u{feff}a\\r\\n\"],\r\n\"logstash\":{\"host\":\"\\ufeffh\\r\\n\",\"port\":1}}\r\n";
        let (config, _) = configure(params.as_bytes(), &context()).unwrap();
        assert_eq!(config.sources[0].name(), "a");
        assert_eq!(config.output.receivers[0].host, "h");
    }

    #[test]
    fn the_configured_api_comes_before_that_of_the_platform_and_one_is_needed() {
        let named = br#"{"actions":["a"],"logstash":{"host":"h","port":1},"api":{"host":"other"}}"#;
        assert_eq!(configure(PARAMS, &context()).unwrap().1.to_string(), "https://api:443");
        assert_eq!(configure(named, &context()).unwrap().1.to_string(), "https://other");
        let faults = configure(PARAMS, &Context { api_host: None, ..context() }).unwrap_err();
        assert!(faults.to_string().contains("api.host"), "{faults}");
    }

    #[test]
    fn an_api_without_tls_is_a_warning_as_one_without_verification_is() {
        let warnings = |host: &str| {
            let context = Context { api_host: Some(host.into()), ..context() };
            configure(PARAMS, &context).unwrap().0.warnings
        };
        assert_eq!(
            warnings("http://172.17.0.1:3233"),
            [
                "the API is asked in the clear (http://172.17.0.1:3233): anybody between here and the API can take the API key"
            ]
        );
        assert!(warnings("http://127.0.0.1:3233").is_empty() && warnings("https://172.17.0.1").is_empty());
    }

    #[test]
    fn time_is_kept_back_for_the_checkpoint() {
        assert_eq!(stop(0, 60_000), 55_000);
        assert_eq!(stop(0, 2_000), 1_500);
        assert_eq!(stop(0, 20_000), 18_000);
    }

    #[test]
    fn the_package_is_named_by_the_configuration_or_after_the_action() {
        let (config, _) = configure(PARAMS, &context()).unwrap();
        let of = |config: &Config, own: Option<&str>| {
            let own_action = own.map(|name| OwnAction { name: name.into(), activation: None });
            package_name(config, &Context { own_action, ..context() })
        };
        assert_eq!(of(&config, None), "whiskjack.cli");
        assert_eq!(of(&config, Some("/guest/tools/fwd")), "whiskjack.tools@fwd");
        assert_eq!(of(&Config { package: Some("logs".into()), ..config }, Some("/guest/fwd")), "logs");
    }

    #[test]
    fn packages_of_earlier_forwarders_are_known() {
        let (config, _) = configure(PARAMS, &context()).unwrap();
        let of = |config: &Config, name: &str| {
            former_package_names(config, &Context { own_action: Some(name.into()), ..context() })
        };
        assert_eq!(of(&config, "/guest/fwd"), Vec::<String>::new());
        assert_eq!(of(&config, "/guest/tools/fwd"), ["whiskjack.tools.fwd"]);
        assert_eq!(of(&config, "/guest/cli"), ["whiskjack.cli"]);
        let chosen = Config { package: Some("logs".into()), ..config };
        assert_eq!(of(&chosen, "/guest/a/b"), ["whiskjack.a@b", "whiskjack.a.b"]);
    }
}
