//! Things in a row: each as near as possible to where it wants to be, in their order, none nearer to the next than
//! allowed. Does not know what they are.

/// Places with the least sum of squares of distances to the wished ones: isotonic regression, by pooling neighbours
/// that are in each other's way. `apart[i]` is the least distance between `i` and `i + 1`.
pub(super) fn settle(wished: &[f64], apart: &[f64]) -> Vec<f64> {
    let mut offsets = vec![0.0];
    for distance in apart {
        offsets.push(offsets[offsets.len() - 1] + distance);
    }
    // Pools of mean, size.
    let mut pools: Vec<(f64, usize)> = Vec::new();
    for (wish, offset) in wished.iter().zip(&offsets) {
        pools.push((wish - offset, 1));
        while let [.., (left, some), (right, more)] = pools[..] {
            if left <= right {
                break;
            }
            let count = some + more;
            let mean = (left * some as f64 + right * more as f64) / count as f64;
            pools.truncate(pools.len() - 2);
            pools.push((mean, count));
        }
    }
    let places = pools.into_iter().flat_map(|(mean, count)| std::iter::repeat_n(mean, count));
    places.zip(offsets).map(|(place, offset)| place + offset).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_in_the_way_share_the_pain() {
        assert_eq!(settle(&[0.0, 100.0], &[10.0]), [0.0, 100.0]);
        assert_eq!(settle(&[50.0, 50.0, 50.0], &[10.0, 10.0]), [40.0, 50.0, 60.0]);
        assert_eq!(settle(&[90.0, 0.0], &[10.0]), [40.0, 50.0]);
        assert_eq!(settle(&[], &[]), [0.0; 0]);
    }
}
