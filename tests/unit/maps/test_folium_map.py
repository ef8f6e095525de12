"""The frozen page: the same bytes each time, nothing from outside, and nothing in a name that runs."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import shapely

from maps.pages.formats import Language
from maps.pages.telling import Told
from maps.published.document import document
from maps.published.drawing import Backdrop, draw
from maps.published.folium_map import render
from maps.published.fonts import font_faces
from maps.published.freeze import freeze
from tests.unit.maps import town

SNAPSHOT = Path(__file__).parent / "town.en.html"
HOSTILE = (
    "</script><script>window.ran = 1</script>",
    "<img src=x onerror=\"window.ran = 1\">",
    "\"><svg onload=window.ran=1>",
    "' onmouseover='window.ran=1",
    "{{ 7 * 7 }}{% raw %}{# x #}",
    "{{ this.__class__.__mro__ }}",
    "]]><!--<style>*{display:none}</style>-->",
    "javascript:window.ran=1",
    "\u202eevil\u2066 \u2028line\u2029",
    "=1+1&lt;b&gt;",
)  # fmt: skip


class Elements(HTMLParser):
    """What a browser would make of a page: its elements with their attributes, and the text in some of them."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.places: list[str] = []
        self._in_place = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag == "bdi" and ("class", "pub-place") in attrs:
            self.places.append("")
            self._in_place = True

    def handle_endtag(self, tag: str) -> None:
        self._in_place = self._in_place and tag != "bdi"

    def handle_data(self, data: str) -> None:
        if self._in_place:
            self.places[-1] += data


def town_page(language: Language = "en", name: str = "", **changes: str) -> str:
    return render(town.town_document(name, **changes), town.drawn_town(name).numbers, language)


