//! The platform's own actions beside running user actions: notices that it adds to logs, its limits and whether it tells them, and log
//! lines that move from the records to a store of their own, and back.
//!
//! It has random numbers of its own, apart from those of other trouble: a world without it is the same as before this module existed.

use super::endless;
use super::faults::FOREIGN;
use super::ports::Sim;
use super::random::{Random, mixed};
use super::record::{Kind, LogsAt, Record};
use super::settings::{Settings, Store};
use super::trouble::{Event, Trouble};

const MINUTE: u64 = 60_000;
const DAY: u64 = 24 * 60 * MINUTE;
/// How long after its end the lines of an activation may take into their store.
const SETTLING_MS: u64 = 100_000;

/// What a world's platform does.
#[derive(Debug, Clone, Default)]
pub struct Platform {
    /// Of a thousand records with lines, so many begin with a notice of the platform, and so many of those without hold nothing else.
    pub notices: u64,
    /// So is the newest record of each action that the first run sees.
    pub first_is_notice: bool,
    /// Where lines are from these times on, in the order of time.
    pub moves: Vec<(u64, LogsAt)>,
    /// Times during which the limits cannot be had.
    pub untold: Vec<(u64, u64)>,
    /// Nobody runs anything for so long, from this time on.
    pub pause: Option<(u64, u64)>,
    /// So many of a thousand records take as long to become visible as the limits allow.
    pub longest: u64,
    /// So many of a thousand records print nothing.
    pub silent: u64,
    /// Of a thousand questions for a package, so many are answered by a gateway that knows of none.
    pub strange: u64,
    /// Runs have no deadline.
    pub endless: bool,
    /// During this time nobody says where lines are.
    pub logs_down: Option<(u64, u64)>,
}

impl Platform {
    /// Draws what the platform does, and makes the world's settings fit.
    pub fn new(luck: &Random, settings: &mut Settings, trouble: &mut Trouble) -> Self {
        let mut platform = Self::default();
        let few = !settings.heavy && !settings.punctual;
        let kind = |per_mille: u64| few && luck.chance(per_mille);
        if kind(110) && settings.logs != LogsAt::Nowhere {
            platform.move_logs(luck, settings, trouble);
        } else if kind(200) {
            platform.limit(luck, settings);
            // Which look-back an action has that was not monitored all the time is not asked here.
            let changes =
                |event: &Event| matches!(event, Event::Actions(..) | Event::Toggle(_) | Event::Restore);
            trouble.events.retain(|(_, event)| !changes(event));
        }
        if kind(120) || settings.logs == LogsAt::Api && kind(400) {
            platform.notices = luck.pick(&[50, 200, 700]);
            platform.first_is_notice = luck.chance(600);
        }
        if kind(25) && trouble.lines_per_second.is_none() {
            // A receiver that needs more than a run for one record.
            trouble.lines_per_second = Some(luck.pick(&[300, 700]));
            settings.clean = false;
        }
        if settings.store == Store::Package && kind(80) {
            platform.strange = 100;
            settings.clean = false;
        }
        platform.endless = endless::draw(luck, settings);
        // A chance of its own once more.
        let luck = Random::new(mixed(settings.end));
        if few && luck.chance(150) && settings.logs != LogsAt::Nowhere {
            // Lines often move just then.
            let moved = platform.moves.first().map(|(time, _)| *time).filter(|_| luck.chance(700));
            let since = moved.unwrap_or_else(|| luck.between(settings.begin, settings.end));
            let length = luck.heavy(3, 60) * settings.interval_ms;
            let upto = since
                + if moved.is_some() {
                    length + luck.between(1, 3) * settings.lookback_ms(0)
                } else {
                    length
                };
            platform.logs_down = Some((since, upto.min(settings.end)));
            settings.clean = false;
        }
        platform
    }

