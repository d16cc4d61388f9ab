//! What is wrong with what was seen.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use certwright::access::{Access, Acl, EntryKind, Named, Permissions};
use certwright::{AclKind, Csr, Error, Filesystem as _, Open, OsFilesystem, Result};

use crate::hook::act::{Act, Event, Kind};
use crate::hook::call::Call;
use crate::hook::contract::NAMES;
use crate::hook::report::{Change, HookFinding};
use crate::hook::snapshot::{Content, Facts, Snapshot};
use crate::hook::tools::Used;

/// A user that is let in by ACL, to see whether a renewal shuts it out again.
const READER: u32 = 65_534;

#[derive(Debug)]
pub(super) struct Judge {
    root: PathBuf,
    findings: Vec<HookFinding>,
    /// The client's own files, and the keys among them.
    material: BTreeSet<PathBuf>,
    keys: Vec<Vec<u8>>,
    /// What the hook made of keys and certificates.
    deployed: BTreeSet<PathBuf>,
    let_in: BTreeMap<PathBuf, Vec<u8>>,
    sets_acls: bool,
}

impl Judge {
    pub(super) fn new(root: PathBuf) -> Self {
        Self {
            root,
            findings: Vec::new(),
            material: BTreeSet::new(),
            keys: Vec::new(),
            deployed: BTreeSet::new(),
            let_in: BTreeMap::new(),
            sets_acls: false,
        }
    }

    pub(super) fn findings(self) -> Vec<HookFinding> {
        self.findings
    }

    pub(super) fn knows_material(&mut self, act: &Act) {
        if let Act::Write(path, content, _) = act {
            self.material.insert(path.clone());
            if content.windows(11).any(|window| window == b"PRIVATE KEY") {
                self.keys.push(content.clone());
            }
        }
    }

    /// A call with good material and working tools.
    pub(super) fn ordinary(&mut self, event: &Event, call: &Call, used: &[Used], changes: &[Change], after: &Snapshot) {
        self.sets_acls |= used.iter().any(|tool| tool.name == "setfacl");
        self.ended(event, call);
        if event.kind == Kind::Unknown && call.well() && !changes.is_empty() {
            let text = format!("it does something at an event that it cannot know: {}", changes[0].text());
            self.add("unknown_event", event, text, "end with 0 and do nothing at any name that you do not handle");
        }
        self.missing_tools(event, call);
        self.request(event, call);
        self.material_in_arguments(event, used);
        for change in changes {
            self.changed(event, change);
        }
        self.keys_for_others(event, after);
        if event.kind == Kind::Renewal {
            self.still_lets_in(event, after);
        }
    }

    fn ended(&mut self, event: &Event, call: &Call) {
        let said = call.stderr.lines().next().map(|line| format!("; it said: {line}")).unwrap_or_default();
        match (call.status, event.kind) {
            (Some(0), _) => {}
            (None, _) => {
                let text = format!("it had not ended after {} s", call.took.as_secs());
                self.add("never_ends", event, text, "start no program in the foreground that stays; bound what waits");
            }
            (Some(status), Kind::Unknown) => {
                let text = format!("it ends with {status} at a name that it does not know, and the client stops{said}");
                self.add("unknown_event", event, text, "end with 0 and do nothing at any name that you do not handle");
            }
            (Some(status), _) => {
                let text = format!("it ends with {status} although nothing is wrong, and the client stops{said}");
                self.add("failed", event, text, "run it by hand with the arguments of this event");
            }
        }
    }

    /// A shell says so and goes on, unless it was told to stop.
    fn missing_tools(&mut self, event: &Event, call: &Call) {
        let names = call.stderr.lines().filter_map(|line| {
            let before = line.strip_suffix(": not found").or_else(|| line.strip_suffix(": command not found"))?;
            before.rsplit([' ', ':']).next().map(str::to_owned)
        });
        for name in names.collect::<BTreeSet<_>>() {
            if call.well() {
                let text = format!("`{name}` is not installed, and it ends with 0 all the same");
                self.add("failure_swallowed", event, text, "begin it with `set -e`, or look at every status");
            }
        }
    }

    /// What has the head of a request on standard output is used as one.
    fn request(&mut self, event: &Event, call: &Call) {
        if event.name != "generate_csr" || !call.stdout.contains("-----BEGIN CERTIFICATE REQUEST") {
            return;
        }
        let names = |csr: Csr| csr.identifiers().iter().map(ToString::to_string).collect::<BTreeSet<_>>();
        let wanted: BTreeSet<String> = NAMES.iter().map(ToString::to_string).collect();
        if !Csr::from_pem(call.stdout.as_bytes()).is_ok_and(|csr| names(csr) == wanted) {
            let text = "what it prints is taken for a request, and is none for these names".to_owned();
            self.add("bad_request", event, text, "print a request in PEM for all the names, or nothing");
        }
    }

    fn material_in_arguments(&mut self, event: &Event, used: &[Used]) {
        let secret: Vec<&str> = self.keys.iter().filter_map(|key| core(key)).collect();
        let shows = |word: &String| secret.iter().any(|line| word.contains(line));
        if let Some(tool) = used.iter().find(|tool| tool.arguments.iter().any(shows)) {
            let text =
                format!("the private key is an argument of `{}`, where every user of the machine sees it", tool.name);
            self.add("key_in_arguments", event, text, "hand over the path, or write to standard input");
        }
    }

