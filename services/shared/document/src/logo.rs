//! The issuer's logo: an image of bounded size in a format that the page can hold.

use crate::DocumentError;

/// Largest logo, in bytes.
pub const MAX_LOGO_BYTES: usize = 1024 * 1024;

/// An image whose format is known.
pub(crate) struct Logo {
    path: &'static str,
    bytes: Vec<u8>,
}

impl Logo {
    /// Recognises the format by the first bytes; a name can lie.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, DocumentError> {
        if bytes.len() > MAX_LOGO_BYTES {
            let text = format!("it has {} bytes, the limit is {MAX_LOGO_BYTES}", bytes.len());
            return Err(DocumentError::Logo(text));
        }
        let path = if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            "/logo.png"
        } else if bytes.starts_with(b"\xff\xd8\xff") {
            "/logo.jpg"
        } else if looks_like_svg(bytes) {
            "/logo.svg"
        } else {
            return Err(DocumentError::Logo("it is neither a PNG nor a JPEG nor an SVG".to_owned()));
        };
        Ok(Self { path, bytes: bytes.to_vec() })
    }

    /// Where the template finds it.
    pub(crate) fn path(&self) -> &'static str {
        self.path
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

fn looks_like_svg(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| {
        let start = text.trim_start_matches('\u{feff}').trim_start();
        start.starts_with("<svg")
            || (start.starts_with("<?xml") || start.starts_with("<!")) && text.contains("<svg")
    })
}
