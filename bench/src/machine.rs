//! What the figures were measured on.

use std::path::Path;
use std::process::Command;

/// Print machine, kernel, file system and versions.
pub(crate) fn head(folder: &Path) {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|pair| pair.1);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = memory.lines().next().unwrap_or_default().replace("MemTotal:", "");
    println!("machine      {}, {cores} cores, memory {}", model.unwrap_or("unknown"), memory.trim());
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    println!("kernel       {}", kernel.trim());
    let file_system = said("findmnt", &["-no", "FSTYPE,OPTIONS,SOURCE", "-T", &folder.display().to_string()]);
    println!("file system  {file_system}");
    println!("certwright   {} (release build)", env!("CARGO_PKG_VERSION"));
    println!("rustc        {}", said("rustc", &["--version"]));
    println!("getfacl      {}", said("getfacl", &["--version"]));
    println!("certbot      {}\n", said("certbot", &["--version"]));
}

/// The first line that a program says about itself.
fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or("not there").to_owned()
}
