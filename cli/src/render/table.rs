//! Tables whose widths are known before the first row, so that rows are shown as they come.

use super::paint::{Paint, Tone};

/// A table under way.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    paint: Paint,
    columns: Vec<(&'static str, usize)>,
}

/// A generation's name has this width until there are ten thousand of them.
pub(crate) const GENERATION: usize = "0008-1f3a9c20".len();
/// A moment in UTC.
pub(crate) const MOMENT: usize = "2026-11-24T08:00:00Z".len();

impl Table {
    /// Headings and widths. A longer cell moves the rest of its row.
    pub(crate) fn new(paint: Paint, columns: &[(&'static str, usize)]) -> Self {
        let columns = columns.iter().map(|(heading, width)| (*heading, (*width).max(heading.len())));
        Self { paint, columns: columns.collect() }
    }

    /// The headings.
    pub(crate) fn heading(&self) -> String {
        let cells: Vec<_> = self.columns.iter().map(|(heading, _)| (Tone::Strong, *heading)).collect();
        self.row(&cells)
    }

    /// One row.
    pub(crate) fn row(&self, cells: &[(Tone, &str)]) -> String {
        let mut line = String::new();
        // Colour goes around the text and the room beside it: what cannot be seen has no width.
        let mut room = 0;
        for ((tone, text), (_, width)) in cells.iter().zip(&self.columns) {
            if !text.is_empty() {
                line.extend(std::iter::repeat_n(' ', room));
                line.push_str(&self.paint.paint(*tone, text));
                room = 0;
            }
            room += width.saturating_sub(text.chars().count()) + 2;
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other_with_and_without_colour() {
        let columns = [("lineage", 4), ("result", 9), ("why", 0)];
        let plain = Table::new(Paint::Off, &columns);
        assert_eq!(plain.heading(), "lineage  result     why");
        assert_eq!(
            plain.row(&[(Tone::Plain, "www"), (Tone::Good, "changed"), (Tone::Plain, "x")]),
            "www      changed    x"
        );
        assert_eq!(plain.row(&[(Tone::Plain, "www"), (Tone::Good, ""), (Tone::Plain, "x")]), "www                 x");
        assert_eq!(plain.row(&[(Tone::Plain, "www"), (Tone::Good, "changed"), (Tone::Plain, "")]), "www      changed");
        let colour = Table::new(Paint::On, &columns);
        let row = colour.row(&[(Tone::Plain, "www"), (Tone::Good, "changed"), (Tone::Plain, "x")]);
        assert_eq!(row, "www      \x1b[32mchanged\x1b[0m    x");
    }
}
