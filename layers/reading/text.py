"""Text as it comes in files: in which encoding, whether it was already spoilt, and in which form it is kept."""

import codecs
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geo.core.text import clean_name
from layers.reading.limits import Limits
from layers.reading.plan import Problem, ProblemLog, RefusedError
from layers.reading.wording import option

_LETTERS: Final = re.compile(rb"[A-Za-z\x80-\xff]+")
_LATIN_WORDS: Final = re.compile(r"[A-Za-z\u0080-\u024f]+")
_ARABIC: Final = re.compile(r"[\u0600-\u06ff\u200c\u200f]+")
# What is left of text that an encoding without its letters was too small for.
_LOST: Final = re.compile("[^\ufffd]*\ufffd.*|[?\\s]*[?]{2}[?\\s]*", re.DOTALL)
# What a text may hold after its encoding was put right; anything else means that it was not spoilt in that way.
_PLAUSIBLE: Final = re.compile("[\u0000-\u024f\u0600-\u06ff\u200b-\u2026\ufb50-\ufefc]+")
_HIGH_LATIN: Final = re.compile("[\u00c0-\u00ff]")


# Anything that could make a text other than it is stored, in texts put together by line ends: characters beyond plain
# ASCII and plain Persian letters, question marks, spaces and half-spaces at an end or doubled, and two letters that are
# what another encoding makes of one.
_ODD: Final = re.compile(
    "[^\n -~\u0621-\u063a\u0641\u0642\u0644-\u0648\u067e\u0686\u0698\u06a9\u06af\u06cc\u06f0-\u06f9\u200c]"
    "|[?]| [ \n]|\n |\u200c[ \u200c\n]|[ \n]\u200c|\u0638\u067e"
)
# Texts with a problem that are remembered for each field, so that memory is bounded; beyond it a text may be told twice.
_MAX_TOLD: Final = 10_000


def _misread_utf8(codec: str) -> re.Pattern[str]:
    """Match texts that can be UTF-8 read as a Windows code page: lead bytes followed by their continuations only."""

    def characters(first: int, last: int) -> str:
        shown = bytes(range(first, last + 1)).decode(codec, errors="ignore") + "".join(map(chr, range(first, last + 1)))
        return f"[{re.escape(shown)}]"

    more = characters(0x80, 0xBF)
    two, three, four = characters(0xC2, 0xDF), characters(0xE0, 0xEF), characters(0xF0, 0xF4)
    return re.compile(f"(?:[\x00-\x7f]|{two}{more}|{three}{more}{more}|{four}{more}{more}{more})+")


# How UTF-8 has commonly been read as something else. The pattern sorts out nearly every text before it is encoded.
_MISREADINGS: Final = tuple((codec, _misread_utf8(codec)) for codec in ("cp1252", "cp1256"))


def codec_of(name: str) -> str:
    """Give Python's name of an encoding.

    Understands what stands in ``.cpg`` files too: ``1256``, ``ANSI 1256``, ``65001``, ``88591``.

    Raises
    ------
    RefusedError
        If there is no such encoding.

    Examples
    --------
    >>> codec_of("ANSI 1256"), codec_of("UTF-8"), codec_of("88591")
    ('cp1256', 'utf-8', 'iso8859-1')
    """
    plain = re.sub(r"^(ansi|oem|windows|ibm)[ _-]*(?=\d)", "", name.strip().lower())
    if plain.isascii() and plain.isdigit():
        plain = "utf-8" if plain == "65001" else f"iso8859-{plain[4:]}" if plain.startswith("8859") else f"cp{plain}"
    try:
        found = codecs.lookup(plain)
        "".encode(found.name)  # codecs that do not make text, such as base64, refuse this
    except (LookupError, ValueError, TypeError) as error:
        raise RefusedError(
            "unknown_encoding",
            f"There is no encoding '{name}'.",
            f"Name one such as utf-8, cp1256 (Persian Windows) or cp1252 with {option('encoding')}.",
        ) from error
    return found.name


