"""Which layers an OpenStreetMap file offers: how many rows each rule would give, counted once for each rule and file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final

from layers.reading.arrow_layers import osm_offers
from layers.reading.limits import Limits
from layers.reading.osm_rules import Rule, Rules, rule_text
from layers.reading.plan import RefusedError
from layers.reading.recognise import content_of

_KEPT: Final = "offers.json"


def is_osm(path: Path) -> bool:
    """Tell whether a file holds OpenStreetMap data, by its first bytes; one in an archive is not looked for."""
    return content_of(path) in ("OSM", "OSM PBF")


def offers(path: Path, folder: Path, rules: Rules, limits: Limits) -> list[dict[str, Any]]:
    """Say of each rule how many rows it would give; empty where the file cannot be read, which is told elsewhere.

    Parameters
    ----------
    folder
        Where counts are kept, so that of a changed rule only that one is counted anew.
    """
    kept = _kept(folder / _KEPT)
    missing = [rule for rule in rules.rules if _mark(rule) not in kept]
    if missing:
        try:
            found = osm_offers(path, missing, limits)
        except RefusedError:
            return []
        kept |= {_mark(rule): found.get(rule.code, 0) for rule in missing}
        folder.mkdir(exist_ok=True)
        (folder / _KEPT).write_text(json.dumps(kept), encoding="utf-8")
    return [{"code": rule.code, "rows": kept[_mark(rule)]} for rule in rules.rules]


def _mark(rule: Rule) -> str:
    return hashlib.sha256(rule_text(rule).encode()).hexdigest()[:24]


def _kept(path: Path) -> dict[str, int]:
    try:
        found: dict[str, int] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found
