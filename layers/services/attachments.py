"""Writes of attachments: photos and documents about features, made harmless before they are kept.

Of a photo nothing is kept but its pixels, drawn anew: no camera data, no place, no comments, nothing hidden behind them. Where
it was taken is kept only if the person asks for that, and then in the record, never in the file.
"""

from __future__ import annotations

import hashlib
import io
import math
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from PIL import ExifTags, Image, ImageFile, ImageOps

from geo.core.text import clean_name
from geo.errors import Forbidden, InvalidInput, LimitExceeded
from geo.querysets import User, assigned_q, is_administrator
from layers.models import Attachment, Layer
from layers.permissions import may_edit_layers
from layers.querysets import EDITORS

MOST_BYTES: Final = 20_000_000
MOST_PIXELS: Final = 50_000_000
MOST_OF_A_FEATURE: Final = 50
"""Attachments that one feature has at most, archived ones included."""

WEB_PX: Final = 2048
THUMBNAIL_PX: Final = 320
"""Longer sides of the two pictures that are made of a photo."""

JPEG: Final = "image/jpeg"
PDF: Final = "application/pdf"
ATTACHERS: Final = (*EDITORS, "reporter", "agency")
"""The roles that may add photos and documents; what they add is for people with a role until an editor makes it public."""

_PICTURES: Final = {"JPEG": b"\xff\xd8\xff", "PNG": b"\x89PNG\r\n\x1a\n", "WEBP": b"RIFF"}
_PDF_END: Final = re.compile(rb"startxref\s+\d+\s+%%EOF")


class Incoming(Protocol):
    """A file as it arrives."""

    name: str | None

    def read(self, size: int = -1, /) -> bytes:
        """Return its next bytes."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is stored of a file."""

    kind: str
    media_type: str
    data: bytes
    thumbnail: bytes | None = None
    width: int | None = None
    height: int | None = None
    taken_at: datetime | None = None
    lon: float | None = None
    lat: float | None = None


def may_attach(layer: Layer, user: User) -> bool:
    """Tell whether a user may add photos and documents to the features of a layer."""
    if is_administrator(user):
        return True
    seen = Layer.objects.visible_to(user).filter(pk=layer.pk)
    return bool(user.is_authenticated and seen.filter(assigned_q(user, "city__path", roles=ATTACHERS)).exists())


def attachment_add(
    *,
    layer: Layer,
    feature_key: str,
    author: User,
    file: Incoming,
    title: str,
    is_public: bool = False,
    keeps_location: bool = False,
) -> Attachment:
    """Keep a photo (JPEG, PNG, WebP) or a document (PDF) about a feature of a layer.

    What it is, is told by its content; its name and what the sender calls it are not heeded.

    Parameters
    ----------
    feature_key : str
        Value of the layer's key field, or the row number where it has none.
    title : str
        What it shows, in words for people who cannot see it.
    is_public : bool
        Whether everybody who sees the layer sees it; only editors may say so.
    keeps_location : bool
        Whether the place that a camera wrote into the photo is kept.

    Raises
    ------
    Forbidden
        Where the person may not add anything here.
    LimitExceeded
        Where the file, the picture or the list is too large.
    InvalidInput
        Where it is no such file, cannot be read, or has no title.
    """
    if not may_attach(layer, author):
        raise Forbidden(
            f"You may not add photos or documents in {layer.city.name_en}.",
            code="may_not_attach",
            where=layer.code,
            remedy="Ask the administrator for a role there.",
            details={"city": layer.city.name},
        )
    said = clean_name(title)
    if not said or len(said) > 200:
        raise InvalidInput(
            "The photo or document has no title, or one of more than 200 characters.",
            code="no_title",
            where="title",
            remedy="Say in a few words what it shows.",
        )
    kept = _kept(file, keeps_location)
    sha256 = hashlib.sha256(kept.data).hexdigest()
    with transaction.atomic():
        Layer.objects.select_for_update().get(pk=layer.pk)  # else two at a time could pass the limit
        if layer.attachments.filter(feature_key=feature_key).count() >= MOST_OF_A_FEATURE:
            raise LimitExceeded(
                f"There are {MOST_OF_A_FEATURE} photos and documents here already.",
                code="too_many_attachments",
                where=feature_key,
                remedy="Add only what says something new.",
                details={"most": MOST_OF_A_FEATURE},
            )
        made: Attachment = Attachment.objects.create(
            layer=layer,
            feature_key=feature_key,
            kind=kept.kind,
            title=said,
            file_name=_plain_name(file.name or "", kept),
            media_type=kept.media_type,
            size=len(kept.data),
            sha256=sha256,
            width=kept.width,
            height=kept.height,
            taken_at=kept.taken_at,
            lon=kept.lon,
            lat=kept.lat,
            is_public=is_public and may_edit_layers(layer.city, author),
            author_id=author.pk,
        )
        # The last step: where a file cannot be written there is no record either; a file without a record is found by nobody.
        _write(stored_name(made), kept.data)
        if kept.thumbnail is not None:
            _write(thumbnail_name(made), kept.thumbnail)
    return made


