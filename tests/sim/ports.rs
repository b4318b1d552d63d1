//! One run's ports: every call takes time, and at any call the run may be killed or another one may come in between.

use super::between::{Configured, Newer};
use super::containers::Containers;
use super::demand::Demands;
use super::driver;
use super::endless;
use super::index::Index;
use super::package::Packages;
use super::random::Random;
use super::receiver::Arrived;
use super::record::Record;
use super::settings::Store;
use super::store::Kept;
use super::trouble::Met;
use super::world::World;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::io::Write;
use std::rc::{Rc, Weak};
use whiskjack::ports::{Clock, Ports};

/// Everything outside the forwarder.
#[derive(Debug)]
pub struct Sim {
    pub world: World,
    pub random: Random,
    /// Chance of the trouble, apart from that of all else.
    pub luck: Random,
    pub met: Met,
    /// The parameters as they are now.
    pub config: RefCell<Configured>,
    /// Names that were ever monitored.
    pub wanted: RefCell<BTreeSet<&'static str>>,
    pub packages: RefCell<Packages>,
    /// JSON of records that are large, by id.
    pub large: RefCell<HashMap<u128, Vec<u8>>>,
    /// When the receiver will have worked through what it was sent.
    pub busy_until: Cell<u64>,
    /// When the run at hand began.
    pub began: Cell<u64>,
    /// What a newer program left behind, as long as it is there.
    pub newer: RefCell<Option<Newer>>,
    /// Name of the forwarder's own action, and of its receiver.
    pub own_name: Cell<&'static str>,
    pub receiver: Cell<&'static str>,
    /// The forwarder whose turn it is not.
    pub other: RefCell<Option<Side>>,
    pub demands: RefCell<Demands>,
    /// The platform's clock, milliseconds since 1970.
    pub now: Cell<u64>,
    /// No more faults.
    pub quiet: Cell<bool>,
    /// Records that the last run named, as they could not be had.
    pub named: RefCell<BTreeSet<u128>>,
    /// What list and count of a name show, and those of the whole namespace.
    pub index: Index,
    pub index_of_all: Index,
    pub kept: RefCell<Kept>,
    /// Records of the forwarder's own runs.
    pub own: RefCell<Vec<Record>>,
    pub containers: RefCell<Containers>,
    pub arrived: RefCell<Arrived>,
    /// Runs begun.
    pub runs: Cell<u64>,
    /// Runs that went on after their deadline although nothing hindered them.
    pub overruns: Cell<u64>,
    /// Whether a run ended between a window and its acknowledgement, or was killed with a clock that is behind: then lines are sent again, as
    /// after a fault.
    pub cut_short: Cell<bool>,
    /// What was wrong with a run, and digests of checkpoints that were not true.
    pub untrue: RefCell<Vec<String>>,
    /// Whether the last run wrote nothing.
    pub rested: Cell<bool>,
    /// Whether to say what happens.
    pub trace: bool,
}

/// What a forwarder has of its own.
#[derive(Debug)]
pub struct Side {
    pub own_name: &'static str,
    pub receiver: &'static str,
    pub kept: Kept,
    pub own: Vec<Record>,
    pub containers: Containers,
    pub arrived: Arrived,
    pub demands: Demands,
}

impl Sim {
    /// The turn of the other forwarder, if there is one.
    pub fn swap(&self) -> bool {
        let Some(other) = &mut *self.other.borrow_mut() else { return false };
        other.own_name = self.own_name.replace(other.own_name);
        other.receiver = self.receiver.replace(other.receiver);
        std::mem::swap(&mut other.kept, &mut self.kept.borrow_mut());
        std::mem::swap(&mut other.own, &mut self.own.borrow_mut());
        std::mem::swap(&mut other.containers, &mut self.containers.borrow_mut());
        std::mem::swap(&mut other.arrived, &mut self.arrived.borrow_mut());
        std::mem::swap(&mut other.demands, &mut self.demands.borrow_mut());
        true
    }

    /// The look-back as it is now, in milliseconds.
    pub fn lookback_ms(&self) -> u64 {
        self.world.settings.lookback_ms(self.now.get()) + self.config.borrow().longer_lookback_ms
    }

    pub fn pass(&self, ms: u64) {
        self.now.set(self.now.get() + ms);
    }

    pub fn trace(&self, what: impl FnOnce() -> String) {
        if self.trace {
            let since_begin = self.now.get() as i64 - self.world.settings.begin as i64;
            // Not `eprintln!`: the test harness would keep it for itself.
            writeln!(std::io::stderr(), "{:>10.3} {}", since_begin as f64 / 1000.0, what())
                .expect("standard error");
        }
    }
}

