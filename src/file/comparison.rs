//! A comparison in a file: a scenario, and variants of it by one factor or several: [`Scenario::load_comparison`].

use std::collections::BTreeMap;
use std::path::{Path as FilePath, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::merge::{Misfit, Step, merge, set};
use super::node::{Node, Place, Value};
use super::read::Reader;
use super::shape::Shape;
use super::{Files, Source, in_order, nearest_file, source_beside, source_of, steps_of};
use crate::problem::{Path, Problems, name_help};
use crate::scenario::{Scenario, ScenarioError};

/// The most cases of a comparison. (an assumption; each is a scenario of its own)
const MOST_CASES: usize = 1_000;

/// Scenarios that a file states together, to be compared.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ComparisonFile {
    /// Its name.
    pub name: String,
    /// What it is about.
    pub description: String,
    /// By what the cases are compared, as [`Measure`](crate::analysis::compare::Measure) reads it.
    pub measures: Vec<String>,
    /// What is wanted of a plan, such as "maximise mean(npv)", as [`Objective`](crate::analysis::decide::Objective) reads it.
    pub objective: Option<String>,
    /// What must hold, as [`Constraint`](crate::analysis::decide::Constraint) reads it.
    pub subject_to: Vec<String>,
    /// What they differ by.
    pub factors: Vec<Factor>,
    /// The scenarios, the first factor varying slowest unless the file lists them.
    pub cases: Vec<Case>,
    /// The case that the others are compared with: its position.
    pub baseline: usize,
}

/// What scenarios of a comparison differ by.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Factor {
    /// Its name, such as "construction".
    pub name: String,
    /// Whether its variants are worlds, which nobody chooses, rather than plans.
    pub is_of_worlds: bool,
    /// The names of its variants.
    pub variants: Vec<String>,
    /// The weight of each variant among worlds, 1 if the file does not say.
    pub weights: Vec<f64>,
}

/// One scenario of a comparison.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Case {
    /// The names of its variants, in the order of the factors, such as "slow grid, weak".
    pub name: String,
    /// For each factor the position of its variant.
    pub variants: Vec<usize>,
    /// The scenario.
    pub scenario: Scenario,
    /// What in it is unlikely.
    pub warnings: Problems,
}

