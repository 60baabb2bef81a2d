//! Work shared out among the threads of the pool in which it is asked for or, outside of any, among all processors.

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

/// What `of` makes of each number below `count`, in their order.
pub(crate) fn map_numbers<T: Send>(count: usize, of: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let made: Vec<Mutex<Option<T>>> = (0..count).map(|_| Mutex::new(None)).collect();
    share_out(count, &|number| {
        let value = of(number);
        *made[number].lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
    });
    let taken =
        |place: Mutex<Option<T>>| place.into_inner().unwrap_or_else(PoisonError::into_inner);
    made.into_iter().filter_map(taken).collect()
}

/// What `of` makes of each item, in their order.
pub(crate) fn map<I: Sync, T: Send>(items: &[I], of: impl Fn(&I) -> T + Sync) -> Vec<T> {
    map_numbers(items.len(), |number| of(&items[number]))
}

/// Runs each number below `count` once. It is compiled once: the iterators of rayon, written out for each caller, were a
/// twelfth of all code that a build optimises.
fn share_out(count: usize, run: &(dyn Fn(usize) + Sync)) {
    (0..count).into_par_iter().with_max_len(1).for_each(run);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items_on_any_number_of_threads() {
        for threads in [1, 2, 5] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let made =
                (pool.build().unwrap()).install(|| map(&["a", "b", "c"], |item| item.repeat(2)));
            assert_eq!(made, ["aa", "bb", "cc"]);
        }
        assert!(map_numbers(0, |number| number).is_empty());
        assert_eq!(
            map_numbers(1_000, |number| number),
            Vec::from_iter(0..1_000)
        );
    }
}
