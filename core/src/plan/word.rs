//! Enumerations whose values have one word each, the same in the configuration, in reports and in the schema.

/// A value that a configuration names by one word.
pub(crate) trait Word: Copy + 'static {
    /// Every value, in the order in which they are listed to people.
    const EVERY: &'static [Self];

    /// The word of one value.
    fn text(self) -> &'static str;
}

/// An enumeration with `ALL`, `word` and `Display`, so that no list of words is kept by hand.
macro_rules! worded {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        $vis enum $name {
            $($(#[$variant_meta])* $variant,)+
        }

        impl $name {
            /// Every value, in the order in which they are listed to people.
            $vis const ALL: [Self; [$($word),+].len()] = [$(Self::$variant),+];

            /// The word of the configuration and of reports.
            $vis const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl $crate::plan::word::Word for $name {
            const EVERY: &'static [Self] = &Self::ALL;

            fn text(self) -> &'static str {
                self.word()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}
pub(crate) use worded;