/// The file without what its variants lay over the scenario.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Form {
    name: String,
    #[serde(default)]
    description: String,
    extends: String,
    #[serde(default)]
    compare: Vec<String>,
    #[serde(default)]
    objective: Option<String>,
    #[serde(default)]
    subject_to: Vec<String>,
    #[serde(default)]
    baseline: Option<BTreeMap<String, String>>,
    #[serde(default)]
    cases: Vec<BTreeMap<String, String>>,
    factors: Vec<FactorForm>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FactorForm {
    name: String,
    #[serde(default)]
    worlds: bool,
    variants: Vec<VariantForm>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct VariantForm {
    name: String,
    #[serde(default)]
    file: Option<String>,
    #[serde(default)]
    weight: Option<f64>,
}

/// What a variant lays over the scenario.
#[derive(Default)]
struct Layers {
    over: Vec<Node>,
    values: Vec<(Vec<Step>, Node)>,
}

impl Scenario {
    /// Reads a comparison from a file: a scenario, and variants of it by one factor or several. Single values are set on top
    /// of every scenario of it. `None` if the file has no `factors`, as a scenario has none.
    ///
    /// ```toml
    /// name = "Qingyang: building and demand"
    /// extends = "qingyang.toml"                    # what all have in common
    /// compare = ["installed_pflops@2027-12", "park substation energised"]
    ///
    /// [[factors]]
    /// name = "construction"
    /// variants = [
    ///   { name = "as planned" },
    ///   { name = "slow grid", file = "qingyang-slow-grid.toml" },
    ///   { name = "low PUE", set = { "campuses.Qingyang.pue" = 1.1 } },
    /// ]
    ///
    /// [[factors]]
    /// name = "demand"
    /// variants = [
    ///   { name = "as expected" },
    ///   { name = "weak", changes = { segments = [{ name = "AI", outreach_per_month = 20 }] } },
    /// ]
    /// ```
    ///
    /// A variant lays over the common scenario what `file` says (a scenario file that extends the same one, or none), then
    /// its `changes` (written as in a file that extends), then single values that it `set`s by dotted keys. Every variant of one factor meets
    /// every one of the others, unless `cases` lists which meet: `cases = [{ construction = "slow grid", demand = "weak" }, …]`.
    /// A factor with `worlds = true` is of worlds that nobody chooses, each variant with a `weight` (1 if not given); with an `objective` and
    /// constraints (`subject_to`) the comparison ends in a decision. A factor that a case leaves out has its first variant. The `baseline`, in the same form, is the case that the others are compared with; left out, it
    /// is the first.
    pub fn load_comparison(
        path: impl AsRef<FilePath>,
        overrides: &[(String, String)],
    ) -> Result<Option<ComparisonFile>, ScenarioError> {
        Files::default().load_comparison(path.as_ref(), overrides)
    }
}

impl Files {
    fn load_comparison(
        mut self,
        path: &FilePath,
        overrides: &[(String, String)],
    ) -> Result<Option<ComparisonFile>, ScenarioError> {
        #[cfg_attr(not(feature = "excel"), allow(irrefutable_let_patterns))]
        let Source::Text(text) = source_of(path)? else {
            return Ok(None);
        };
        let mut root = self.parse(path.to_owned(), text)?;
        if root.entry("factors").is_none() {
            return Ok(None);
        }
        let folder = path.parent().unwrap_or(FilePath::new("")).to_owned();
        let taken = take_layers(&mut root);
        let form = self.form(&root)?;
        let base_file = folder.join(&form.extends);
        let base = self.base(&form, &root, &folder, &base_file)?;
        let layers = self.layers(&form, &root, taken, &folder, &base_file)?;
        let (chosen, baseline) = self.choose(&form, &root)?;
        let mut problems = Problems::new();
        let mut cases = Vec::new();
        for variants in chosen {
            let over = variants.iter().enumerate();
            let over = over.map(|(factor, variant)| &layers[factor][*variant]);
            match self.case(&base, over, overrides) {
                Ok((mut scenario, warnings)) => {
                    let names = variants.iter().enumerate();
                    let names = names.map(|(factor, variant)| {
                        form.factors[factor].variants[*variant].name.as_str()
                    });
                    let name = names.collect::<Vec<_>>().join(", ");
                    scenario.name = format!("{}: {name}", scenario.name);
                    cases.push(Case {
                        name,
                        variants,
                        scenario,
                        warnings,
                    });
                }
                Err(ScenarioError::Invalid(found)) => problems.extend(found),
                Err(other) => return Err(other),
            }
        }
        if problems.has_errors() {
            return Err(ScenarioError::Invalid(in_order(problems, &self.texts)));
        }
        Ok(Some(form.into_file(cases, baseline)))
    }

    /// The scenario that a comparison extends.
    fn base(
        &mut self,
        form: &Form,
        root: &Node,
        folder: &FilePath,
        file: &FilePath,
    ) -> Result<Node, ScenarioError> {
        let source = source_beside(folder, file);
        match source.and_then(|source| self.chain_of(file, source, &mut Vec::new())) {
            Err(ScenarioError::Unreadable { path, source, .. }) if path == file => {
                let at = Path::root().key("extends");
                let message = format!("\"{}\" cannot be read: {source}", form.extends);
                Err(self.refuse(root.find(&at), "extends", message, near_file(&path)))
            }
            read => read,
        }
    }

    fn form(&self, root: &Node) -> Result<Form, ScenarioError> {
        let mut reader = Reader::new(&self.texts);
        let shape = Shape::of_schema(&schemars::schema_for!(Form));
        let json = reader.of_shape(root, &shape);
        let form: Option<Form> = serde_json::from_value(json).ok();
        if let Some(form) = &form {
            check(form, root, &mut reader);
        }
        let problems = reader.problems;
        match form {
            Some(form) if !problems.has_errors() => Ok(form),
            _ => Err(ScenarioError::Invalid(in_order(problems, &self.texts))),
        }
    }

    /// What each variant lays over the scenario.
    fn layers(
        &mut self,
        form: &Form,
        root: &Node,
        taken: Vec<Vec<Taken>>,
        folder: &FilePath,
        base_file: &FilePath,
    ) -> Result<Vec<Vec<Layers>>, ScenarioError> {
        let mut misfits = Vec::new();
        let mut layers = Vec::new();
        for (f, (factor, taken)) in form.factors.iter().zip(taken).enumerate() {
            let mut of_factor = Vec::new();
            for (v, (variant, taken)) in factor.variants.iter().zip(taken).enumerate() {
                let mut one = Layers::default();
                if let Some(file) = &variant.file {
                    let at = place_of_variant(f, v).key("file");
                    let place = root.find(&at).clone();
                    let over = self.variant_file(folder, file, base_file, &place)?;
                    one.over.push(over);
                }
                if let Some(changes) = taken.changes {
                    one.over
                        .push(self.expanded(Some(folder), changes, &mut misfits));
                }
                if let Some(values) = taken.set {
                    let Value::Table(entries) = values.value else {
                        let message = format!("{} sets no values", values.shown());
                        let help = "a table of dotted keys and values, such as { \"campuses.North.pue\" = 1.3 }";
                        misfits.push(Misfit {
                            place: values.place,
                            message,
                            help: help.to_owned(),
                        });
                        continue;
                    };
                    for entry in entries {
                        let steps = Step::all_at(&steps_of(&entry.key), &entry.key_place);
                        one.values.push((steps, entry.node));
                    }
                }
                of_factor.push(one);
            }
            layers.push(of_factor);
        }
        self.refuse_misfits(misfits)?;
        Ok(layers)
    }

    /// A scenario file of which only what differs from the common one is taken.
    fn variant_file(
        &mut self,
        folder: &FilePath,
        name: &str,
        base_file: &FilePath,
        place: &Place,
    ) -> Result<Node, ScenarioError> {
        let path = folder.join(name);
        let source = match source_beside(folder, &path) {
            Err(ScenarioError::Unreadable { source, .. }) => {
                let message = format!("\"{name}\" cannot be read: {source}");
                return Err(self.refuse(place, "", message, near_file(&path)));
            }
            other => other?,
        };
        let inner = path.parent().unwrap_or(FilePath::new("")).to_owned();
        let mut over = self.parse_in(Some(&inner), path.clone(), source)?;
        if let Value::Table(entries) = &mut over.value {
            // The names of scenarios are those of their variants.
            entries.retain(|entry| !["name", "description"].contains(&entry.key.as_str()));
            if let Some(at) = entries.iter().position(|entry| entry.key == "extends") {
                let extends = entries.remove(at).node;
                let extended = match &extends.value {
                    Value::Text(extended) => inner.join(extended),
                    _ => PathBuf::new(),
                };
                let known = |path: &FilePath| path.canonicalize().ok();
                if known(&extended).is_none() || known(&extended) != known(base_file) {
                    let message = format!("\"{name}\" extends another scenario");
                    let help = format!(
                        "the file of a variant extends {}, as the comparison does, or nothing",
                        base_file.display()
                    );
                    return Err(self.refuse(place, "", message, help));
                }
            }
        }
        Ok(over)
    }

    /// For each case its variants, by factor; and which case is the baseline.
    fn choose(&self, form: &Form, root: &Node) -> Result<(Vec<Vec<usize>>, usize), ScenarioError> {
        let mut reader = Reader::new(&self.texts);
        let mut chosen: Vec<Vec<usize>> = Vec::new();
        if form.cases.is_empty() {
            chosen.push(Vec::new());
            for factor in &form.factors {
                let grown = chosen.iter().flat_map(|start| {
                    (0..factor.variants.len()).map(|variant| {
                        let mut one = start.clone();
                        one.push(variant);
                        one
                    })
                });
                chosen = grown.collect();
            }
        }
        for (position, case) in form.cases.iter().enumerate() {
            let at = Path::root().key("cases").index(position);
            let variants = variants_of(form, case, root, &at, &mut reader);
            if chosen.contains(&variants) && !reader.problems.has_errors() {
                let message = "this case exists already".to_owned();
                let help = "state each once".to_owned();
                reader.error(root.find(&at), &at, message, help);
            }
            chosen.push(variants);
        }
        let mut baseline = 0;
        if let Some(wanted) = &form.baseline {
            let at = Path::root().key("baseline");
            let variants = variants_of(form, wanted, root, &at, &mut reader);
            match chosen.iter().position(|known| *known == variants) {
                Some(position) => baseline = position,
                None => {
                    let message = "the baseline is none of the cases".to_owned();
                    let help = "list it among the cases, or choose one that is".to_owned();
                    reader.error(root.find(&at), &at, message, help);
                }
            }
        }
        if reader.problems.has_errors() {
            return Err(ScenarioError::Invalid(in_order(
                reader.problems,
                &self.texts,
            )));
        }
        Ok((chosen, baseline))
    }

    fn case<'a>(
        &mut self,
        base: &Node,
        over: impl Iterator<Item = &'a Layers>,
        overrides: &[(String, String)],
    ) -> Result<(Scenario, Problems), ScenarioError> {
        let mut node = base.clone();
        let mut misfits = Vec::new();
        for layers in over {
            for one in &layers.over {
                merge(&mut node, one.clone(), Shape::scenario(), &mut misfits);
            }
            for (steps, value) in &layers.values {
                let done = set(&mut node, Shape::scenario(), steps, value.clone());
                misfits.extend(done.err());
            }
        }
        self.refuse_misfits(misfits)?;
        for (key, value) in overrides {
            self.set(&mut node, key, value)?;
        }
        let loaded = self.finish(&node)?;
        Ok((loaded.scenario, loaded.warnings))
    }
}

