"""The downloads of a published map: GeoJSON and CSV with the same columns, each saying what it is and where it is from."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import shapely
from django.utils.translation import override

from maps.published.document import told_from_json
from maps.published.freeze import geometry_json
from maps.published.presenter import codebook

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A cell of text that begins so is a formula to a spreadsheet."""
BYTE_ORDER_MARK: Final = "\ufeff"
_FIXED: Final = ("code", "kind", "name_fa", "name_en")


def feature_collection(document: Mapping[str, Any], geometries: Sequence[shapely.Geometry]) -> dict[str, Any]:
    """Return a publication as GeoJSON (RFC 7946), with its codebook, sources and method as a foreign member.

    Parameters
    ----------
    document : mapping
        Of `maps.published.document.document`.
    geometries : sequence
        Of its rows, EPSG:4326, not simplified.
    """
    features = [
        {
            "type": "Feature",
            "id": row["code"],
            "geometry": geometry_json(geometry),
            "properties": {
                **{key: row[key] for key in _FIXED},
                **_values(document, row),
                "remarks": _remarks(document, row),
            },
        }
        for row, geometry in zip(document["rows"], geometries, strict=True)
    ]
    return {"type": "FeatureCollection", "metadata": metadata(document), "features": features}


def metadata(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a download says of itself: titles, date, method's parameters, codebook in both languages, sources."""
    meanings: dict[str, dict[str, str]] = {}
    for language in ("en", "fa"):
        with override(language):
            for definition in codebook(document, language):
                meanings.setdefault(definition.key, {})[f"unit_{language}"] = definition.unit
                meanings[definition.key][f"meaning_{language}"] = definition.meaning
    return {
        "publication": document["slug"],
        "title_fa": document["title_fa"],
        "title_en": document["title_en"],
        "city": document["city_code"],
        "illustrative": document["is_illustrative"],
        "scenario": document.get("scenario", ""),
        "published_on": document["published_on"],
        "measure": document["measure"],
        "services": document["services"],
        "codebook": [{"column": key, **meaning} for key, meaning in meanings.items()],
        "sources": document["sources"],
        "licence": licence(document),
        "run": document["run"],
    }


def licence(document: Mapping[str, Any]) -> str:
    """Return under which licences the data behind a publication came, each once; sources without one are said to have none stated."""
    stated = {source["licence"] for source in document["sources"] if source["role"] != "backdrop"}
    named = sorted(stated - {""})
    return "; ".join([*named, *(["some sources state no licence"] if "" in stated else [])])


def csv_text(document: Mapping[str, Any]) -> str:
    """Return a publication as CSV for spreadsheets: UTF-8 with a byte order mark, no cell that could run as a formula.

    The last columns repeat on every line where the numbers come from, because a CSV has no other place for it.
    """
    keys = [column["key"] for column in document["columns"]]
    sources = "; ".join(
        dict.fromkeys(f"{source['source']}" for source in document["sources"] if source["role"] != "backdrop")
    )
    told_of_all = [sources, licence(document), document["published_on"], f"/m/{document['slug']}/"]
    with io.StringIO(newline="") as file:
        file.write(BYTE_ORDER_MARK)
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([*_FIXED, *keys, "remarks", "sources", "licence", "published_on", "publication"])
        for row in document["rows"]:
            values = _values(document, row)
            cells = [*(row[key] for key in _FIXED), *values.values(), _remarks(document, row), *told_of_all]
            writer.writerow([inert(cell) for cell in cells])
        return file.getvalue()


def inert(cell: Any) -> Any:
    """Return a cell that a spreadsheet shows and does not run; numbers stay numbers.

    Examples
    --------
    >>> inert("=HYPERLINK(1)"), inert("-5"), inert(-5), inert("Centro")
    ("'=HYPERLINK(1)", "'-5", -5, 'Centro')
    """
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell


def _values(document: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the exact numbers of a row by column; None where there is none that may be told."""
    return {column["key"]: told_from_json(row["numbers"][column["key"]]).exact for column in document["columns"]}


def _remarks(document: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    """Return, for programs and people, why numbers of a row are empty: ``uncovered_people<10; covered_share>0.98``."""
    found = []
    for column in document["columns"]:
        told = told_from_json(row["numbers"][column["key"]])
        if told.kind in ("below", "above"):
            found.append(f"{column['key']}{'<' if told.kind == 'below' else '>'}{told.value:g}")
        elif told.kind == "withheld":
            found.append(f"{column['key']} withheld")
    return "; ".join(found)
