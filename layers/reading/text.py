"""Text as it comes in files: in which encoding, whether it was already spoilt, and in which form it is kept."""

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
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
    """How text attributes are treated: the row numbers, where problems go, and what was asked for."""

    numbers: NDArray[np.int64]
    log: ProblemLog
    limits: Limits
    repair: bool = False
    encoding_given: bool = False


def clean_column(values: Sequence[str | None], field: str, rules: TextRules) -> list[str | None]:
    """Bring one text attribute into the form that is stored, and report what looks wrong in it.

    Each distinct value is looked at once. Empty text becomes None.
    """
    first_index: dict[str | None, int] = {}
    for index, value in enumerate(values):
        if value not in first_index:
            first_index[value] = index
    lost = [value for value in first_index if value is not None and _LOST.fullmatch(value)]
    if lost:
        row = int(rules.numbers[first_index[lost[0]]])
        message = f"Letters were lost before the file was written: {len(lost):,} texts like '{lost[0][:60]}'."
        remedy = "Export the file again from the original, in UTF-8."
        rules.log.add(Problem("warning", "lost_letters", message, remedy, row, field))
    cleaned: dict[str | None, str | None] = {None: None}
    for value, index in first_index.items():
        if value is None:
            continue
        row = int(rules.numbers[index])
        cleaned[value] = _clean_value(value, row, field, rules) or None
    return [cleaned[value] for value in values]


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
    if rules.repair:
        rules.log.add(Problem("repaired", "wrong_encoding", message, "Check the name.", row, field))
        return original
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
