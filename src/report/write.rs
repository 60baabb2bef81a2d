//! Writing the files of a run so that nothing is lost or left half written.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::OutputFile;
use crate::disk;

/// Why files were not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// There are such files already, and overwriting was not asked for.
    #[error("{} there already; nothing was written", exist(.0))]
    Exists(Vec<PathBuf>),
    /// Something that is no file has the name of a file to be written.
    #[error("{} is not a regular file, so it cannot be overwritten; nothing was written", .0.display())]
    NotAFile(PathBuf),
    /// The folder cannot be made or used.
    #[error("the folder {} cannot be used: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("{} cannot be written: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

fn exist(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", names.join(",\n  "))
}

/// Replaces what is in a file that is there, as [`crate::disk`] does it: whoever reads it, and whoever finds it after a power
/// cut, has the old text or the new one.
pub fn replace_file(path: &Path, contents: &[u8]) -> Result<(), WriteError> {
    let failed = |source| WriteError::File {
        path: path.to_owned(),
        source,
    };
    if (fs::metadata(path).map_err(failed)?.permissions()).readonly() {
        return Err(failed(io::Error::from(io::ErrorKind::PermissionDenied)));
    }
    let target = disk::target_of(path).map_err(failed)?;
    let mut temporary = disk::temporary(disk::folder_of(&target), UNFINISHED).map_err(failed)?;
    temporary.write_all(contents).map_err(failed)?;
    disk::replace(temporary, &target).map_err(failed)
}

/// How the names of files begin that are not whole yet.
const UNFINISHED: &str = ".buildout-unfinished-";

/// A folder for the files of a run.
#[derive(Clone, Debug)]
pub struct OutputFolder {
    path: PathBuf,
    overwrite: bool,
}