def guess_encoding(data: bytes) -> str:
    """Guess the encoding of text that is declared nowhere: ``utf-8``, ``cp1256`` or ``cp1252``.

    Persian words in cp1256 are made of high bytes throughout, Latin words have one among ASCII letters.

    Examples
    --------
    >>> [guess_encoding("خرم آباد São".encode(e, "ignore")) for e in ("utf-8", "cp1256")]
    ['utf-8', 'cp1256']
    >>> guess_encoding("São Vicente".encode("cp1252"))
    'cp1252'
    """
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8"
    foreign = latin = 0
    for word in _LETTERS.findall(data):
        high = sum(byte >= 0x80 for byte in word)
        if high == len(word) and high >= 2:
            foreign += high
        elif high:
            latin += high
    return "cp1256" if foreign > latin else "cp1252"


def unspoilt(text: str) -> str | None:
    r"""Give what a text was before it was read in a wrong encoding, or None if it looks right.

    Examples
    --------
    >>> unspoilt("Ø®Ø±Ù\x85"), unspoilt("SÃ£o Vicente"), unspoilt("São Vicente"), unspoilt("خرم")
    ('خرم', 'São Vicente', None, None)
    """
    if text.isascii():
        return None
    for wrong, pattern in _MISREADINGS:
        data = _encode(text, wrong) if pattern.fullmatch(text) else None
        if data is None:
            continue
        try:
            candidate = data.decode("utf-8")
        except UnicodeDecodeError:
            continue
        # A single letter can come out right by chance where both encodings are Arabic.
        if _PLAUSIBLE.fullmatch(candidate) and (wrong != "cp1256" or len(candidate) >= 3):
            return candidate
    if not _HIGH_LATIN.search(text):
        return None
    words = [word for word in _LATIN_WORDS.findall(text) if len(word) >= 3]
    # Arabic letters of cp1256 shown as Western ones: whole words without a single plain letter.
    if max(map(len, words), default=0) >= 4 and not any(re.search("[A-Za-z]", word) for word in words):
        data = _encode(text, "cp1252")
        candidate = data.decode("cp1256", errors="replace") if data is not None else ""
        if candidate and all(_ARABIC.fullmatch(word) for word in re.findall(r"[^\W\d_]{3,}", candidate)):
            return candidate
    return None


def _encode(text: str, encoding: str) -> bytes | None:
    """Encode, letting the five bytes that Windows code pages leave undefined through as themselves."""
    data = bytearray()
    for character in text:
        try:
            data += character.encode(encoding)
        except UnicodeEncodeError:
            if ord(character) > 0xFF:
                return None
            data.append(ord(character))
    return bytes(data)


@dataclass(frozen=True, slots=True)
class TextRules:
    """How text attributes are treated: the row numbers, where problems go, and what was asked for.

    ``told`` holds, by field, the texts whose problem is in the log already: each is told once in a file.
    """

    numbers: NDArray[np.int64]
    log: ProblemLog
    limits: Limits
    repair: bool = False
    encoding_given: bool = False
    told: dict[str, set[str | bytes]] = field(default_factory=dict)

    def of_batch(self, numbers: NDArray[np.int64]) -> "TextRules":
        """Give the same rules for the next rows of the file."""
        return replace(self, numbers=numbers)

    def is_news(self, value: str | bytes, field: str) -> bool:
        """Say whether a text's problem was not told before, and remember that it is now."""
        told = self.told.setdefault(field, set())
        if value in told:
            return False
        if len(told) < _MAX_TOLD:
            told.add(value)
        return True


def clean_column(values: Sequence[str | None], field: str, rules: TextRules) -> list[str | None]:
    """Bring one text attribute into the form that is stored, and report what looks wrong in it.

    Each distinct value is looked at once. Empty text becomes None.
    """
    first_index: dict[str | None, int] = {}
    for index, value in enumerate(values):
        if value not in first_index:
            first_index[value] = index
    cleaned = clean_values(first_index, field, rules)
    return [cleaned[value] for value in values]


def clean_values(first_index: Mapping[str | None, int], field: str, rules: TextRules) -> dict[str | None, str | None]:
    """Give the form that is stored of each distinct text, and report what looks wrong; see `clean_column`."""
    cleaned: dict[str | None, str | None] = {None: None}
    values = [value for value in first_index if value is not None]
    if all_plain(values, rules.limits.text_characters):
        cleaned.update((value, value or None) for value in values)
        return cleaned
    lost = []
    for value in values:
        if all_plain([value], rules.limits.text_characters):
            cleaned[value] = value or None
            continue
        if _LOST.fullmatch(value):
            lost.append(value)
        cleaned[value] = _clean_value(value, int(rules.numbers[first_index[value]]), field, rules) or None
    news = [value for value in lost if rules.is_news(value, f"{field} lost")]
    if news:
        row = int(rules.numbers[first_index[news[0]]])
        sight = news[0][:60]

        def problem(n: int, _: int) -> Problem:
            message = f"Letters were lost before the file was written: {n:,} texts like '{sight}'."
            remedy = "Export the file again from the original, in UTF-8."
            return Problem("warning", "lost_letters", message, remedy, row, field)

        rules.log.add_whole("warning", "lost_letters", len(news), len(first_index), problem, field)
    return cleaned


