//! Files on the disk: read with a limit, and written whole or not at all.
//!
//! What is written goes to a temporary file beside its target, is flushed to the disk, and then takes the target's name. A
//! process that is killed leaves its temporary file behind; the next one that writes there removes it. Who writes holds a
//! lock, which dies with its process, so that no file of a living one is taken for a leftover; where a file system has no
//! locks, leftovers stay.
//!
//! Only regular files are replaced, and their permissions stay. A symbolic link is followed; a file with several names
//! (hard links) is written over in its place, so that all of them lead to the new text.

#[cfg(any(feature = "files", feature = "import"))]
use std::borrow::Cow;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// The environment variable that sets another limit, in MB.
pub const MOST_MB_VARIABLE: &str = "BUILDOUT_MOST_FILE_MB";
/// The largest file that is read, in MB of 10^6 bytes, unless [`MOST_MB_VARIABLE`] says otherwise (assumption: a hundred times
/// the largest scenario or schedule known to us).
pub const MOST_MB: u64 = 64;

/// All of a file. An error if it is larger than the limit, or a named pipe, which may never end.
pub fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    refuse_pipe(path)?;
    read_at_most(File::open(path)?, most_mb())
}

/// All of a file of text in UTF-8, as [`read_file`].
pub fn read_text(path: &Path) -> io::Result<String> {
    text(read_file(path)?)
}

/// All of a text in UTF-8 from a source such as standard input. An error if it is larger than the limit.
pub fn read_text_from(from: impl Read) -> io::Result<String> {
    text(read_at_most(from, most_mb())?)
}

/// The separator of a table by its first line that is no remark: a semicolon where spreadsheets of some countries write it, a tab, or a comma.
#[cfg(any(feature = "files", feature = "import"))]
pub(crate) fn separator(text: &str) -> u8 {
    let mut lines = text.lines();
    let head = lines.find(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let head = head.unwrap_or_default();
    let count = |wanted: char| head.chars().filter(|c| *c == wanted).count();
    [b',', b';', b'\t']
        .into_iter()
        .max_by_key(|separator| (count(char::from(*separator)), *separator == b','))
        .unwrap_or(b',')
}

/// A cell of a table: where the separator is a semicolon, a number with a decimal comma, and perhaps a unit, gets a point.
#[cfg(any(feature = "files", feature = "import"))]
pub(crate) fn with_decimal_point(cell: Cow<'_, str>, separator: u8) -> Cow<'_, str> {
    let number = cell.split([' ', '%']).next().unwrap_or_default();
    let is_decimal = separator == b';'
        && number.split_once(',').is_some_and(|(whole, fraction)| {
            let is_digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
            let whole = whole.strip_prefix(['-', '+']).unwrap_or(whole);
            !whole.is_empty() && !fraction.is_empty() && is_digits(whole) && is_digits(fraction)
        });
    if is_decimal {
        cell.replacen(',', ".", 1).into()
    } else {
        cell
    }
}

/// All of a file that this program wrote, however large. An error if it is a device or a named pipe, which may never end.
pub(crate) fn read_written(path: &Path) -> io::Result<Vec<u8>> {
    refuse_pipe(path)?;
    refuse_device(path)?;
    fs::read(path)
}

fn text(bytes: Vec<u8>) -> io::Result<String> {
    let not_text = |_| io::Error::new(io::ErrorKind::InvalidData, "it is not text in UTF-8");
    String::from_utf8(bytes).map_err(not_text)
}

/// The environment variable that, set to 1, lets files name others anywhere.
pub const ANY_PATH_VARIABLE: &str = "BUILDOUT_ANY_PATH";

/// Refuses a path that a file in `folder` names unless it leads into that folder, the one around it, or the one in which
/// the program runs: a file from elsewhere must not have others read. A path that leads nowhere is left to the reader to report.
#[cfg(feature = "files")]
pub(crate) fn check_within(folder: &Path, path: &Path) -> io::Result<()> {
    if std::env::var_os(ANY_PATH_VARIABLE).is_some_and(|value| value == "1") {
        return Ok(());
    }
    let Ok(named) = path.canonicalize() else {
        return Ok(());
    };
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let own = folder.canonicalize()?;
    let admitted = [
        own.parent().map(Path::to_owned),
        Some(own),
        std::env::current_dir().ok(),
    ];
    if admitted
        .iter()
        .flatten()
        .any(|folder| named.starts_with(folder))
    {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        format!(
            "it lies beyond the folder around that of the file which names it; {ANY_PATH_VARIABLE}=1 admits it"
        ),
    ))
}

pub(crate) fn most_mb() -> u64 {
    let stated = std::env::var(MOST_MB_VARIABLE).ok();
    stated.and_then(|mb| mb.parse().ok()).unwrap_or(MOST_MB)
}

/// To open a named pipe waits for whoever writes to it. One without a name, as a shell makes, has its writer.
#[cfg(unix)]
fn refuse_pipe(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::FileTypeExt;
    if fs::metadata(path)?.file_type().is_fifo() && path.canonicalize().is_ok() {
        return Err(io::Error::other("it is a named pipe, not a file"));
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_pipe(path: &Path) -> io::Result<()> {
    fs::metadata(path).map(drop)
}

#[cfg(unix)]
fn refuse_device(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::FileTypeExt;
    let kind = fs::metadata(path)?.file_type();
    if kind.is_char_device() || kind.is_block_device() {
        return Err(not_a_file());
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_device(path: &Path) -> io::Result<()> {
    fs::metadata(path).map(drop)
}

fn read_at_most(file: impl Read, most_mb: u64) -> io::Result<Vec<u8>> {
    let most = most_mb.saturating_mul(1_000_000);
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!(
                "it has more than {most_mb} MB, the most that is read; {MOST_MB_VARIABLE} sets another limit"
            ),
        ));
    }
    Ok(bytes)
}

/// How many letters and digits distinguish temporary files of one name.
const LETTERS: usize = 6;

/// The folder that a file is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// An empty temporary file in `folder`, locked as long as it is open. Its name is `prefix` and some letters, and its
/// permissions are those of other new files of the user's.
pub(crate) fn temporary(folder: &Path, prefix: &str) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix).rand_bytes(LETTERS);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    loop {
        let file = builder.tempfile_in(folder)?;
        match file.as_file().try_lock() {
            // Another process took it for a leftover in the moment before.
            Err(TryLockError::WouldBlock) => {}
            Ok(()) if !file.path().exists() => {}
            // Some file systems know no locks: there nobody gets one, and leftovers stay.
            Ok(()) | Err(TryLockError::Error(_)) => return Ok(file),
        }
    }
}