    fn changed(&mut self, event: &Event, change: &Change) {
        let (Change::Created { path, .. }
        | Change::Written { path }
        | Change::Access { path, .. }
        | Change::Removed { path }) = change;
        let full = self.root.join(path);
        if self.material.contains(&full) {
            let text = format!("it {}, which is the client's own", change.text());
            self.add("source_changed", event, text, "copy what the client keeps; do not touch it");
        } else if matches!(event.kind, Kind::Deploy | Kind::Renewal) && !matches!(change, Change::Removed { .. }) {
            self.deployed.insert(full);
        }
    }

    fn keys_for_others(&mut self, event: &Event, after: &Snapshot) {
        let secret: Vec<Vec<u8>> =
            self.keys.iter().filter_map(|key| core(key)).map(|line| line.as_bytes().to_vec()).collect();
        let has = |bytes: &[u8]| secret.iter().any(|line| bytes.windows(line.len()).any(|window| window == line));
        let mut found = Vec::new();
        for (path, facts) in after.files(has) {
            let Some(access) = &facts.access else { continue };
            if access.acl.mode() & 0o007 != 0 {
                found.push((
                    "key_readable",
                    path.to_owned(),
                    "every user of the machine can read the private key in it",
                ));
            } else if shut_out_by_mask(access) {
                found.push(("acl_masked", path.to_owned(), "its ACL names readers, and its mask shuts them out"));
            }
        }
        for (code, path, what) in found {
            let text = format!("{}: {what}", self.shown(&path));
            let hint = if code == "key_readable" {
                "set a umask of 077 before the first write, and give readers a group or an ACL"
            } else {
                "run no chmod after setfacl: the group bits of a mode are the mask of an ACL"
            };
            self.add(code, event, text, hint);
        }
    }

    /// Lets a reader into everything that was deployed, as an administrator does it once by hand.
    pub(super) fn let_a_reader_in(&mut self) -> Result<()> {
        let files = OsFilesystem::new();
        for path in &self.deployed {
            let failed = |source| Error::io("a reader cannot be let in", source).context("path", path.as_path());
            let Ok(node) = files.open(None, path, Open::Read) else { continue };
            let before = Access::read(&files, &node)?;
            // An earlier event of the same renewal may have left it as it was made here.
            if before.acl.is_minimal() {
                let Some(read) = Permissions::parse("r--") else { continue };
                let acl = Acl::extended(before.acl.mode(), [Named::new(READER, read)], [], read);
                match files.set_acl(&node, AclKind::Access, Some(&acl.to_xattr())) {
                    // This file system has no ACLs.
                    Err(error) if error.kind() == std::io::ErrorKind::Unsupported => continue,
                    done => done.map_err(failed)?,
                }
            } else if !names_reader(&before) {
                continue;
            }
            let content = std::fs::read(path).map_err(failed)?;
            self.let_in.insert(path.clone(), content);
        }
        Ok(())
    }

    fn still_lets_in(&mut self, event: &Event, after: &Snapshot) {
        let lost: Vec<PathBuf> = self
            .let_in
            .iter()
            .filter(|(path, before)| {
                let now = after.facts(path);
                now.is_some_and(|now| now.content != Content::File((*before).clone()) && !lets_in(now))
            })
            .map(|(path, _)| path.clone())
            .collect();
        // Whoever sets ACLs anew each time decides who reads.
        if !self.sets_acls {
            for path in lost {
                let text = format!("{}: a reader that an ACL had let in is shut out by the renewal", self.shown(&path));
                self.add(
                    "access_lost",
                    event,
                    text,
                    "copy over the file, or set the ACL of the one that takes its place",
                );
            }
        }
        self.let_in.clear();
    }

    /// The same call with one of its tools broken.
    pub(super) fn broken(&mut self, event: &Event, tool: &str, call: &Call, other_way: bool) {
        if call.well() && !other_way {
            let text = format!("`{tool}` fails, and it ends with 0 all the same: the client takes it for done");
            self.add("failure_swallowed", event, text, "begin it with `set -e`, or look at every status");
        }
    }

    pub(super) fn outside(&mut self, path: &Path) {
        let finding = HookFinding {
            code: "writes_elsewhere",
            event: "all".to_owned(),
            text: format!("{}: changed, and it is outside the directory that the hook was told", path.display()),
            hint: "take the place of the files from a variable, so that it can be tried elsewhere",
        };
        self.findings.push(finding);
    }

    fn add(&mut self, code: &'static str, event: &Event, text: String, hint: &'static str) {
        let finding = HookFinding { code, event: event.name.clone(), text, hint };
        // A file that stays as it is would be found at every event from then on.
        if !self.findings.iter().any(|known| known.code == code && known.text == finding.text) {
            self.findings.push(finding);
        }
    }

    fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }
}

/// A line of a PEM block that is in no other.
fn core(pem: &[u8]) -> Option<&str> {
    std::str::from_utf8(pem).ok()?.lines().filter(|line| !line.starts_with("-----")).nth(1)
}

fn shut_out_by_mask(access: &Access) -> bool {
    let entries: Vec<(EntryKind, Permissions)> = access.acl.entries().collect();
    let mask = entries.iter().find(|(kind, _)| *kind == EntryKind::Mask).map(|(_, permissions)| *permissions);
    let Some(mask) = mask else { return false };
    let named = entries.iter().filter(|(kind, _)| matches!(kind, EntryKind::User(_) | EntryKind::Group(_)));
    named.clone().any(|(_, permissions)| permissions.bits() & 4 != 0 && (*permissions & mask).bits() & 4 == 0)
}

fn lets_in(facts: &Facts) -> bool {
    let Some(access) = &facts.access else { return false };
    names_reader(access) && !shut_out_by_mask(access)
}

fn names_reader(access: &Access) -> bool {
    access.acl.users().iter().any(|user| user.id == READER && user.permissions.bits() & 4 != 0)
}
