//! `whiskjack status`: how far a forwarder has come, and what is owed to it. It reads the checkpoint where it is, and, for a deployed
//! action, also trigger, rule and alarm.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::component::Subject;
use crate::deploy::{self, DeployError, Names};
use crate::run::{Keeper, RunContext, Shim, Unseen};
use whiskjack_settings::calendar;

/// How far two clocks may be apart: as far as for the component, which corrects what is further ahead.
const SKEW_MS: u64 = 5 * 60_000;

/// The forwarder whose state is asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The parameters, if there are any; otherwise those of the deployed action.
    pub params: Option<Value>,
    /// The action that may be deployed.
    pub names: Names,
    /// Somebody has named it, so it must be there.
    pub is_named: bool,
    /// The longest lag that is fine.
    pub max_lag: Option<Duration>,
}

/// A state that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// The whole state: a JSON object without secrets.
    pub object: Map<String, Value>,
    /// The reason why a person should have a look; a sentence.
    pub problem: Option<String>,
}

/// A configuration that names nothing: what only says where the checkpoint is needs no more.
fn nothing() -> Value {
    json!({"actions": ["*"], "logstash": {"host": "localhost", "port": 5044}})
}

/// Reads the state. Must be called on a tokio runtime.
pub async fn status(shim: &Shim, asked: &Asked, context: &RunContext) -> Result<Status, Unseen> {
    let given = asked.params.clone();
    let doing = &context.attached.doing;
    doing.begin("the deployed action");
    let action = if let Keeper::File(_) = context.checkpoint {
        None
    } else {
        let params = given.clone().unwrap_or_else(|| json!({}));
        deploy::state(&asked.names, &params, context).await.map_err(unseen)?
    };
    if action.is_none() && asked.is_named {
        return Err(Unseen::Failed(format!(
            "--name {}: the API has no such action; name one that is deployed, or leave --name out for the state of the command",
            asked.names.action
        )));
    }
    doing.begin("the checkpoint");
    let mut context = context.clone();
    if action.is_some() {
        let namespace = context.namespace.as_deref().unwrap_or("_");
        context.action_name = Some(format!("/{namespace}/{}", asked.names.action));
    }
    let own = action.as_ref().map(|state| Value::Object(state.params.clone()));
    let params = given.or(own).unwrap_or_else(nothing);
    let sight = shim.sight(params, &context).map_err(|error| Unseen::Failed(error.to_string()))?;
    if !sight.faults.is_empty() {
        return Err(Unseen::Config(sight.faults.clone()));
    }
    let saved = sight.look(Subject::Checkpoint).await?;
    let action = action.map(|state| state.told);
    let action = action.and_then(|told| serde_json::from_str(&sight.clean(&told.to_string())).ok());
    let saved = by_runs(saved, action.as_ref());
    Ok(judged(saved, action, asked.max_lag))
}

/// What was saved, with what runs say that found nothing new since, and so wrote nothing.
fn by_runs(mut saved: Value, action: Option<&Value>) -> Value {
    let runs = action.and_then(|action| action.get("runs")?.as_array());
    let rested = runs.into_iter().flatten().find(|run| run.get("rested") == Some(&Value::Bool(true)));
    let Some((start, age)) = rested.and_then(|run| run.get("start").zip(run.get("age_ms"))) else {
        return saved;
    };
    // Both are times in the same form.
    let is_later =
        saved.get("saved").is_some_and(|at| at.as_str().is_some_and(|at| start.as_str() > Some(at)));
    let Some(told) = saved.as_object_mut().filter(|_| is_later) else { return saved };
    told.insert("rested".to_owned(), start.clone());
    told.insert("rests_ms".to_owned(), Value::Null);
    told.insert("lag_ms".to_owned(), age.clone());
    let sources = told.get_mut("sources").and_then(Value::as_array_mut).into_iter().flatten();
    let monitored = sources.filter_map(Value::as_object_mut).filter(|source| !source.contains_key("parked"));
    for source in monitored {
        source.insert("complete_until".to_owned(), start.clone());
        source.insert("lag_ms".to_owned(), age.clone());
    }
    saved
}

fn unseen(error: DeployError) -> Unseen {
    match error {
        DeployError::Config(faults) => Unseen::Config(faults),
        other => Unseen::Failed(other.to_string()),
    }
}

