//! Ensembles as files: comma-separated values that other tools can read and make.
//!
//! ```text
//! # buildout ensemble 1
//! # seed 1
//! multiplicity,noise,"Qingyang/A1/shell","Qingyang/A1/fit-out"
//! 1,4711,0.36288,0.90146
//! 3,17,0.12,0.5
//! ```
//!
//! The first line names the format, the second the seed of the process noise; further lines that begin with # are remarks. A
//! row has a member's multiplicity, the trial number whose process noise it has, and a uniform number in (0, 1) for each
//! input, before any correlation. Numbers are written so that they read back as the same doubles.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::ensemble::{Ensemble, EnsembleError};
use crate::disk::read_written;
/// The first line but for the version.
const MAGIC: &str = "# buildout ensemble ";
/// The version of the format.
const FORMAT: &str = "1";
/// How the line with the seed begins.
const SEED: &str = "# seed ";
/// What stands before the inputs in a row.
const COLUMNS: [&str; 2] = ["multiplicity", "noise"];

/// Why the file of an ensemble was not read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnsembleFileError {
    /// Reading or writing failed.
    #[error("the ensemble {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is some other file.
    #[error("{} is no ensemble: its first line is not \"{MAGIC}{FORMAT}\"", path.display())]
    OtherFile {
        /// The file.
        path: PathBuf,
    },
    /// A line cannot be understood.
    #[error("{}:{line}: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The number of the line, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// There are no members in it.
    #[error("the ensemble {} has no members", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

impl Ensemble {
    /// Writes the ensemble with remarks, one a line.
    pub fn write(&self, remarks: &[String], to: impl Write) -> io::Result<()> {
        let mut to = BufWriter::new(to);
        writeln!(to, "{MAGIC}{FORMAT}\n{SEED}{}", self.seed())?;
        for remark in remarks {
            writeln!(to, "# {}", remark.replace(['\n', '\r'], " "))?;
        }
        let mut rows = csv::Writer::from_writer(to);
        let inputs = self.inputs().iter().map(String::as_str);
        rows.write_record(COLUMNS.into_iter().chain(inputs))?;
        for member in 0..self.len() {
            let counts = [self.multiplicity(member), self.noise(member).trial];
            let counts = counts.iter().map(u64::to_string);
            // Debug is the shortest form that reads back as the same double.
            let point = self.point(member).iter().map(|u| format!("{u:?}"));
            rows.write_record(counts.chain(point))?;
        }
        rows.flush()
    }

    /// Reads an ensemble that [`Self::write`] wrote, or that was made in its form.
    pub fn load(path: &Path) -> Result<Self, EnsembleFileError> {
        let refused = |source| EnsembleFileError::File {
            path: path.to_owned(),
            source,
        };
        let bytes = read_written(path).map_err(refused)?;
        let text = String::from_utf8(bytes)
            .map_err(|error| refused(io::Error::new(io::ErrorKind::InvalidData, error)))?;
        Self::from_text(&text, path)
    }

    /// Reads an ensemble from a text; `path` is for the words of errors.
    pub fn from_text(text: &str, path: &Path) -> Result<Self, EnsembleFileError> {
        let wrong = |line: u64, reason: String| EnsembleFileError::Line {
            path: path.to_owned(),
            line,
            reason,
        };
        let mut lines = text.lines();
        if lines.next().and_then(|line| line.strip_prefix(MAGIC)) != Some(FORMAT) {
            let path = path.to_owned();
            return Err(EnsembleFileError::OtherFile { path });
        }
        let seed = lines.next().and_then(|line| line.strip_prefix(SEED));
        let seed = seed.and_then(|seed| seed.trim().parse().ok());
        let seed = seed.ok_or_else(|| wrong(2, format!("write \"{SEED}\" and a whole number")))?;
        let mut reader = csv::ReaderBuilder::new()
            .comment(Some(b'#'))
            .from_reader(text.as_bytes());
        let at = |error: &csv::Error| error.position().map_or(0, csv::Position::line);
        let broken = |error: csv::Error| wrong(at(&error), error.to_string());
        let head = reader.headers().map_err(broken)?.clone();
        if !head.iter().take(2).eq(COLUMNS) {
            let line = reader.position().line();
            let reason = format!("the columns begin with {}", COLUMNS.join(", "));
            return Err(wrong(line.saturating_sub(1), reason));
        }
        let mut ensemble = Self::new(head.iter().skip(2), seed).map_err(|error| {
            wrong(
                reader.position().line().saturating_sub(1),
                error.to_string(),
            )
        })?;
        let mut point = Vec::with_capacity(head.len());
        for record in reader.into_records() {
            let record = record.map_err(broken)?;
            let line = record.position().map_or(0, csv::Position::line);
            read_member(&mut ensemble, &record, &mut point)
                .map_err(|reason| wrong(line, reason))?;
        }
        if ensemble.is_empty() {
            let path = path.to_owned();
            return Err(EnsembleFileError::Empty { path });
        }
        Ok(ensemble)
    }
}

/// Reads one row.
fn read_member(
    ensemble: &mut Ensemble,
    record: &csv::StringRecord,
    point: &mut Vec<f64>,
) -> Result<(), String> {
    let whole = |column: usize| {
        let text = record.get(column).unwrap_or_default().trim();
        text.parse::<u64>()
            .map_err(|_| format!("{} is \"{text}\": write a whole number", COLUMNS[column]))
    };
    let (multiplicity, noise) = (whole(0)?, whole(1)?);
    point.clear();
    for (text, input) in record.iter().skip(2).zip(ensemble.inputs()) {
        let number = text.trim().parse::<f64>();
        point.push(number.map_err(|_| {
            format!("\"{input}\" is \"{text}\": write a number above 0 and below 1")
        })?);
    }
    ensemble
        .push(point, noise, multiplicity)
        .map_err(|error: EnsembleError| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Ensemble, EnsembleFileError> {
        Ensemble::from_text(text, Path::new("e.csv"))
    }

    #[test]
    fn an_ensemble_reads_back_as_it_was() {
        let mut ensemble = Ensemble::new(["a, \"quoted\"", "b"], 7).unwrap();
        ensemble
            .push(&[0.1 + 0.2, f64::MIN_POSITIVE], 3, 2)
            .unwrap();
        ensemble
            .push(&[1.0 - f64::EPSILON / 2.0, 0.5], u64::MAX, 1)
            .unwrap();
        let mut file = Vec::new();
        let remarks = ["two\nlines".to_owned()];
        ensemble.write(&remarks, &mut file).unwrap();
        let again = read(&String::from_utf8(file).unwrap()).unwrap();
        assert_eq!(again, ensemble);
        assert_eq!(again.design(), ensemble.design());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let head = "# buildout ensemble 1\n# seed 7\nmultiplicity,noise,a\n";
        for (text, words) in [
            ("name,b\n", "e.csv is no ensemble"),
            (
                "# buildout ensemble 1\n# sed 7\n",
                "e.csv:2: write \"# seed \"",
            ),
            (
                "# buildout ensemble 1\n# seed 7\nnoise,a\n",
                "e.csv:3: the columns begin",
            ),
            (head, "has no members"),
            (
                &format!("{head}1,2,0.5\n1,x,0.5\n"),
                "e.csv:5: noise is \"x\"",
            ),
            (
                &format!("{head}1,2,1.5\n"),
                "e.csv:4: a member has 1.5 for \"a\"",
            ),
            (&format!("{head}1,2,0.5,0.5\n"), "e.csv:4"),
        ] {
            let said = read(text).unwrap_err().to_string();
            assert!(said.contains(words), "{said}");
        }
    }
}