def attachment_change(
    attachment: Attachment, user: User, *, is_public: bool | None = None, is_archived: bool | None = None
) -> Attachment:
    """Show an attachment to everybody or not, put it away or bring it back; its author may put it away, editors may do all.

    Raises
    ------
    Forbidden
        Where the person may not.
    """
    is_editor = may_edit_layers(attachment.layer.city, user)
    is_own = attachment.author_id is not None and attachment.author_id == user.pk and may_attach(attachment.layer, user)
    if not is_editor and not (is_own and is_public is None):
        raise Forbidden(
            "You may not change this photo or document.",
            code="may_not_edit_attachment",
            where=str(attachment.pk),
            remedy="Ask an analyst or planner of the city.",
            details={"city": attachment.layer.city.name},
        )
    with transaction.atomic():
        held: Attachment = Attachment.objects.select_for_update().get(pk=attachment.pk)
        if is_public is not None:
            held.is_public = is_public
        if is_archived is not None and is_archived != (held.archived_at is not None):
            held.archived_at = timezone.now() if is_archived else None
        held.save(update_fields=["is_public", "archived_at"])
    return held


def stored_name(attachment: Attachment) -> str:
    """Return where an attachment's file is in the file storage: a folder per layer, a name by content."""
    ending = "pdf" if attachment.media_type == PDF else "jpg"
    return f"attachments/{attachment.layer_id}/{attachment.sha256}.{ending}"


def thumbnail_name(attachment: Attachment) -> str:
    """Return where the small picture of a photo is in the file storage."""
    return f"attachments/{attachment.layer_id}/{attachment.sha256}-{THUMBNAIL_PX}.jpg"


def _write(name: str, data: bytes) -> None:
    if not default_storage.exists(name):  # named by content: what is there is the same
        default_storage.save(name, ContentFile(data))


def _plain_name(name: str, kept: _Kept) -> str:
    """Return a name for whoever saves the file: of its owner's words, with the ending that it has by its content."""
    last = re.split(r"[\\/]", name)[-1]
    stem = re.sub(r"[^\w\-. ()]+", "_", clean_name(last.rsplit(".", 1)[0])).strip("._ ")[:120]
    return f"{stem or kept.kind}.{'pdf' if kept.media_type == PDF else 'jpg'}"


def _kept(file: Incoming, keeps_location: bool) -> _Kept:
    data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise LimitExceeded(
            f"The file has more than {MOST_BYTES // 1_000_000} MB.",
            code="file_too_large",
            where="file",
            remedy="Make it smaller: a photo needs no more than 2048 pixels on its longer side.",
            details={"most": MOST_BYTES // 1_000_000},
        )
    if data.startswith(b"%PDF-"):
        return _document(data)
    for picture_format, start in _PICTURES.items():
        if data.startswith(start) and (picture_format != "WEBP" or data[8:12] == b"WEBP"):
            return _photo(data, picture_format, keeps_location)
    raise InvalidInput(
        "The file is neither a photo (JPEG, PNG, WebP) nor a PDF document.",
        code="unsafe_type",
        where="file",
        remedy="Save it as JPEG or PDF, and choose it again.",
    )


def _document(data: bytes) -> _Kept:
    if not _PDF_END.search(data[-2048:]):
        raise _unreadable("The PDF document is cut off, or is none.")
    return _Kept(Attachment.Kind.DOCUMENT, PDF, data)


def _photo(data: bytes, picture_format: str, keeps_location: bool) -> _Kept:
    ImageFile.LOAD_TRUNCATED_IMAGES = False  # WeasyPrint, where it was imported, has it otherwise
    try:
        with Image.open(io.BytesIO(data), formats=[picture_format]) as opened:
            _pixels_required(opened.size)
            camera = _camera_data(opened, keeps_location)
            opened.draft("RGB", (WEB_PX, WEB_PX))  # a JPEG is decoded no larger than needed
            opened.load()
            web = _fitted(_bare(opened, camera.turn), WEB_PX)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, OverflowError, MemoryError) as error:
        raise _unreadable("The photo is damaged or cut off.") from error
    lon, lat = camera.place or (None, None)
    return _Kept(
        Attachment.Kind.PHOTO,
        JPEG,
        _jpeg(web, 85),
        _jpeg(_fitted(web, THUMBNAIL_PX), 80),
        web.width,
        web.height,
        camera.taken_at,
        lon,
        lat,
    )