/// What was taken out of a variant before the rest was read.
#[derive(Default)]
struct Taken {
    changes: Option<Node>,
    set: Option<Node>,
}

/// Takes out of the variants what is in the form of a scenario.
fn take_layers(root: &mut Node) -> Vec<Vec<Taken>> {
    let list = |node: &mut Node, key: &str| -> Vec<Vec<Taken>> {
        let items = items_of(node, key);
        items
            .into_iter()
            .map(|item| {
                let variants = items_of(item, "variants");
                variants.into_iter().map(take_from).collect()
            })
            .collect()
    };
    list(root, "factors")
}

fn items_of<'a>(node: &'a mut Node, key: &str) -> Vec<&'a mut Node> {
    let Value::Table(entries) = &mut node.value else {
        return Vec::new();
    };
    let list = entries.iter_mut().find(|entry| entry.key == key);
    match list.map(|entry| &mut entry.node.value) {
        Some(Value::List(items)) => items.iter_mut().collect(),
        _ => Vec::new(),
    }
}

fn take_from(variant: &mut Node) -> Taken {
    let Value::Table(entries) = &mut variant.value else {
        return Taken::default();
    };
    let mut take = |key: &str| {
        let at = entries.iter().position(|entry| entry.key == key)?;
        Some(entries.remove(at).node)
    };
    Taken {
        changes: take("changes"),
        set: take("set"),
    }
}