/// The ports of one run.
#[derive(Debug)]
pub struct RunPorts {
    pub sim: Rc<Sim>,
    /// For bodies and connections, which outlive the call that makes them.
    me: Weak<RunPorts>,
    /// Our clock minus the platform's.
    skew_ms: i64,
    /// When the platform kills the run.
    deadline: u64,
    calls: Cell<u64>,
    /// At which call the run is killed, and whether what the call does is done by then.
    kill: Option<(u64, bool)>,
    /// At which call another run takes place.
    overlap: Option<u64>,
    pub depth: u32,
}

/// A run was killed: not an error of anybody.
#[derive(Debug)]
pub struct Killed;

/// What shall happen to a run.
#[derive(Debug, Clone, Copy)]
pub struct Fate {
    /// Time until the deadline.
    pub time_ms: u64,
    pub kill: Option<(u64, bool)>,
    pub overlap: Option<u64>,
    /// How many runs this one is inside of.
    pub depth: u32,
}

impl RunPorts {
    pub fn new(sim: &Rc<Sim>, fate: Fate) -> Rc<Self> {
        let other = sim.world.settings.clocks_apart && sim.luck.chance(500);
        let skew = if other { -sim.world.settings.skew_ms } else { sim.world.settings.skew_ms };
        let wander = if skew == 0 { 0 } else { sim.random.below(2000) as i64 - 1000 };
        let Fate { time_ms, kill, overlap, depth } = fate;
        let deadline = sim.now.get() + time_ms;
        Rc::new_cyclic(|me| Self {
            sim: sim.clone(),
            me: me.clone(),
            skew_ms: skew + wander,
            deadline,
            calls: Cell::new(0),
            kill,
            overlap,
            depth,
        })
    }

    pub fn ports(&self) -> Ports<'_> {
        Ports { clock: self, http: self, transport: self }
    }

    pub fn shared(&self) -> Rc<Self> {
        self.me.upgrade().expect("somebody holds the ports while they are used")
    }

    /// When the run's time is over: by the platform's clock, or by ours if it is our host that ends the run.
    pub fn deadline(&self) -> u64 {
        let ours = if self.sim.config.borrow().store == Store::Host { self.skew_ms } else { 0 };
        self.deadline.saturating_add_signed(ours) + self.sim.world.settings.overstated_ms
    }

    /// A call begins.
    pub fn enter(&self) {
        self.calls.set(self.calls.get() + 1);
        if self.overlap == Some(self.calls.get()) {
            // A host that keeps the checkpoint lets nobody else run meanwhile: the command locks its file.
            if self.sim.config.borrow().store == Store::Host {
                self.sim.trace(|| "another run finds the checkpoint locked".into());
            } else {
                self.sim.trace(|| "another run comes in between".into());
                self.sim.met.note("overlap");
                driver::run_inside(&self.sim, self.depth + 1);
            }
        }
        if self.kill == Some((self.calls.get(), false)) {
            self.die("killed");
        }
        if self.sim.now.get() > self.deadline {
            endless::complain(&self.sim);
            let excused = self.skew_ms != 0
                || self.depth > 0
                || self.overlap.is_some()
                || !self.sim.world.settings.clean;
            self.sim.overruns.set(self.sim.overruns.get() + u64::from(!excused));
            // A clock that is behind makes a run believe that it has time left: it is killed, and what it did comes again.
            self.sim.cut_short.set(self.sim.cut_short.get() || self.skew_ms < 0);
            self.die("killed at its deadline");
        }
    }

    /// What the call does is done.
    pub fn leave(&self) {
        if self.kill == Some((self.calls.get(), true)) {
            self.die("killed after this call");
        }
    }

    /// Lets `ms` pass, but not more than there are until the deadline: the host gives up then. Says whether it was all.
    pub fn pass(&self, ms: u64) -> bool {
        let left = self.deadline.saturating_sub(self.sim.now.get());
        self.sim.pass(ms.min(left));
        ms <= left
    }

    fn die(&self, how: &str) -> ! {
        self.sim.trace(|| how.to_owned());
        self.sim.met.note("killed");
        std::panic::resume_unwind(Box::new(Killed))
    }
}

impl Clock for RunPorts {
    fn now_ms(&self) -> u64 {
        self.sim.now.get().saturating_add_signed(self.skew_ms)
    }

    fn sleep_ms(&self, ms: u64) {
        self.enter();
        self.sim.trace(|| format!("sleeps {ms} ms"));
        self.sim.pass(ms);
        self.leave();
    }

    fn random(&self) -> u64 {
        self.sim.random.next()
    }
}