def _pixels_required(size: tuple[int, int]) -> None:
    """Refuse a picture by what it says of its size, before anything of it is unpacked."""
    if size[0] * size[1] > MOST_PIXELS or max(size) > 30_000:
        raise _too_many_pixels()


def _too_many_pixels() -> LimitExceeded:
    return LimitExceeded(
        f"The photo has more than {MOST_PIXELS // 1_000_000} million pixels.",
        code="too_many_pixels",
        where="file",
        remedy="Make it smaller: no more than 2048 pixels on the longer side are kept.",
        details={"most": MOST_PIXELS // 1_000_000},
    )


def _unreadable(message: str) -> InvalidInput:
    return InvalidInput(
        message, code="unreadable_file", where="file", remedy="Open and save it anew, and choose it again."
    )


def _bare(image: Image.Image, turn: Image.Transpose | None) -> Image.Image:
    """Return the pixels alone, turned as the camera was held, on white where they are clear."""
    turned = image.transpose(turn) if turn is not None else image
    if turned.mode in ("RGBA", "LA", "PA") or "transparency" in turned.info:
        clear = turned.convert("RGBA")
        ground = Image.new("RGB", clear.size, "white")
        ground.paste(clear, mask=clear.getchannel("A"))
        return ground
    return turned.convert("RGB")


def _fitted(image: Image.Image, side_px: int) -> Image.Image:
    return ImageOps.contain(image, (side_px, side_px)) if max(image.size) > side_px else image


def _jpeg(image: Image.Image, quality: int) -> bytes:
    bare = Image.new("RGB", image.size)
    bare.paste(image)  # nothing but pixels: what hangs on the old picture is written by nobody
    out = io.BytesIO()
    bare.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class _CameraData:
    """What is taken from a camera's words; the rest of them is dropped."""

    turn: Image.Transpose | None = None
    taken_at: datetime | None = None
    place: tuple[float, float] | None = None


_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _camera_data(image: Image.Image, keeps_location: bool) -> _CameraData:
    """Return how the camera was held, when, and where if that is wanted; nothing where its words make no sense."""
    try:
        exif = image.getexif()
        turn = _TURNS.get(exif.get(ExifTags.Base.Orientation, 1))
        taken = _moment(exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal))
    except Exception:  # noqa: BLE001 - whatever a broken block of camera data does, the photo is as good without it
        return _CameraData()
    try:
        place = _place(exif.get_ifd(ExifTags.IFD.GPSInfo)) if keeps_location else None
    except Exception:  # noqa: BLE001 - as above
        place = None
    return _CameraData(turn, taken, place)


def _moment(text: Any) -> datetime | None:
    try:
        moment = datetime.strptime(str(text).strip("\x00 "), "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None
    aware = timezone.make_aware(moment)
    return aware if moment.year >= 1900 and aware <= timezone.now() else None


def _place(gps: dict[int, Any]) -> tuple[float, float] | None:
    def degrees(value: Any, side: Any, negative: str) -> float:
        d, m, s = (float(part) for part in value)
        return (d + m / 60 + s / 3600) * (-1 if str(side).upper().startswith(negative) else 1)

    if ExifTags.GPS.GPSLatitude not in gps or ExifTags.GPS.GPSLongitude not in gps:
        return None
    lat = degrees(gps[ExifTags.GPS.GPSLatitude], gps.get(ExifTags.GPS.GPSLatitudeRef, "N"), "S")
    lon = degrees(gps[ExifTags.GPS.GPSLongitude], gps.get(ExifTags.GPS.GPSLongitudeRef, "E"), "W")
    if not (math.isfinite(lon) and math.isfinite(lat) and abs(lon) <= 180 and abs(lat) <= 90):
        return None
    return round(lon, 6), round(lat, 6)