fn near_file(path: &FilePath) -> String {
    match nearest_file(path) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("it was looked for at {}", path.display()),
    }
}

fn place_of_variant(factor: usize, variant: usize) -> Path {
    let factor = Path::root().key("factors").index(factor);
    factor.key("variants").index(variant)
}

impl Form {
    fn into_file(self, cases: Vec<Case>, baseline: usize) -> ComparisonFile {
        let factor = |factor: FactorForm| Factor {
            name: factor.name,
            is_of_worlds: factor.worlds,
            weights: (factor.variants.iter())
                .map(|one| one.weight.unwrap_or(1.0))
                .collect(),
            variants: factor.variants.into_iter().map(|one| one.name).collect(),
        };
        ComparisonFile {
            name: self.name,
            description: self.description,
            measures: self.compare,
            objective: self.objective,
            subject_to: self.subject_to,
            factors: self.factors.into_iter().map(factor).collect(),
            cases,
            baseline,
        }
    }
}

/// Notes what is wrong at a place, and what would be right.
type Note<'a> = dyn FnMut(&Path, String, &str) + 'a;

/// Notes factors and variants of which there are none, or two of one name.
fn check(form: &Form, root: &Node, reader: &mut Reader<'_>) {
    let mut note = |at: &Path, message: String, help: &str| {
        reader.error(root.find(at), at, message, help.to_owned());
    };
    let factors = Path::root().key("factors");
    if form.factors.is_empty() {
        let message = "there is no factor that scenarios differ by".to_owned();
        note(
            &factors,
            message,
            "one factor or more, each with its variants",
        );
    }
    let mut cases = 1_usize;
    for (f, factor) in form.factors.iter().enumerate() {
        let at = factors.index(f);
        let mut before = form.factors[..f].iter();
        if before.any(|other| other.name == factor.name) {
            let message = format!("there is already a factor \"{}\"", factor.name);
            note(&at.key("name"), message, "each needs a name of its own");
        }
        check_variants(f, factor, &mut note);
        cases = cases.saturating_mul(factor.variants.len().max(1));
    }
    if form.cases.is_empty() && cases > MOST_CASES {
        let message = format!("all variants of all factors are {cases} cases");
        let help = format!("at most {MOST_CASES}: list those that matter under `cases`");
        note(&factors, message, &help);
    }
}

