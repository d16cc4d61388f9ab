//! `cargo xtask demo`: the main job over ACME, with a real nginx on a loopback port and no network, told on one screen.

mod authority;
mod scene;

use scene::Scene;

use crate::Outcome;
use crate::run::cargo;
use crate::services;

/// The programs that the demonstration runs beside certwright.
const PROGRAMS: &[&str] = &["nginx", "openssl"];

/// The verb.
///
/// # Errors
///
/// When something cannot be set up, and at the first step that does not come out as told.
pub fn verb(arguments: &[String]) -> Outcome {
    if !arguments.is_empty() {
        return Err("takes no arguments".to_owned());
    }
    services::install_named(PROGRAMS)?;
    build()?;
    let mut scene = Scene::set()?;
    let folder = scene.folder();
    println!("$ cd {folder}; export CERTWRIGHT_CONFIG=$PWD/certwright.toml; nginx -c $PWD/nginx.conf &");
    println!(
        "$ certwright testbed --dir bed &     # an ACME server that looks for answers, in place of one on the internet"
    );
    if !scene.foreign_readers() {
        println!("not root, so left out: readers that are other users; nginx runs as you, and reads as the owner");
    }
    deployed(&mut scene)?;
    again(&scene)?;
    broken(&scene)?;
    mended(&scene)?;
    drift(&scene)?;
    println!("demo: all came out as told; nginx and the test bed are ended, the directory is removed");
    Ok(())
}

fn build() -> Outcome {
    println!("building certwright");
    let output = cargo(["build", "--package", "certwright-cli"]).output();
    match output.map_err(|fault| format!("cargo cannot be run: {fault}"))? {
        output if output.status.success() => Ok(()),
        output => Err(format!("certwright cannot be built:\n{}", String::from_utf8_lossy(&output.stderr).trim_end())),
    }
}

fn deployed(scene: &mut Scene) -> Outcome {
    step("a certificate is ordered, the challenge answered; placed for its readers, switched to, seen to be served");
    scene.site(&["www.example.org"])?;
    scene.certwright(&["apply"])?.ends(0)?.says("served: ")?.show(&["www:", "served:"]);
    scene.remember(scene.active()?);
    if scene.foreign_readers() {
        let key = "certs/www/current/key.pem";
        scene.certwright(&["access", key, "--user", "www-data"])?.ends(0)?.says("can read")?.show(&["www-data"]);
        scene.certwright(&["access", key, "--user", "nobody"])?.ends(3)?.says("cannot read")?.show(&["nobody"]);
    }
    served(scene)
}

fn again(scene: &Scene) -> Outcome {
    step("a second run changes nothing");
    scene.certwright(&["apply"])?.ends(0)?.says("unchanged")?.show(&["www:"]);
    same_generation(scene)
}

fn broken(scene: &Scene) -> Outcome {
    step("a name is added, and nginx.conf is broken: the check fails, and the switch is undone by itself");
    scene.site(&["www.example.org", "example.org"])?;
    scene.break_nginx()?;
    let told = scene.certwright(&["apply"])?.ends(1)?;
    told.says("the service's check failed")?.says("rolled back")?.show(&["error:", "now:"]);
    same_generation(scene)?;
    served(scene)
}

fn mended(scene: &Scene) -> Outcome {
    step("nginx.conf is mended: what was issued is activated now, without another order");
    scene.site(&["www.example.org", "example.org"])?;
    scene.certwright(&["rollback", "www", "--release"])?.ends(0)?;
    scene.certwright(&["apply"])?.ends(0)?.show(&["www:"]);
    if scene.active()? == scene.first() { Err("the second certificate is not active".to_owned()) } else { Ok(()) }
}

fn drift(scene: &Scene) -> Outcome {
    step("somebody runs chmod: verify names what became of it, apply repairs it");
    let (mode, entry) = if scene.foreign_readers() { ("600", "mask::") } else { ("644", "other::") };
    scene.typed("chmod", &[mode, "certs/www/current/key.pem"])?.ends(0)?;
    scene.certwright(&["verify"])?.ends(3)?.says(entry)?.show(&["access_drift:"]);
    scene.certwright(&["apply"])?.ends(0)?.show(&["www:"]);
    scene.certwright(&["verify"])?.ends(0)?.show(&["www:"]);
    Ok(())
}

fn step(what: &str) {
    println!("\n# {what}");
}

/// What nginx serves, seen by another program than certwright.
fn served(scene: &Scene) -> Outcome {
    let seen = scene.openssl()?;
    let active = scene.active()?;
    if !active.ends_with(&seen) {
        return Err(format!("nginx serves {seen}, and {active} is active"));
    }
    Ok(())
}

fn same_generation(scene: &Scene) -> Outcome {
    let active = scene.active()?;
    if active == scene.first() { Ok(()) } else { Err(format!("{active} is active instead of {}", scene.first())) }
}
