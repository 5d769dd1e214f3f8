//! What the tests of the binary share: documents in a folder of their own, and the binary run beside them.

use std::{ffi::OsStr, fs, path::PathBuf};

use tempfile::TempDir;
use wireloom_testkit::{Run, run, wireloom};

/// Three routers in a triangle, each of which reaches every other.
#[allow(dead_code, reason = "each test program uses a part of what is shared")]
pub(crate) const TRIANGLE: &str = r#"
name: triangle
nodes:
  r1: {}
  r2: {sysctl: {net.ipv4.ip_forward: 1}}
  r3: {}
links:
  - {endpoints: ["r1:eth1", "r2:eth1"], ip: [12.12.12.1/24, 12.12.12.2/24]}
  - {endpoints: ["r1:eth2", "r3:eth1"], ip: [13.13.13.1/24, 13.13.13.3/24]}
  - {endpoints: ["r2:eth2", "r3:eth2"], ip: [23.23.23.2/24, 23.23.23.3/24]}
"#;

/// A folder with documents, in which the binary runs.
pub(crate) struct Folder(TempDir);

impl Folder {
    /// With these documents.
    pub(crate) fn with(documents: &[(&str, &str)]) -> Folder {
        let folder = Folder(tempfile::tempdir().expect("make a folder"));
        documents.iter().for_each(|(name, text)| folder.write(name, text));
        folder
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("write a document");
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs `wireloom ARGS`, the arguments with blanks between.
    #[track_caller]
    pub(crate) fn wireloom(&self, args: &str) -> Run {
        self.argv(&args.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs `wireloom ARGV`.
    #[track_caller]
    pub(crate) fn argv(&self, argv: &[impl AsRef<OsStr>]) -> Run {
        run(wireloom().current_dir(self.0.path()).args(argv))
    }
}