/// Removes temporary files that killed processes have left in a folder: regular files whose names are of one of the
/// prefixes that `is_prefix` knows, with the letters of [`temporary`], which begin as what was written does, or are cut off
/// before, and whose lock can be taken. What cannot be removed stays: it harms nothing but tidiness.
pub(crate) fn remove_leftovers(folder: &Path, is_prefix: impl Fn(&str) -> bool, begins: &[u8]) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_named_so = name.to_str().is_some_and(|name| {
            let split = name.len().checked_sub(LETTERS);
            let parts = split.and_then(|at| name.split_at_checked(at));
            parts.is_some_and(|(prefix, letters)| {
                is_prefix(prefix) && letters.bytes().all(|byte| byte.is_ascii_alphanumeric())
            })
        });
        if is_named_so && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            let _ = remove_if_left(&entry.path(), begins);
        }
    }
}

fn remove_if_left(path: &Path, begins: &[u8]) -> io::Result<()> {
    // Some systems lock only what may be written to.
    let mut file = File::options().read(true).write(true).open(path)?;
    if file.try_lock().is_err() {
        return Ok(());
    }
    let mut begin = Vec::new();
    (&mut file)
        .take(begins.len() as u64)
        .read_to_end(&mut begin)?;
    if begins.starts_with(&begin) {
        // By its name: a file that was finished meanwhile has another one.
        fs::remove_file(path)?;
    }
    Ok(())
}

/// Where what is written to `path` ends up: behind its symbolic links. An error if that is there and no regular file.
pub(crate) fn target_of(path: &Path) -> io::Result<PathBuf> {
    /// As many as Linux follows.
    const MOST_LINKS: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_symlink() => {
                let to = fs::read_link(&path)?;
                path = folder_of(&path).join(to);
            }
            Ok(found) if !found.is_file() => return Err(not_a_file()),
            _ => return Ok(path),
        }
    }
    Err(io::Error::other("its links lead in a circle"))
}

fn not_a_file() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")
}

/// Lets a finished temporary file take the place of `path`, which may be there or not.
pub(crate) fn replace(temporary: NamedTempFile, path: &Path) -> io::Result<()> {
    let target = target_of(path)?;
    let there = fs::metadata(&target).ok();
    if there.as_ref().is_some_and(has_other_names) {
        return write_over(temporary, &target);
    }
    let temporary = if is_beside(temporary.path(), &target) {
        temporary
    } else {
        moved_beside(temporary, &target)?
    };
    if let Some(there) = there {
        temporary.as_file().set_permissions(there.permissions())?;
    }
    temporary.as_file().sync_all()?;
    temporary.persist(&target).map_err(|error| error.error)?;
    // The name is safe only once the folder is on the disk; not every file system can do that.
    #[cfg(unix)]
    if let Ok(folder) = File::open(folder_of(&target)) {
        let _ = folder.sync_all();
    }
    Ok(())
}

