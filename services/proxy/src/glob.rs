//! Patterns in allowlists: `*` stands for any run of characters, everything else for itself (case does not matter).

/// Whether `text` fits `pattern`. Cost: linear in the text for each `*`.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(byte) if byte.eq_ignore_ascii_case(&text[t]) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// Whether an allowlist lets `text` through; an empty one lets everything through.
pub(crate) fn allows(patterns: &[String], text: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| matches(pattern, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        for (pattern, text, fits) in [
            ("gpt-4o", "gpt-4o", true),
            ("gpt-4o", "gpt-4o-mini", false),
            ("gpt-4o*", "gpt-4o-mini", true),
            ("GPT-*-mini", "gpt-4o-mini", true),
            ("*", "", true),
            ("*mini*", "gpt-4o-mini-2026", true),
            ("a*b*c", "a-x-b-y", false),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} against {text}");
        }
    }

    #[test]
    fn an_empty_allowlist_allows_everything() {
        assert!(allows(&[], "anything"));
        assert!(!allows(&["gpt-*".to_owned()], "claude-5"));
    }
}
