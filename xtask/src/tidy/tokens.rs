//! Rust source as words and signs: just enough to find paths, macros and attributes, and never one inside a comment or a
//! string.

/// An identifier, a `::`, or one other sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    /// Its text.
    pub(super) text: &'a str,
    /// The line it stands on, from 1.
    pub(super) line: usize,
    /// Whether it belongs to something that is compiled for tests only.
    pub(super) test: bool,
    /// How many `mod name { … }` it stands inside.
    pub(super) inline: usize,
}

impl Token<'_> {
    /// Whether it is an identifier or a keyword.
    pub(super) fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

/// The tokens of a file.
pub(super) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut tokens = split(source);
    mark_tests(&mut tokens);
    mark_inline_modules(&mut tokens);
    tokens
}

fn split(source: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let (mut rest, mut line) = (source, 1);
    while let Some(first) = rest.chars().next() {
        let (length, kept) = measure(rest, first);
        let (text, after) = rest.split_at(length);
        if kept {
            tokens.push(Token { text, line, test: false, inline: 0 });
        }
        line += text.matches('\n').count();
        rest = after;
    }
    tokens
}

/// How long the next piece is, and whether it is a token that matters.
fn measure(rest: &str, first: char) -> (usize, bool) {
    let upto = |end: &str, from: usize| rest[from..].find(end).map_or(rest.len(), |at| from + at + end.len());
    if rest.starts_with("//") {
        return (rest.find('\n').unwrap_or(rest.len()), false);
    }
    if rest.starts_with("/*") {
        return (block_comment(rest), false);
    }
    if let Some(start) = string_start(rest) {
        let quote = rest[..start].trim_start_matches(['b', 'c']);
        if let Some(fence) = quote.strip_prefix('r') {
            let close = format!("\"{}", "#".repeat(fence.matches('#').count()));
            return (upto(&close, start), false);
        }
        return (quoted(rest, start, '"'), false);
    }
    if first == '\'' {
        return (character_or_lifetime(rest), false);
    }
    if first.is_alphabetic() || first == '_' {
        return (rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len()), true);
    }
    if first.is_ascii_digit() {
        return (rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len()), false);
    }
    if rest.starts_with("::") {
        return (2, true);
    }
    (first.len_utf8(), !first.is_whitespace())
}

/// Where the content of a string literal begins, when one begins here.
fn string_start(rest: &str) -> Option<usize> {
    let prefix = rest.find(|c: char| !matches!(c, 'b' | 'c' | 'r')).filter(|length| *length <= 2)?;
    let raw = rest[..prefix].ends_with('r');
    let fences = rest[prefix..].find(|c: char| c != '#').filter(|fences| raw || *fences == 0)?;
    rest[prefix + fences..].starts_with('"').then_some(prefix + fences + 1)
}

/// The end of a literal that closes with `quote` and escapes with a backslash.
fn quoted(rest: &str, from: usize, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest[from..].char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return from + at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

fn character_or_lifetime(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), _) => quoted(rest, 1, '\''),
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1,
    }
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let bytes = rest.as_bytes();
    let mut at = 0;
    while at + 1 < bytes.len() {
        match (bytes[at], bytes[at + 1]) {
            (b'/', b'*') => (depth, at) = (depth + 1, at + 2),
            (b'*', b'/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// Mark every item under `#[cfg(test)]`.
fn mark_tests(tokens: &mut [Token<'_>]) {
    const ATTRIBUTE: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut at = 0;
    while at < tokens.len() {
        let found = tokens[at..].iter().map(|token| token.text).take(ATTRIBUTE.len()).eq(ATTRIBUTE);
        let end = if found { item_end(tokens, at + ATTRIBUTE.len()) } else { at + 1 };
        for token in &mut tokens[at..end] {
            token.test |= found;
        }
        at = end;
    }
}

/// One past the item that begins at `from`: its first `;` outside brackets, or the end of its first block.
fn item_end(tokens: &[Token<'_>], from: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(from) {
        match token.text {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => {
                depth = depth.saturating_sub(1);
                if depth == 0 && token.text == "}" {
                    return at + 1;
                }
            }
            ";" if depth == 0 => return at + 1,
            _ => {}
        }
    }
    tokens.len()
}

fn mark_inline_modules(tokens: &mut [Token<'_>]) {
    for at in 0..tokens.len().saturating_sub(2) {
        if tokens[at].text == "mod" && tokens[at + 1].is_word() && tokens[at + 2].text == "{" {
            let end = item_end(tokens, at + 2);
            for token in &mut tokens[at + 2..end] {
                token.inline += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &str) -> Vec<&str> {
        tokens(source).into_iter().filter(Token::is_word).map(|token| token.text).collect()
    }

    #[test]
    fn sees_through_comments_strings_and_lifetimes() {
        let source = r####"a /* b /* c */ d */ e // f
            "g \" h" r#"i " j"# b"k" 'l' '\'' '\u{6d}' &'n o br##"p"# q"## c"r" 's: t r"\" u 0x7 brv"####;
        assert_eq!(words(source), ["a", "e", "n", "o", "s", "t", "u", "brv"]);
    }

    #[test]
    fn counts_lines() {
        let all = tokens("a\n\"x\ny\"\n/* \n */ b");
        assert_eq!(all.iter().map(|token| (token.text, token.line)).collect::<Vec<_>>(), [("a", 1), ("b", 5)]);
    }

    #[test]
    fn knows_what_is_for_tests_only() {
        let source =
            "use a; #[cfg(test)] use b::{c, d}; fn e() {} #[cfg(test)] #[x(y)] mod f { fn g() { h([1]); } } fn i() {}";
        let tests: Vec<&str> = tokens(source).iter().filter(|t| t.test && t.is_word()).map(|t| t.text).collect();
        assert_eq!(tests, ["cfg", "test", "use", "b", "c", "d", "cfg", "test", "x", "y", "mod", "f", "fn", "g", "h"]);
        let inside: Vec<&str> =
            tokens(source).iter().filter(|t| t.inline == 1 && t.is_word()).map(|t| t.text).collect();
        assert_eq!(inside, ["fn", "g", "h"]);
    }
}