    /// Lines move to a store of their own at some time, and back at another. The configuration says what is true for all of them.
    fn move_logs(&mut self, luck: &Random, settings: &mut Settings, trouble: &mut Trouble) {
        let mut times: Vec<u64> =
            (0..luck.between(1, 3)).map(|_| luck.between(settings.begin, settings.end)).collect();
        times.sort_unstable();
        let mut at = luck.pick(&[LogsAt::Record, LogsAt::Record, LogsAt::Api]);
        settings.logs = at;
        for time in times {
            at = if at == LogsAt::Api { LogsAt::Record } else { LogsAt::Api };
            self.moves.push((time, at));
        }
        settings.logs_parameter = luck.pick(&["auto", "auto", "auto", "api"]);
        trouble.events.retain(|(_, event)| *event != Event::Logs("record"));
        // What was taken for done under a wrong belief comes again with its notice; what has left the look-back by then does not.
        settings.clean = false;
        settings.lookback_minutes = settings.lookback_minutes.max(15);
        self.silent = luck.pick(&[0, 300, 700]);
    }

    /// The platform tells its limits, but not always.
    fn limit(&mut self, luck: &Random, settings: &mut Settings) {
        settings.limits_tell = true;
        settings.lookback_minutes = luck.pick(&[5, 30, 60]);
        settings.longer_lookback = (settings.begin, 0);
        // Where counts may be equal by chance and as of long ago, the look-back promises less.
        let never_current = settings.stale && settings.index_step_ms > 0;
        self.longest = if never_current && settings.early_deletions { 0 } else { 100 };
        let runs = |luck: &Random| luck.heavy(3, 30) * settings.interval_ms;
        if luck.chance(500) {
            let until = settings.begin + runs(luck);
            self.untold.push((0, until));
            // They fall while nobody tells them, and a run has asked.
            let asked = settings.begin + settings.interval_ms + MINUTE;
            let is_asked = settings.missing + settings.kills == 0 && settings.api_down.is_empty();
            if luck.chance(700) && is_asked && asked < until {
                settings.earlier_lookback = (luck.between(asked, until), luck.pick(&[30, 60]));
            }
        } else if luck.chance(500) {
            let rise = luck.between(settings.begin, settings.end);
            settings.longer_lookback = (rise, luck.pick(&[30, 60]));
        }
        if luck.chance(400) {
            // A day later they are asked for again, in the middle of what is left of the world.
            let since = luck.between(settings.begin, settings.end);
            let half = (settings.end - since) / 2;
            let ms = DAY - (since - settings.begin) - half;
            self.pause = Some((since, ms));
            settings.end += ms;
            let due = settings.begin + DAY;
            if luck.chance(600) {
                settings.earlier_lookback = (due, luck.pick(&[5, 30, 60]));
            }
            if luck.chance(500) {
                self.untold.push((due, due + runs(luck)));
            }
        }
    }

    /// Lets the day pass: whatever comes after its begin, comes a day later.
    pub fn pause(&self, settings: &mut Settings, trouble: &mut Trouble, records: &mut [Record]) {
        let Some((since, ms)) = self.pause else { return };
        let later = |time: &mut u64| {
            if *time >= since && *time < u64::MAX - ms {
                *time += ms;
            }
        };
        for record in records.iter_mut().filter(|record| record.start >= since) {
            let Record { start, end, visible, logs_at, deleted, .. } = record;
            [start, end, visible, logs_at, deleted].into_iter().for_each(later);
            record.poison.iter_mut().for_each(|poison| later(&mut poison.until));
        }
        let times =
            settings.api_down.iter_mut().chain(&mut settings.receiver_down).chain(&mut trouble.gateway);
        times
            .filter(|(begin, _)| *begin >= since)
            .for_each(|(begin, end)| [begin, end].into_iter().for_each(later));
        trouble.events.iter_mut().for_each(|(time, _)| later(time));
    }