/// Whether it is as it should be: what can be read has been saved, and does not lag by more than is fine.
fn judged(saved: Value, action: Option<Value>, max_lag: Option<Duration>) -> Status {
    let place = saved.get("place").and_then(Value::as_str).unwrap_or_default();
    let time = |key: &str| saved.get(key).and_then(Value::as_u64).map(Duration::from_millis);
    // For so long runs may have found nothing, and written nothing.
    let (lag, rests) = (time("lag_ms"), time("rests_ms").unwrap_or_default());
    let nothing =
        || Some(format!("there is no checkpoint in {place}, so nothing was forwarded yet; let a run end"));
    let problem = match (saved.get("problem").and_then(Value::as_str), max_lag, lag) {
        (Some(problem), _, _) => Some(format!(
            "the checkpoint in {place} cannot be read: {problem}; repair it, or set `on_missing_state` for one run (docs/guarantees.md)"
        )),
        _ if saved.get("saved").is_none_or(Value::is_null) => nothing(),
        _ if let Some(ahead) = ahead(&saved) => Some(ahead),
        (None, Some(most), Some(lag)) if lag.saturating_sub(rests) > most => Some(format!(
            "the lag is {}, longer than {}; see what the last run says",
            words(lag),
            words(most)
        )),
        (None, Some(_), None) => nothing(),
        _ => None,
    };
    let object = Map::from_iter([
        ("ok".to_owned(), problem.is_none().into()),
        ("problem".to_owned(), json!(problem)),
        (
            "max_lag_ms".to_owned(),
            json!(max_lag.map(|most| u64::try_from(most.as_millis()).unwrap_or(u64::MAX))),
        ),
        ("checkpoint".to_owned(), saved),
        ("action".to_owned(), action.unwrap_or_default()),
    ]);
    Status { object, problem }
}

/// The first time of a checkpoint that is ahead of the clock, by more than clocks may be apart: then nothing tells how far the forwarder has come.
pub(crate) fn ahead(saved: &Value) -> Option<String> {
    let text = |value: &Value, key: &str| Some(value.get(key)?.as_str()?.to_owned());
    let now = text(saved, "now")?;
    let latest = milliseconds(&now)?.saturating_add(SKEW_MS);
    let sources = saved.get("sources").and_then(Value::as_array).into_iter().flatten();
    let until = sources.filter_map(|source| {
        let said = format!("everything of `{}` is done up to", text(source, "source")?);
        Some((said, text(source, "complete_until")?))
    });
    let times = text(saved, "saved").map(|time| ("it was saved at".to_owned(), time));
    let mut times = until.chain(times);
    let (said, time) = times.find(|(_, time)| milliseconds(time).is_some_and(|ms| ms > latest))?;
    Some(format!(
        "the checkpoint says that {said} {time}, which is in the future, as it is {now} now; set the clock right, or let a run correct the checkpoint"
    ))
}

/// A time as the component tells it, `2026-11-29T14:00:00.000Z`, in milliseconds since 1970.
fn milliseconds(time: &str) -> Option<u64> {
    let numbers = time.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    let numbers: Vec<u64> = numbers.map(str::parse).collect::<Result<_, _>>().ok()?;
    let [year, month, day, hour, minute, second, ms] = numbers.try_into().ok()?;
    let days = u64::try_from(calendar::day_of(year, month, day)).ok()?;
    let seconds = days.checked_mul(86_400)?.checked_add((hour * 60 + minute) * 60 + second)?;
    seconds.checked_mul(1000)?.checked_add(ms)
}

