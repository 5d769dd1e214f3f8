//! Where the labels of links go: where the layout kept room for them, else along the link, not over a box, not over
//! another label, and rather not over another link. What finds no room is not written; it is said when the mouse
//! points at the link.

use crate::{
    graph::{Graph, Link},
    layout::{Layout, Point, Rect, Wire},
    measure::{self, Detail, Size},
};

/// The labels of a link that found room.
#[derive(Debug, Clone, Default)]
pub(super) struct Labels {
    pub(super) ends: [Option<(Rect, Detail)>; 2],
    pub(super) note: Option<Rect>,
}

/// Above so many links, nobody looks whether a label lies over another link.
const COUNTED: usize = 300;
/// Between two candidates, pixels.
const STEP: f64 = 9.0;

/// The labels of each link. What is wrong comes first.
pub(super) fn place(graph: &Graph, layout: &Layout) -> Vec<Labels> {
    let mut labels = vec![Labels::default(); graph.links.len()];
    let mut room = Room::new(graph, layout);
    for (wire, labels) in layout.wires.iter().zip(&mut labels) {
        for (port, label) in wire.ports.iter().flatten().zip(&mut labels.ends) {
            *label = port.map(|rect| (rect, wire.detail));
            room.taken.add(port.iter());
        }
    }
    let mut order: Vec<usize> = (0..graph.links.len()).collect();
    order.sort_by_key(|link| graph.links[*link].health.wrong().is_none());
    for link in &order {
        if layout.wires[*link].ports.is_none() {
            labels[*link].ends = [0, 1].map(|end| room.end(*link, end));
        }
    }
    for link in order {
        labels[link].note = room.note(link, &graph.links[link]);
    }
    labels
}

/// What is taken.
struct Room<'a> {
    graph: &'a Graph,
    layout: &'a Layout,
    taken: Taken,
}

impl<'a> Room<'a> {
    fn new(graph: &'a Graph, layout: &'a Layout) -> Room<'a> {
        let mut taken = Taken::default();
        for place in &layout.boxes {
            taken.add([place.rect.grown(2.0)].iter());
        }
        Room { graph, layout, taken }
    }

    fn end(&mut self, link: usize, end: usize) -> Option<(Rect, Detail)> {
        let wire = &self.layout.wires[link];
        let details = [Detail::Full, Detail::Names].into_iter().filter(|detail| *detail >= wire.detail);
        let found = details.into_iter().find_map(|detail| {
            let size = measure::end(&self.graph.links[link].ends[end], detail)?;
            self.best(link, size, &along(wire, end, size)).map(|rect| (rect, detail))
        });
        self.taken.add(found.iter().map(|(rect, _)| rect));
        found
    }

    fn note(&mut self, link: usize, content: &Link) -> Option<Rect> {
        let wire = &self.layout.wires[link];
        let wanted = !content.notes.is_empty() && wire.detail != Detail::Quiet;
        let size = wanted.then(|| measure::notes(&content.notes))?;
        let shares = [0.5, 0.46, 0.54, 0.42, 0.58, 0.38, 0.62, 0.34, 0.66, 0.3, 0.7, 0.25, 0.75];
        let centers: Vec<Point> = shares.iter().map(|share| wire.at(*share)).collect();
        let found = self.best(link, size, &centers);
        self.taken.add(found.iter());
        found
    }

    /// The first of the candidates that lie over the fewest other links.
    fn best(&self, link: usize, size: Size, centers: &[Point]) -> Option<Rect> {
        let rects = centers.iter().map(|center| Rect::around(*center, size));
        let free = rects.filter(|rect| !self.taken.meets(&rect.grown(1.5)));
        free.min_by_key(|rect| self.crossed(link, rect))
    }

    fn crossed(&self, link: usize, rect: &Rect) -> usize {
        if self.layout.wires.len() > COUNTED {
            return 0;
        }
        let others = self.layout.wires.iter().enumerate().filter(|(other, wire)| *other != link && wire.bend.is_none());
        others.filter(|(_, wire)| rect.meets(wire.from, wire.to)).count()
    }
}

/// From where the label just clears the end of the link to the middle.
fn along(wire: &Wire, end: usize, size: Size) -> Vec<Point> {
    let (from, to) = if end == 0 { (wire.from, wire.to) } else { (wire.to, wire.from) };
    let length = from.distance(to);
    let (dx, dy) = ((to.x - from.x).abs() / length.max(1.0), (to.y - from.y).abs() / length.max(1.0));
    let half = (size.w / 2.0 / dx.max(1e-6)).min(size.h / 2.0 / dy.max(1e-6));
    let first = half + 12.0;
    let count = ((length * 0.47 - first) / STEP).max(0.0) as usize;
    let points = (0..=count).map(|step| (first + step as f64 * STEP) / length.max(1.0));
    points.filter(|share| *share <= 0.5).map(|share| from.towards(to, share)).collect()
}

/// Boxes that are taken, in columns, so that few have to be looked at.
#[derive(Default)]
struct Taken(std::collections::BTreeMap<i64, Vec<Rect>>);

/// The width of a column.
const COLUMN: f64 = 200.0;

impl Taken {
    fn add<'r>(&mut self, rects: impl Iterator<Item = &'r Rect>) {
        for rect in rects {
            for column in columns(rect) {
                self.0.entry(column).or_default().push(*rect);
            }
        }
    }

    fn meets(&self, rect: &Rect) -> bool {
        columns(rect).any(|column| self.0.get(&column).is_some_and(|all| all.iter().any(|other| other.overlaps(rect))))
    }
}

fn columns(rect: &Rect) -> std::ops::RangeInclusive<i64> {
    (rect.x / COLUMN).floor() as i64..=(rect.right() / COLUMN).floor() as i64
}
