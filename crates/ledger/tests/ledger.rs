//! A ledger as its users see it: entries, values from before, processes, and files that are not as they should be.

#![expect(clippy::unwrap_used, reason = "a failing fixture fails the test")]

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use tempfile::TempDir;
use wireloom_engine::{IfName, Label, Link, LinkKind, Namespace, Owner, Source, State};
use wireloom_ledger::{Before, Entry, Error, Ledger, Supervised};

struct Fixture {
    directory: TempDir,
    owner: Owner,
}

impl Fixture {
    fn new() -> Fixture {
        Fixture { directory: TempDir::new().unwrap(), owner: "triangle".parse().unwrap() }
    }

    fn root(&self) -> PathBuf {
        self.directory.path().join("run")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.root().join("triangle").join(name)
    }

    fn open(&self) -> Ledger {
        Ledger::open_in(&self.root(), &self.owner).unwrap()
    }

    fn entry(&self, attached: &str) -> Entry<String> {
        let mut desired = State::empty(self.owner.clone());
        let source = Source::Named(self.owner.netns_of("r1"));
        let mut namespace = Namespace::new(source, true);
        namespace.links.insert(IfName::lo(), Link::new(LinkKind::Loopback));
        desired.namespaces.insert(label("r1"), namespace);
        Entry { documents: vec!["triangle.yaml".into()], desired, attached: attached.into() }
    }

    /// Makes a file look as if it had been written before the last reboot.
    fn age(&self, name: &str) {
        let text = fs::read_to_string(self.file(name)).unwrap();
        let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        assert!(text.contains(boot_id.trim()), "{text}");
        fs::write(self.file(name), text.replace(boot_id.trim(), "another-boot")).unwrap();
    }
}

fn label(name: &str) -> Label {
    name.parse().unwrap()
}

fn before(setting: &str, value: &str) -> Before {
    Before { netns: label("web"), id: "boot/7".into(), setting: setting.into(), value: value.into() }
}

fn process(pid: u32) -> Supervised {
    let log = PathBuf::from("/run/wireloom/triangle/log/r1.0.log");
    Supervised { node: label("r1"), pid, start_time: 4711, command: "sleep 60".into(), log }
}

fn append(path: &Path, text: &str) {
    let old = fs::read_to_string(path).unwrap();
    fs::write(path, old + text).unwrap();
}

#[test]
fn what_is_begun_is_current_once_committed() {
    let fixture = Fixture::new();
    let mut ledger = fixture.open();
    ledger.begin(&fixture.entry("one")).unwrap();
    assert_eq!(ledger.current::<String>().unwrap(), None);
    assert_eq!(fixture.open().next::<String>().unwrap(), Some(fixture.entry("one")));
    ledger.commit().unwrap();
    assert_eq!(fixture.open().current().unwrap(), Some(fixture.entry("one")));
    assert_eq!(ledger.next::<String>().unwrap(), None);

    ledger.begin(&fixture.entry("two")).unwrap();
    ledger.abandon().unwrap();
    ledger.abandon().unwrap();
    assert_eq!(ledger.current().unwrap(), Some(fixture.entry("one")));
    assert!(matches!(ledger.commit(), Err(Error::NotBegun { .. })));
}

#[test]
fn the_first_value_of_a_setting_wins() {
    let fixture = Fixture::new();
    let (ours, theirs) = (before("net.ipv4.ip_forward", "1"), before("net.ipv4.ip_forward", "0"));
    fixture.open().record_before(&theirs).unwrap();
    let mut ledger = fixture.open();
    ledger.record_before(&ours).unwrap();
    ledger.record_before(&before("net.ipv6.conf.all.forwarding", "0")).unwrap();
    assert_eq!(ledger.before().unwrap(), [theirs.clone(), before("net.ipv6.conf.all.forwarding", "0")]);

    ledger.forget_before(|b| b.setting.starts_with("net.ipv6")).unwrap();
    assert_eq!(ledger.before().unwrap(), [theirs]);
    ledger.forget_before(|_| true).unwrap();
    ledger.record_before(&ours).unwrap();
    assert_eq!(ledger.before().unwrap(), [ours]);
}

#[test]
fn processes_are_listed_until_they_are_forgotten() {
    let fixture = Fixture::new();
    let mut ledger = fixture.open();
    ledger.record_process(&process(10)).unwrap();
    ledger.record_process(&process(11)).unwrap();
    ledger.forget_processes(|p| p.pid == 10).unwrap();
    assert_eq!(fixture.open().processes().unwrap(), [process(11)]);
}

