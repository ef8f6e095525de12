"""Names in Persian, English and other Latin scripts: cleaning for storage, normalising for search, codes for addresses.

Persian text reaches us from Arabic keyboards and old code pages: Arabic yeh and kaf, three sets of digits, tatweel,
vowel marks, half-spaces or none. What is *stored* keeps the writer's spelling with Persian letters (`clean_name`);
what is *compared* loses every difference a reader would not see (`normalise`).
"""

import re
import unicodedata
from typing import Final

ZWNJ: Final = "\u200c"

# Letters that look the same to a Persian reader; the first column is what Arabic keyboards and code pages produce.
_PERSIAN_LETTERS: Final = str.maketrans({
    "\u064a": "ی",  # Arabic yeh
    "\u0649": "ی",  # alef maksura, a yeh without dots in old data
    "\u0643": "ک",  # Arabic kaf
    "\u06aa": "ک",  # swash kaf
})  # fmt: skip

# In searches hamza carriers and alef forms are one letter: «مسئول» finds «مسؤول», «آباد» finds «اباد».
_SEARCH_LETTERS: Final = str.maketrans({
    "آ": "ا", "أ": "ا", "إ": "ا", "ٱ": "ا",
    "ؤ": "و", "ئ": "ی", "ۀ": "ه", "ة": "ه",
    "ء": "",
    "\u06d2": "ی",  # yeh barree
    "\u06c1": "ه", "\u06be": "ه", "\u06d5": "ه",  # heh goal, heh doachashmee, Kurdish ae
})  # fmt: skip

