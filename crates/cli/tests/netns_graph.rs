//! `graph` of real namespaces: as the document says, and red where somebody has damaged something.

mod common;

use common::{Folder, TRIANGLE};
use serde_json::json;
use wireloom_testkit::{sandbox, sh};

#[test]
fn what_is_down_is_red_until_it_is_mended() {
    sandbox(|| {
        let folder = Folder::with(&[("triangle.yaml", TRIANGLE)]);
        let draw = |what: &str| folder.wireloom(&format!("graph {what}")).ok().stdout;
        let written = draw("triangle.yaml");
        assert!(written.starts_with("<svg ") && !written.contains(" wrong\"") && !written.contains("as it is now"));
        folder.wireloom("up triangle.yaml").ok();
        let up = draw("triangle");
        assert!(up.contains("as it is now") && !up.contains(" wrong\""), "{up}");
        assert_eq!(draw("triangle.yaml"), up);
        sh("ip -n triangle.r2 link set eth2 down; ip -n triangle.r1 addr del 12.12.12.1/24 dev eth1");
        let broken = draw("triangle");
        let links = broken.matches("class=\"link cable wrong\"").count();
        assert_eq!(links, 1, "{broken}");
        for why in ["r2:eth2 is down", "r3:eth2 has no carrier", "r1:eth1 has lost 12.12.12.1/24"] {
            assert!(broken.contains(&format!("class=\"trouble\">{why}</text>")), "{why}: {broken}");
        }
        assert!(draw("triangle --format dot").contains("color=\"#dc2626\""));
        assert!(draw("triangle --format mermaid").contains("stroke:#dc2626,stroke-width:3px,color"));
        sh("ip netns del triangle.r3");
        assert!(draw("triangle").contains("class=\"node own wrong gone\""));
        folder.wireloom("up triangle.yaml").ok();
        assert_eq!(draw("triangle"), up);
        folder.wireloom("down triangle").ok();
        assert_eq!(draw("triangle.yaml"), written);
    });
}

/// What somebody has done to packets since is shown, too.
#[test]
fn an_impairment_is_a_remark_and_programs_get_the_graph() {
    sandbox(|| {
        let slow = TRIANGLE.replace("12.12.12.2/24]", "12.12.12.2/24], rate: 10mbit");
        let folder = Folder::with(&[("triangle.yaml", &slow)]);
        folder.wireloom("up triangle.yaml").ok();
        let graph = folder.wireloom("graph triangle -o json").ok().json();
        assert_eq!((&graph["name"], &graph["looked"]), (&json!("triangle"), &json!(true)));
        let link = &graph["links"][0];
        assert_eq!((&link["notes"], &link["health"]), (&json!(["rate 10mbit"]), &json!({"state": "fine"})));
        assert_eq!(link["ends"][0]["interface"]["addresses"][0]["text"], "12.12.12.1/24");
        assert!(folder.wireloom("graph triangle").ok().stdout.contains(">rate 10mbit</text>"));
        folder.wireloom("down triangle").ok();
        let run = folder.wireloom("graph triangle");
        assert_eq!(run.status, 1, "{run:?}");
    });
}
