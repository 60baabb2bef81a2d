//! The macro by which plans are written.

/// Declares a plan: a plain struct that a planner fills in, each field with all that it is.
///
/// ```text
/// plan! {
///     /// A substation, energised when its activities have finished.
///     pub struct Substation {
///         /// Its name, unique on its campus.
///         pub name: String,
///         /// Facility power that it carries once energised, in MW.
///         pub power_mw: f64 => MEGAWATTS,
///         /// How late it is, in months. Drawn once a trial.
///         pub delay_months: Uncertain [= Uncertain::zero()] => MONTHS.input("delay"),
///         /// When its first activity may start; left out, at the start of the scenario.
///         pub starts: Option<Date>,
///         /// What must have finished before.
///         pub after: Vec<Dependency> = [],
///     }
///     /// A substation whose activities begin at the start of the scenario.
///     pub fn new;
/// }
/// ```
///
/// | after the type | the field |
/// | --- | --- |
/// | nothing | is required, an `Option` may be left out |
/// | `= []` | is a list that may be left out |
/// | `= [..]` | is a list that may be left out, and is written again even if it is empty |
/// | `[= value]` | has this default, and is left out where the scenario is written again |
/// | `= value` | has this default, and is written again all the same |
/// | `=> quantity` | measures this; comes last |
///
/// Where fields are drawn once a trial, `struct Substation in "CAMPUS/SUBSTATION"` says below which name their inputs
/// are in the reference.
///
/// A new field with a default takes `[= value]`, so that scenarios which do not have it keep their
/// fingerprints.
///
/// The plan is `non_exhaustive`, so that it may get more fields, and gets
/// - `new(…)`, if the last line names it, with all required fields in their order;
/// - for every field a setter of its name, which adds to a list;
/// - `serde` and the schema (feature `files`), which refuse keys that it does not have;
/// - `check_fields(at, problems)`: errors where a quantity is impossible, warnings where it is unusual;
/// - `fields()`, whose methods give a field's value together with its quantity, to be drawn.
macro_rules! plan {
    ($(#[$outer:meta])* pub struct $plan:ident $(in $scope:literal)? { $($fields:tt)* } $($new:tt)*) => {
        $crate::field::plan! {
            @next {{$(#[$outer])*} $plan {$($scope)?} {$($new)*}} {} {} {} $($fields)*
        }
    };

    // The next field, by its type and its default. It is added to the list of all fields with what it
    // is while absent, what it is by default, and when it is not written; then to those that are
    // required, or to the others.
    (@next $head:tt {$($all:tt)*} $required:tt {$($other:tt)*}
        $(#[doc = $doc:tt])* pub $name:ident: Option<Vec<$of:ident>> $(=> $is:expr)?, $($rest:tt)*) => {
        $crate::field::plan! { @next $head
            {$($all)* {{$(#[doc = $doc])*} $name {Option<Vec<$of>>} add_some $of {$($is)?}
                {None} {None} {Option::is_none}}}
            $required {$($other)* $name = None;} $($rest)* }
    };
    (@next $head:tt {$($all:tt)*} $required:tt {$($other:tt)*}
        $(#[doc = $doc:tt])* pub $name:ident: Option<$of:ident> $(=> $is:expr)?, $($rest:tt)*) => {
        $crate::field::plan! { @next $head
            {$($all)* {{$(#[doc = $doc])*} $name {Option<$of>} set_some $of {$($is)?}
                {None} {None} {Option::is_none}}}
            $required {$($other)* $name = None;} $($rest)* }
    };
    (@next $head:tt {$($all:tt)*} $required:tt {$($other:tt)*}
        $(#[doc = $doc:tt])* pub $name:ident: Vec<$of:ident> = [] $(=> $is:expr)?, $($rest:tt)*) => {
        $crate::field::plan! { @next $head
            {$($all)* {{$(#[doc = $doc])*} $name {Vec<$of>} add $of {$($is)?}
                {Vec::new()} {Some(|| serde_json::Value::Null)} {Vec::is_empty}}}
            $required {$($other)* $name = Vec::new();} $($rest)* }
    };
    (@next $head:tt {$($all:tt)*} $required:tt {$($other:tt)*}
        $(#[doc = $doc:tt])* pub $name:ident: Vec<$of:ident> = [..] $(=> $is:expr)?, $($rest:tt)*) => {
        $crate::field::plan! { @next $head
            {$($all)* {{$(#[doc = $doc])*} $name {Vec<$of>} add $of {$($is)?}
                {Vec::new()} {Some(|| serde_json::Value::Null)} {|_| false}}}
            $required {$($other)* $name = Vec::new();} $($rest)* }
    };
    (@next $head:tt {$($all:tt)*} {$($required:tt)*} $other:tt
        $(#[doc = $doc:tt])* pub $name:ident: Vec<$of:ident> $(=> $is:expr)?, $($rest:tt)*) => {
        $crate::field::plan! { @next $head
            {$($all)* {{$(#[doc = $doc])*} $name {Vec<$of>} add $of {$($is)?}
                {$crate::field::missing::<_, D::Error>(stringify!($name))?} {None} {|_| false}}}
            {$($required)* $name {Vec<$of>}} $other $($rest)* }
    };
    (@next $head:tt {$($all:tt)*} $required:tt {$($other:tt)*}
        $(#[doc = $doc:tt])* pub $name:ident: $of:ident [= $default:expr] $(=> $is:expr)?, $($rest:tt)*) => {
        $crate::field::plan! { @next $head
            {$($all)* {{$(#[doc = $doc])*} $name {$of} set $of {$($is)?}
                {$default} {Some(|| serde_json::json!($default))} {|value| *value == $default}}}
            $required {$($other)* $name = $default;} $($rest)* }
    };
    (@next $head:tt {$($all:tt)*} $required:tt {$($other:tt)*}
        $(#[doc = $doc:tt])* pub $name:ident: $of:ident = $default:expr $(=> $is:expr)?, $($rest:tt)*) => {
        $crate::field::plan! { @next $head
            {$($all)* {{$(#[doc = $doc])*} $name {$of} set $of {$($is)?}
                {$default} {Some(|| serde_json::json!($default))} {|_| false}}}
            $required {$($other)* $name = $default;} $($rest)* }
    };
    (@next $head:tt {$($all:tt)*} {$($required:tt)*} $other:tt
        $(#[doc = $doc:tt])* pub $name:ident: $of:ident $(=> $is:expr)?, $($rest:tt)*) => {
        $crate::field::plan! { @next $head
            {$($all)* {{$(#[doc = $doc])*} $name {$of} set $of {$($is)?}
                {$crate::field::missing::<_, D::Error>(stringify!($name))?} {None} {|_| false}}}
            {$($required)* $name {$of}} $other $($rest)* }
    };
    (@next $head:tt {$($all:tt)*} {$($required:tt)*} $other:tt
        $(#[doc = $doc:tt])* pub $name:ident: ($of:ty) $(=> $is:expr)?, $($rest:tt)*) => {
        $crate::field::plan! { @next $head
            {$($all)* {{$(#[doc = $doc])*} $name {$of} set ($of) {$($is)?}
                {$crate::field::missing::<_, D::Error>(stringify!($name))?} {None} {|_| false}}}
            {$($required)* $name {$of}} $other $($rest)* }
    };

    // All fields are known.
    (@next {{$($outer:tt)*} $plan:ident {$($scope:literal)?} $new:tt}
        {$({{$($doc:tt)*} $name:ident {$type:ty} $setter:ident $of:tt {$($is:expr)?}
            {$absent:expr} {$default:expr} {$left_out:expr}})*}
        $required:tt $other:tt) => {
        $($outer)*
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        #[cfg_attr(feature = "files", derive(schemars::JsonSchema))]
        // A path, not a closure: that takes a feature of syn which nothing else may ask for.
        #[cfg_attr(feature = "files", schemars(deny_unknown_fields, transform = $plan::annotate))]
        pub struct $plan { $($($doc)* pub $name: $type,)* }

        #[allow(unused_parens)]
        impl $plan {
            /// What is known of each field, in their order.
            #[allow(dead_code)]
            pub(crate) const FIELDS: &'static [$crate::field::Field] = &[$($crate::field::Field {
                key: stringify!($name),
                quantity: $crate::field::plan!(@option $($is)?),
                default: $default,
            },)*];

            #[cfg(feature = "files")]
            fn annotate(schema: &mut schemars::Schema) {
                $crate::field::annotate(schema, Self::FIELDS, concat!($($scope)?));
            }

            $crate::field::plan! { @new $new $required $other }
            $($crate::field::plan! { @$setter $name $of })*

            /// Notes fields whose values are impossible or unusual.
            #[allow(unused_variables, dead_code)]
            pub(crate) fn check_fields(
                &self,
                at: &$crate::problem::Path,
                problems: &mut $crate::problem::Problems,
            ) {
                $($($crate::field::Measured::check(
                    &self.$name, &$is, &at.key(stringify!($name)), problems,
                );)?)*
            }

            /// Its fields that measure something, each with its quantity.
            #[allow(dead_code)]
            pub(crate) fn fields(&self) -> $crate::field::Fields<'_, Self> {
                $crate::field::Fields(self)
            }
        }

        #[allow(dead_code)]
        impl $crate::field::Fields<'_, $plan> {
            $($(pub(crate) fn $name(&self) -> $crate::field::Stated<'_, $type> {
                $crate::field::Stated { value: &self.0.$name, quantity: $is }
            })?)*
        }

        impl serde::Serialize for $plan {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap;
                let mut map = serializer.serialize_map(None)?;
                $(
                    let is_left_out: fn(&$type) -> bool = $left_out;
                    if !is_left_out(&self.$name) {
                        let value = $crate::field::plan!(@written self $name $($is)?);
                        map.serialize_entry(stringify!($name), &value)?;
                    }
                )*
                map.end()
            }
        }

        impl<'de> serde::Deserialize<'de> for $plan {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                #[derive(serde::Deserialize)]
                #[serde(deny_unknown_fields)]
                struct $plan { $(#[serde(default)] $name: Option<$type>,)* }
                let given = $plan::deserialize(deserializer)?;
                Ok(Self {
                    $($name: match given.$name {
                        Some(value) => value,
                        None => $absent,
                    },)*
                })
            }
        }
    };

    // How a value is written.
    (@written $self:ident $name:ident) => { &$self.$name };
    (@written $self:ident $name:ident $is:expr) => {
        $crate::field::Stated { value: &$self.$name, quantity: $is }
    };

    (@option) => { None };
    (@option $is:expr) => { Some($is) };

    (@new {} $required:tt $other:tt) => {};
    (@new {$(#[$doc:meta])* $visible:vis fn $new:ident;}
        {$($required:ident {$($type:tt)*})*} {$($other:ident = $default:expr;)*}) => {
        $(#[$doc])*
        $visible fn $new($($required: $crate::field::plan!(@given $($type)*)),*) -> Self {
            Self { $($required: $required.into(),)* $($other: $default,)* }
        }
    };

    // Setters.
    (@set $name:ident $of:tt) => {
        #[doc = concat!("Sets [`", stringify!($name), "`](Self#structfield.", stringify!($name), ").")]
        #[must_use]
        pub fn $name(mut self, value: $crate::field::plan!(@given $of)) -> Self {
            self.$name = value.into();
            self
        }
    };
    (@set_some $name:ident $of:tt) => {
        #[doc = concat!("Sets [`", stringify!($name), "`](Self#structfield.", stringify!($name), ").")]
        #[must_use]
        pub fn $name(mut self, value: $crate::field::plan!(@given $of)) -> Self {
            self.$name = Some(value.into());
            self
        }
    };
    (@add $name:ident $type:ty) => {
        #[doc = concat!("Adds to [`", stringify!($name), "`](Self#structfield.", stringify!($name), ").")]
        #[must_use]
        pub fn $name(mut self, values: impl IntoIterator<Item = impl Into<$type>>) -> Self {
            self.$name.extend(values.into_iter().map(Into::into));
            self
        }
    };
    (@add_some $name:ident $type:ty) => {
        #[doc = concat!("Adds to [`", stringify!($name), "`](Self#structfield.", stringify!($name), ").")]
        #[must_use]
        pub fn $name(mut self, values: impl IntoIterator<Item = impl Into<$type>>) -> Self {
            let list = self.$name.get_or_insert_default();
            list.extend(values.into_iter().map(Into::into));
            self
        }
    };

    // How a value is given.
    (@given String) => { impl Into<String> };
    (@given Uncertain) => { impl Into<$crate::uncertain::Uncertain> };
    (@given LastDay) => { impl Into<$crate::date::LastDay> };
    (@given f64) => { impl Into<f64> };
    (@given $type:ty) => { $type };
}

pub(crate) use plan;
