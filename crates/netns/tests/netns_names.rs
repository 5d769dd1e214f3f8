//! Names of namespaces: what `ip netns` sees, and what is left behind when something fails.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use wireloom_netns::{DIRECTORY, Error, Netns, create_many, holders, list, prepare_directory, remove, remove_many};
use wireloom_testkit::{sandbox, sh};

/// The names that iproute2 lists.
fn names() -> Vec<String> {
    let mut names: Vec<_> =
        sh("ip netns list").lines().filter_map(|line| line.split(' ').next().map(str::to_owned)).collect();
    names.sort();
    names
}

#[test]
fn iproute2_sees_what_we_make_and_we_see_what_it_makes() {
    sandbox(|| {
        assert_eq!(list().unwrap(), Vec::<String>::new());
        let ours = Netns::create("ours").unwrap();
        sh("ip netns add theirs");
        assert_eq!(list().unwrap(), ["ours", "theirs"]);
        assert_eq!(names(), ["ours", "theirs"]);
        assert_eq!(Netns::named("ours").unwrap().id().unwrap(), ours.id().unwrap());
        sh("ip netns del ours");
        remove("theirs").unwrap();
        assert_eq!(names(), Vec::<String>::new());
    });
}

#[test]
fn a_name_is_taken_once() {
    sandbox(|| {
        let first = Netns::create("a").unwrap().id().unwrap();
        assert!(matches!(Netns::create("a"), Err(Error::Exists { name }) if name == "a"));
        assert_eq!(Netns::named("a").unwrap().id().unwrap(), first);
    });
}

#[test]
fn a_name_that_is_no_file_name_is_refused() {
    sandbox(|| {
        let long = "x".repeat(256);
        for name in ["", ".", "..", "a/b", "/a", "a\0b", &long] {
            assert!(matches!(Netns::create(name), Err(Error::InvalidName { .. })), "{name:?}");
            assert!(matches!(remove(name), Err(Error::InvalidName { .. })), "{name:?}");
        }
    });
}

#[test]
fn opening_says_what_is_wrong_with_the_file() {
    sandbox(|| {
        prepare_directory().unwrap();
        let of = |name: &str| Path::new(DIRECTORY).join(name);
        fs::write(of("file"), "").unwrap();
        sh("mkfifo /run/netns/fifo");
        assert!(matches!(Netns::named("none"), Err(Error::NotFound { path }) if path == of("none")));
        for path in [of("file"), of("fifo"), "/proc/self/ns/mnt".into(), DIRECTORY.into(), "/dev/null".into()] {
            assert!(matches!(Netns::open(&path), Err(Error::NotNetns { .. })), "{}", path.display());
        }
    });
}

#[test]
fn a_file_left_by_a_crash_is_removed_and_a_missing_one_is_not_found() {
    sandbox(|| {
        prepare_directory().unwrap();
        fs::write(Path::new(DIRECTORY).join("crashed"), "").unwrap();
        remove("crashed").unwrap();
        assert_eq!(list().unwrap(), Vec::<String>::new());
        assert!(matches!(remove("crashed"), Err(Error::NotFound { .. })));
    });
}

#[test]
fn a_file_with_two_namespaces_mounted_on_it_is_removed() {
    sandbox(|| {
        Netns::create("a").unwrap();
        sh("mount --bind /proc/self/ns/net /run/netns/a");
        remove("a").unwrap();
        assert_eq!(list().unwrap(), Vec::<String>::new());
        assert_eq!(sh("grep -c /run/netns/a /proc/thread-self/mountinfo || true").trim(), "0");
    });
}

#[test]
fn names_are_seen_in_other_mount_namespaces() {
    sandbox(|| {
        prepare_directory().unwrap();
        prepare_directory().unwrap();
        let mounts = || sh("awk '$5 == \"/run/netns\"' /proc/thread-self/mountinfo");
        assert_eq!(mounts().lines().count(), 1, "mounted on itself once: {}", mounts());
        assert!(mounts().contains("shared:"), "{}", mounts());
        let before = mounts();
        sh("ip netns add theirs");
        assert_eq!(mounts(), before, "iproute2 finds nothing left to do");
    });
}

