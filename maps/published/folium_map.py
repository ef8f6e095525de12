"""One published map as one page: folium's map with all it needs inside, and none of what folium would fetch or run.

The only user of folium. What is replaced, once and here:

- *Outside files.* folium's pages load Leaflet, jQuery, Bootstrap and icon fonts from four hosts. This page carries the
  project's own copy of Leaflet and the letters of Vazirmatn it writes, and its own policy forbids it any request.
- *Markup from data.* folium's tooltips go through ``innerHTML``, its popups are raw, and its elements are rendered
  through Jinja a second time, so that ``{{…}}`` in a name would run on the server. Here text reaches the page only
  through an escaping template; the drawing is numbers alone, and tooltips copy the text of the table's cells.
- *Chance.* folium's element ids are random. Here they are fixed: the same input gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import folium
from branca.element import Element, Figure
from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import override
from folium.template import Template

from geo.errors import MahallehError
from maps.pages.formats import Language
from maps.published.drawing import compact_json
from maps.published.fonts import font_faces
from maps.published.presenter import view

MAP_NAME: Final = "published_map"
STYLES: Final = ("maps/published/publication.css", "maps/published/frozen.css")
SCRIPTS: Final = ("maps/published/table.js", "maps/published/frozen.js")


class Verbatim(Element):  # type: ignore[misc]
    """A piece of the page that is printed as it is; branca would take it for a template and run what is in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def render(self, **kwargs: Any) -> str:
        """Return the text."""
        return self._text


class FrozenFigure(Figure):  # type: ignore[misc]
    """The page around the map: language, direction, title, and the policy that forbids every request.

    Parameters
    ----------
    title : str
        Escaped here.
    language : {"fa", "en"}
        Persian pages run from right to left.
    """

    _template = Template(
        '<!DOCTYPE html>\n<html lang="{{ this.language }}" dir="{{ this.direction }}">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" content="{{ this.policy(**kwargs) }}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{{ this.title|e }}</title>\n'
        "{{ this.header.render(**kwargs) }}\n</head>\n<body>\n{{ this.html.render(**kwargs) }}\n"
        "<script>{{ this.script.render(**kwargs) }}</script>\n{{ this.modules.render(**kwargs) }}\n</body>\n</html>\n"
    )

    def __init__(self, title: str, language: Language) -> None:
        super().__init__(title=title)
        self.language = language
        self.direction = "rtl" if language == "fa" else "ltr"
        self.header = Element()
        self.modules = Element()
        for part in (self.header, self.modules):
            part._parent = self

    def policy(self, **kwargs: Any) -> str:
        """Return the content security policy: only the scripts this page was made with, and no request at all."""
        scripts = [child.script for child in self.header._children.values() if isinstance(child, Script)]
        scripts += [child.script for child in self.modules._children.values() if isinstance(child, Script)]
        scripts.append(self.script.render(**kwargs))
        hashes = sorted(
            f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in scripts
        )
        return (
            f"default-src 'none'; script-src {' '.join(hashes)}; style-src 'unsafe-inline'; img-src data:; font-src data:; "
            "base-uri 'none'; form-action 'none'"
        )


class Script(Verbatim):
    """A script inside the page; its hash goes into the policy."""

    def __init__(self, script: str, *, is_module: bool = False) -> None:
        self.script = script
        opening = '<script type="module">' if is_module else "<script>"
        super().__init__(f"{opening}{script}</script>")


class FrozenMap(folium.Map):  # type: ignore[misc]
    """folium's map without tiles, without the files it would fetch, and without the viewport that forbids zooming."""

    default_js: list[tuple[str, str]] = []
    default_css: list[tuple[str, str]] = []
    _template = Template(
        "{% macro html(this, kwargs) %}{% endmacro %}"
        "{% macro script(this, kwargs) %}"
        "var {{ this.get_name() }} = L.map({{ this.get_name()|tojson }}, {center: {{ this.location|tojson }}, "
        "crs: L.CRS.{{ this.crs }}, ...{{ this.options|tojavascript }} });"
        "{% endmacro %}"
    )

    def get_name(self) -> str:
        """Return the fixed name of the map's element and variable."""
        return MAP_NAME


def render(document: Mapping[str, Any], drawing: Mapping[str, Any], language: Language) -> str:
    """Return the page of a publication in a language.

    Parameters
    ----------
    document : mapping
        Of `maps.published.document.document`.
    drawing : mapping
        ``Drawing.numbers``.
    language : {"fa", "en"}
        Of words, digits and dates.

    Returns
    -------
    str
        HTML that asks no host for anything. Equal input gives equal bytes.
    """
    west, south, east, north = drawing["bounds"]
    fills = [item["colour"] for item in document["classes"]]
    with override(language):
        shown = view(document, language)
        context = {"view": shown, "map_name": MAP_NAME, "words": _script_words()}
        words = str(render_to_string("published/frozen.html", context))
    numbers = compact_json({**drawing, "fills": fills})
    body = f'{words}<script type="application/json" id="drawing">{numbers}</script>'
    page = FrozenFigure(shown.title, language)
    styles = "".join((leaflet_css(), *map(_own_file, STYLES), font_faces(body + shown.title)))
    page.header.add_child(Verbatim(f"<style>{styles}</style>"), name="styles")
    page.header.add_child(Script(leaflet_js()), name="leaflet")
    page.html.add_child(Verbatim(body), name="body")
    page.modules.add_child(Script(script_module(), is_module=True), name="modules")
    frozen_map = FrozenMap(
        location=[(south + north) / 2, (west + east) / 2],
        tiles=None,
        zoom_start=11,
        zoom_control=False,
        attribution_control=False,
        zoom_snap=0.25,
        zoom_delta=0.5,
        wheel_px_per_zoom_level=120,
        scroll_wheel_zoom=False,
        zoom_animation=False,
        fade_animation=False,
    )
    page.add_child(frozen_map, name=MAP_NAME)
    return str(page.render())


def _script_words() -> dict[str, str]:
    """Return the words the page's script writes."""
    return {
        "zoomIn": _("Zoom in"),
        "zoomOut": _("Zoom out"),
        "whole": _("Whole city"),
        "north": _("N"),
        "m": _("m"),
        "km": _("km"),
        "sort": _("Sort by %(column)s"),
        "show": _("Show %(place)s on the map"),
    }


@cache
def script_module() -> str:
    """Return the page's own scripts as one module: their imports of each other are dropped, as all are in it."""
    return re.sub(r"^import [^;]*;\n", "", "".join(map(_own_file, SCRIPTS)), flags=re.MULTILINE)


@cache
def leaflet_js() -> str:
    """Return the project's own copy of Leaflet, without its pointer to a source map."""
    text = _leaflet_file("leaflet.js")
    return text.split("\n//# sourceMappingURL=", 1)[0]


@cache
def leaflet_css() -> str:
    """Return Leaflet's styles without the images it names: no marker or layer control of its own is used."""
    text = _leaflet_file("leaflet.css")
    return re.sub(r"(background-image|behavior):\s*url\([^)]*\);?", "", text)


def _leaflet_file(name: str) -> str:
    file = Path(settings.BASE_DIR) / "node_modules" / "leaflet" / "dist" / name
    if not file.is_file():
        raise MahallehError(
            "The front-end package leaflet is not installed.", code="no_leaflet", where=name, remedy="Run make setup."
        )
    return file.read_text(encoding="utf-8")


@cache
def _own_file(name: str) -> str:
    found = finders.find(name)
    if not isinstance(found, str):
        raise FileNotFoundError(name)
    return Path(found).read_text(encoding="utf-8")
