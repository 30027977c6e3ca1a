//! Owns: isolating the one item of a batch that a database does not take.

use std::ops::Range;

/// What became of a batch. The pieces are in order and do not overlap.
#[derive(Debug)]
pub struct Bisected<D, E> {
    /// Pieces that were done together, each with what the work returned.
    pub done: Vec<(Range<usize>, D)>,
    /// Items that fail alone, each with its own error: the same again would fail again.
    pub refused: Vec<(usize, E)>,
    /// The first item that was not tried, and why: an error that is not an item's. Everything before it is in `done` or
    /// `refused`.
    pub stopped: Option<(usize, E)>,
}

/// Does `work` on all of `0..len` at once. Where that fails by an error that `splits` says is one item's, each half is
/// done by itself, and so on: one bad item costs itself, and a batch with `k` of them about `2k log2(len)` tries.
pub async fn bisect<D, E, F>(
    len: usize,
    splits: impl Fn(&E) -> bool,
    mut work: impl FnMut(Range<usize>) -> F,
) -> Bisected<D, E>
where
    F: Future<Output = Result<D, E>>,
{
    let mut bisected = Bisected { done: Vec::new(), refused: Vec::new(), stopped: None };
    // The piece at the end is the next one in order.
    let mut left: Vec<Range<usize>> = std::iter::once(0..len).collect();
    while let Some(piece) = left.pop() {
        if piece.is_empty() {
            continue;
        }
        match work(piece.clone()).await {
            Ok(done) => bisected.done.push((piece, done)),
            Err(error) if !splits(&error) => {
                bisected.stopped = Some((piece.start, error));
                break;
            }
            Err(error) if piece.len() == 1 => bisected.refused.push((piece.start, error)),
            Err(_) => {
                let middle = piece.start + piece.len() / 2;
                left.push(middle..piece.end);
                left.push(piece.start..middle);
            }
        }
    }
    bisected
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[derive(Debug, PartialEq)]
    enum Fault {
        Item(usize),
        Server,
    }

    fn run(len: usize, bad: &[usize], server: Option<usize>) -> (Bisected<usize, Fault>, u32) {
        let tries = Cell::new(0);
        let work = |piece: Range<usize>| {
            tries.set(tries.get() + 1);
            let result = if server.is_some_and(|at| piece.contains(&at)) {
                Err(Fault::Server)
            } else {
                bad.iter().find(|item| piece.contains(item)).map_or(Ok(piece.len()), |item| Err(Fault::Item(*item)))
            };
            std::future::ready(result)
        };
        let bisected = futures_util::FutureExt::now_or_never(bisect(len, |e| matches!(e, Fault::Item(_)), work));
        (bisected.expect("nothing waits"), tries.get())
    }

    #[test]
    fn one_bad_item_costs_only_itself() {
        for bad in 0..100 {
            let (bisected, tries) = run(100, &[bad], None);
            assert_eq!(bisected.refused, [(bad, Fault::Item(bad))]);
            assert_eq!(bisected.done.iter().map(|(_, n)| n).sum::<usize>(), 99);
            assert!(bisected.stopped.is_none() && tries <= 15, "{tries} tries");
        }
    }

    #[test]
    fn all_good_is_one_try_and_all_bad_names_each() {
        let (bisected, tries) = run(64, &[], None);
        assert_eq!((bisected.done, tries), (vec![(0..64, 64)], 1));
        let all: Vec<usize> = (0..9).collect();
        let refused = run(9, &all, None).0.refused;
        assert_eq!(refused.iter().map(|(item, _)| *item).collect::<Vec<_>>(), all);
        assert_eq!(run(0, &[], None).1, 0);
    }

    #[test]
    fn an_error_that_is_not_an_items_stops_in_order() {
        let (bisected, _) = run(16, &[2], Some(9));
        let Some((from, Fault::Server)) = bisected.stopped else { panic!("{bisected:?}") };
        assert_eq!(from, 0, "the whole was tried first");
        assert!(bisected.done.is_empty() && bisected.refused.is_empty());
    }
}