#[test]
fn a_torn_last_line_is_ignored_and_cut_off() {
    let fixture = Fixture::new();
    let mut ledger = fixture.open();
    ledger.record_process(&process(10)).unwrap();
    append(&fixture.file("processes.jsonl"), "{\"node\":\"r1\",\"pi");
    assert_eq!(ledger.processes().unwrap(), [process(10)]);
    ledger.record_process(&process(11)).unwrap();
    assert_eq!(ledger.processes().unwrap(), [process(10), process(11)]);
}

#[test]
fn a_damaged_file_is_an_error_that_names_it_and_what_helps() {
    let fixture = Fixture::new();
    let mut ledger = fixture.open();
    ledger.begin(&fixture.entry("one")).unwrap();
    ledger.record_process(&process(10)).unwrap();
    append(&fixture.file("processes.jsonl"), "no record\n");
    let error = ledger.processes().unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("triangle/processes.jsonl") && text.contains("`wireloom down triangle`"), "{text}");
    assert_eq!(error.unreadable(), Some(fixture.file("processes.jsonl").as_path()));

    for damage in ["", "\n", "{}", "{\"version\":1", "\0\u{0}\n", "[]\n{}"] {
        fs::write(fixture.file("next.json"), damage).unwrap();
        let error = ledger.next::<String>().unwrap_err();
        assert!(matches!(error, Error::Corrupt { .. }), "{damage:?}: {error}");
    }
}

#[test]
fn of_a_damaged_journal_the_rest_can_be_read_and_nothing_is_lost() {
    let fixture = Fixture::new();
    let mut ledger = fixture.open();
    ledger.record_process(&process(10)).unwrap();
    append(&fixture.file("processes.jsonl"), "no record\n");
    append(&fixture.file("processes.jsonl"), &format!("{}\n", serde_json::to_string(&process(11)).unwrap()));
    let damaged = fs::read(fixture.file("processes.jsonl")).unwrap();
    let (processes, damage) = ledger.salvage_processes();
    assert_eq!(processes, [process(10), process(11)]);
    assert!(matches!(damage, Some(Error::Corrupt { .. })), "{damage:?}");
    ledger.forget_processes(|_| true).unwrap();
    ledger.record_process(&process(12)).unwrap();
    assert!(ledger.processes().is_err());
    assert!(fs::read(fixture.file("processes.jsonl")).unwrap().starts_with(&damaged));

    fs::create_dir(fixture.file("before.jsonl")).unwrap();
    let (before, damage) = ledger.salvage_before();
    assert!(before.is_empty() && damage.is_some_and(|damage| damage.unreadable().is_some()));
}

