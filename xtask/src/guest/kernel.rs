//! The guest's kernel: Debian's cloud kernel, fetched with an apt configuration of its own from the mirror that the
//! machine already uses, unpacked once. Deliberately installs nothing and leaves the machine's apt lists alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Release;
use crate::error::Error;
use crate::program::{program, read, read_text, run_logged};
use crate::talk::say;

/// Debian's name for whatever its current small kernel for virtual machines is.
const META_PACKAGE: &str = "linux-image-cloud-amd64";

/// A kernel that QEMU can boot.
pub(super) struct Kernel {
    /// As `uname -r` says it.
    pub(super) version: String,
    /// The uncompressed ELF file: QEMU boots it by PVH, without firmware.
    pub(super) vmlinux: PathBuf,
    /// The folder with modules.dep.
    pub(super) modules: PathBuf,
}

/// The kernel, fetched if it is not there yet.
pub(super) fn ready(folder: &Path, release: Release) -> Result<Kernel, Error> {
    let home = folder.join("kernel").join(release.codename());
    if let Some(kernel) = unpacked(&home) {
        return Ok(kernel);
    }
    say!("guest: fetching Debian's {} cloud kernel into {}", release.codename(), home.display());
    let _ = fs::remove_dir_all(&home); // what an interrupted fetch left
    let apt = Apt::new(folder.join("apt").join(release.codename()), release)?;
    unpack(&apt.download_kernel()?, &home, &apt.log)?;
    unpacked(&home).ok_or(Error::Kernel { path: home, reason: "it holds no kernel version" })
}

/// What an earlier run has finished; vmlinux is written last.
fn unpacked(home: &Path) -> Option<Kernel> {
    let all = home.join("root/lib/modules");
    let version = fs::read_dir(&all).ok()?.flatten().next()?.file_name().into_string().ok()?;
    let kernel = Kernel { vmlinux: home.join("vmlinux"), modules: all.join(&version), version };
    kernel.vmlinux.exists().then_some(kernel)
}

/// Unpacks the package, indexes its modules, extracts the kernel.
fn unpack(package: &Path, home: &Path, log: &Path) -> Result<(), Error> {
    let root = home.join("root");
    fs::create_dir_all(&root).map_err(Error::file("make folder", &root))?;
    run_logged(program("dpkg").arg("-x").arg(package).arg(&root), log)?;
    let lib = root.join("lib");
    if !lib.exists() {
        // Since Debian 13 modules are in /usr/lib; depmod and we look in /lib, like every running system.
        std::os::unix::fs::symlink("usr/lib", &lib).map_err(Error::file("link", &lib))?;
    }
    let version = only_entry(&lib.join("modules"))?;
    run_logged(program("depmod").arg("-b").arg(&root).arg(&version), log)?;
    let image = root.join(format!("boot/vmlinuz-{version}"));
    let elf = extract(&image)?;
    let vmlinux = home.join("vmlinux");
    let partial = home.join("vmlinux.part");
    fs::write(&partial, elf).map_err(Error::file("write", &partial))?;
    fs::rename(&partial, &vmlinux).map_err(Error::file("write", vmlinux))
}

/// The name of the first thing in a folder.
fn only_entry(folder: &Path) -> Result<String, Error> {
    let mut entries = fs::read_dir(folder).map_err(Error::file("read folder", folder))?;
    let entry = entries.next().ok_or(Error::Kernel { path: folder.to_owned(), reason: "it is empty" })?;
    Ok(entry.map_err(Error::file("read folder", folder))?.file_name().to_string_lossy().into_owned())
}

