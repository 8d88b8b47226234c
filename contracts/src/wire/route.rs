//! Routes, read when a contract is compiled: one that cannot be filled does not compile.

use super::BadCall;

/// The most fields a route may name.
const LIMIT: usize = 8;

/// A path with its `{field}`s.
#[derive(Debug)]
pub(super) struct Route {
    text: &'static str,
    /// Where the names of the fields begin and end.
    fields: [(usize, usize); LIMIT],
    count: usize,
}

impl Route {
    /// # Panics
    /// When braces are not in pairs, or there are too many.
    pub(super) const fn of(text: &'static str) -> Self {
        let (bytes, mut fields, mut count, mut at) = (text.as_bytes(), [(0, 0); LIMIT], 0, 0);
        while at < bytes.len() {
            assert!(bytes[at] != b'}', "a route has a closing brace without its opening one");
            if bytes[at] == b'{' {
                let from = at + 1;
                while bytes[at] != b'}' {
                    at += 1;
                    assert!(
                        at < bytes.len() && bytes[at] != b'{',
                        "a route has an opening brace without its closing one"
                    );
                }
                assert!(count < LIMIT, "a route names at most 8 fields");
                fields[count] = (from, at);
                count += 1;
            }
            at += 1;
        }
        Self { text, fields, count }
    }

    pub(super) fn has_fields(&self) -> bool {
        self.count > 0
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.fields[..self.count].iter().map(|(from, to)| &self.text[*from..*to])
    }

    /// The path with the values of a form where it names them, and the others behind it. What a form has encoded is
    /// encoded for a path too.
    pub(super) fn fill(&self, form: &str) -> Result<String, BadCall> {
        let mut values = [""; LIMIT];
        let mut others = false;
        for (name, value) in pairs(form) {
            let mut is_named = false;
            for (field, _) in self.names().enumerate().filter(|(_, other)| *other == name) {
                (values[field], is_named) = (value, true);
            }
            others |= !is_named;
        }
        // A question mark is one more.
        let mut target = String::with_capacity(self.text.len() + form.len() + 1);
        let mut filled = 0;
        for (&(from, to), value) in self.fields[..self.count].iter().zip(values) {
            if value.is_empty() {
                return Err(BadCall(format!("{} is empty, but stands in the path", &self.text[from..to])));
            }
            target.push_str(&self.text[filled..from - 1]);
            target.push_str(value);
            filled = to + 1;
        }
        target.push_str(&self.text[filled..]);
        if others {
            let mut mark = '?';
            for (name, value) in pairs(form).filter(|(name, _)| self.names().all(|other| other != *name)) {
                target.push(mark);
                target.extend([name, "=", value]);
                mark = '&';
            }
        }
        Ok(target)
    }
}

/// The names and values of a form.
fn pairs(form: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = form;
    std::iter::from_fn(move || {
        let (name, after) = cut(rest, b'=')?;
        let (value, after) = cut(after, b'&').unwrap_or((after, ""));
        rest = after;
        Some((name, value))
    })
}

/// What stands before and after an ASCII character. The texts are short, so that searching them in a clever way costs
/// more than it saves.
fn cut(text: &str, at: u8) -> Option<(&str, &str)> {
    let place = text.bytes().position(|byte| byte == at)?;
    Some((&text[..place], &text[place + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_filled_where_it_names_a_field() {
        for (route, form, target) in [
            ("/", "", "/"),
            ("/{a}", "a=1", "/1"),
            ("/x/{a}-{b}/y", "b=2&c=3&a=1", "/x/1-2/y?c=3"),
            ("/{a}/{a}", "a=1", "/1/1"),
            ("/x", "a=1&b=", "/x?a=1&b="),
        ] {
            assert_eq!(Route::of(route).fill(form).as_deref(), Ok(target), "{route}");
        }
        let missing = Route::of("/{a}/{b}").fill("a=1").unwrap_err();
        assert_eq!(missing.to_string(), "b is empty, but stands in the path");
    }
}
