"""From an English sentence of the layers below to the same sentence in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from itertools import islice
from typing import Final, TypeAlias

from django.utils.translation import gettext, gettext_noop

from geo.errors import Detail
from maps.pages import formats
from maps.pages.reader import language
from maps.problems import (
    actions,
    archives,
    catalogue,
    drawing,
    exports,
    files,
    index,
    index_editions,
    interventions,
    measures,
    measuring,
    needs,
    network,
    notes,
    notices,
    ogc,
    organisations,
    osm,
    outcomes,
    pages,
    proposals,
    reviewing,
    rows,
    scenarios,
    services,
    settlement_form,
    shapes,
    siting,
    travel,
    uploads,
    words,
    works,
)  # fmt: skip

SENTENCES: Final = (
    *pages.SENTENCES, *measuring.SENTENCES, *measures.SENTENCES, *travel.SENTENCES, *shapes.SENTENCES, *drawing.SENTENCES, *reviewing.SENTENCES,
    *ogc.SENTENCES, *works.SENTENCES, *notes.SENTENCES, *files.SENTENCES, *archives.SENTENCES, *rows.SENTENCES,
    *osm.SENTENCES, *uploads.SENTENCES, *exports.SENTENCES, *needs.SENTENCES, *catalogue.SENTENCES, *services.SENTENCES,
    *scenarios.SENTENCES, *network.SENTENCES, *interventions.SENTENCES, *organisations.SENTENCES, *proposals.SENTENCES, *actions.SENTENCES,
    *outcomes.SENTENCES, *index.SENTENCES, *siting.SENTENCES, *settlement_form.SENTENCES,
    *notices.SENTENCES, *index_editions.SENTENCES,
)  # fmt: skip
"""All that the layers below say."""

Sentence: TypeAlias = tuple[str, dict[str, str]]
"""The template of a sentence, with the values in its gaps."""

# A value, with the quotation marks that `repr` may have put around it.
_GAP: Final = re.compile(r"([“'\"])?%\(([a-z_]+)\)s([”'\"])?")
_NUMBER: Final = re.compile(r"[+-]?\d[\d,]*(?:\.\d+)?")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
# One or more options as a page or a program is told them (`layers.reading.wording`, `layers.jobs.steps`).
_ONE_OPTION: Final = r"(?:Set the option )?“([^“”:]+)(?:: ([^“”]*))?”(?: to ([^“” ]+))?"
_OPTION: Final = re.compile(_ONE_OPTION)
_OPTIONS: Final = re.compile(f"{_ONE_OPTION}(?: and {_ONE_OPTION})*")
# A point stands as it is written, from left to right, so that it can be copied.
_AT: Final = re.compile(r"(?:(?P<what>.*?),? )?(?:at )?(?P<point>-?\d+\.\d+, -?\d+\.\d+)")
_BREAK: Final = re.compile(r"\. (?=[A-Z(\d])")
_AND: Final = re.compile(r", | or ")
# Texts of strangers are cut short before they come into a message; a longer one is not ours.
_LONGEST: Final = 1500
_MOST_BREAKS: Final = 12
# Digits in these are part of a name, and stay as they are written.
_NAMES: Final = frozenset({
    "city", "code", "crs", "epsg", "example", "field", "file", "item", "layer", "name", "option", "place", "service",
    "source_epsg", "target_epsg", "text", "value", "x_field", "y_field", "free_code", "zone",
})  # fmt: skip
# These name what is in a file, and are never words of ours, whatever they are called.
_STRANGERS: Final = frozenset({"field", "file", "text", "x_field", "y_field"})
_POINT: Final = gettext_noop("%(what)s at %(point)s")
_WORDS: Final = {word.lower(): word for word in words.WORDS}
_OPTION_WORDS: Final = dict(words.OPTIONS)


def told(text: str, details: Mapping[str, Detail] | None = None) -> str | None:
    """Tell a text of one or more sentences in the reader's language; None where a sentence of it is not known.

    Parameters
    ----------
    details : mapping, optional
        Values by the name they have in the templates, where they differ between languages, such as the name of a city;
        all others are read from the text.
    """
    sentences = sentences_of(text)
    if sentences is None:
        return _word(text)
    return " ".join(_said(template, values, details or {}) for template, values in sentences)


def sentences_of(text: str) -> list[Sentence] | None:
    """Return the templates that a text is made of, with the values in their gaps; None where a sentence of it is not known.

    Examples
    --------
    >>> sentences_of("The geometry has 7 vertices, more than 5.")
    [('The geometry has %(n)s vertices, more than %(most)s.', {'n': '7', 'most': '5'})]
    """
    if not text or len(text) > _LONGEST:
        return None
    whole = _sentence(text, SENTENCES)
    # A gap at the end of a sentence would swallow the sentences after it.
    if whole is not None and not any(_BREAK.search(value) for value in whole[1].values()):
        return [whole]
    for end in islice(_BREAK.finditer(text), _MOST_BREAKS):
        first = _sentence(text[: end.start() + 1], SENTENCES)
        rest = sentences_of(text[end.end() :]) if first is not None else None
        if first is not None and rest is not None:
            return [first, *rest]
    return None if whole is None else [whole]


def place_told(where: str) -> str:
    """Tell where something is wrong; the path of a member or a parameter stands as it is."""
    point = _AT.fullmatch(where)
    if point is not None:
        told_point = f"\u2066{point['point']}\u2069"
        return (
            gettext(_POINT) % {"what": place_told(point["what"]), "point": told_point} if point["what"] else told_point
        )
    parts = re.split(r", (?!-?\d)", where)
    if len(parts) > 1:
        return ("، " if language() == "fa" else ", ").join(place_told(part) for part in parts)
    found = _sentence(where, words.PLACES)
    return _said(*found, {}) if found is not None else _word(where) or _isolated(where)


def _sentence(text: str, templates: tuple[str, ...]) -> Sentence | None:
    constants, patterns = _compiled(templates)
    if text in constants:
        return text, {}
    for template, pattern in patterns:
        match = pattern.fullmatch(text)
        if match is not None:
            return template, match.groupdict()
    return None


@cache
def _compiled(templates: tuple[str, ...]) -> tuple[frozenset[str], list[tuple[str, re.Pattern[str]]]]:
    """Split into sentences without gaps, and patterns of those with gaps, the ones with most words first."""
    gapped = [template for template in templates if _GAP.search(template)]
    gapped.sort(key=lambda template: -len(_GAP.sub("", template)))
    return frozenset(templates) - set(gapped), [(template, _pattern(template)) for template in gapped]


def _pattern(template: str) -> re.Pattern[str]:
    pattern, end, names = "", 0, set()
    for gap in _GAP.finditer(template):
        pattern += re.escape(template[end : gap.start()].replace("%%", "%"))
        value = f"(?P={gap[2]})" if gap[2] in names else f"(?P<{gap[2]}>.*?)"
        names.add(gap[2])
        quoted = bool(gap[1] and gap[3])
        pattern += f"[“'\"]?{value}[”'\"]?" if quoted else f"{gap[1] or ''}{value}{gap[3] or ''}"
        end = gap.end()
    return re.compile(pattern + re.escape(template[end:].replace("%%", "%")), re.DOTALL)


def _said(template: str, values: Mapping[str, str], details: Mapping[str, Detail]) -> str:
    if not values:
        return gettext(template)
    return gettext(template) % {
        name: _detail(name, details[name]) if name in details else _value(name, value) for name, value in values.items()
    }


def _value(name: str, value: str) -> str:
    """Put a value into words: numbers in the reader's digits, days in their calendar, known words translated."""
    known = _word(value) if name not in _STRANGERS else None
    if known is not None:
        return known
    if name not in _NAMES and _NUMBER.fullmatch(value):
        return _digits(value)
    if _DAY.fullmatch(value):
        try:
            return formats.day(date.fromisoformat(value), language())
        except ValueError:  # no day after all
            return _isolated(value)
    crs, *changes = value.split(", ") if name == "crs" else [value]
    told_changes = [_word(change) for change in changes]
    if changes and None not in told_changes:
        return formats.listing([_isolated(crs), *(change for change in told_changes if change)], language())
    if _OPTIONS.fullmatch(value):
        return formats.listing([_option(found) for found in _OPTION.finditer(value)], language())
    return _isolated(value)


