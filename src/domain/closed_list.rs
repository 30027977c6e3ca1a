//! Owns: lists of values that are all known: each value has a code, which is what tables, files, addresses and programs hold.

/// A list of values that are all known.
pub trait ClosedList: Copy + Eq + Send + Sync + 'static {
    /// Every value, in the list's order.
    const ALL: &'static [Self];

    /// The value's code: lower case, the same for ever.
    fn code(self) -> &'static str;

    /// The value of a code.
    fn parse(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.code() == code)
    }
}

/// Makes an enum that is a [`ClosedList`], with `ALL`, `code` and `parse` of its own so that callers need no trait.
macro_rules! closed_list {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$vdoc])* $variant,)+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            #[must_use]
            pub fn parse(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.code() == code)
            }
        }

        impl $crate::domain::closed_list::ClosedList for $name {
            const ALL: &'static [Self] = Self::ALL;

            fn code(self) -> &'static str {
                Self::code(self)
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(self.code(), f)
            }
        }
    };
}
pub(crate) use closed_list;