    /// Gives records what this platform's records have.
    pub fn spoil(&self, luck: &Random, settings: &Settings, records: &mut [Record]) {
        for record in records.iter_mut() {
            record.at = self.logs_at(record.end, settings);
            record.padded = record.at == LogsAt::Record;
        }
        let plain =
            |record: &Record| record.kind == Kind::Action && settings.chosen.contains(&record.key.as_str());
        for record in records.iter_mut().filter(|record| plain(record)) {
            if luck.chance(self.longest) && record.has_lines() {
                let most = settings.lookback_ms(record.start) - settings.margin_ms();
                record.visible = (record.start + luck.between(most / 2, most)).max(record.visible);
                record.logs_at = record.visible;
                record.deleted = u64::MAX;
            }
            if !self.moves.is_empty() {
                record.logs_at = record.logs_at.min(record.end + SETTLING_MS).max(record.visible);
            }
            if luck.chance(self.silent) {
                record.lines = 0;
            }
            if luck.chance(self.notices) {
                record.begin_with_notice();
            }
        }
        if self.first_is_notice {
            for name in &settings.chosen {
                let seen = |record: &&mut Record| plain(record) && record.key == *name;
                let there = |record: &&mut Record| {
                    record.is_visible(settings.begin)
                        && record.logs_at <= settings.begin
                        && record.has_lines()
                };
                let first = records.iter_mut().filter(seen).filter(there).max_by_key(|record| record.start);
                first.into_iter().for_each(|record| record.begin_with_notice());
            }
        }
    }

    /// Where the lines are of what ends at this time.
    fn logs_at(&self, end: u64, settings: &Settings) -> LogsAt {
        self.moves.iter().rfind(|(time, _)| *time <= end).map_or(settings.logs, |(_, at)| *at)
    }

    /// Whether nobody runs anything, and until when.
    pub fn paused(&self, now: u64) -> Option<u64> {
        self.pause.filter(|(since, ms)| (*since..since + ms).contains(&now)).map(|(since, ms)| since + ms)
    }
}

/// What is said in place of the limits, if they are not to be had now.
pub fn silence(sim: &Sim) -> Option<(u16, &'static str)> {
    let now = sim.now.get();
    let untold = &sim.world.platform.untold;
    let (since, _) = untold.iter().find(|(since, upto)| (*since..=*upto).contains(&now))?;
    sim.met.note(if *since == 0 { "no-limits-at-first" } else { "no-limits-later" });
    let own = [(
        500,
        r#"{"error":"There was an internal server error.","code":"k3FvVvZNgzJXEJTRtGcVvZ6cGrKzYlfH"}"#,
    )];
    Some(if sim.luck.chance(300) { own[0] } else { sim.luck.pick(FOREIGN) })
}

/// Whether nobody says now where lines are.
pub fn logs_are_down(sim: &Sim) -> bool {
    let now = sim.now.get();
    let down = sim.world.platform.logs_down.is_some_and(|(since, upto)| (since..upto).contains(&now));
    if down {
        sim.met.note("logs-down");
    }
    down && !sim.quiet.get()
}

/// What is said in place of a package, if anything.
pub fn stranger(sim: &Sim) -> Option<(u16, &'static str)> {
    let strange = sim.world.platform.strange;
    (!sim.quiet.get() && strange > 0 && sim.luck.chance(strange)).then(|| {
        sim.met.note("foreign-package");
        FOREIGN[sim.luck.below(4) as usize]
    })
}

/// Notes what there is of this, when the lines of a record are asked for, or a page shows it.
pub fn note(sim: &Sim, record: &Record) {
    let Platform { first_is_notice, moves, .. } = &sim.world.platform;
    if record.notice && record.at != LogsAt::Record {
        let first = *first_is_notice && sim.now.get() < sim.world.settings.begin + MINUTE;
        sim.met.note(if first { "notice-first" } else { "notice" });
        if record.lines == 1 {
            sim.met.note("notice-only");
        }
    }
    if moves.iter().any(|(time, _)| *time <= record.end) {
        sim.met.note(if record.at == LogsAt::Api { "logs-moved" } else { "logs-moved-back" });
    }
}

/// A notice as the platform writes it into the record `id`, at `time`.
pub fn notice(id: u128, time: &str) -> String {
    match mixed(id as u64) % 3 {
        0 => format!(
            "{time} stderr: Logs were truncated because the total bytes size exceeds the limit of 10485760 bytes."
        ),
        1 => format!(
            "{time} stderr: The action did not initialize or run as expected. Log data might be missing."
        ),
        _ => "There was an issue while collecting your logs. Data might be missing.".into(),
    }
}

/// Whether the store of its own shows the notice of a record too.
pub fn is_in_store(id: u128) -> bool {
    mixed(!id as u64).is_multiple_of(2)
}
