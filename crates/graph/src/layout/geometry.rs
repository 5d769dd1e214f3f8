//! Points, boxes and wires on paper. y grows downwards.

use crate::measure::{Detail, Size};

/// A point, pixels.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

/// A box by its upper left corner.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Rect {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) w: f64,
    pub(crate) h: f64,
}

/// A link on paper.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wire {
    pub(crate) from: Point,
    pub(crate) to: Point,
    /// The control points of a curve.
    pub(crate) bend: Option<[Point; 2]>,
    /// The labels of the ends, where the layout has kept room for them; else they are put where there is room.
    pub(crate) ports: Option<[Option<Rect>; 2]>,
    pub(crate) detail: Detail,
}

impl Point {
    pub(crate) fn new(x: f64, y: f64) -> Point {
        Point { x, y }
    }

    pub(crate) fn towards(self, other: Point, share: f64) -> Point {
        Point { x: self.x + (other.x - self.x) * share, y: self.y + (other.y - self.y) * share }
    }

    pub(crate) fn distance(self, other: Point) -> f64 {
        (self.x - other.x).hypot(self.y - other.y)
    }

    fn shift(&mut self, dx: f64, dy: f64) {
        self.x += dx;
        self.y += dy;
    }
}

impl Rect {
    pub(crate) fn around(center: Point, size: Size) -> Rect {
        Rect { x: center.x - size.w / 2.0, y: center.y - size.h / 2.0, w: size.w, h: size.h }
    }

    pub(crate) fn center(&self) -> Point {
        Point { x: self.x + self.w / 2.0, y: self.y + self.h / 2.0 }
    }

    pub(crate) fn right(&self) -> f64 {
        self.x + self.w
    }

    pub(crate) fn bottom(&self) -> f64 {
        self.y + self.h
    }

    pub(crate) fn grown(&self, by: f64) -> Rect {
        Rect { x: self.x - by, y: self.y - by, w: self.w + 2.0 * by, h: self.h + 2.0 * by }
    }

    pub(crate) fn overlaps(&self, other: &Rect) -> bool {
        self.x < other.right() && other.x < self.right() && self.y < other.bottom() && other.y < self.bottom()
    }

    pub(crate) fn shift(&mut self, dx: f64, dy: f64) {
        self.x += dx;
        self.y += dy;
    }

    /// Where the way from the middle to `target` leaves the box, as a share of that way.
    pub(crate) fn exit(&self, from: Point, target: Point) -> f64 {
        let (dx, dy) = (target.x - from.x, target.y - from.y);
        let along = |delta: f64, low: f64, high: f64| match delta {
            d if d > 1e-9 => high / d,
            d if d < -1e-9 => low / d,
            _ => f64::INFINITY,
        };
        let x = along(dx, self.x - from.x, self.right() - from.x);
        let y = along(dy, self.y - from.y, self.bottom() - from.y);
        x.min(y).clamp(0.0, 1.0)
    }

    /// Whether a straight line meets the box (the slab test).
    pub(crate) fn meets(&self, from: Point, to: Point) -> bool {
        let (mut near, mut far) = (0.0f64, 1.0f64);
        let slabs = [(from.x, to.x - from.x, self.x, self.right()), (from.y, to.y - from.y, self.y, self.bottom())];
        for (start, delta, low, high) in slabs {
            if delta.abs() < 1e-9 {
                if start < low || start > high {
                    return false;
                }
                continue;
            }
            let (one, two) = ((low - start) / delta, (high - start) / delta);
            near = near.max(one.min(two));
            far = far.min(one.max(two));
        }
        near <= far
    }
}

impl Wire {
    pub(crate) fn straight(from: Point, to: Point, detail: Detail) -> Wire {
        Wire { from, to, bend: None, ports: None, detail }
    }

    /// From a node to itself, at its right.
    pub(crate) fn around(rect: Rect, detail: Detail) -> Wire {
        let (from, to) =
            (Point::new(rect.right(), rect.y + rect.h * 0.3), Point::new(rect.right(), rect.y + rect.h * 0.7));
        let reach = rect.h.max(20.0);
        let bend = [Point::new(from.x + reach, from.y - reach * 0.4), Point::new(to.x + reach, to.y + reach * 0.4)];
        Wire { from, to, bend: Some(bend), ports: Some([None, None]), detail }
    }

    /// A point on the way.
    pub(crate) fn at(&self, share: f64) -> Point {
        let Some([a, b]) = self.bend else { return self.from.towards(self.to, share) };
        let (one, two, three) = (self.from.towards(a, share), a.towards(b, share), b.towards(self.to, share));
        one.towards(two, share).towards(two.towards(three, share), share)
    }

    pub(crate) fn shift(&mut self, dx: f64, dy: f64) {
        self.from.shift(dx, dy);
        self.to.shift(dx, dy);
        self.bend.iter_mut().flatten().for_each(|point| point.shift(dx, dy));
        self.ports.iter_mut().flatten().flatten().for_each(|rect| rect.shift(dx, dy));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_leaves_a_box_at_its_edge_and_meets_those_in_its_way() {
        let rect = Rect { x: -10.0, y: -5.0, w: 20.0, h: 10.0 };
        assert!((rect.exit(Point::default(), Point::new(100.0, 0.0)) - 0.1).abs() < 1e-9);
        assert!((rect.exit(Point::default(), Point::new(0.0, -50.0)) - 0.1).abs() < 1e-9);
        assert!(rect.meets(Point::new(-50.0, 0.0), Point::new(50.0, 1.0)));
        assert!(!rect.meets(Point::new(-50.0, 20.0), Point::new(50.0, 21.0)));
        assert!(!rect.meets(Point::new(20.0, 0.0), Point::new(50.0, 0.0)));
    }
}