#[test]
fn many_are_made_in_order_and_prepared_inside() {
    sandbox(|| {
        let wanted: Vec<String> = (0..100).map(|n| format!("many-{n:03}")).collect();
        let mut made = Vec::new();
        create_many(
            wanted.iter().cloned(),
            |_| fs::write("/proc/sys/net/ipv4/ip_forward", "1"),
            |name, netns| {
                let netns = netns.unwrap();
                made.push((name.to_owned(), netns.inode().unwrap()));
                ControlFlow::Continue(())
            },
        )
        .unwrap();
        assert_eq!(made.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(), wanted);
        assert_eq!(names(), wanted);
        for (name, inode) in &made {
            assert_eq!(Netns::named(name).unwrap().inode().unwrap(), *inode);
        }
        assert_eq!(sh("ip netns exec many-050 sysctl -n net.ipv4.ip_forward").trim(), "1");
        assert_eq!(fs::read_to_string("/proc/thread-self/net/dev").unwrap().lines().count(), 3, "only lo out here");
        assert!(remove_many(&wanted).is_empty());
        assert_eq!(names(), Vec::<String>::new());
    });
}

#[test]
fn a_namespace_that_cannot_be_prepared_leaves_nothing_behind() {
    sandbox(|| {
        let mut results = Vec::new();
        let refuse_b = |name: &str| if name == "b" { Err(io::Error::other("no")) } else { Ok(()) };
        let collect = |name: &str, netns: Result<Netns, Error>| {
            results.push((name.to_owned(), netns.map(drop)));
            ControlFlow::Continue(())
        };
        create_many(["a", "b", "c"].map(str::to_owned).into_iter(), refuse_b, collect).unwrap();
        let failed = Err(Error::Inside { name: "b".into(), reason: "no".into() });
        assert_eq!(results, [("a".into(), Ok(())), ("b".into(), failed), ("c".into(), Ok(()))]);
        assert_eq!(names(), ["a", "c"]);
    });
}

#[test]
fn after_a_break_only_what_the_caller_has_seen_is_left() {
    sandbox(|| {
        let mut seen = Vec::new();
        let endless = (0..).map(|n| format!("n{n:05}"));
        let until_three = |name: &str, netns: Result<Netns, Error>| {
            netns.unwrap();
            seen.push(name.to_owned());
            if seen.len() == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        create_many(endless, |_| Ok(()), until_three).unwrap();
        assert_eq!(seen, ["n00000", "n00001", "n00002"]);
        assert_eq!(names(), seen);
    });
}

#[test]
fn removing_many_goes_on_after_a_failure() {
    sandbox(|| {
        prepare_directory().unwrap();
        Netns::create("a").unwrap();
        fs::create_dir(Path::new(DIRECTORY).join("directory")).unwrap();
        let failed = remove_many(&["directory", "missing", "a"]);
        assert_eq!(failed.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["directory"]);
        assert_eq!(list().unwrap(), ["directory"]);
    });
}

#[test]
fn processes_inside_are_found_with_their_command_line() {
    sandbox(|| {
        let netns = Netns::create("a").unwrap();
        let other = Netns::create("b").unwrap();
        let pid = sh("ip netns exec a sleep 1000 >/dev/null 2>&1 & echo $!");
        let pid: u32 = pid.trim().parse().unwrap();
        let inodes = [netns.inode().unwrap(), other.inode().unwrap()].into();
        wireloom_testkit::eventually("sleep is inside", || {
            holders(&inodes).values().flatten().any(|holder| holder.command == "sleep 1000")
        });
        let found = holders(&inodes);
        assert_eq!(found.keys().copied().collect::<Vec<_>>(), [netns.inode().unwrap()]);
        assert_eq!(found[&netns.inode().unwrap()].iter().map(|holder| holder.pid).collect::<Vec<_>>(), [pid]);
        assert_eq!(Netns::of_pid(pid).unwrap().id().unwrap(), netns.id().unwrap());
        sh(&format!("kill {pid}"));
    });
}
