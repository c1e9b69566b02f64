//! The files that `init` and `demo` write, in both languages: only their comments differ.

use super::Lang;

/// A file in both languages; `@name@` is a placeholder.
#[derive(Clone, Copy, Debug)]
pub(crate) struct File {
    en: &'static str,
    zh: &'static str,
}

macro_rules! files {
    ($($name:ident: $stem:literal;)*) => {
        $(pub(crate) const $name: File = File {
            en: include_str!(concat!("files/", $stem, ".en.toml")),
            zh: include_str!(concat!("files/", $stem, ".zh.toml")),
        };)*
        #[cfg(test)]
        const ALL: &[(&str, File)] = &[$(($stem, $name)),*];
    };
}

files! {
    INIT_FILE: "init";
    INIT_FILES: "init-files";
    INIT_FLOW: "init-flow";
    DEMO_FILE: "demo";
    DEMO_ORDERS: "demo-orders";
    DEMO_ITEMS: "demo-items";
    DEMO_PURCHASE: "demo-purchase";
    DEMO_SALES: "demo-sales";
    DEMO_STOCK: "demo-stock";
    DEMO_CLIENTS: "demo-clients";
}

impl Lang {
    /// The text of a file, its placeholders filled.
    pub(crate) fn file(self, file: File, values: &[(&str, &str)]) -> String {
        let text = match self {
            Self::En => file.en,
            Self::Zh => file.zh,
        };
        values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("@{name}@"), value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines without their comments.
    fn bare(text: &str) -> Vec<&str> {
        let lines = text.lines().map(|line| match line.split_once(" #") {
            Some((before, _)) => before.trim_end(),
            None => line,
        });
        lines.filter(|line| !line.starts_with('#') && !line.is_empty()).collect()
    }

    #[test]
    fn both_languages_say_the_same_to_the_machine() {
        for (name, file) in ALL {
            assert_eq!(bare(file.en), bare(file.zh), "{name}");
            toml::from_str::<toml::Table>(file.en).unwrap_or_else(|e| panic!("{name}: {e}"));
            toml::from_str::<toml::Table>(file.zh).unwrap_or_else(|e| panic!("{name}: {e}"));
        }
    }
}
