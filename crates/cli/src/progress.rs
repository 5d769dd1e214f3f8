//! A progress bar on stderr, for runs that take longer than a moment, on terminals only. Does not know what the steps
//! do.

use std::{
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use wireloom_engine::Progress;

use crate::paint::Paint;

/// How long a run may take without showing anything.
const MOMENT: Duration = Duration::from_millis(500);
/// Draws a second at most: a bar is for eyes.
const RATE: u8 = 10;

/// A bar that may come to be shown.
pub(crate) struct Bar {
    since: Instant,
    paint: Paint,
    terminal: bool,
    shown: Option<ProgressBar>,
}

impl Bar {
    /// From now on.
    pub(crate) fn start(paint: Paint) -> Bar {
        Bar { since: Instant::now(), paint, terminal: io::stderr().is_terminal(), shown: None }
    }

    /// Takes note of a step.
    pub(crate) fn update(&mut self, progress: Progress) {
        if self.terminal && self.since.elapsed() > MOMENT {
            let paint = self.paint;
            let bar = self.shown.get_or_insert_with(|| new_bar(paint));
            bar.set_message(progress.phase.name());
            bar.set_length(progress.total as u64);
            bar.set_position(progress.done as u64);
        }
    }

    /// The run is over: the bar goes, and leaves no trace.
    pub(crate) fn finish(self) {
        if let Some(bar) = self.shown {
            bar.finish_and_clear();
        }
    }
}

fn new_bar(paint: Paint) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(RATE));
    let template =
        if paint.is_on() { "{msg:>10} {bar:40.green} {pos}/{len}" } else { "{msg:>10} {bar:40} {pos}/{len}" };
    let style = ProgressStyle::with_template(template).expect("the template is a valid one");
    bar.with_style(style.progress_chars("=> "))
}