fn check_variants(number: usize, factor: &FactorForm, note: &mut Note<'_>) {
    if factor.variants.is_empty() {
        let at = Path::root().key("factors").index(number).key("variants");
        let message = format!("the factor \"{}\" has no variants", factor.name);
        let help = "one or more, such as { name = \"as planned\" }";
        note(&at, message, help);
    }
    for (v, variant) in factor.variants.iter().enumerate() {
        let at = place_of_variant(number, v);
        let weight = variant.weight;
        if weight.is_some_and(|weight| !(weight.is_finite() && weight > 0.0)) {
            let message = "the weight of a world is not above 0".to_owned();
            note(&at.key("weight"), message, "a number above 0, such as 0.5");
        }
        if weight.is_some() && !factor.worlds {
            let message = format!(
                "the variants of \"{}\" are plans, which have no weight",
                factor.name
            );
            let help = "say `worlds = true` in the factor if nobody chooses among them";
            note(&at.key("weight"), message, help);
        }
        let mut before = factor.variants[..v].iter();
        if before.any(|other| other.name == variant.name) {
            let message = format!("there is already a variant \"{}\"", variant.name);
            let help = "each needs a name of its own within its factor";
            note(&at.key("name"), message, help);
        }
    }
}

/// The variants that a case names, by factor; the first of each that it does not name.
fn variants_of(
    form: &Form,
    named: &BTreeMap<String, String>,
    root: &Node,
    at: &Path,
    reader: &mut Reader<'_>,
) -> Vec<usize> {
    for factor in named.keys() {
        if !form.factors.iter().any(|known| known.name == *factor) {
            let names = form.factors.iter().map(|known| known.name.as_str());
            let at = at.key(factor);
            let message = format!("there is no factor \"{factor}\"");
            reader.error(root.find(&at), &at, message, name_help(factor, names));
        }
    }
    let variants = form.factors.iter().map(|factor| {
        let Some(wanted) = named.get(&factor.name) else {
            return 0;
        };
        let mut names = factor.variants.iter().map(|variant| variant.name.as_str());
        let known = names.clone();
        names.position(|name| name == wanted).unwrap_or_else(|| {
            let at = at.key(&factor.name);
            let message = format!("the factor \"{}\" has no variant \"{wanted}\"", factor.name);
            reader.error(root.find(&at), &at, message, name_help(wanted, known));
            0
        })
    });
    variants.collect()
}