fn is_beside(one: &Path, other: &Path) -> bool {
    let folder = |path: &Path| folder_of(path).canonicalize().ok();
    folder(one) == folder(other)
}

/// A copy of a temporary file in the folder of `target`, which may be on another disk.
fn moved_beside(mut from: NamedTempFile, target: &Path) -> io::Result<NamedTempFile> {
    let mut copy = temporary(folder_of(target), ".buildout-unfinished-")?;
    from.rewind()?;
    io::copy(&mut from, &mut copy)?;
    Ok(copy)
}

#[cfg(unix)]
fn has_other_names(there: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(there) > 1
}

#[cfg(not(unix))]
fn has_other_names(_: &fs::Metadata) -> bool {
    false
}

/// Writes over a file where it is. The temporary file has shown that there is room for it.
fn write_over(mut from: NamedTempFile, target: &Path) -> io::Result<()> {
    let mut file = File::options().write(true).truncate(true).open(target)?;
    from.rewind()?;
    io::copy(&mut from, &mut file)?;
    file.flush()?;
    file.sync_all()
}

/// Waits until nobody else changes a file by this function's leave, and keeps others waiting as long as what is returned
/// lives. Where the file system has no locks nobody waits.
pub fn lock_for_change(path: &Path) -> io::Result<File> {
    // To open a pipe might wait for ever.
    if !fs::metadata(path)?.is_file() {
        return Err(not_a_file());
    }
    loop {
        let file = File::open(path)?;
        match file.lock() {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Unsupported => return Ok(file),
            Err(error) => return Err(error),
        }
        // Whoever held the lock before has put another file in its place.
        if is_still_at(&file, path)? {
            return Ok(file);
        }
    }
}

/// What a process has that alone writes a file over a long time, by a lock on an empty file beside it. Both are gone when it
/// is dropped; of a process that was killed the empty file stays, which nobody holds.
#[derive(Debug)]
pub struct Claim {
    lock: PathBuf,
    _file: File,
}

impl Claim {
    /// A claim to the file at `path`; none if another process has it. An error if no file can be made beside it, or the file
    /// system has no locks.
    pub fn to(path: &Path) -> io::Result<Option<Self>> {
        let target = target_of(path)?;
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let lock = folder_of(&target).join(format!(".{name}.lock"));
        loop {
            let file = File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&lock)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            // Whoever had the claim before has removed the file that was opened here.
            if is_still_at(&file, &lock).unwrap_or(false) {
                return Ok(Some(Self { lock, _file: file }));
            }
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // By its name while it is still locked: whoever waits for it opens another one.
        let _ = fs::remove_file(&self.lock);
    }
}

#[cfg(unix)]
fn is_still_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let (open, named) = (file.metadata()?, fs::metadata(path)?);
    Ok((open.dev(), open.ino()) == (named.dev(), named.ino()))
}

#[cfg(not(unix))]
fn is_still_at(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_ends_is_refused_with_the_limit_and_how_to_raise_it() {
        let error = read_at_most(io::repeat(0), 1).unwrap_err().to_string();
        assert!(
            error.contains("1 MB") && error.contains(MOST_MB_VARIABLE),
            "{error}"
        );
        assert_eq!(read_at_most(&b"whole"[..], 1).unwrap(), b"whole");
        assert_eq!(
            read_at_most(io::repeat(0).take(1_000_000), 1)
                .unwrap()
                .len(),
            1_000_000
        );
    }

    #[test]
    fn files_name_others_near_them_alone() {
        let top = tempfile::tempdir().unwrap();
        let deep = top.path().join("a/b");
        fs::create_dir_all(&deep).unwrap();
        for name in ["a/b/x", "a/x", "x"] {
            fs::write(top.path().join(name), "").unwrap();
        }
        assert!(check_within(&deep, &deep.join("x")).is_ok());
        assert!(check_within(&deep, &deep.join("../x")).is_ok());
        let error = check_within(&deep, &deep.join("../../x")).unwrap_err();
        assert!(error.to_string().contains(ANY_PATH_VARIABLE), "{error}");
        assert!(check_within(&deep, &deep.join("../../none")).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn a_named_pipe_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        if made.is_ok_and(|status| status.success()) {
            assert!(
                read_file(&pipe)
                    .unwrap_err()
                    .to_string()
                    .contains("named pipe")
            );
        }
    }
}