def _option(found: re.Match[str]) -> str:
    """Put an option of reading into words, with the value that is advised."""
    called = _OPTION_WORDS.get(found[1])
    called = gettext(called) if called else _word(found[1]) or found[1]
    value = found[2] or found[3] or ""
    return f"«{called}: {_isolated(value)}»" if value else f"«{called}»"


def _detail(name: str, value: Detail) -> str:
    lang = language()
    if name in _NAMES and isinstance(value, (str, int, float)):
        return _isolated(str(value))
    if isinstance(value, str):
        return _word(value) or _isolated(value)
    if isinstance(value, (int, float)):
        return formats.number(value, lang)
    return formats.listing([_isolated(one) for one in value], lang) if value else formats.DASH


def _word(value: str) -> str | None:
    """Translate a value that is a word, or a list of words; None where one of them is not known."""
    if value.lower() in _WORDS:
        return gettext(_WORDS[value.lower()])
    parts = [_WORDS.get(part.lower()) for part in _AND.split(value)]
    if len(parts) < 2 or None in parts:
        return None
    return formats.listing([gettext(part) for part in parts if part], language())


def _digits(value: str) -> str:
    if language() != "fa":
        return value
    return formats.digits(value.replace(",", "٬").replace(".", "٫").replace("-", "−"), "fa")


def _isolated(value: str) -> str:
    """Keep a value of whatever script from reordering the sentence it stands in."""
    return f"\u2068{value}\u2069" if value else value
