//! The little world a template lives in: two templates, one data file, perhaps a logo, three fonts.

use std::sync::LazyLock;

use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};

/// Path of the data file, as the templates name it.
const DATA: &str = "/data.json";
/// Path of what the templates share.
const BASE: &str = "/base.typ";

/// What is the same for every document.
struct Shared {
    library: LazyHash<Library>,
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
}

static SHARED: LazyLock<Shared> = LazyLock::new(|| {
    let files: [&'static [u8]; 3] = [
        include_bytes!("../fonts/Inter-Regular.otf"),
        include_bytes!("../fonts/Inter-Medium.otf"),
        include_bytes!("../fonts/Inter-SemiBold.otf"),
    ];
    let fonts: Vec<Font> = files.into_iter().flat_map(|file| Font::iter(Bytes::new(file))).collect();
    Shared {
        library: LazyHash::new(Library::default()),
        book: LazyHash::new(FontBook::from_fonts(&fonts)),
        fonts,
    }
});

/// Whether the built-in font has a glyph for a character.
pub(crate) fn has_glyph(character: char) -> bool {
    SHARED.fonts.first().is_some_and(|font| font.info().coverage.contains(u32::from(character)))
}

/// One document's sources and data, all in memory. Anything else that a template asks for is refused.
pub(crate) struct PageWorld {
    main: Source,
    base: Source,
    files: Vec<(FileId, Bytes)>,
}

fn file_id(path: &str) -> FileId {
    let path = VirtualPath::new(path).expect("the paths of this crate are plain absolute paths");
    FileId::new(RootedPath::new(VirtualRoot::Project, path))
}

impl PageWorld {
    pub(crate) fn new(template: &str, data: Vec<u8>, logo: Option<(&str, Vec<u8>)>) -> Self {
        let mut files = vec![(file_id(DATA), Bytes::new(data))];
        files.extend(logo.map(|(path, bytes)| (file_id(path), Bytes::new(bytes))));
        Self {
            main: Source::new(file_id("/main.typ"), template.to_owned()),
            base: Source::new(file_id(BASE), include_str!("templates/base.typ").to_owned()),
            files,
        }
    }
}

fn refused(id: FileId) -> FileError {
    FileError::NotFound(id.vpath().get_without_slash().into())
}

impl World for PageWorld {
    fn library(&self) -> &LazyHash<Library> {
        &SHARED.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &SHARED.book
    }

    fn main(&self) -> FileId {
        self.main.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        [&self.main, &self.base]
            .into_iter()
            .find(|source| source.id() == id)
            .cloned()
            .ok_or_else(|| refused(id))
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        let found = self.files.iter().find(|(known, _)| *known == id);
        found.map(|(_, bytes)| bytes.clone()).ok_or_else(|| refused(id))
    }

    fn font(&self, index: usize) -> Option<Font> {
        SHARED.fonts.get(index).cloned()
    }

    /// No clock: a document's date comes from its data.
    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        None
    }
}