/// The ELF file in a bzImage (Documentation/arch/x86/boot.rst: setup_sects, payload_offset, payload_length).
fn extract(image: &Path) -> Result<Vec<u8>, Error> {
    let bytes = fs::read(image).map_err(Error::file("read", image))?;
    let wrong = |reason| Error::Kernel { path: image.to_owned(), reason };
    let word = |at: usize| bytes.get(at..at + 4).map(|it| u32::from_le_bytes([it[0], it[1], it[2], it[3]]) as usize);
    let header = || Some((usize::from(*bytes.get(0x1f1)?), word(0x248)?, word(0x24c)?));
    let (sectors, offset, length) = header().ok_or(wrong("it is no bzImage"))?;
    let start = (sectors + 1) * 512 + offset;
    // The last four bytes are the unpacked size, which the unpackers do not expect.
    let payload = bytes.get(start..(start + length).saturating_sub(4)).ok_or(wrong("it is cut short"))?;
    let tool = match payload {
        [0xfd, b'7', b'z', b'X', b'Z', ..] => "xz",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "zstd",
        [0x1f, 0x8b, ..] => "gzip",
        [0x02, 0x21, 0x4c, 0x18, ..] => "lz4",
        _ => return Err(wrong("its compression is none of xz, zstd, gzip, lz4")),
    };
    let packed = image.with_extension("payload");
    fs::write(&packed, payload).map_err(Error::file("write", &packed))?;
    let stdin = fs::File::open(&packed).map_err(Error::file("read", &packed))?;
    read(program(tool).arg("-dc").stdin(stdin))
}

/// An apt that shares the machine's mirror, keys and proxies, and nothing else.
struct Apt {
    home: PathBuf,
    log: PathBuf,
}

impl Apt {
    /// Lays out its folders and its one source.
    fn new(home: PathBuf, release: Release) -> Result<Self, Error> {
        for folder in ["state/lists/partial", "cache/archives/partial", "download"] {
            let folder = home.join(folder);
            fs::create_dir_all(&folder).map_err(Error::file("make folder", folder))?;
        }
        let log = home.join("apt.log");
        let apt = Self { home, log };
        let source = format!("deb {} {} main\n", mirror()?, release.codename());
        for (name, text) in [("sources.list", source.as_str()), ("status", "")] {
            let file = apt.home.join(name);
            fs::write(&file, text).map_err(Error::file("write", file))?;
        }
        Ok(apt)
    }

    /// The kernel's package file.
    fn download_kernel(&self) -> Result<PathBuf, Error> {
        run_logged(self.tool("apt-get").arg("update"), &self.log)?;
        let depends = read_text(self.tool("apt-cache").args(["depends", "--important", META_PACKAGE]))?;
        let name = depends.lines().find_map(|line| line.trim().strip_prefix("Depends: "));
        let name = name.ok_or(Error::Kernel { path: META_PACKAGE.into(), reason: "it depends on no kernel" })?;
        let folder = self.home.join("download");
        run_logged(self.tool("apt-get").args(["download", name]).current_dir(&folder), &self.log)?;
        Ok(folder.join(only_entry(&folder)?))
    }

    /// One of apt's tools, with our folders.
    fn tool(&self, name: &str) -> Command {
        let mut command = program(name);
        let home = self.home.display();
        for option in [
            format!("Dir::Etc::sourcelist={home}/sources.list"),
            "Dir::Etc::sourceparts=-".to_owned(),
            format!("Dir::State={home}/state"),
            format!("Dir::State::status={home}/status"),
            format!("Dir::Cache={home}/cache"),
            "Acquire::Languages=none".to_owned(),
            // Our folders may be closed to the user _apt.
            "APT::Sandbox::User=root".to_owned(),
        ] {
            command.args(["-o", &option]);
        }
        command
    }
}

/// Where this machine's own Debian packages come from: the first source that is a release and no update or security.
fn mirror() -> Result<String, Error> {
    let format = "$(REPO_URI) $(RELEASE) $(COMPONENT)";
    let targets = read_text(program("apt-get").args(["indextargets", "--format", format, "Created-By: Packages"]))?;
    let lines = targets.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut mirrors = lines.filter_map(|words| match words[..] {
        [uri, release, "main"] if !release.contains('-') => Some(uri.to_owned()),
        _ => None,
    });
    mirrors.next().ok_or(Error::NoMirror)
}