def test_the_same_input_gives_the_same_bytes_in_another_process() -> None:
    code = (
        "import django; django.setup()\n"
        "from tests.unit.maps import town\nfrom maps.published.folium_map import render\nimport hashlib\n"
        "for l in ('fa', 'en'): print(hashlib.sha256(render(town.town_document(), town.drawn_town().numbers, l).encode()).hexdigest())"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONHASHSEED": "77"}
    other = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=Path(__file__).resolve().parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.split() == [hashlib.sha256(town_page(code).encode()).hexdigest() for code in ("fa", "en")]


def test_the_page_says_what_it_said_before() -> None:
    """The snapshot is the page without its style sheet, fonts, Leaflet and script; write it anew with ``UPDATE_SNAPSHOT=1``."""
    page = re.sub(r"<style>.*?</style>|<script( type=\"module\")?>.*?</script>", r"", town_page(), flags=re.DOTALL)
    page = re.sub(r"'sha256-[^']+'", "'sha256-…'", page)
    if os.environ.get("UPDATE_SNAPSHOT"):
        SNAPSHOT.write_text(page, encoding="utf-8")
    assert page == SNAPSHOT.read_text(encoding="utf-8")


@pytest.mark.parametrize("language", ["fa", "en"])
def test_nothing_is_fetched_from_anywhere(language: Language) -> None:
    page = town_page(language)
    styles = "".join(re.findall(r"<style>(.*?)</style>", page, re.DOTALL))
    assert not re.search(r"@import|url\((?!data:font/woff2;base64,|#)", styles)
    for tag, attributes in Elements(page).found:
        assert tag not in {"link", "iframe", "object", "embed", "base", "form", "img"}
        assert not {"src", "href", "srcset", "action", "data", "poster", "background"} & set(attributes)
    assert not re.search(
        r"jsdelivr|cdnjs|jquery|bootstrap|fontawesome|awesome|openstreetmap|sourceMappingURL", page, re.IGNORECASE
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text_and_nothing_else(name: str) -> None:
    page = town_page("en", name, title_en=name, city_name_en=name)
    mild, wild = Elements(town_page("en", "Vila", title_en="Vila", city_name_en="Vila")), Elements(page)
    assert [(tag, set(attributes)) for tag, attributes in wild.found] == [
        (tag, set(attributes)) for tag, attributes in mild.found
    ]
    shown = "evil line" if "evil" in name else name
    assert wild.places == [shown] * 5
    assert f"<title>{html.escape(name, quote=False)}" in page.replace("&#34;", '"').replace("&#39;", "'")
    assert "49" not in wild.places[0]
    assert not re.search(
        "[\u202a-\u202e\u2066\u2028\u2029]",
        re.sub(r"<title>.*?</title>|<h1.*?</h1>|<p class=\"pub-lead\">.*?</p>", "", page),
    )


def test_the_policy_names_the_scripts_of_the_page_and_no_other() -> None:
    page = town_page()
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    inline = re.findall(r'<script(?: type="module")?>(.*?)</script>', page, re.DOTALL)
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in inline}
    (allowed,) = re.findall(r"script-src ([^;]*);", policy)
    assert len(inline) == 3
    assert set(allowed.split()) == hashes
    assert policy.startswith("default-src 'none';")
    assert page.index("Content-Security-Policy") < page.index("<style>") < page.index("<script")


def test_a_persian_page_runs_from_right_to_left_with_persian_digits_and_a_jalali_date() -> None:
    page = town_page("fa")
    assert '<html lang="fa" dir="rtl">' in page
    table = page[page.index("<tbody>", page.index('id="places"')) : page.index("</table>", page.index('id="places"'))]
    printed = re.findall(r"<td[^>]*>([^<]*)</td>", table)
    assert printed[:3] == ["۴۰۰", "۰٪", "۴۰۰"]
    assert not re.search(r"[0-9]", "".join(printed))
    assert "۱ مهر ۱۴۰۴" in page
    assert town.FACTS.title_fa in page


def test_an_english_page_runs_from_left_to_right_with_a_gregorian_date() -> None:
    page = town_page("en")
    assert '<html lang="en" dir="ltr">' in page
    assert "23 September 2025" in page
    assert not re.search("[۰-۹]", page[page.index("<body>") : page.index('id="words"')])


def test_map_table_and_legend_say_the_same() -> None:
    page = town_page("en")
    drawn = json.loads(re.findall(r'id="drawing">(.*?)</script>', page)[0])
    assert len(drawn["shapes"]) == len(Elements(page).places) == len(town.frozen_town().rows)
    for row, shape in zip(town.frozen_town().rows, drawn["shapes"], strict=True):
        assert shape[0] == row.class_index
    assert drawn["fills"] == list(town.RULER.colours)
    assert [f'fill="{colour}"' in page for colour in drawn["fills"]] == [True] * 3
    assert "withheld: too few people (1)" in page


def test_the_fonts_carry_the_letters_of_the_page_and_are_always_the_same() -> None:
    from io import BytesIO

    from fontTools.ttLib import TTFont

    faces = font_faces("محلهٔ پشت‌بازار ۱۲")
    assert faces == font_faces("محلهٔ پشت‌بازار ۱۲")
    files = [base64.b64decode(data) for data in re.findall(r"base64,([^)]*)\)", faces)]
    assert [len(data) < 20_000 for data in files] == [True, True]
    for data in files:
        letters = TTFont(BytesIO(data)).getBestCmap()
        assert {ord(letter) for letter in "محلهپشتبازار۱۲٪٫٬aZ9%"} <= set(letters)
        assert ord("ط") not in letters


def test_a_large_city_stays_light() -> None:
    """500 places with 200 points each and 6,000 streets: below 200 KB compressed, so that our page around it stays below 300."""
    rng = np.random.default_rng(1404)
    t = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    places = []
    for i in range(500):
        radius = 0.0018 * (1 + 0.2 * np.sin(9 * t + i) + 0.03 * rng.standard_normal(len(t)))
        centre = [48.3 + (i % 25) * 0.005, 33.4 + (i // 25) * 0.005]
        ring = np.column_stack([np.cos(t) * radius, np.sin(t) * radius]) + centre
        people = float(rng.integers(50, 9000))
        places.append(
            town.place(
                f"n{i:03}",
                shapely.Polygon(ring).buffer(0),
                Told(people),
                Told(float(rng.integers(10, int(people)))),
                name=f"محلهٔ شمارهٔ {i}",
            )
        )
    frozen = freeze(places, "uncovered", "uncovered_people", town.COLUMNS, town.RULER)
    starts = rng.random((6000, 1, 2)) * [0.12, 0.1] + [48.3, 33.4]
    lines = np.cumsum(rng.normal(0, 0.0004, (6000, 8, 2)), axis=1) + starts
    streets = tuple(shapely.linestrings(lines))
    drawing = draw(
        frozen,
        [Backdrop("road-1", streets[:500]), Backdrop("road-2", streets[500:1500]), Backdrop("road-3", streets[1500:])],
    )
    page = render(document(frozen, town.FACTS, drawing), drawing.numbers, "fa")
    assert drawing.compressed_bytes <= 60_000
    assert len(gzip.compress(page.encode(), 6)) < 200_000