def all_plain(values: Sequence[str], characters: int) -> bool:
    """Say whether texts are stored as they are, for certain: most are, and this looks at all of them at once.

    Examples
    --------
    >>> all_plain(["خرم‌آباد", "Rua 7", ""], 100), all_plain(["علي"], 100), all_plain(["a  b"], 100)
    (True, False, False)
    """
    joined = "\n".join(("", *values, ""))
    if joined.count("\n") != len(values) + 1 or _ODD.search(joined):
        return False
    return len(joined) <= characters or max(map(len, values)) <= characters


def column_is_plain(column: pa.Array, characters: int) -> bool:
    r"""Say the same of a column of texts, none of them empty or missing; bytes that are not UTF-8 are not plain.

    Examples
    --------
    >>> [column_is_plain(pa.array(texts), 8) for texts in (["خرم‌آباد", "Rua 7"], ["علي"], ["a", ""], ["a", None])]
    [True, False, False, False]
    >>> column_is_plain(pa.array([b"a", b"\xff"]).view(pa.string()), 8)
    False
    """
    if column.null_count or not len(column):
        return False
    fewest, most = pc.min_max(pc.binary_length(column)).as_py().values()
    if not fewest or (most > characters and pc.max(pc.utf8_length(column)).as_py() > characters):
        return False
    try:
        column.validate(full=True)  # expressions pass over what is not UTF-8
    except pa.ArrowInvalid:
        return False
    offsets = pa.array([0, len(column)], pa.int32())
    joined = pc.binary_join(pa.ListArray.from_arrays(offsets, column), "\n")
    if pc.count_substring(joined, "\n")[0].as_py() != len(column) - 1:
        return False
    return not pc.match_substring_regex(pc.binary_join_element_wise("", joined, "", "\n"), _ODD.pattern)[0].as_py()


def _clean_value(value: str, row: int, field: str, rules: TextRules) -> str:
    if len(value) > rules.limits.text_characters:
        rules.log.add(
            Problem(
                "error",
                "text_too_long",
                f"The text has {len(value):,} characters, more than {rules.limits.text_characters:,}.",
                f"Shorten it, or leave the attribute out by naming those to keep with {option('fields')}.",
                row,
                field,
            )
        )
        return ""
    if value.isascii() and value.isprintable():
        return clean_name(value) if value[:1].isspace() or value[-1:].isspace() or "  " in value else value
    original = unspoilt(value)
    if original is not None:
        value = _report_spoilt(value, original, row, field, rules)
    # PostgreSQL keeps neither a zero byte nor half a surrogate pair.
    value = value.encode("utf-8", errors="replace").decode("utf-8")
    return clean_name(value.replace("\x00", ""))


def _report_spoilt(value: str, original: str, row: int, field: str, rules: TextRules) -> str:
    message = f"The text {value[:60]!r} was read in a wrong encoding before; it seems to be '{original[:60]}'."
    news = rules.is_news(value, field)
    if rules.repair:
        if news:
            rules.log.add(Problem("repaired", "wrong_encoding", message, "Check the name.", row, field))
        return original
    if not news:
        return value
    rules.log.add(
        Problem(
            "warning" if rules.encoding_given else "error",
            "wrong_encoding",
            message,
            f"Name the true encoding with {option('encoding')}, or accept the corrected text with {option('repair')}.",
            row,
            field,
        )
    )
    return value


def note_guessed_encoding(log: ProblemLog, guessed: str) -> None:
    """Warn that the encoding of a file's text was guessed."""
    log.add(
        Problem(
            "warning",
            "undeclared_encoding",
            f"The file does not say in which encoding its text is; it was read as {guessed}.",
            f"If names look wrong, name the encoding with {option('encoding')}.",
        )
    )
