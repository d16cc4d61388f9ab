//! A hook on the test bench: every event of the contract that it was written for, with material that is made up and valid, in
//! a directory laid out as the client's own; what it does there, and what it does when its own tools fail.

mod act;
mod call;
mod contract;
mod judge;
mod material;
mod outside;
mod report;
mod snapshot;
mod tools;

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::time::Duration;

use certwright::{Error, ErrorKind, Result};

pub use contract::Contract;
pub use report::{Change, EventReport, HookFinding, HookReport};

use crate::harness::files::fresh;
use crate::hook::act::{Act, Event, Kind};
use crate::hook::call::Caller;
use crate::hook::judge::Judge;
use crate::hook::outside::Outside;
use crate::hook::snapshot::Snapshot;
use crate::hook::tools::Tools;
use crate::settings::Settings;
use crate::testbed::Testbed;

/// Which hook is tried, and how.
#[derive(Clone, Debug)]
pub struct HookWish {
    /// The hook.
    pub script: PathBuf,
    /// The client that it was written for; `None` to go by what it mentions.
    pub contract: Option<Contract>,
    /// How long one call may take.
    pub limit: Duration,
    /// The user that it is run as, by name; only root can be somebody else.
    pub user: Option<String>,
}

impl HookWish {
    /// This hook, with half a minute for each call, as the user of this process.
    pub fn new(script: impl Into<PathBuf>) -> Self {
        Self { script: script.into(), contract: None, limit: Duration::from_secs(30), user: None }
    }
}

/// Tries a hook.
///
/// # Errors
///
/// [`ErrorKind::NotFound`] when there is no such script or user, [`ErrorKind::InvalidSpec`] when it is not executable and
/// its contract wants it so, [`ErrorKind::Io`] when the bench cannot be set up.
///
/// # Effects
///
/// Those of the hook, some thirty times. It is told paths below a directory of its own, and its `HOME` and `TMPDIR` are
/// there; what it does elsewhere is done. A name server is at `ACME_DNS`, and takes updates with the key `ACME_TSIG`. What it leaves running is killed at the end of each call.
///
/// # Examples
///
/// ```
/// use certwright_testbed::{HookWish, try_hook};
///
/// let script = std::env::temp_dir().join(format!("hook-example-{}", std::process::id()));
/// std::fs::write(&script, "#!/bin/sh\n[ \"$1\" != deploy_cert ] || chmod 644 \"$3\"\n")?;
/// std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
/// let report = try_hook(&HookWish::new(&script))?;
/// assert!(report.findings.iter().any(|finding| finding.code == "key_readable"));
/// # std::fs::remove_file(script)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn try_hook(wish: &HookWish) -> Result<HookReport> {
    let unread = |source| Error::io("the hook cannot be read", source).context("path", wish.script.as_path());
    let script = fs::canonicalize(&wish.script).map_err(unread)?;
    let text = String::from_utf8_lossy(&fs::read(&script).map_err(unread)?).into_owned();
    let contract = wish.contract.unwrap_or_else(|| Contract::guess(&script, &text));
    let bed = Testbed::with(Settings::whole())?;
    let bench = Bench::set_up(wish, script, &text, contract, variables(&bed))?;
    bench.try_all(wish, contract, &text)
}

