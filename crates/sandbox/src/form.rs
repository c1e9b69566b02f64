//! Flat form fields, urlencoded or multipart, in the order in which they were sent.

/// The fields of one call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// Reads `a=1&b=2`; any text is a form.
    pub(crate) fn urlencoded(bytes: &[u8]) -> Self {
        Self { fields: form_urlencoded::parse(bytes).into_owned().collect() }
    }

    /// Reads a `multipart/form-data` body; parts with a file name are binary and left out.
    ///
    /// Gives `None` if the body is not made of such parts.
    pub(crate) fn multipart(content_type: &str, bytes: &[u8]) -> Option<Self> {
        let boundary = content_type.split(';').find_map(|part| part.trim().strip_prefix("boundary="))?;
        let marker = format!("--{}", boundary.trim_matches('"'));
        let text = std::str::from_utf8(bytes).ok()?;
        let mut fields = Vec::new();
        let mut parts = text.split(marker.as_str());
        parts.next()?;
        for part in parts {
            if part.starts_with("--") {
                return Some(Self { fields });
            }
            let (head, value) = part.strip_prefix("\r\n")?.split_once("\r\n\r\n")?;
            let disposition =
                head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
            let attribute = |wanted: &str| {
                let mut attributes = disposition.split(';').filter_map(|pair| pair.trim().split_once('='));
                attributes.find(|(name, _)| *name == wanted).map(|(_, value)| value.trim_matches('"'))
            };
            if attribute("filename").is_none() {
                fields.push((attribute("name")?.to_owned(), value.strip_suffix("\r\n")?.to_owned()));
            }
        }
        None
    }

    /// The value of a field.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All fields, in the order in which they were sent.
    pub(crate) fn fields(&self) -> &[(String, String)] {
        &self.fields
    }

    /// A field that was sent twice.
    pub(crate) fn doubled(&self) -> Option<&str> {
        let mut names: Vec<&str> = self.fields.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urlencoded_fields() {
        let form = Form::urlencoded("a=1&b=%E4%B8%AD+x&c=".as_bytes());
        assert_eq!(
            (form.get("a"), form.get("b"), form.get("c"), form.get("d")),
            (Some("1"), Some("中 x"), Some(""), None)
        );
        assert_eq!(form.doubled(), None);
        assert_eq!(Form::urlencoded(b"a=1&b=2&a=3").doubled(), Some("a"));
    }

    #[test]
    fn multipart_fields() {
        let body = "--x7\r\nContent-Disposition: form-data; name=\"method\"\r\n\r\na.b\r\n\
                    --x7\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f.bin\"\r\nContent-Type: a/b\r\n\r\n..\r\n\
                    --x7\r\ncontent-disposition: form-data; name=\"t\"\r\n\r\n中=1\r\n--x7--\r\n";
        let form = Form::multipart("multipart/form-data; boundary=x7", body.as_bytes()).unwrap();
        assert_eq!(form.fields().len(), 2);
        assert_eq!((form.get("method"), form.get("t")), (Some("a.b"), Some("中=1")));
        assert_eq!(Form::multipart("multipart/form-data", body.as_bytes()), None);
        assert_eq!(Form::multipart("multipart/form-data; boundary=x7", &body.as_bytes()[..40]), None);
    }
}
