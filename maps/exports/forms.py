"""What is asked for in the address of an export."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from geo.errors import CrsError, InvalidInput

_EPSG: Final = re.compile(r"(?:epsg:?\s*)?(\d{4,6})", re.IGNORECASE)  # digits of any script
_KNOWN: Final = frozenset({"format", "crs", "crs-other", "release", "bare", "bbox"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants.

    Attributes
    ----------
    format
        Code; empty where none was chosen yet.
    epsg
        Reference system; None for the usual one.
    release
        Number; None for the newest.
    window_4326
        Of a raster: west, south, east and north in degrees.
    """

    format: str = ""
    epsg: int | None = None
    release: int | None = None
    is_bare: bool = False
    window_4326: tuple[float, float, float, float] | None = None


def asked_of(sent: Mapping[str, str]) -> Asked:
    """Return what the query of an address asks for.

    Raises
    ------
    InvalidInput, CrsError
        Where a value cannot be understood, or a name is not known.

    Examples
    --------
    >>> asked_of({"format": "gpkg", "crs": "EPSG:۳۲۶۳۹", "release": ""})
    Asked(format='gpkg', epsg=32639, release=None, is_bare=False, window_4326=None)
    """
    unknown = sorted(set(sent) - _KNOWN)
    if unknown:
        raise InvalidInput(
            f"An export has no parameter {unknown[0]!r}.",
            code="unknown_parameter",
            where=unknown[0],
            remedy=f"Leave it out; there are {', '.join(sorted(_KNOWN))}.",
            details={"parameter": unknown[0], "choices": sorted(_KNOWN)},
        )
    return Asked(
        sent.get("format", "").strip().lower(),
        _epsg(sent.get("crs-other", "") or sent.get("crs", "")),
        _release(sent.get("release", "")),
        sent.get("bare", "") in ("1", "true", "on"),
        _window(sent.get("bbox", "")),
    )


def _epsg(text: str) -> int | None:
    plain = text.strip()
    if not plain:
        return None
    found = _EPSG.fullmatch(plain)
    if not found:
        raise CrsError(
            f"{text[:40]!r} is not the code of a reference system.",
            code="bad_crs",
            where="crs",
            remedy="Give a code of the EPSG register, such as 4326 or 32639.",
            details={"value": text[:40]},
        )
    return int(found[1])


def _release(text: str) -> int | None:
    plain = text.strip()
    if not plain:
        return None
    if not (re.fullmatch(r"\d{1,9}", plain) and int(plain)):
        raise InvalidInput(
            f"{text[:40]!r} is not the number of a release.",
            code="bad_release",
            where="release",
            remedy="Give a number such as 3, or leave it out for the newest.",
            details={"value": text[:40]},
        )
    return int(plain)


def _window(text: str) -> tuple[float, float, float, float] | None:
    if not text.strip():
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as error:
        raise InvalidInput(
            "The window is not four numbers.",
            code="bad_window",
            where="bbox",
            remedy="Give west,south,east,north in degrees, such as 48.2,33.4,48.4,33.6.",
            details={"value": text[:80]},
        ) from error
    return west, south, east, north