_DIGITS: Final = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")
_TATWEEL: Final = "\u0640"
# Every invisible character that joins, separates or directs; the zero-width non-joiner is treated apart.
_INVISIBLE: Final = re.compile("[\u00ad\u200b\u200d-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
# Letters as drawn in a position of the word, from old code pages; one letter each in their normal form.
_PRESENTATION_FORMS: Final = re.compile("[\ufb50-\ufdff\ufe70-\ufefc]+")
_SPACES: Final = re.compile(r"\s+")
_NOT_WORD: Final = re.compile(r"[^\w]+|_")
_NOT_SLUG: Final = re.compile(r"[^a-z0-9]+")

#: Words that say what kind of place follows; they are no part of its name when two lists are joined.
PLACE_PREFIXES: Final = (
    "شهرستان", "استان", "شهر", "بخش", "دهستان", "روستای", "منطقه", "ناحیه", "محله",
)  # fmt: skip

_KINDS_IN_ENGLISH: Final = frozenset({
    "county", "province", "state", "city", "town", "district", "village", "neighbourhood", "neighborhood", "municipality",
})  # fmt: skip

_LATIN_OF_PERSIAN: Final = str.maketrans({
    "ا": "a", "آ": "a", "أ": "a", "إ": "e", "ٱ": "a", "ب": "b", "پ": "p", "ت": "t", "ث": "s", "ج": "j", "چ": "ch",
    "ح": "h", "خ": "kh", "د": "d", "ذ": "z", "ر": "r", "ز": "z", "ژ": "zh", "س": "s", "ش": "sh", "ص": "s", "ض": "z",
    "ط": "t", "ظ": "z", "ع": "a", "غ": "gh", "ف": "f", "ق": "q", "ک": "k", "گ": "g", "ل": "l", "م": "m", "ن": "n",
    "و": "v", "ه": "h", "ی": "i", "ئ": "e", "ؤ": "o", "ء": "", "ة": "e", "ۀ": "e",
})  # fmt: skip

# Latin letters whose accent is part of the letter, so that decomposition leaves them whole.
_LATIN_WHOLE: Final = str.maketrans({
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i", "ŋ": "n",
})  # fmt: skip


def clean_name(text: str) -> str:
    r"""Give the form of a name that is stored and shown: the writer's spelling, in Persian letters.

    Arabic ي and ك become Persian ی and ک, the text is composed (NFC), invisible direction marks are removed, spaces
    are squeezed and trimmed. The zero-width non-joiner is kept, but not doubled nor left beside a space. Digits stay.

    Examples
    --------
    >>> clean_name("  علي\u200c\u200cآباد   كوچك ") == "علی\u200cآباد کوچک"
    True
    """
    text = _PRESENTATION_FORMS.sub(lambda drawn: unicodedata.normalize("NFKC", drawn.group()), text)
    text = unicodedata.normalize("NFC", text).translate(_PERSIAN_LETTERS)
    text = _INVISIBLE.sub("", text).replace(_TATWEEL, "")
    text = "".join(" " if unicodedata.category(c) == "Cc" else c for c in text)
    text = _SPACES.sub(" ", text)
    text = re.sub(f"{ZWNJ}+", ZWNJ, text)
    text = re.sub(f"{ZWNJ}* {ZWNJ}*", " ", text)
    return unicodedata.normalize("NFC", text.strip(f" {ZWNJ}"))


def normalise(text: str, *, drop_prefix: bool = False) -> str:
    """Give the form of a name by which it is searched and joined; two spellings of one name give one form.

    Persian letters for Arabic ones, ASCII digits, no vowel marks, tatweel or accents, zero-width non-joiner and
    punctuation as spaces, case folded, spaces squeezed. The result is its own normal form.

    Parameters
    ----------
    text
        Any name.
    drop_prefix
        Also drop a leading word such as «شهرستان» (`PLACE_PREFIXES`), unless nothing would be left.

    Examples
    --------
    >>> normalise("خرّم‌آباد") == normalise("خرم اباد")
    True
    >>> normalise("شهرستان پل‌دختر", drop_prefix=True) == normalise("پل دختر")
    True
    >>> normalise("São  Vicente — ۱۲")
    'sao vicente 12'
    """
    text = unicodedata.normalize("NFKC", text).translate(_PERSIAN_LETTERS).translate(_SEARCH_LETTERS)
    text = unicodedata.normalize("NFKD", text.casefold())
    text = "".join(c for c in text if not unicodedata.combining(c))
    # Compatibility forms and case folding can bring back a letter that the tables replace, so they run once more.
    text = text.translate(_PERSIAN_LETTERS).translate(_SEARCH_LETTERS).translate(_LATIN_WHOLE).translate(_DIGITS)
    text = _INVISIBLE.sub("", text.replace(_TATWEEL, "")).replace(ZWNJ, " ")
    text = _NOT_WORD.sub(" ", text).strip()
    if drop_prefix:
        first, _, rest = text.partition(" ")
        if rest and first in PLACE_PREFIXES:
            text = rest
    return text


def squeezed(text: str) -> str:
    """Give the normal form of a name without its spaces: «علی‌آباد», «علی آباد» and «علیآباد» give one form.

    People leave the half-space out as often as they write a space for it; a search compares this form of both sides.

    Examples
    --------
    >>> squeezed("علی\u200cآباد") == squeezed("علي آباد") == squeezed("علیآباد")
    True
    >>> squeezed("São  Vicente")
    'saovicente'
    """
    return normalise(text).replace(" ", "")


def joining_forms(text: str) -> tuple[str, ...]:
    """Give the forms by which a name is found in another list of places, the strictest first.

    The name as `squeezed` gives it, and so without a word that says what kind of place it is («شهرستان», "county").
    A number loses the zeros before it, which one program writes and another drops.

    Examples
    --------
    >>> joining_forms("شهرستان پل\u200cدختر") == (squeezed("شهرستان پلدختر"), "پلدختر")
    True
    >>> joining_forms("Khorramabad County"), joining_forms("City of York"), joining_forms("County"), joining_forms("۰۰۷")
    (('khorramabadcounty', 'khorramabad'), ('cityofyork', 'york'), ('county',), ('7',))
    """
    bare = normalise(text, drop_prefix=True).split()
    if len(bare) > 1 and bare[-1] in _KINDS_IN_ENGLISH:
        bare = bare[:-1]
    elif len(bare) > 1 and bare[0] in _KINDS_IN_ENGLISH:
        bare = bare[2:] if bare[1] == "of" and len(bare) > 2 else bare[1:]
    forms = (form.lstrip("0") or "0" if form.isdecimal() else form for form in (squeezed(text), "".join(bare)))
    return tuple(dict.fromkeys(form for form in forms if form))


def slugify(text: str) -> str:
    """Give an ASCII kebab-case code of a name, for addresses and file names.

    Latin accents are stripped, Persian is transliterated letter by letter (a code, not a romanisation). Text without
    any letter or digit of these scripts gives an empty string; the caller must then supply a code.

    Examples
    --------
    >>> slugify("São Vicente / 2ª zona")
    'sao-vicente-2a-zona'
    >>> slugify("پشت بازار")
    'psht-bazar'
    """
    text = unicodedata.normalize("NFKC", clean_name(text)).translate(_PERSIAN_LETTERS).translate(_DIGITS)
    text = text.replace(ZWNJ, "-").translate(_LATIN_OF_PERSIAN)
    text = unicodedata.normalize("NFKD", text.casefold()).translate(_LATIN_WHOLE)
    text = "".join(c for c in text if not unicodedata.combining(c))
    return _NOT_SLUG.sub("-", text.translate(_LATIN_OF_PERSIAN)).strip("-")
