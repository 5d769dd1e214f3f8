//! Being inside a namespace, and out again.
#![expect(clippy::unwrap_used, reason = "helpers of tests are not seen as tests")]

use std::fs;
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};

use nix::libc;
use wireloom_netns::{Error, Netns, NetnsId};
use wireloom_testkit::{sandbox, sh};

fn here() -> NetnsId {
    Netns::current().unwrap().id().unwrap()
}

#[test]
fn a_closure_runs_inside_and_the_caller_stays_outside() {
    sandbox(|| {
        let outside = here();
        let netns = Netns::create_unnamed().unwrap();
        assert_eq!(netns.run(here).unwrap(), netns.id().unwrap());
        assert_ne!(netns.id().unwrap(), outside);
        assert_eq!(here(), outside);
    });
}

#[test]
fn a_panic_inside_goes_on_in_the_caller_who_stays_outside() {
    sandbox(|| {
        let outside = here();
        let netns = Netns::create_unnamed().unwrap();
        let panic = catch_unwind(AssertUnwindSafe(|| netns.run(|| panic!("inside")))).unwrap_err();
        assert_eq!(*panic.downcast::<&str>().unwrap(), "inside");
        assert_eq!(here(), outside);
    });
}

#[test]
fn a_socket_belongs_to_the_namespace_and_the_caller_stays_outside() {
    sandbox(|| {
        let outside = here();
        let netns = Netns::create("a").unwrap();
        sh("ip -n a link set lo up");
        let socket = netns.open_socket(libc::AF_INET, libc::SOCK_STREAM, 0).unwrap();
        assert_eq!(here(), outside);
        // Out here lo is down: only a socket of that namespace can listen on it and be seen listening.
        let listener = std::net::TcpListener::from(socket);
        let inside = || fs::read_to_string("/proc/thread-self/net/sockstat").unwrap();
        assert!(netns.run(inside).unwrap().contains("TCP: inuse 0"));
        nix::sys::socket::listen(&listener, nix::sys::socket::Backlog::new(1).unwrap()).unwrap();
        assert!(netns.run(inside).unwrap().contains("TCP: inuse 1"));
        assert!(inside().contains("TCP: inuse 0"));
    });
}

#[test]
fn a_socket_that_cannot_be_opened_leaves_the_caller_outside() {
    sandbox(|| {
        let outside = here();
        let netns = Netns::create_unnamed().unwrap();
        let error = netns.open_socket(-1, libc::SOCK_STREAM, 0).unwrap_err();
        assert_eq!(error.errno(), Some(nix::errno::Errno::EAFNOSUPPORT));
        assert_eq!(here(), outside);
    });
}

#[test]
fn an_identity_is_never_given_twice_and_survives_json() {
    sandbox(|| {
        let ids: Vec<_> = (0..20).map(|_| Netns::create_unnamed().unwrap().id().unwrap()).collect();
        let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), 20);
        let json = serde_json::to_string(&ids[0]).unwrap();
        assert_eq!(serde_json::from_str::<NetnsId>(&json).unwrap(), ids[0]);
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        assert_eq!(ids[0].to_string(), format!("{}/{}", boot.trim(), ids[0].cookie));
    });
}

#[test]
fn a_process_that_is_gone_is_no_process() {
    sandbox(|| {
        let pid = sh("sleep 1000 >/dev/null 2>&1 & echo $!; kill $!; wait $! || true").trim().parse().unwrap();
        assert!(matches!(Netns::of_pid(pid), Err(Error::NoProcess { .. })));
        assert!(matches!(Netns::of_pid(0), Err(Error::NoProcess { .. })));
        assert!(matches!(Netns::of_pid(u32::MAX), Err(Error::NoProcess { .. })));
    });
}

#[test]
fn the_closure_has_left_the_namespace_when_run_returns() {
    sandbox(|| {
        for _ in 0..50 {
            let netns = Netns::create_unnamed().unwrap();
            netns.run(|| ()).unwrap();
            let inodes = [netns.inode().unwrap()].into();
            assert!(wireloom_netns::holders(&inodes).is_empty());
            assert!(netns.as_fd().try_clone_to_owned().is_ok());
        }
    });
}

#[test]
fn sys_and_etc_are_those_of_the_namespace() {
    sandbox(|| {
        let netns = Netns::create("a").unwrap();
        sh("ip -n a link add only-inside type veth peer name other");
        sh("mount -t tmpfs tmpfs /etc && mkdir -p /etc/netns/a && echo in >/etc/netns/a/hosts && echo out >/etc/hosts");
        let interfaces = || {
            let mut names: Vec<_> = fs::read_dir("/sys/class/net")
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.retain(|name| name == "only-inside");
            names
        };
        let outside = interfaces();
        let inside = std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                netns.enter_with_sysfs(Some("a")).unwrap();
                (interfaces(), fs::read_to_string("/etc/hosts").unwrap())
            });
            thread.join().unwrap()
        });
        assert_eq!(inside, (vec!["only-inside".to_owned()], "in\n".to_owned()));
        assert_eq!(fs::read_to_string("/etc/hosts").unwrap(), "out\n");
        assert_eq!(outside, Vec::<String>::new());
        assert_eq!(interfaces(), outside, "the caller's /sys is as before");
    });
}