/// A length of time as people say it: its two largest units.
pub(crate) fn words(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min {} s", seconds % 60),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN_MINUTES: Option<Duration> = Some(Duration::from_secs(600));

    #[test]
    fn a_lag_is_a_problem_only_beyond_what_was_said_to_be_fine() {
        let saved = |lag_ms: u64| json!({"place": "the package `p`", "saved": "2023", "lag_ms": lag_ms});
        assert_eq!(judged(saved(600_000), None, TEN_MINUTES).problem, None);
        let late = judged(saved(660_000), None, TEN_MINUTES);
        assert_eq!(
            late.problem.as_deref(),
            Some("the lag is 11 min 0 s, longer than 10 min 0 s; see what the last run says")
        );
        assert_eq!(late.object["ok"], false);
        assert_eq!(judged(saved(u64::MAX), None, None).problem, None);
    }

    #[test]
    fn runs_that_may_have_found_nothing_are_no_lag_and_those_that_are_known_to_tell_what_it_is() {
        let saved = |lag_ms: u64| {
            json!({"place": "the package `p`", "saved": "2023-11-14T22:13:20.000Z", "lag_ms": lag_ms, "rests_ms": 170_000, "sources": [
                {"source": "a", "complete_until": "2023-11-14T22:13:20.000Z", "lag_ms": lag_ms},
                {"source": "b", "complete_until": "2023-11-14T21:13:20.000Z", "lag_ms": 3_600_000, "parked": true},
            ]})
        };
        assert_eq!(judged(saved(770_000), None, TEN_MINUTES).problem, None);
        assert!(judged(saved(771_000), None, TEN_MINUTES).problem.is_some());

        let run = |start: &str, rested: bool| json!({"start": start, "age_ms": 5_000, "rested": rested});
        let action = |runs: Vec<Value>| json!({"runs": runs});
        let later = "2023-11-14T22:15:20.000Z";
        let told = by_runs(saved(125_000), Some(&action(vec![run("x", false), run(later, true)])));
        assert_eq!(
            (&told["rested"], &told["lag_ms"], &told["rests_ms"]),
            (&json!(later), &json!(5_000), &Value::Null)
        );
        let sources = &told["sources"];
        assert_eq!((&sources[0]["complete_until"], &sources[0]["lag_ms"]), (&json!(later), &json!(5_000)));
        assert_eq!(sources[1]["lag_ms"], 3_600_000, "nobody asks for that any more");
        let earlier = action(vec![run("2023-11-14T22:12:20.000Z", true)]);
        assert_eq!(by_runs(saved(5), Some(&earlier)), saved(5), "what was saved since counts");
        assert_eq!(by_runs(saved(5), Some(&action(vec![run(later, false)]))), saved(5));
        assert_eq!(by_runs(saved(5), None), saved(5));
    }

    #[test]
    fn what_was_never_saved_lags_and_what_cannot_be_read_is_a_problem_in_any_case() {
        let none = json!({"place": "the package `p`"});
        assert!(
            judged(none.clone(), None, TEN_MINUTES)
                .problem
                .unwrap()
                .contains("no checkpoint in the package `p`")
        );
        assert!(judged(none, None, None).problem.unwrap().contains("no checkpoint in the package `p`"));
        let damaged = json!({"place": "the package `p`", "problem": "it is damaged"});
        assert!(
            judged(damaged, None, None)
                .problem
                .unwrap()
                .contains("cannot be read: it is damaged; repair it, or ")
        );
    }

    #[test]
    fn a_checkpoint_is_ahead_of_the_clock_if_a_time_of_it_is_by_more_than_five_minutes() {
        let saved = |saved: &str, until: &str| {
            json!({"now": "2026-11-30T23:57:00.000Z", "saved": saved, "lag_ms": 0,
                "sources": [{"source": "a", "complete_until": until}]})
        };
        let (now, tomorrow) = ("2026-11-30T23:57:00.000Z", "2026-12-01T23:57:00.000Z");
        let near = "2026-12-01T00:02:00.000Z";
        for fine in [saved(now, now), saved(near, near), json!({"place": "p"})] {
            assert_eq!(ahead(&fine), None, "{fine}");
        }
        let told = |saved| judged(saved, None, TEN_MINUTES).problem.unwrap();
        let until = told(saved(now, tomorrow));
        assert!(
            until.starts_with("the checkpoint says that everything of `a` is done up to 2026-12-01"),
            "{until}"
        );
        assert!(
            told(saved(tomorrow, now)).starts_with("the checkpoint says that it was saved at 2026-12-01")
        );
        assert!(ahead(&saved("2026-12-01T00:02:00.001Z", now)).is_some());
    }

    #[test]
    fn times_are_told_in_their_two_largest_units() {
        for (seconds, said) in
            [(0, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (3660, "1 h 1 min"), (90_000, "1 d 1 h")]
        {
            assert_eq!(words(Duration::from_secs(seconds)), said);
        }
    }
}
