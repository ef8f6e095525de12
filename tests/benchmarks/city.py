"""The demo city at any scale, in a database of its own: built, described and loaded as everybody's city is."""

from __future__ import annotations

import datetime
import json
import os
import shutil
import tempfile
import tomllib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from config.cluster import throwaway_cluster

ROOT = Path(__file__).resolve().parent.parent.parent
FACILITIES = (
    "clinic", "hospital", "pharmacy", "kindergarten", "primary-school", "secondary-school",
    "park", "sports-hall", "library", "bus-stop", "fire-station", "bakery",
)  # fmt: skip
MAINS = ("water-mains", "sewer-mains", "power-lines", "gas-mains")
PLACES = ("country", "province", "county", "city", "districts", "neighbourhoods", "settlements")


@contextmanager
def throwaway_service() -> Iterator[Path]:
    """Start a cluster and a folder that are gone afterwards, and name both in the environment; gives the folder."""
    cluster = throwaway_cluster()
    var = Path(tempfile.mkdtemp(prefix="mahalleh-bench-"))
    try:
        cluster.start()
        cluster.ensure_database()
        os.environ.update(
            DJANGO_SETTINGS_MODULE="config.settings",
            MAHALLEH_ENV="test",
            MAHALLEH_VAR=str(var),
            DATABASE_URL=cluster.url(),
        )
        os.environ.pop("MAHALLEH_DEBUG", None)
        static = ROOT / "var" / "static"
        if not static.is_dir():
            raise SystemExit("Static files are not collected: run `make bench`, or `make setup` first.")
        (var / "static").symlink_to(static)
        yield var
    finally:
        cluster.wipe()
        shutil.rmtree(var, ignore_errors=True)


def start_django() -> None:
    """Read the settings of the environment and migrate the database where needed."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)


def build_and_load(folder: Path, scale: int, layers: Collection[str]) -> None:
    """Build the demo city with only these layers besides its places and people, and load it.

    Parameters
    ----------
    folder
        For its files.
    scale
        Multiple of the city's size.
    layers
        Codes of layers, as in the city's description.
    """
    from config.loading import city_load, taxonomy_load

    build_files(folder, scale, layers)
    description = folder / "city.toml"
    description.write_text(described({"population", *layers}), encoding="utf-8")
    taxonomy_load()
    city_load(description, data=folder)


def build_files(folder: Path, scale: int, layers: Collection[str]) -> None:
    """Build the files of the demo city's places, people and these layers."""
    from fixtures.khorramabad.build import build

    build(folder, scale=scale, layers=[*PLACES, "population", *layers])


def described(layers: Collection[str]) -> str:
    """Return the description of the demo city with only some of its layers."""
    source = ROOT / "fixtures" / "cities" / "khorramabad.toml"
    whole = tomllib.loads(source.read_text(encoding="utf-8"))
    whole.pop("data", None)
    whole["layers"] = [layer for layer in whole["layers"] if layer["code"] in layers]
    whole["supply"] = [rule for rule in whole["supply"] if rule["layer"] in layers]
    served = {rule["service"] for rule in whole["supply"]}
    if not set(layers) >= {whole.get("travel", {}).get(use) for use in ("roads", "elevation", "land_cover")}:
        whole.pop("travel", None)  # then everything is measured in a straight line
    whole["timetable"] = [one for one in whole.get("timetable", ()) if one.get("lines") in layers]
    for table in ("weights", "standards"):
        if table in whole:
            whole[table] = {code: value for code, value in whole[table].items() if code in served}
    lines = [f"{key} = {_value(value)}" for key, value in whole.items() if not isinstance(value, (dict, list))]
    for key, value in whole.items():
        for section in value if isinstance(value, list) else [value] if isinstance(value, dict) else []:
            head = f"[[{key}]]" if isinstance(value, list) else f"[{key}]"
            lines += ["", head, *(f"{name} = {_value(item)}" for name, item in section.items())]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_value(item)}" for name, item in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)
