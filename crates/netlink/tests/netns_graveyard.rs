//! Waiting for dropped namespaces: the links in them are gone, and what somebody holds is named.
#![expect(clippy::unwrap_used, reason = "helpers of tests are not seen as tests")]

use std::time::Duration;

use wireloom_netlink::Graveyard;
use wireloom_netns::{Netns, remove, remove_many};
use wireloom_testkit::{ip, ip_in, sandbox, sh};

const LONG: Duration = Duration::from_secs(60);
/// The group of the links that are deleted where a namespace cannot be dropped.
const OURS: u32 = 77;

/// Makes namespaces n0, n1, …, each joined with the namespace "hub" by a link, and watches them.
fn joined_with_a_hub(count: usize) -> (Graveyard, Vec<String>) {
    Netns::create("hub").unwrap();
    let mut graveyard = Graveyard::new().unwrap();
    let names: Vec<String> = (0..count).map(|n| format!("n{n}")).collect();
    for name in &names {
        let netns = Netns::create(name).unwrap();
        graveyard.watch(&netns, name).unwrap();
    }
    sh(&format!(
        "for i in $(seq 0 {}); do echo link add h$i type veth peer name eth0 netns n$i; done | ip -n hub -batch -",
        count - 1
    ));
    assert_eq!(ip_in("hub", "link").as_array().unwrap().len(), count + 1);
    (graveyard, names)
}

fn links_in_hub() -> Vec<String> {
    let links = ip_in("hub", "link");
    links.as_array().unwrap().iter().map(|link| link["ifname"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn when_the_wait_is_over_the_other_ends_are_gone() {
    sandbox(|| {
        let (graveyard, names) = joined_with_a_hub(50);
        assert!(remove_many(&names).is_empty());
        assert_eq!(graveyard.wait(LONG, OURS).unwrap(), Vec::<String>::new());
        assert_eq!(links_in_hub(), ["lo"]);
    });
}

#[test]
fn a_namespace_that_is_held_open_is_named_and_does_not_hold_up_the_others() {
    sandbox(|| {
        let (graveyard, names) = joined_with_a_hub(10);
        let held = Netns::named("n7").unwrap();
        assert!(remove_many(&names).is_empty());
        assert_eq!(graveyard.wait(LONG, OURS).unwrap(), ["n7"]);
        assert_eq!(links_in_hub(), ["lo", "h7"]);
        drop(held);
    });
}

#[test]
fn in_a_namespace_that_is_held_open_the_links_of_the_group_are_deleted_and_others_stay() {
    sandbox(|| {
        let (graveyard, names) = joined_with_a_hub(3);
        let held = Netns::named("n1").unwrap();
        sh("ip -n n1 link add ours group 77 type veth peer name ours-too; ip -n n1 link set eth0 group 77");
        sh("ip -n n1 link add theirs type veth peer name theirs-too");
        assert!(remove_many(&names).is_empty());
        assert_eq!(graveyard.wait(LONG, OURS).unwrap(), ["n1"]);
        assert_eq!(links_in_hub(), ["lo"]);
        let left = held.run(|| ip("link").as_array().unwrap().len()).unwrap();
        assert_eq!(left, 3, "lo, theirs and theirs-too");
    });
}

#[test]
fn a_namespace_that_keeps_its_name_is_held() {
    sandbox(|| {
        let (graveyard, _) = joined_with_a_hub(2);
        remove("n0").unwrap();
        assert_eq!(graveyard.wait(LONG, OURS).unwrap(), ["n1"]);
    });
}

#[test]
fn watching_does_not_keep_a_namespace_alive() {
    sandbox(|| {
        let (first, names) = joined_with_a_hub(3);
        let mut second = Graveyard::new().unwrap();
        for name in &names {
            second.watch(&Netns::named(name).unwrap(), name).unwrap();
        }
        assert!(remove_many(&names).is_empty());
        assert_eq!(first.wait(LONG, OURS).unwrap(), Vec::<String>::new());
        assert_eq!(second.wait(LONG, OURS).unwrap(), Vec::<String>::new());
    });
}

#[test]
fn among_more_than_one_warden_can_have_the_held_ones_are_named() {
    sandbox(|| {
        let mut graveyard = Graveyard::new().unwrap();
        let mut held = Vec::new();
        for number in 0..1030 {
            let netns = Netns::create_unnamed().unwrap();
            graveyard.watch(&netns, &format!("{number:04}")).unwrap();
            held.extend((number % 300 == 200).then_some(netns));
        }
        assert_eq!(graveyard.wait(LONG, OURS).unwrap(), ["0200", "0500", "0800"]);
        assert_eq!(held.len(), 3);
    });
}

#[test]
fn with_nothing_to_wait_for_the_wait_is_over_at_once() {
    sandbox(|| {
        assert_eq!(Graveyard::new().unwrap().wait(Duration::ZERO, OURS).unwrap(), Vec::<String>::new());
    });
}

#[test]
fn a_wait_without_time_is_an_error_that_says_for_how_many() {
    sandbox(|| {
        let (graveyard, names) = joined_with_a_hub(3);
        assert!(remove_many(&names).is_empty());
        let error = graveyard.wait(Duration::ZERO, OURS).unwrap_err();
        assert!(error.to_string().contains("3 dropped namespaces"), "{error}");
    });
}
