"""A brief from words to paper: `brief_html` writes the page, `brief_pdf` prints it.

The printer (WeasyPrint) fetches nothing: its fetcher knows two font files and refuses every other address.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.template.loader import render_to_string

from geo.errors import MahallehError
from maps.pages.reader import language
from maps.reports.brief import Brief

if TYPE_CHECKING:
    from weasyprint import Document  # type: ignore[import-untyped]

logger = logging.getLogger("mahalleh.reports")

_TEMPLATE: Final = "reports/brief.html"
_FONT_FILES: Final = ("Vazirmatn-Regular.ttf", "Vazirmatn-SemiBold.ttf")
_one_at_a_time = Lock()
"""Printing holds the processor for a second; one at a time keeps the rest of the site answering."""


def brief_html(brief: Brief) -> str:
    """Write the page that is printed; every name in it is escaped by the template."""
    lang = language()
    return render_to_string(
        _TEMPLATE, {"brief": brief, "view": brief.view, "lang": lang, "dir": "rtl" if lang == "fa" else "ltr"}
    )


def brief_key(html: str) -> str:
    """Return what tells one sheet from another: the hash of its page and of the style it is printed in."""
    return hashlib.sha256(f"{_style()}\0{html}".encode()).hexdigest()[:32]


def brief_pdf(html: str) -> bytes:
    """Print a page; the same page is printed once.

    Raises
    ------
    MahallehError
        Where the printer's system libraries are missing.
    """
    with _one_at_a_time:
        return _printed(html)


@lru_cache(maxsize=32)
def _printed(html: str) -> bytes:
    pdf: bytes = document_of(html).write_pdf(pdf_tags=True)
    return pdf


def document_of(html: str) -> Document:
    """Lay a page out on sheets of A4; its ``pages`` can be counted.

    Raises
    ------
    MahallehError
        Where the printer's system libraries are missing.
    """
    try:  # here, because the import takes half a second and needs Pango, and the site shall start without both
        from weasyprint import CSS, HTML
        from weasyprint.text.fonts import FontConfiguration  # type: ignore[import-untyped]
    except OSError as error:
        raise MahallehError(
            "PDFs cannot be made on this machine: Pango is missing.",
            code="no_pango",
            remedy="Install it, on Debian with: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0.",
        ) from error
    fonts, fetcher = FontConfiguration(), _fetcher()
    styles = CSS(
        string=_style(),
        base_url=f"{font_folder().as_uri()}/",
        url_fetcher=fetcher,
        font_config=fonts,
    )
    page = HTML(string=html, url_fetcher=fetcher)
    return page.render(font_config=fonts, stylesheets=[styles], pdf_tags=True)


@cache
def _style() -> str:
    return (Path(__file__).resolve().parent.parent / "templates" / "reports" / "brief.css").read_text(encoding="utf-8")


def font_folder() -> Path:
    """Return the folder with the font files that are embedded."""
    return Path(settings.BASE_DIR) / "node_modules" / "vazirmatn" / "fonts" / "ttf"


@cache
def _fetcher() -> Any:
    """Return the only way out the printer has: to the two font files, by their own addresses, and nowhere else."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse  # type: ignore[import-untyped]

    allowed = {(font_folder() / name).as_uri(): font_folder() / name for name in _FONT_FILES}

    class OnlyFonts(URLFetcher):  # type: ignore[misc]
        """Opens nothing but the fonts."""

        def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> URLFetcherResponse:
            """Return a font, or refuse."""
            if url not in allowed:
                logger.warning("A report asked for %.200s and was refused.", url)
                raise ValueError("Reports fetch nothing.")
            return URLFetcherResponse(url, allowed[url].read_bytes())

    return OnlyFonts()
