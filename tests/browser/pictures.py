"""Pictures of pages, for whoever wants to look at them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from playwright.sync_api import Page

PICTURES: Final = os.environ.get("MAHALLEH_PICTURES", "")
"""A folder; where it is not named, nothing is kept."""


def picture(page: Page, name: str) -> None:
    """Keep how a page looks, where that is asked for."""
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)
