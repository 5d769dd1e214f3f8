//! What the binary says about itself to shells and to man.

mod common;

use std::fs;

use common::Folder;
use wireloom_testkit::{sh, wireloom_run};

/// All verbs, as the help lists them.
fn verbs() -> Vec<String> {
    let help = wireloom_run(["--help"]).ok().stdout;
    let list = help.split("Commands:").nth(1).unwrap_or_default().split("\n\n").next().unwrap_or_default();
    let verbs = list.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    verbs.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).filter(|verb| verb != "help").collect()
}

#[test]
fn bash_completes_verbs_and_options() {
    let folder = Folder::with(&[]);
    folder.write("wireloom.bash", &wireloom_run(["completions", "bash"]).ok().stdout);
    let script = folder.path("wireloom.bash");
    let complete = |words: &str| {
        let last = words.split(' ').count() - 1;
        let words: String = words.split(' ').map(|word| format!("'{word}' ")).collect();
        sh(&format!(
            "bash -c \"source {}; COMP_WORDS=({words}); COMP_CWORD={last}; \
             _wireloom wireloom \\\"\\${{COMP_WORDS[{last}]}}\\\" \\\"\\${{COMP_WORDS[{last}-1]}}\\\"; echo \\${{COMPREPLY[@]}}\"",
            script.display()
        ))
    };
    assert_eq!(complete("wireloom gra"), "graph\n");
    assert_eq!(complete("wireloom graph --form"), "--format\n");
    assert_eq!(complete("wireloom graph --format s"), "svg\n");
    let all = complete("wireloom ");
    let missing: Vec<_> = verbs().into_iter().filter(|verb| !all.split_whitespace().any(|it| it == verb)).collect();
    assert_eq!(missing, [""; 0], "{all}");
}

#[test]
fn other_shells_have_scripts_too() {
    for (shell, begins) in [("zsh", "#compdef wireloom"), ("fish", "# Print an optspec")] {
        let script = wireloom_run(["completions", shell]).ok().stdout;
        assert!(script.starts_with(begins), "{script}");
        assert!(verbs().iter().all(|verb| script.contains(verb.as_str())), "{shell}");
    }
    assert_eq!(wireloom_run(["completions", "tcsh"]).status, 64);
}

#[test]
fn every_verb_has_a_man_page_with_its_sections() {
    let folder = Folder::with(&[]);
    assert_eq!(folder.wireloom("man --write man1").ok().stdout, "");
    assert!(verbs().len() > 10, "{:?}", verbs());
    for verb in verbs() {
        let page = fs::read_to_string(folder.path(&format!("man1/wireloom-{verb}.1"))).unwrap();
        for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXTRA"] {
            assert!(page.contains(&format!("\n.SH {section}\n")), "{verb} has no {section}: {page}");
        }
        assert!(page.contains(&format!("\\fBwireloom {verb}\\fR")), "{page}");
        assert_eq!(wireloom_run(["man", &verb]).ok().stdout, page);
    }
    let whole = fs::read_to_string(folder.path("man1/wireloom.1")).unwrap();
    assert!(verbs().iter().all(|verb| whole.contains(&format!("wireloom\\-{verb}(1)"))), "{whole}");
    let unknown = wireloom_run(["man", "fly"]);
    assert!(unknown.status == 64 && unknown.stderr.contains("there is no verb `fly`"), "{unknown:?}");
}
