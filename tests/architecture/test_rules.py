"""Rules of the house that no linter knows: where measuring, drivers and names may be."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = ("geo", "layers", "analysis", "interventions", "maps", "config", "fixtures")
SOURCES = sorted(p for app in APPS for p in (ROOT / app).rglob("*.py") if "migrations" not in p.parts)
MEASURES_ON_COLUMNS = {"Area", "Length", "Distance", "Perimeter", "GeometryDistance"}


def imports(path: Path) -> Iterator[tuple[str, str]]:
    """Give every (module, name) a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)


def test_nothing_measures_on_columns_of_degrees() -> None:
    """`Area` on a lon/lat column is square degrees labelled m²: only the measuring module measures."""
    offenders = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in SOURCES
        for module, name in imports(path)
        if module.startswith("django.contrib.gis")
        and name in MEASURES_ON_COLUMNS
        and path != ROOT / "geo/db/spatial.py"
    ]
    offenders += [
        f"{path.relative_to(ROOT)}: dwithin"
        for path in SOURCES
        if path != ROOT / "geo/db/spatial.py" and re.search(r"__dwithin\b|__distance_l", path.read_text())
    ]
    assert offenders == []


@pytest.mark.parametrize(
    ("driver", "allowed"),
    [
        ("psycopg", {"geo/db/sql.py", "config/env.py", "geo/errors.py"}),
        ("folium", {"maps/published/folium_map.py"}),
    ],
)
def test_drivers_stay_in_their_modules(driver: str, allowed: set[str]) -> None:
    users = {str(p.relative_to(ROOT)) for p in SOURCES for module, _ in imports(p) if module.split(".")[0] == driver}
    assert users <= allowed


def test_rasters_are_read_by_few() -> None:
    users = {p.relative_to(ROOT).parts[0] for p in SOURCES for module, _ in imports(p) if module.startswith("rasterio")}
    assert users <= {"layers", "analysis", "maps", "fixtures"}


def test_no_module_is_named_after_nothing() -> None:
    forbidden = {"utils", "helpers", "common", "misc", "manager"}
    assert [p for p in SOURCES if p.stem in forbidden or p.parent.name in forbidden] == []


def test_models_hide_nothing_and_every_queryset_knows_who_asks() -> None:
    """Every model of ours answers `visible_to(user)`; `objects` hides nothing."""
    from django.apps import apps

    for app in ("geo", "layers", "analysis", "interventions", "maps"):
        for model in apps.get_app_config(app).get_models():
            if model.__name__ == "Weight":  # seen through its index only
                continue
            assert callable(getattr(model.objects.none(), "visible_to", None)), model


def test_files_that_are_served_name_no_other_host() -> None:
    allowed = re.compile(r"https?://(127\.0\.0\.1|localhost|www\.w3\.org|www\.opengis\.net)")
    offenders = []
    for path in sorted((ROOT / "maps").rglob("*")):
        if path.suffix in {".html", ".js", ".mjs", ".css", ".svg"}:
            named = re.findall(r"https?://[\w.-]+", path.read_text())
            offenders += [f"{path.relative_to(ROOT)}: {url}" for url in named if not allowed.match(url)]
    assert offenders == []


def test_imports_between_browser_modules_are_rewritten_to_hashed_names() -> None:
    """Django skips imports without a semicolon; then a browser would load a stale file for ever."""
    collected = ROOT / "var" / "static" / "maps"
    hashed = [p for p in collected.rglob("*.js") if re.search(r"\.[0-9a-f]{12}\.js$", p.name)]
    assert hashed, "Static files are not collected."
    for path in hashed:
        code = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
        for target in re.findall(r"""(?:from|import)\s*\(?\s*["'](\.{1,2}/[^"']+)["']""", code):
            assert re.search(r"\.[0-9a-f]{12}\.js$", target), f"{path.name} imports {target} unhashed"
            assert (path.parent / target).is_file(), f"{path.name} imports {target}, which is not there"


def test_persian_is_complete() -> None:
    catalogue = ROOT / "maps" / "locale" / "fa" / "LC_MESSAGES" / "django.po"
    result = subprocess.run(
        ["msgfmt", "--statistics", "--check", "-o", "/dev/null", str(catalogue)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "untranslated" not in result.stderr, result.stderr
    assert "fuzzy" not in result.stderr, result.stderr


def test_the_catalogue_has_every_message_of_the_sources(tmp_path: Path) -> None:
    """`makemessages` on a copy adds nothing to the catalogue."""
    copy = tmp_path / "copy"
    subprocess.run(["git", "clone", "-q", "--no-hardlinks", str(ROOT), str(copy)], check=True)
    for path in SOURCES + sorted((ROOT / "maps").rglob("*.html")) + [ROOT / "manage.py"]:
        target = copy / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    before = (ROOT / "maps/locale/fa/LC_MESSAGES/django.po").read_text()
    (copy / "maps/locale/fa/LC_MESSAGES/django.po").write_text(before)
    subprocess.run(
        [
            str(ROOT / ".venv/bin/python"), "manage.py", "makemessages", "-l", "fa", "--no-location", "--no-wrap",
            "--ignore", "var", "--ignore", "tests",
        ],
        cwd=copy, check=True, capture_output=True,
    )  # fmt: skip
    after = (copy / "maps/locale/fa/LC_MESSAGES/django.po").read_text()
    assert _messages(after) - _messages(before) == set()


def _messages(catalogue: str) -> set[str]:
    return set(re.findall(r'^msgid ((?:".*"\n)+)', catalogue, re.MULTILINE))


def test_nothing_is_skipped_or_mocked() -> None:
    offenders = [
        f"{p.relative_to(ROOT)}"
        for p in (ROOT / "tests").rglob("*.py")
        if p != Path(__file__)
        and re.search(r"pytest\.skip\(|mark\.(skip|xfail)|unittest\.mock|importorskip", p.read_text())
    ]
    assert offenders == []
