"""Bringing files by the form, as a browser does."""

from __future__ import annotations

import re

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from layers.models import Upload
from tests.db.bringing import worked

PATH = "/khorramabad/layers/import/"
TABLE = "نام,lon,lat,ظرفیت,مساحت\nکلینیک ۱,48.35,33.48,۱۲,0.5\nکلینیک ۲,48.36,33.49,۳۰,1.25\n"
NEW = {
    "which": "new", "name_fa": "درمانگاه‌های آزمون", "name_en": "Test clinics", "source": "Survey", "theme": "health",
    "purpose": "facilities", "reference_date": "۱۴۰۴/۰۷/۰۱",
}  # fmt: skip


def brought(client: Client, content: str | bytes = TABLE, name: str = "clinics.csv", **said: str) -> Upload:
    """Send a file by the form, and have it examined."""
    file = SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)
    answer = client.post(PATH, {"file": file, **said})
    assert answer.status_code == 302, answer.content.decode()[:2000]
    return worked(Upload.objects.get(pk=answer["Location"].split("/")[2]))


def page_of(client: Client, upload: Upload) -> str:
    answer = client.get(f"/imports/{upload.pk}/")
    assert answer.status_code == 200
    return answer.content.decode()


def form_of(page: str) -> dict[str, str]:
    """Return what a browser would send of the plan as it stands."""
    form = page[page.index('<form method="post" id="plan"') : page.index("</form>", page.index('id="plan"'))]
    said: dict[str, str] = {}
    for tag in re.findall(r"<input [^>]*>", form):
        given = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if given.get("type") in ("radio", "checkbox") and " checked" not in tag:
            continue
        if "name" in given:
            said[given["name"]] = given.get("value", "on")
    for name, options in re.findall(r'<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        said[name] = chosen[1] if chosen else re.findall(r'<option value="([^"]*)"', options)[0]
    return said
