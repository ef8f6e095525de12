"""Who reads: in which language, and how words stand inside sentences of it."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import get_language


def language() -> str:
    """Return the reader's language, ``fa`` or ``en``."""
    return "en" if get_language() == "en" else "fa"


def word(name: str) -> str:
    """Return a service's name as it stands inside a sentence: English without its capital.

    A name in capitals throughout the first word, such as “GP surgery”, keeps them.
    """
    return name[:1].lower() + name[1:] if name[1:2].islower() else name


def page_of(request: HttpRequest) -> int:
    """Return the page of a list that is asked for, the first where none is."""
    text = request.GET.get("page", "")
    return max(int(text), 1) if text.isascii() and text.isdecimal() and len(text) < 6 else 1
