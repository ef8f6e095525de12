"""Folders of uploads: where files come in, where each lies until it is stored, and what is removed when."""

from __future__ import annotations

import re
import shutil
import time
import uuid
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from layers.models import Upload
from layers.selectors import folder_of

State = Upload.State

KEPT_DAYS: Final = 7
INCOMING: Final = "incoming"
"""The folder, among those of uploads, of files that have not come in whole."""
_UNCLAIMED_S: Final = 3600 * 6
_ENDED: Final = (State.STORED, State.CANCELLED)


@dataclass(frozen=True, slots=True)
class Received:
    """A file that has come in, whole, and lies where nothing else looks for it.

    Attributes
    ----------
    path
        Where it lies; on the disk of the folder of uploads.
    file_name
        As its owner calls it: never trusted.
    size, sha256
        Of what came, not of what was announced.
    """

    path: Path
    file_name: str
    size: int
    sha256: str


def safe_name(name: str) -> str:
    r"""Return a name under which a file of somebody else's can lie in a folder of ours; its ending stays, in small letters.

    Examples
    --------
    >>> safe_name("../../etc/محله ها.GeoJSON"), safe_name("C:\\x\\..."), safe_name("a.tar/.gz")
    ('محله_ها.geojson', 'file', 'gz')
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    plain = re.sub(r"[^\w.-]+", "_", last).strip("._")
    stem, dot, suffix = plain.rpartition(".")
    if not dot:
        return (plain[-60:].lstrip("._-") or "file") + ("_" if plain in ("work", "made") else "")  # our folders there
    return f"{stem[-60:].lstrip('._-') or 'file'}.{suffix.lower()[:12]}"


def shown_name(name: str) -> str:
    """Return a file's name as it is shown: without a folder, without what cannot be stored or would turn a sentence around."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(c for c in last if c.isprintable() or c == "\u200c")[-255:].strip() or "file"


def folder_remove(upload: uuid.UUID) -> None:
    """Remove an upload's folder with all that is in it."""
    shutil.rmtree(folder_of(upload), ignore_errors=True)


def uploads_sweep() -> int:
    """Remove what nobody needs any more: folders without an upload, of ended uploads, and of those left alone for a week.

    Returns
    -------
    int
        How many files and folders were removed.
    """
    old = timezone.now() - timedelta(days=KEPT_DAYS)
    left = Upload.objects.filter(state=State.EXAMINED, updated_at__lt=old)
    left.update(state=State.CANCELLED, job=None, version=F("version") + 1, updated_at=timezone.now())
    Upload.objects.filter(state=State.FAILED, updated_at__lt=old).exclude(report={}).update(report={})
    needed = Upload.objects.exclude(state__in=_ENDED).exclude(state=State.FAILED, updated_at__lt=old)
    kept = {str(key) for key in needed.values_list("pk", flat=True)}
    removed = 0
    root = Path(settings.UPLOAD_DIR)
    for path in sorted(root.iterdir()) if root.is_dir() else []:
        if path.name == INCOMING:
            for part in path.iterdir():
                if _age_s(part) > _UNCLAIMED_S:
                    part.unlink(missing_ok=True)
                    removed += 1
        elif path.name not in kept and (_is_ended(path.name) or _age_s(path) > _UNCLAIMED_S):
            shutil.rmtree(path, ignore_errors=True)
            removed += 1
    return removed + _raster_parts_sweep()


def incoming_folder() -> Path:
    """Return the folder in which files come in; it is there."""
    folder = Path(settings.UPLOAD_DIR) / INCOMING
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _is_ended(name: str) -> bool:
    """Tell whether a folder is that of an upload that is over; one without an upload may be of one that is not committed yet."""
    try:
        key = uuid.UUID(name)
    except ValueError:
        return False
    return Upload.objects.filter(pk=key).exists()


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _raster_parts_sweep() -> int:
    """Remove rasters that were being written by processes that are gone."""
    removed = 0
    root = Path(settings.RASTER_DIR)
    for part in root.glob(".part-*") if root.is_dir() else []:
        found = re.match(r"\.part-(\d+)-", part.name)
        if found and not Path(f"/proc/{found[1]}").exists():
            part.unlink(missing_ok=True)
            removed += 1
    return removed
