//! Names with `*`, which stands for any text: `*/fit-out`, `A*`.

/// Whether a pattern means a name, in full ("north/A1/shell") or without the campus ("A1/shell").
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    fits(pattern, name)
        || name
            .split_once('/')
            .is_some_and(|(_, within)| fits(pattern, within))
}

fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(first) else {
        return false;
    };
    // Of the parts between stars each is found as early as can be, but for the last.
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match text.find(part) {
            Some(found) => text = &text[found + part.len()..],
            None => return false,
        }
    }
    text.len() >= last.len() && text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name, expected) in [
            ("A1/shell", "north/A1/shell", true),
            ("north/A1/shell", "north/A1/shell", true),
            ("shell", "north/A1/shell", false),
            ("*/shell", "north/A1/shell", true),
            ("A*/fit-out", "north/A1/hall 1/fit-out", true),
            ("A*hall*out", "north/A1/hall 1/fit-out", true),
            ("A*hall*in", "north/A1/hall 1/fit-out", false),
            ("B*", "north/A1/shell", false),
            ("*", "anything", true),
            ("ab*ba", "aba", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
