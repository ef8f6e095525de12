"""An index as a workbook: ranks, scores, values with units and dates, weights, the codebook, and how it was made."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final

from analysis.indices.documents import Document
from analysis.measures.tables import WITHHELD_EN, WITHHELD_FA
from layers.writing.worksheet import Sheet, write_sheets

_PLACE: Final = ("place_code", "kind", "name_fa", "name_en")
_METHOD: Final = ("name", "value", "description")
_TOLD: Final = {
    "treatment": "What is done about values that stand out",
    "normalisation": "How values become scores from 0 (no need) to 1 (worst)",
    "weighting": "How weights are found",
    "aggregation": "How scores are put together",
    "vary_weights": "By how much each weight may be otherwise in a draw",
    "vary_methods": "Whether other ways to normalise and aggregate are drawn as well",
    "draws": "Rankings drawn; ranks and chances are told from them",
    "seed": "Of the random numbers: the same seed gives the same ranks",
    "first": "Chances are told of being among the first so many",
    "kinds": "Of places that are ranked; all where empty",
    "until": "Stored values of later years do not count",
}
_FIELDS: Final = (
    ("ranks", "rank", "1 is the highest need; ties share the better rank"),
    ("ranks", "score", "0 to 100, 100 is the highest need"),
    ("ranks", "rank_low", "5 % of rankings drawn are better than this"),
    ("ranks", "rank_median", "Median of all rankings drawn"),
    ("ranks", "rank_high", "95 % of rankings drawn are no worse than this"),
    ("ranks", "chance_first", "Share of rankings drawn in which the place is among the first"),
    ("ranks", "message", "robustly-worst, depends-on-choices, robustly-fine or no-data"),
    ("ranks", "reliability", "Weight of the indicators that the place has, of all weight"),
    ("scores", "by indicator", "0 to 1, 1 is the worst need; empty where missing or withheld"),
    ("values", "state", "told, missing, or withheld because it tells of few people"),
    ("values", "year_begins_on", "First day of the year a value is of; empty for what is computed"),
    ("weights", "weight", "As used, summing to 1"),
)


def index_workbook(document: Document, heading: Sequence[tuple[str, Any, str]] = ()) -> bytes:
    """Return an index as a workbook (XLSX). Texts are never formulas.

    Parameters
    ----------
    document
        Of `analysis.indices.documents.index_document`, or of a published edition.
    heading
        Rows that stand above all others of the sheet ``method``: name, value, description.
    """
    file = io.BytesIO()
    codes = [one["code"] for one in document["indicators"]]
    places = document["places"]
    sheets = [
        Sheet("ranks", (*_PLACE, *_RANKS), [[*_of(place), *(place[name] for name in _RANKS)] for place in places]),
        Sheet("scores", (*_PLACE, *codes), [[*_of(one), *(one["scores"][code] for code in codes)] for one in places]),
        Sheet("values", (*_PLACE, *_VALUES), list(_values(document))),
        Sheet(
            "weights",
            ("indicator", "name_fa", "name_en", "weight"),
            [[one["code"], one["name_fa"], one["name_en"], one["weight"]] for one in document["indicators"]],
        ),
        Sheet("codebook", _CODEBOOK, list(_codebook(document))),
        Sheet("method", _METHOD, [*heading, *_method(document)]),
    ]
    if document.get("years"):
        sheets.insert(3, Sheet("years", (*_PLACE, "year_begins_on", "what", "rank", "score"), list(_years(document))))
    write_sheets(file, sheets)
    return file.getvalue()


_RANKS: Final = (
    "rank", "score", "rank_low", "rank_median", "rank_high", "chance_first", "message", "reliability",
)  # fmt: skip
_VALUES: Final = ("indicator", "value", "unit", "error", "year_begins_on", "state", "score")
_CODEBOOK: Final = (
    "indicator", "name_fa", "name_en", "definition_fa", "definition_en", "domain", "origin", "unit", "direction",
    "goalpost_low", "goalpost_high", "places_without", "sources_fa", "sources_en",
)  # fmt: skip


def _of(place: dict[str, Any]) -> list[Any]:
    return [place["code"], place["kind"], place["name_fa"], place["name_en"]]


def _values(document: Document) -> Iterator[list[Any]]:
    for place in document["places"]:
        for one in document["indicators"]:
            code = one["code"]
            value, day = place["values"][code], place["told_on"].get(code)
            state = "withheld" if code in place["withheld"] else "missing" if value is None else "told"
            yield [
                *_of(place), code, value, one["unit"], place["errors"].get(code),
                date.fromisoformat(day) if day and state == "told" else None, state, place["scores"][code],
            ]  # fmt: skip


def _years(document: Document) -> Iterator[list[Any]]:
    years = document["years"]
    for place in document["places"]:
        told = years["places"][place["code"]]
        for at, one in enumerate(years["dates"]):
            what = "before" if one["is_before"] else "measured"
            yield [*_of(place), date.fromisoformat(one["day"]), what, told["ranks"][at], told["scores"][at]]


def _codebook(document: Document) -> Iterator[list[Any]]:
    for one in document["indicators"]:
        low, high = one["goalposts"] or (None, None)
        yield [
            one["code"], one["name_fa"], one["name_en"], one["definition_fa"], one["definition_en"], one["domain"],
            one["origin"], one["unit"], one["direction"], low, high, one["missing"], "؛ ".join(one["sources_fa"]),
            "; ".join(one["sources_en"]),
        ]  # fmt: skip


def _method(document: Document) -> Iterator[Sequence[Any]]:
    city = document["city"]
    yield ("city", city["code"], f"{city['name_fa']} – {city['name_en']}")
    yield ("is_illustrative", "yes" if city["is_illustrative"] else "no", "")
    for name, text in _TOLD.items():
        value = document["method"].get(name)
        yield (name, value if isinstance(value, (str, int, float)) else ", ".join(value or ()), text)
    yield ("code_version", f"Mahalleh {document['code_version']}", "")
    yield ("input_hash", document["input_hash"], "Hash of all editions, releases, values and parameters that were used")
    if document.get("run"):
        yield ("run", document["run"], "Number of the computation")
    for one in document["sources"]:
        day = one["reference_date"] or ""
        yield (f"layer {one['layer']}", f"release {one['release']}", " · ".join(filter(None, (one["source"], day))))
    for rows, text in (
        (document["left_out"], "Left out: no goalposts"),
        (document["taken_as_exact"], "Taken as exact"),
    ):
        for one in rows:
            yield ("note", one["code"], text)
    yield ("suppression", f"{WITHHELD_EN} {WITHHELD_FA}" if document["is_public"] else "none", "")
    for sheet, field, text in _FIELDS:
        yield (f"{sheet}.{field}", "", text)


__all__ = ["index_workbook"]
