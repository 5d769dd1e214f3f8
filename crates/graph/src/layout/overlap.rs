//! Boxes that lie on each other are pushed apart, and where that does not end, everything is drawn larger.

use super::geometry::Point;
use crate::measure::Size;

/// How often all pairs are looked at before everything grows.
const ROUNDS: usize = 40;

/// Moves the middles until no two boxes are nearer than `gap`.
pub(super) fn remove(centers: &mut [Point], sizes: &[Size], gap: f64) {
    apart_at_all(centers);
    loop {
        for _ in 0..ROUNDS {
            if !push(centers, sizes, gap) {
                return;
            }
        }
        // It ends: no two are at the same place, so that far enough apart they do not meet.
        centers.iter_mut().for_each(|center| *center = Point::new(center.x * 1.08, center.y * 1.08));
    }
}

/// No two at the same place, by moves too small to be seen.
fn apart_at_all(centers: &mut [Point]) {
    for (number, center) in centers.iter_mut().enumerate() {
        center.x += number as f64 * 1e-3;
        center.y += number as f64 * 1.7e-3;
    }
}

/// Pushes pairs apart the shorter way; whether there was one.
fn push(centers: &mut [Point], sizes: &[Size], gap: f64) -> bool {
    let widest = sizes.iter().map(|size| size.w).fold(0.0, f64::max) + gap;
    let mut order: Vec<usize> = (0..centers.len()).collect();
    order.sort_by(|a, b| centers[*a].x.total_cmp(&centers[*b].x));
    let mut pushed = false;
    for (place, a) in order.iter().enumerate() {
        for b in &order[place + 1..] {
            let (dx, dy) = (centers[*b].x - centers[*a].x, centers[*b].y - centers[*a].y);
            // The order is from before this round: what was pushed since is looked at in the next one.
            if dx > 2.0 * widest {
                break;
            }
            let lacks_x = (sizes[*a].w + sizes[*b].w) / 2.0 + gap - dx.abs();
            let lacks_y = (sizes[*a].h + sizes[*b].h) / 2.0 + gap - dy.abs();
            if lacks_x <= 1e-6 || lacks_y <= 1e-6 {
                continue;
            }
            pushed = true;
            let (x, y) = match lacks_x < lacks_y {
                true => (lacks_x.copysign(dx) * 0.505, 0.0),
                false => (0.0, lacks_y.copysign(dy) * 0.505),
            };
            centers[*a] = Point::new(centers[*a].x - x, centers[*a].y - y);
            centers[*b] = Point::new(centers[*b].x + x, centers[*b].y + y);
        }
    }
    pushed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heap_is_spread() {
        let sizes = vec![Size { w: 60.0, h: 20.0 }; 50];
        let mut centers = vec![Point::default(); 50];
        remove(&mut centers, &sizes, 5.0);
        for (number, a) in centers.iter().enumerate() {
            for b in &centers[number + 1..] {
                assert!((a.x - b.x).abs() >= 65.0 - 1e-3 || (a.y - b.y).abs() >= 25.0 - 1e-3, "{a:?} {b:?}");
            }
        }
    }
}
