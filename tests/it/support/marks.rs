//! Owns: doing something to the bridge at an exact step of its road. Each step leaves a mark in the trace log; here the one who
//! takes the mark panics, or does what the test wants, in the very thread that leaves it. Nothing of it is in the product.

use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use hookbridge::road::{Step, TARGET};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Metadata, Subscriber};

type Act = Arc<dyn Fn(&str) + Send + Sync>;

/// What waits for its mark.
struct Armed {
    step: Step,
    /// Part of the item's name; empty fits all.
    item: String,
    left: u32,
    act: Act,
}

/// What is to happen at marks.
#[derive(Clone, Default)]
pub struct Marks(Arc<Mutex<Vec<Armed>>>);

impl Marks {
    /// The next `times` marks of `step` about an item that has `item` in its name are panics.
    pub fn panic_at(&self, step: Step, item: &str, times: u32) {
        self.act_at(step, item, times, |_| panic!("asked for by a test"));
    }

    /// At each of the next `times` marks of `step`, `act` is done with the item's name.
    pub fn act_at(&self, step: Step, item: &str, times: u32, act: impl Fn(&str) + Send + Sync + 'static) {
        self.armed().push(Armed { step, item: item.to_owned(), left: times, act: Arc::new(act) });
    }

    /// How many of them have not happened.
    pub fn left(&self) -> u32 {
        self.armed().iter().map(|one| one.left).sum()
    }

    fn armed(&self) -> MutexGuard<'_, Vec<Armed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn due(&self, step: &str, item: &str) -> Option<Act> {
        let fits = |one: &&mut Armed| one.left > 0 && one.step.code() == step && item.contains(&one.item);
        self.armed().iter_mut().find(fits).map(|one| {
            one.left -= 1;
            one.act.clone()
        })
    }
}

/// Takes no mark, and lives as long as the process. `tracing-core` asks only the thread that meets a mark first while there
/// is a single subscriber, and keeps that answer: a thread of another test would silence the mark for all. With two it
/// asks both.
static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(Taker(Marks::default())));

/// Runs a test on a runtime of its own, whose threads take the marks.
pub fn with_marks(test: impl AsyncFnOnce(Marks)) {
    LazyLock::force(&SECOND);
    let marks = Marks::default();
    let dispatch = Dispatch::new(Taker(marks.clone()));
    let given = dispatch.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .on_thread_start(move || std::mem::forget(tracing::dispatcher::set_default(&given)))
        .build()
        .expect("a runtime");
    tracing::dispatcher::with_default(&dispatch, || runtime.block_on(test(marks)));
}

/// Takes the marks and nothing else.
struct Taker(Marks);

impl Subscriber for Taker {
    fn enabled(&self, about: &Metadata<'_>) -> bool {
        about.target() == TARGET
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::TRACE)
    }

    fn event(&self, event: &Event<'_>) {
        let mut mark = Mark::default();
        event.record(&mut mark);
        // Not held while it acts.
        let act = self.0.due(&mark.step, &mark.item);
        if let Some(act) = act {
            act(&mark.item);
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Mark {
    step: String,
    item: String,
}

impl Visit for Mark {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "step" {
            value.clone_into(&mut self.step);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "item" {
            self.item = format!("{value:?}");
        }
    }
}