impl OutputFolder {
    /// The folder at `path`, which is made when it is needed. Files in it are not overwritten.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            overwrite: false,
        }
    }

    /// Sets whether files of the same names are overwritten.
    #[must_use]
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = overwrite;
        self
    }

    /// Finds out before a long run whether files of these names can be written: makes the folder
    /// if there is none, and refuses what [`Self::write`] would refuse.
    ///
    /// What killed processes have left unfinished in the folder is removed.
    pub fn prepare(&self, names: &[&str]) -> Result<(), WriteError> {
        self.refuse_what_exists(names)?;
        self.make_folder()?;
        disk::remove_leftovers(&self.path, |prefix| prefix == UNFINISHED, b"");
        self.temporary()
            .map(drop)
            .map_err(|source| self.unusable(source))
    }

    /// Writes all files and returns their paths.
    ///
    /// Each is first written whole under a temporary name in the folder, and all take their names
    /// at the end, so that nothing half written is seen. If one cannot take its name, the new files
    /// that already had are removed again.
    pub fn write(&self, files: &[OutputFile]) -> Result<Vec<PathBuf>, WriteError> {
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        self.refuse_what_exists(&names)?;
        self.make_folder()?;
        let mut ready = Vec::new();
        for file in files {
            let path = self.path.join(&file.name);
            match self.filled(&file.contents) {
                Ok(temporary) => ready.push((temporary, path)),
                Err(source) => return Err(WriteError::File { path, source }),
            }
        }
        // Of two processes that overwrite the same files one comes after the other, and all files are of that one.
        let folder = fs::File::open(&self.path);
        let _turn = folder.and_then(|folder| folder.lock().map(|()| folder));
        let mut written: Vec<PathBuf> = Vec::new();
        for (temporary, path) in ready {
            if let Err(error) = self.give_name(temporary, &path) {
                if !self.overwrite {
                    // These were not there before this call.
                    for path in &written {
                        let _ = fs::remove_file(path);
                    }
                }
                return Err(error);
            }
            written.push(path);
        }
        Ok(written)
    }

    /// Writes one file as it comes, with the same care; for what is too much to hold in memory.
    pub fn write_with(
        &self,
        name: &str,
        write: impl FnOnce(&mut fs::File) -> io::Result<()>,
    ) -> Result<PathBuf, WriteError> {
        self.refuse_what_exists(&[name])?;
        self.make_folder()?;
        let path = self.path.join(name);
        let file = |source| WriteError::File {
            path: path.clone(),
            source,
        };
        let mut temporary = self.temporary().map_err(file)?;
        write(temporary.as_file_mut()).map_err(file)?;
        temporary.as_file().sync_all().map_err(file)?;
        self.give_name(temporary, &path)?;
        Ok(path)
    }

    fn refuse_what_exists(&self, names: &[&str]) -> Result<(), WriteError> {
        let mut existing = Vec::new();
        for name in names {
            let path = self.path.join(name);
            // A dangling symbolic link is something of the user's, too.
            if fs::symlink_metadata(&path).is_ok() {
                if self.overwrite && disk::target_of(&path).is_err() {
                    return Err(WriteError::NotAFile(path));
                }
                existing.push(path);
            }
        }
        if existing.is_empty() || self.overwrite {
            Ok(())
        } else {
            Err(WriteError::Exists(existing))
        }
    }

    fn make_folder(&self) -> Result<(), WriteError> {
        fs::create_dir_all(&self.path).map_err(|source| self.unusable(source))
    }

    fn unusable(&self, source: io::Error) -> WriteError {
        WriteError::Folder {
            path: self.path.clone(),
            source,
        }
    }

    fn temporary(&self) -> io::Result<NamedTempFile> {
        disk::temporary(&self.path, UNFINISHED)
    }

    fn filled(&self, contents: &[u8]) -> io::Result<NamedTempFile> {
        let mut file = self.temporary()?;
        file.write_all(contents)?;
        file.as_file().sync_all()?;
        Ok(file)
    }

    fn give_name(&self, temporary: NamedTempFile, path: &Path) -> Result<(), WriteError> {
        let failed = |source| WriteError::File {
            path: path.to_owned(),
            source,
        };
        if self.overwrite {
            return disk::replace(temporary, path).map_err(failed);
        }
        // Another program may have made the file since it was looked for.
        match temporary.persist_noclobber(path) {
            Ok(_) => Ok(()),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                Err(WriteError::Exists(vec![path.to_owned()]))
            }
            Err(error) => Err(failed(error.error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{fixture, outputs};

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn all_files_are_written_and_nothing_else() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("deep/out");
        let files = outputs(&fixture::projection()).unwrap();
        let written = OutputFolder::new(&path).write(&files).unwrap();
        assert_eq!(written.len(), files.len());
        assert_eq!(names(&path).len(), files.len());
        for (file, path) in files.iter().zip(written) {
            assert_eq!(fs::read(path).unwrap(), file.contents);
        }
    }

    #[test]
    fn one_existing_file_stops_all_unless_overwriting_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let mine = folder.path().join("summary.txt");
        fs::write(&mine, "mine").unwrap();
        let files = outputs(&fixture::projection()).unwrap();
        let output = OutputFolder::new(folder.path());
        for error in [
            output.write(&files).unwrap_err(),
            output.prepare(&["summary.txt"]).unwrap_err(),
        ] {
            assert!(matches!(error, WriteError::Exists(_)), "{error}");
            assert!(error.to_string().contains("summary.txt"), "{error}");
        }
        assert_eq!(names(folder.path()), ["summary.txt"]);
        assert_eq!(fs::read_to_string(&mine).unwrap(), "mine");
        output.overwrite(true).write(&files).unwrap();
        assert_ne!(fs::read_to_string(&mine).unwrap(), "mine");
        assert_eq!(names(folder.path()).len(), files.len());
    }

    #[test]
    fn a_folder_in_the_place_of_a_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("summary.txt")).unwrap();
        let files = outputs(&fixture::projection()).unwrap();
        let output = OutputFolder::new(folder.path()).overwrite(true);
        let error = output.write(&files).unwrap_err();
        assert!(matches!(error, WriteError::NotAFile(_)), "{error}");
        assert_eq!(names(folder.path()), ["summary.txt"]);
    }

    #[test]
    fn a_file_in_the_place_of_the_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        fs::write(&path, "mine").unwrap();
        let error = OutputFolder::new(&path).prepare(&["a"]).unwrap_err();
        assert!(matches!(error, WriteError::Folder { .. }), "{error}");
        assert!(error.to_string().contains("out"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_replaced_with_its_permissions_and_behind_its_link() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.toml");
        let link = folder.path().join("link.toml");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        replace_file(&link, b"new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        assert_eq!(names(folder.path()), ["link.toml", "plan.toml"]);

        fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).unwrap();
        assert!(replace_file(&path, b"newer").is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(names(folder.path()).len(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_files_of_several_names_keep_them() {
        let folder = tempfile::tempdir().unwrap();
        let [elsewhere, second] = ["elsewhere", "second"].map(|name| folder.path().join(name));
        fs::write(&elsewhere, "mine").unwrap();
        fs::write(&second, "mine").unwrap();
        let out = folder.path().join("out");
        fs::create_dir(&out).unwrap();
        std::os::unix::fs::symlink(&elsewhere, out.join("summary.txt")).unwrap();
        fs::hard_link(&second, out.join("projection.json")).unwrap();
        let files = outputs(&fixture::projection()).unwrap();
        let output = OutputFolder::new(&out);
        assert!(output.write(&files).is_err());
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "mine");
        output.overwrite(true).write(&files).unwrap();
        for (name, there) in [("summary.txt", &elsewhere), ("projection.json", &second)] {
            let wanted = files.iter().find(|file| file.name == name).unwrap();
            assert_eq!(fs::read(there).unwrap(), wanted.contents);
        }
        assert!(
            fs::symlink_metadata(out.join("summary.txt"))
                .unwrap()
                .is_symlink()
        );
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/dev/full", folder.path().join("summary.txt")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
        let output = OutputFolder::new(folder.path()).overwrite(true);
        for name in ["summary.txt", "socket"] {
            let file = OutputFile::new(name, b"new".to_vec());
            let error = output.write(&[file]).unwrap_err();
            assert!(matches!(error, WriteError::NotAFile(_)), "{error}");
            assert!(replace_file(&folder.path().join(name), b"new").is_err());
        }
        assert_eq!(names(folder.path()), ["socket", "summary.txt"]);
    }

    #[test]
    fn what_a_killed_process_left_is_removed_before_the_next_run() {
        let folder = tempfile::tempdir().unwrap();
        let output = OutputFolder::new(folder.path());
        let living = output.temporary().unwrap();
        output.temporary().unwrap().keep().unwrap();
        fs::write(folder.path().join(".buildout-mynote"), "mine").unwrap();
        output.prepare(&["summary.txt"]).unwrap();
        let living = living.path().file_name().unwrap().to_str().unwrap();
        assert_eq!(names(folder.path()), [".buildout-mynote", living]);
    }
}
