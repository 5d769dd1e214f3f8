//! What the guest finds on its disk: busybox, the observers, the test programs with the files they read, the modules.
//! Everything lies where it lies on this machine, libraries included. Deliberately does not start anything.

use std::fs;
use std::path::{Path, PathBuf};

use super::cpio::Archive;
use super::kernel::Kernel;
use super::{Plan, modules};
use crate::error::Error;
use crate::program::{program, read, read_text};
use crate::workspace::Workspace;

/// The first process of the guest.
const INIT: &str = include_str!("init.sh");

/// Programs that tests run, from the Debian packages that set-up installs; the rest is busybox.
const TOOLS: [&str; 6] = ["ip", "tc", "bridge", "ping", "ethtool", "sysctl"];

/// Writes the initramfs.
pub(super) fn build(workspace: &Workspace, kernel: &Kernel, plan: &Plan<'_>, to: &Path) -> Result<(), Error> {
    let mut archive = Archive::default();
    // Folders that are links on Debian (merged /usr) have to be links in the guest too: libraries are named both ways.
    for (link, folder) in [("/bin", "usr/bin"), ("/sbin", "usr/sbin"), ("/lib", "usr/lib"), ("/lib64", "usr/lib64")] {
        archive.folder(&Path::new("/").join(folder));
        archive.link(Path::new(link), Path::new(folder));
    }
    for folder in ["/proc", "/sys", "/dev", "/run", "/tmp", "/etc", "/root", "/var/lib"] {
        archive.folder(Path::new(folder));
    }
    archive.program(Path::new("/init"), INIT.as_bytes());
    archive.program(Path::new("/usr/bin/busybox"), &content(&which("busybox")?)?);
    // busybox as a shell prefers its own ip and ping to the real ones.
    add_program(&mut archive, &which("dash")?, Path::new("/usr/bin/sh"))?;
    for tool in TOOLS {
        add_program(&mut archive, &which(tool)?, &Path::new("/usr/sbin").join(tool))?;
    }
    ["/etc/iproute2", "/usr/share/iproute2"].into_iter().try_for_each(|it| add_folder(&mut archive, Path::new(it)))?;
    add_program(&mut archive, plan.binary, Path::new("/usr/sbin/wireloom"))?;
    add_tests(&mut archive, workspace, plan)?;
    add_modules(&mut archive, kernel)?;
    fs::write(to, archive.finish()).map_err(Error::file("write", to))
}

/// The test programs as /tests/N, and for each `N FOLDER` in /tests/list; its package's test files, the manual and the examples.
fn add_tests(archive: &mut Archive, workspace: &Workspace, plan: &Plan<'_>) -> Result<(), Error> {
    let mut list = String::new();
    for (number, suite) in plan.suites.iter().enumerate() {
        add_program(archive, &suite.executable, Path::new(&format!("/tests/{number}")))?;
        add_folder(archive, &suite.folder.join("tests"))?;
        archive.folder(&suite.folder);
        list.push_str(&format!("{number} {}\n", suite.folder.display()));
    }
    for folder in ["docs", "examples"] {
        add_folder(archive, &workspace.root.join(folder))?;
    }
    archive.program(Path::new("/tests/list"), list.as_bytes());
    archive.program(Path::new("/tests/filter"), plan.filter.unwrap_or_default().as_bytes());
    Ok(())
}

/// The modules, unpacked, as /modules/NNN-NAME.ko: in the order of their names each comes after all that it needs.
fn add_modules(archive: &mut Archive, kernel: &Kernel) -> Result<(), Error> {
    for (number, file) in modules::in_loading_order(&kernel.modules)?.iter().enumerate() {
        let packed = file.extension().is_some_and(|it| it == "xz");
        let bytes = if packed { read(program("xz").arg("-dc").arg(file))? } else { content(file)? };
        let name = file.file_name().expect("a module has a name").to_string_lossy().replace(".xz", "");
        archive.program(Path::new(&format!("/modules/{number:03}-{name}")), &bytes);
    }
    Ok(())
}

/// A program without its debug information, and the libraries that it is linked with.
fn add_program(archive: &mut Archive, from: &Path, to: &Path) -> Result<(), Error> {
    // A test program is 50 MB, most of it debug information; the guest has 512 MB and unpacks slowly.
    let stripped = std::env::temp_dir().join(format!("xtask-{}-stripped", std::process::id()));
    read(program("strip").arg("--strip-debug").arg("-o").arg(&stripped).arg(from))?;
    let bytes = content(&stripped);
    fs::remove_file(&stripped).map_err(Error::file("remove", &stripped))?;
    archive.program(to, &bytes?);
    for library in libraries(from).into_iter().filter(|library| !archive.has(library)).collect::<Vec<_>>() {
        archive.program(&library, &content(&library)?);
    }
    Ok(())
}

/// The absolute paths in what ldd prints, with /lib as the folder that it is a link to; none for a static program.
fn libraries(program_file: &Path) -> Vec<PathBuf> {
    let printed = read_text(program("ldd").arg(program_file)).unwrap_or_default();
    let paths = printed.lines().filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')));
    paths.map(|path| if path.starts_with("/lib") { format!("/usr{path}").into() } else { path.into() }).collect()
}

/// All files below a folder, at the same place; nothing where there is no such folder.
fn add_folder(archive: &mut Archive, folder: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.map_err(Error::file("read folder", folder))?.path();
        if path.is_dir() {
            add_folder(archive, &path)?;
        } else {
            archive.program(&path, &content(&path)?);
        }
    }
    Ok(())
}

/// A file's bytes.
fn content(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(Error::file("read", path))
}

/// Where a program is, also outside a user's PATH.
fn which(name: &str) -> Result<PathBuf, Error> {
    let folders = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].map(Path::new);
    let found = folders.into_iter().map(|folder| folder.join(name)).find(|path| path.exists());
    found.ok_or_else(|| Error::Start { command: name.to_owned(), source: std::io::ErrorKind::NotFound.into() })
}
