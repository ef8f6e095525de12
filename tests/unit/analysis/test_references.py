"""What the code and the methods pages cite is in the bibliography, and nothing is there that nobody cites."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
BIBLIOGRAPHY = (ROOT / "analysis" / "references.bib").read_text(encoding="utf-8")
ENTRIES = re.findall(r"^@\w+\{([^,\s]+),", BIBLIOGRAPHY, flags=re.MULTILINE)
PAGES = [ROOT / app / "METHODS.md" for app in ("analysis", "interventions")]
CITING = [*PAGES, *(p for app in ("geo", "analysis", "interventions") for p in (ROOT / app).rglob("*.py"))]


def cited_keys(path: Path) -> set[str]:
    return set(re.findall(r"\[@([\w-]+)", path.read_text(encoding="utf-8")))


def test_every_key_cited_exists() -> None:
    missing = {(path.name, key) for path in CITING for key in cited_keys(path) if key not in ENTRIES}
    assert missing == set()


def test_every_entry_is_cited_once_or_more_and_defined_once() -> None:
    assert len(ENTRIES) == len(set(ENTRIES)) >= 8
    assert set(ENTRIES) == set().union(*(cited_keys(path) for path in CITING))


@pytest.mark.parametrize("entry", re.split(r"\n(?=@)", BIBLIOGRAPHY.strip()))
def test_every_entry_names_author_title_and_year(entry: str) -> None:
    for field in ("author", "title", "year"):
        assert re.search(rf"^\s*{field}\s*=\s*\{{.+\}},?$", entry, flags=re.MULTILINE), entry


@pytest.mark.parametrize("methods", PAGES, ids=lambda page: page.parent.name)
def test_every_module_with_a_method_is_in_the_methods_page(methods: Path) -> None:
    page, app = methods.read_text(encoding="utf-8"), methods.parent
    for path in (app / "core").glob("*.py"):
        if path.name != "__init__.py":
            assert f"`{app.name}/core/{path.name}`" in page


@pytest.mark.parametrize("methods", PAGES, ids=lambda page: page.parent.name)
def test_links_within_the_methods_page_lead_to_headings(methods: Path) -> None:
    page = methods.read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in re.findall(r"^## (.+)$", page, re.MULTILINE)
    }
    links = set(re.findall(r"\]\(#([^)]+)\)", page))
    assert links
    assert links <= headings
