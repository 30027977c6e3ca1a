//! Owns: log lines on their way out. Whoever logs neither waits nor fails: a line goes into a queue of bounded size, and one
//! thread writes. A line that finds no room there (nobody reads), or that cannot be written (the disk is full, the pipe is
//! closed), is dropped and counted; the first line that can be written again is followed by one that says how many.

use std::cell::Cell;
use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

use crate::road;

/// Lines that wait at most; their bytes are bounded besides.
const WAITING_MAX: usize = 8 * 1024;
/// Pause before a line is tried again that would have had to wait.
const AGAIN: Duration = Duration::from_millis(20);
/// So often that one line is tried.
const TRIES: u32 = 50;
/// Between two lines that say how many were dropped.
const SAY_EVERY: Duration = Duration::from_secs(1);
/// What a write of a mark of the road fails with when the test of faults wants a panic there (`EOWNERDEAD`): no file, pipe
/// or terminal answers so.
const PANIC_HERE: i32 = 130;

thread_local! {
    static PANIC: Cell<bool> = const { Cell::new(false) };
}

/// Whether the test of faults wants this thread to panic where it is.
pub fn panic_was_asked_for() -> bool {
    PANIC.with(Cell::take)
}

/// Takes lines.
#[derive(Clone, Debug)]
pub struct Lines {
    queue: SyncSender<Vec<u8>>,
    count: Arc<Count>,
}

#[derive(Debug)]
struct Count {
    bytes_max: usize,
    /// Bytes in the queue.
    waiting: AtomicUsize,
    dropped: AtomicU64,
    /// Lines in the queue or being written.
    open: Mutex<usize>,
    written: Condvar,
}

impl Lines {
    /// Starts the thread that writes to `out`.
    pub fn start(out: impl Write + Send + 'static, bytes_max: usize) -> Self {
        let (queue, lines) = sync_channel(WAITING_MAX);
        let count = Arc::new(Count {
            bytes_max,
            waiting: AtomicUsize::new(0),
            dropped: AtomicU64::new(0),
            open: Mutex::new(0),
            written: Condvar::new(),
        });
        let mine = count.clone();
        let thread = std::thread::Builder::new().name("log".to_owned());
        // Without a thread no line is ever written: they find no room, and are counted.
        let _ = thread.spawn(move || write_all(out, &lines, &mine));
        Self { queue, count }
    }

    /// Takes a line, or counts it as dropped.
    pub fn take(&self, line: &[u8]) {
        let count = &self.count;
        let waiting = count.waiting.fetch_add(line.len(), Ordering::Relaxed);
        *count.open() += 1;
        if waiting + line.len() > count.bytes_max || self.queue.try_send(line.to_vec()).is_err() {
            count.dropped.fetch_add(1, Ordering::Relaxed);
            count.done(line.len());
        }
    }

    pub fn dropped(&self) -> u64 {
        self.count.dropped.load(Ordering::Relaxed)
    }

    /// Waits until what was taken is written or dropped.
    pub fn flush(&self, max: Duration) {
        let open = self.count.open();
        let _ = self.count.written.wait_timeout_while(open, max, |open| *open > 0);
    }
}

impl Count {
    fn open(&self) -> std::sync::MutexGuard<'_, usize> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn done(&self, bytes: usize) {
        self.waiting.fetch_sub(bytes, Ordering::Relaxed);
        *self.open() -= 1;
        self.written.notify_all();
    }
}

fn write_all(mut out: impl Write, lines: &Receiver<Vec<u8>>, count: &Count) {
    let (mut said, mut said_at) = (0, None::<Instant>);
    let mut torn = false;
    while let Ok(line) = lines.recv() {
        // A line that broke off must not spoil the next.
        let whole = (!torn || write(&mut out, b"\n").is_ok()) && write(&mut out, &line).is_ok();
        torn = !whole;
        if !whole {
            count.dropped.fetch_add(1, Ordering::Relaxed);
        }
        count.done(line.len());
        let dropped = count.dropped.load(Ordering::Relaxed);
        if whole && dropped > said && said_at.is_none_or(|at| at.elapsed() >= SAY_EVERY) {
            tracing::error!(lines = dropped - said, "log lines were dropped: nobody read them, or the disk was full");
            (said, said_at) = (dropped, Some(Instant::now()));
        }
    }
}

/// Writes all of it. Where the other end asks to come back later, it is asked again for a second.
fn write(out: &mut impl Write, mut bytes: &[u8]) -> io::Result<()> {
    let mut tries = 0;
    while !bytes.is_empty() {
        match out.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock && tries < TRIES => {
                tries += 1;
                std::thread::sleep(AGAIN);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Where each line goes.
#[derive(Clone, Debug)]
pub struct Writers(pub Lines);

/// The way of one line.
pub enum LineWriter {
    Queue(Lines),
    /// A mark of the road, which only a test of faults turns on: it must be seen by the thread that leaves it.
    AtOnce,
}

impl<'a> MakeWriter<'a> for Writers {
    type Writer = LineWriter;

    fn make_writer(&'a self) -> LineWriter {
        LineWriter::Queue(self.0.clone())
    }

    fn make_writer_for(&'a self, about: &Metadata<'_>) -> LineWriter {
        if about.target() == road::TARGET { LineWriter::AtOnce } else { self.make_writer() }
    }
}

impl Write for LineWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self {
            Self::Queue(lines) => lines.take(line),
            Self::AtOnce => {
                if let Err(error) = io::stderr().write_all(line) {
                    PANIC.with(|panic| panic.set(error.raw_os_error() == Some(PANIC_HERE)));
                }
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Takes what it is given once it may.
    struct Stalled(mpsc::Receiver<()>, Arc<Mutex<Vec<u8>>>);

    impl Write for Stalled {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            self.1.lock().expect("no holder panics").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_stalls_stops_nobody_and_what_found_no_room_is_counted() {
        let (go, wait) = mpsc::channel();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let lines = Lines::start(Stalled(wait, seen.clone()), 1_000);
        for _ in 0..30 {
            lines.take(&[b'x'; 99]);
        }
        assert_eq!(lines.dropped(), 20, "ten times 99 bytes wait");
        drop(go);
        lines.flush(Duration::from_secs(10));
        assert_eq!(seen.lock().expect("no holder panics").len(), 990);
    }

    /// Fails after some bytes, then for a while, as a disk does that becomes full and is emptied again.
    struct Full(Arc<AtomicUsize>, Arc<Mutex<Vec<u8>>>);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let room = self.0.load(Ordering::SeqCst).min(bytes.len());
            if room == 0 {
                return Err(ErrorKind::StorageFull.into());
            }
            self.0.fetch_sub(room, Ordering::SeqCst);
            self.1.lock().expect("no holder panics").extend_from_slice(&bytes[..room]);
            Ok(room)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_costs_the_lines_of_its_time_and_no_other() {
        let (room, seen) = (Arc::new(AtomicUsize::new(6)), Arc::new(Mutex::new(Vec::new())));
        let lines = Lines::start(Full(room.clone(), seen.clone()), 1_000);
        for line in ["one\n", "two\n", "three\n"] {
            lines.take(line.as_bytes());
        }
        lines.flush(Duration::from_secs(10));
        assert_eq!(lines.dropped(), 2);
        room.store(100, Ordering::SeqCst);
        lines.take(b"four\n");
        lines.flush(Duration::from_secs(10));
        assert_eq!(String::from_utf8_lossy(&seen.lock().expect("no holder panics")), "one\ntw\nfour\n");
    }
}
