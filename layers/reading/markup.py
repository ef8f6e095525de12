"""XML before GDAL sees it: KML, GPX, GML, OpenStreetMap and the parts of a workbook.

A document type declaration can define entities that grow without end or stand for another file; no format that is
read here needs one. So the whole text is parsed once by a parser that keeps nothing: it ends at the first
declaration, at nesting that would exhaust the stack of whoever builds a tree, and at the place where the text breaks
off, which it names.
"""

from collections.abc import Callable
from pathlib import Path
from typing import IO, Final
from xml.parsers import expat  # no tree, no entities: see `_Guard`

from layers.reading.plan import RefusedError

#: What a text with no limit of its own may have.
MAX_DEPTH: Final = 100
MAX_ATTRIBUTES: Final = 600
_CHUNK_BYTES: Final = 1 << 16
# Of these, every parser reads the same characters; others could hide a declaration from one and show it to the other.
_ENCODINGS: Final = frozenset({
    "", "utf-8", "utf8", "utf-16", "us-ascii", "ascii", "iso-8859-1", "windows-1252", "windows-1256",
})  # fmt: skip


def require_safe_markup(
    path: Path, roots: frozenset[str], *, row_of: frozenset[str] = frozenset(), what: str = "file"
) -> int:
    """Refuse an XML file that is broken or could make its reader do more than read it.

    Parameters
    ----------
    path
        The file.
    roots
        Local names its outermost element may have, in lower case; any if empty.
    row_of
        Local names of the elements that are rows, to say in which one the file is broken.
    what
        How the file is called in a message.

    Returns
    -------
    int
        How many rows it has.

    Raises
    ------
    RefusedError
        If it declares entities or a document type, is nested too deeply, is of another kind, or is cut off.
    """
    with path.open("rb") as file:
        return require_safe_text(file, roots, row_of=row_of, what=what)


def require_safe_text(
    file: IO[bytes], roots: frozenset[str], *, row_of: frozenset[str] = frozenset(), what: str = "file"
) -> int:
    """As `require_safe_markup`, of an open file."""
    guard = _Guard(roots, row_of, what)
    parser = expat.ParserCreate()
    # Attributes and texts come in pieces of bounded size, and no entity is ever followed.
    parser.buffer_text = False
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartElementHandler = guard.start
    parser.EndElementHandler = guard.end
    parser.XmlDeclHandler = guard.declared
    parser.StartDoctypeDeclHandler = guard.doctype
    parser.EntityDeclHandler = guard.entity
    parser.ordered_attributes = True
    try:
        while chunk := file.read(_CHUNK_BYTES):
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise _broken(error, guard, what) from error
    except (LookupError, ValueError, UnicodeError) as error:
        raise _unknown_encoding(what, str(error)) from error
    return guard.rows


class _Guard:
    """Looks at each element as it comes, and remembers only where it is."""

    def __init__(self, roots: frozenset[str], row_of: frozenset[str], what: str) -> None:
        self._roots, self._row_of, self._what = roots, row_of, what
        self._depth = 0
        self.rows = 0

    def declared(self, version: str, encoding: str | None, standalone: int) -> None:
        """Accept the encodings that every parser understands alike."""
        if (encoding or "").lower() not in _ENCODINGS:
            raise _unknown_encoding(self._what, f"it says {str(encoding)[:40]!r}")

    def doctype(self, *_: object) -> None:
        """Refuse a document type declaration, whatever it holds."""
        raise RefusedError(
            "unsafe_file",
            f"The {self._what} has a document type declaration (<!DOCTYPE …>), with which texts can stand for others.",
            "Take the line with <!DOCTYPE out, or export the data again.",
        )

    entity: Callable[..., None] = doctype

    def start(self, name: str, attributes: list[str]) -> None:
        """Count the nesting and the rows; check the outermost element."""
        local = name.rpartition(":")[2].lower()
        if not self._depth and self._roots and local not in self._roots:
            raise RefusedError(
                "unsupported_format",
                f"The {self._what} is XML with <{name[:60]}> outermost, which is not read.",
                "Export the data again, for example as GeoPackage.",
            )
        self._depth += 1
        if local in self._row_of:
            self.rows += 1
        if self._depth > MAX_DEPTH:
            raise RefusedError(
                "unsafe_file",
                f"The {self._what} is nested more than {MAX_DEPTH} deep.",
                "Export the data again; no map data needs that.",
                row=self.rows or None,
            )
        if len(attributes) > 2 * MAX_ATTRIBUTES:
            raise RefusedError(
                "too_many_fields",
                f"An element <{name[:60]}> of the {self._what} has more than {MAX_ATTRIBUTES} attributes.",
                "Export only the attributes that are needed.",
                row=self.rows or None,
            )

    def end(self, _: str) -> None:
        """Count the nesting back."""
        self._depth -= 1


def _broken(error: expat.ExpatError, guard: _Guard, what: str) -> RefusedError:
    reason = expat.errors.messages.get(error.code, str(error))
    if error.code in (18, 19):  # an encoding unknown to the parser, or not the one declared
        return _unknown_encoding(what, reason)
    is_cut = error.code in (3, 5, 20)  # no element, unclosed token, unclosed CDATA
    return RefusedError(
        "broken_file",
        f"The {what} {'is cut off' if is_cut else 'is broken'} at line {error.lineno:,}, "
        f"character {error.offset + 1:,}: {reason}.",
        "Export or upload it again.",
        row=guard.rows or None,
    )


def _unknown_encoding(what: str, detail: str) -> RefusedError:
    return RefusedError(
        "wrong_encoding",
        f"The {what} is XML in an encoding that is not read: {detail.rstrip('.')}.",
        "Export it in UTF-8.",
    )
