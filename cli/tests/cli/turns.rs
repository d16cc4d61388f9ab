//! Lineages that share a service: one check and one reload where that is enough, and nobody pays for another one's fault.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::play::Play;

/// As many as go side by side, and fewer.
const COUNT: usize = 30;

/// A service that is told by its own program, as postfix(1) is. Its first check stands until every lineage has switched to
/// the generation with the number in `switched`: whoever else there is has come by then. It refuses a generation of `m07` that
/// is named in `refused`.
const PROGRAM: &str = r#"#!/bin/sh
cd [DIR] || exit 9
echo "$3" >> calls
test "$3" = check || exit 0
while :; do
    count=0
    for link in store/*/current; do
        case $(readlink "$link") in generations/"$(cat switched)"-*) count=$((count + 1)) ;; esac
    done
    test -e all-came && break
    test "$count" -lt [COUNT] || { touch all-came; break; }
    sleep 0.05
done
case $(readlink store/m07/current) in generations/"$(cat refused)"-*) echo "m07 is refused"; exit 1 ;; esac
"#;

fn lineages(names: &str, service: &str) -> String {
    (0..COUNT).fold(String::new(), |mut text, number| {
        writeln!(
            text,
            "[lineage.m{number:02}]\nidentifiers = [\"{names}.m{number}.example\"]\nissuer = \"lab\"\nprobe = []\n{service}"
        )
        .unwrap();
        text
    })
}

fn script(play: &Play, name: &str, text: &str) {
    let text = text.replace("[DIR]", &play.directory()).replace("[COUNT]", &COUNT.to_string());
    play.write(name, &text);
    fs::set_permissions(play.path(name), fs::Permissions::from_mode(0o755)).unwrap();
}

fn active(play: &Play) -> Vec<String> {
    (0..COUNT).map(|number| play.active(&format!("m{number:02}"))).collect()
}

#[test]
fn many_lineages_of_one_service_share_its_check_and_reload() {
    let play = Play::empty();
    script(&play, "postfix", PROGRAM);
    let directory = play.directory();
    let service =
        format!("service = {{ preset = \"postfix\", binary = \"{directory}/postfix\", config = \"{directory}\" }}");
    for (file, text) in [("switched", "0001"), ("refused", "none")] {
        play.write(file, text);
    }
    play.wish(&lineages("one", &service));
    play.ends(0, &["apply"]);
    let calls = fs::read_to_string(play.path("calls")).unwrap();
    assert_eq!(calls.split_whitespace().collect::<Vec<_>>(), ["check", "reload", "check", "reload"]);

    // One of them has something that the service refuses: it alone goes back.
    play.wish(&lineages("two", &service));
    for (file, text) in [("switched", "0002"), ("refused", "0002")] {
        play.write(file, text);
    }
    fs::remove_file(play.path("all-came")).unwrap();
    let ran = play.ends(1, &["apply"]);
    let errors: Vec<&str> = ran.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    assert!(
        matches!(errors.as_slice(), [only] if only.starts_with("error: m07: ") && only.contains("m07 is refused")),
        "{errors:?}"
    );
    for (number, generation) in active(&play).iter().enumerate() {
        let wanted = if number == 7 { "0001-" } else { "0002-" };
        assert!(generation.starts_with(wanted), "m{number:02}: {generation}");
    }
    assert!(ran.stderr.contains("now: rolled back to 0001-"), "{}", ran.stderr);
    // It is deferred, and no more than one of each was ordered.
    let status = play.run(&["status", "m07"]).stdout;
    assert!(status.contains("0002-") && status.contains("deferred"), "{status}");
    play.ends(1, &["apply"]);
    let generations = fs::read_dir(play.path("store/m00/generations")).unwrap().count();
    assert_eq!(generations, 2);
}

#[test]
fn commands_that_are_about_a_lineage_are_run_one_after_the_other() {
    let play = Play::empty();
    // A second check before the reload of the first one finds the directory.
    script(
        &play,
        "own",
        "#!/bin/sh\ncd [DIR] || exit 9\necho \"$1 $CERTWRIGHT_LINEAGE\" >> calls\ncase $1 in check) mkdir inside ;; *) rmdir inside ;; esac\n",
    );
    let directory = play.directory();
    let service = format!("check = [\"{directory}/own\", \"check\"]\nreload = [\"{directory}/own\", \"reload\"]");
    play.wish(&lineages("one", &service));
    play.ends(0, &["apply"]);
    let calls = fs::read_to_string(play.path("calls")).unwrap();
    assert_eq!(calls.lines().count(), 2 * COUNT);
    for number in 0..COUNT {
        assert!(calls.contains(&format!("check m{number:02}\nreload m{number:02}\n")), "{calls}");
    }
}