#[test]
fn damaged_files_are_set_aside_and_outlive_every_removal() {
    let fixture = Fixture::new();
    for kept in ["current.json.damaged", "current.json.damaged.2"] {
        let mut ledger = fixture.open();
        ledger.begin(&fixture.entry("one")).unwrap();
        ledger.record_process(&process(10)).unwrap();
        fs::write(fixture.file("current.json"), kept).unwrap();
        assert_eq!(ledger.remove_but(&[fixture.file("current.json")]).unwrap(), [fixture.file(kept)]);
        assert_eq!(fs::read_to_string(fixture.file(kept)).unwrap(), kept);
    }
    fixture.open().remove().unwrap();
    let mut left: Vec<_> = fs::read_dir(fixture.file("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["current.json.damaged", "current.json.damaged.2"]);
    assert_eq!(Ledger::list_in(&fixture.root()).unwrap(), []);
}

#[test]
fn no_file_is_reached_through_a_symbolic_link_or_waited_for() {
    let fixture = Fixture::new();
    let mut ledger = fixture.open();
    ledger.record_process(&process(10)).unwrap();
    let victim = fixture.directory.path().join("victim");
    fs::write(&victim, "theirs").unwrap();
    for name in ["next.tmp", "lock", "before.jsonl", "current.json"] {
        symlink(&victim, fixture.file(name)).unwrap();
    }
    assert!(ledger.begin(&fixture.entry("one")).is_err());
    assert!(ledger.lock("up", &false.into(), |_| ()).is_err());
    assert!(ledger.record_before(&before("net.ipv4.ip_forward", "0")).is_err());
    assert!(ledger.current::<String>().is_err());
    assert_eq!(fs::read_to_string(&victim).unwrap(), "theirs");
    fs::remove_file(fixture.file("before.jsonl")).unwrap();
    nix::unistd::mkfifo(&fixture.file("before.jsonl"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert!(matches!(ledger.before(), Err(Error::Corrupt { .. })));
}

#[test]
fn a_file_of_a_newer_format_is_not_guessed_at() {
    let fixture = Fixture::new();
    let mut ledger = fixture.open();
    ledger.begin(&fixture.entry("one")).unwrap();
    ledger.commit().unwrap();
    fs::write(fixture.file("current.json"), "{\"version\":2,\"boot\":{}}\nanything\n").unwrap();
    let error = ledger.current::<String>().unwrap_err();
    assert!(matches!(error, Error::Newer { found: 2, known: 1, .. }), "{error}");
    assert!(ledger.begin(&fixture.entry("two")).is_err(), "it must not be overwritten either");
}

#[test]
fn what_another_boot_has_left_is_absent_and_goes_at_the_next_begin() {
    let fixture = Fixture::new();
    let mut ledger = fixture.open();
    ledger.begin(&fixture.entry("one")).unwrap();
    ledger.commit().unwrap();
    ledger.begin(&fixture.entry("two")).unwrap();
    ledger.record_before(&before("net.ipv4.ip_forward", "0")).unwrap();
    ledger.record_process(&process(10)).unwrap();
    let log = ledger.log_path(&label("r1"), 0);
    fs::write(&log, "old").unwrap();
    let files = ["current.json", "next.json", "before.jsonl", "processes.jsonl"];
    files.iter().for_each(|name| fixture.age(name));

    let mut ledger = fixture.open();
    assert_eq!(ledger.current::<String>().unwrap(), None);
    assert_eq!(ledger.next::<String>().unwrap(), None);
    assert_eq!(ledger.before().unwrap(), []);
    assert_eq!(ledger.processes().unwrap(), []);
    ledger.begin(&fixture.entry("three")).unwrap();
    assert_eq!(ledger.next().unwrap(), Some(fixture.entry("three")));
    for gone in [fixture.file("current.json"), fixture.file("before.jsonl"), fixture.file("processes.jsonl"), log] {
        assert!(!gone.exists(), "{}", gone.display());
    }
}

#[test]
fn a_journal_of_another_boot_is_not_continued() {
    let fixture = Fixture::new();
    let mut ledger = fixture.open();
    ledger.record_process(&process(10)).unwrap();
    fixture.age("processes.jsonl");
    ledger.record_process(&process(11)).unwrap();
    assert_eq!(ledger.processes().unwrap(), [process(11)]);
}

#[test]
fn only_topologies_that_left_something_are_listed() {
    let fixture = Fixture::new();
    assert_eq!(Ledger::list_in(&fixture.root()).unwrap(), []);
    let mut ledger = fixture.open();
    assert!(!fixture.root().exists(), "looking makes nothing");
    ledger.begin(&fixture.entry("one")).unwrap();
    let mut other = Ledger::open_in(&fixture.root(), &"a".parse().unwrap()).unwrap();
    other.record_process(&process(10)).unwrap();
    fs::create_dir(fixture.root().join("empty")).unwrap();
    let names = Ledger::list_in(&fixture.root()).unwrap();
    assert_eq!(names.iter().map(Owner::as_str).collect::<Vec<_>>(), ["a", "triangle"]);
}

#[test]
fn after_removal_nothing_is_left() {
    let fixture = Fixture::new();
    let mut ledger = fixture.open();
    let lock = ledger.lock("down", &false.into(), |_| panic!("nobody has it")).unwrap();
    ledger.begin(&fixture.entry("one")).unwrap();
    fs::write(ledger.log_path(&label("r1"), 0), "old").unwrap();
    ledger.remove().unwrap();
    drop(lock);
    assert!(!fixture.root().exists());
    fixture.open().remove().unwrap();
}

#[test]
fn a_directory_that_others_could_use_against_us_is_refused() {
    let fixture = Fixture::new();
    let open = || Ledger::open_in(&fixture.root(), &fixture.owner);
    let refused = |what: &str| {
        let error = open().unwrap_err();
        assert!(matches!(error, Error::Untrusted { .. }), "{error}");
        assert!(error.to_string().contains(what), "{error}");
    };
    symlink(fixture.directory.path(), fixture.root()).unwrap();
    refused("symbolic link");
    fs::remove_file(fixture.root()).unwrap();
    fs::write(fixture.root(), "").unwrap();
    refused("not a directory");
    fs::remove_file(fixture.root()).unwrap();
    fs::create_dir(fixture.root()).unwrap();
    fs::set_permissions(fixture.root(), fs::Permissions::from_mode(0o777)).unwrap();
    refused("other users can write");
    fs::set_permissions(fixture.root(), fs::Permissions::from_mode(0o755)).unwrap();
    std::os::unix::fs::chown(fixture.root(), Some(65534), None).unwrap();
    refused("another user");
    std::os::unix::fs::chown(fixture.root(), Some(0), None).unwrap();
    symlink("/tmp", fixture.root().join("triangle")).unwrap();
    refused("symbolic link");
    fs::remove_file(fixture.root().join("triangle")).unwrap();
    open().unwrap().begin(&fixture.entry("one")).unwrap();
    let mode = fs::metadata(fixture.root().join("triangle")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}