type Variables = Vec<(&'static str, String)>;

/// Where a hook that puts records into a zone finds one: the variables that a command finds in a test bed.
fn variables(bed: &Testbed) -> Variables {
    let mut variables = vec![("ACME_DIRECTORY", bed.directory().to_owned())];
    if let Some(names) = bed.dns() {
        variables.push(("ACME_DNS", names.address().to_string()));
        variables.push(("ACME_TSIG", names.tsig().to_owned()));
    }
    if let Some(management) = bed.management() {
        variables.push(("ACME_MANAGEMENT", format!("http://{management}")));
    }
    variables
}

/// Directories of one trial; removed with it.
#[derive(Debug)]
struct Bench {
    base: PathBuf,
    caller: Caller,
    tools: Tools,
}

impl Bench {
    fn set_up(wish: &HookWish, script: PathBuf, text: &str, contract: Contract, variables: Variables) -> Result<Self> {
        contract.accepts(&script, text)?;
        let user = wish.user.as_deref().map(call::identity).transpose()?;
        let base = fresh().map_err(unmade)?;
        let base = fs::canonicalize(&base).unwrap_or(base);
        let caller =
            Caller { script, root: base.join("root"), io: base.join("io"), limit: wish.limit, user, variables };
        let tools = Tools::put_in_the_way(&base.join("tools"), user)?;
        let bench = Self { base, caller, tools };
        for folder in ["root", "io", "root/home", "root/tmp"] {
            let path = bench.base.join(folder);
            fs::create_dir_all(&path).map_err(unmade)?;
            bench.give(&path)?;
        }
        Ok(bench)
    }

    fn try_all(&self, wish: &HookWish, contract: Contract, text: &str) -> Result<HookReport> {
        let mut judge = Judge::new(self.caller.root.clone());
        let mut outside = Outside::mentioned(text, &self.base, &self.caller.script);
        let acts = contract.acts(&self.caller.root, text, &self.caller.script)?;
        let mut events = Vec::new();
        let mut fragile: Vec<(Event, Vec<String>)> = Vec::new();
        for act in &acts {
            let event = match act {
                Act::Fire(event) => event,
                other => {
                    other.perform(&self.caller.root, self.caller.user)?;
                    judge.knows_material(other);
                    continue;
                }
            };
            if event.kind == Kind::Renewal {
                judge.let_a_reader_in()?;
            }
            let before = Snapshot::take(&self.caller.root)?;
            let call = self.caller.call(event, &self.tools)?;
            let after = Snapshot::take(&self.caller.root)?;
            let used = self.tools.used();
            outside.look_at(&used);
            let changes = before.changes_to(&after);
            judge.ordinary(event, &call, &used, &changes, &after);
            let names: Vec<String> = used.iter().map(|tool| tool.name.clone()).collect();
            if event.kind.is_work() && call.well() && !names.is_empty() {
                fragile.push((event.clone(), names));
            }
            events.push(EventReport::new(event, &call, changes));
        }
        for finding in outside.written() {
            judge.outside(&finding);
        }
        for (event, names) in &fragile {
            self.break_tools(event, names, &mut judge)?;
        }
        Ok(HookReport { script: wish.script.clone(), contract, events, findings: judge.findings() })
    }

    /// The same call again, once for each tool that it used, which fails.
    fn break_tools(&self, event: &Event, names: &[String], judge: &mut Judge) -> Result<()> {
        let mut distinct = names.to_vec();
        distinct.sort();
        distinct.dedup();
        for name in &distinct {
            self.tools.breaks(Some(name))?;
            let call = self.caller.call(event, &self.tools);
            self.tools.breaks(None)?;
            let used = self.tools.used();
            // One that helps itself another way has not swallowed anything.
            let other_way = used.iter().any(|tool| !distinct.contains(&tool.name));
            judge.broken(event, name, &call?, other_way);
        }
        Ok(())
    }

    fn give(&self, path: &Path) -> Result<()> {
        give(path, self.caller.user)
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.base);
    }
}

/// Makes a user the owner.
fn give(path: &Path, user: Option<(u32, u32)>) -> Result<()> {
    match user {
        Some((uid, gid)) => chown(path, Some(uid), Some(gid)).map_err(unmade),
        None => Ok(()),
    }
}

fn unmade(source: std::io::Error) -> Error {
    Error::io("the bench for the hook cannot be set up", source)
}

fn no_such(what: &'static str, value: &Path) -> Error {
    Error::new(ErrorKind::NotFound, what).context("name", value)
}
