"""What is kept of photos and documents: pixels and words, nothing else; what is hostile is refused before it is unpacked."""

from __future__ import annotations

import io
import struct
import zlib
from datetime import date
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import ExifTags, Image, PngImagePlugin

from geo.errors import Forbidden, InvalidInput, LimitExceeded, MahallehError
from layers.models import Attachment, Layer, Theme
from layers.services import attachments, files
from layers.services.attachments import attachment_add, attachment_change, stored_name, thumbnail_name

pytestmark = pytest.mark.django_db

CAMERA = "zzcamera"
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\nstartxref\n9\n%%EOF\n"


@pytest.fixture
def layer(demo_city: Any) -> Layer:
    made = Layer(
        city=demo_city, theme=Theme.objects.get(code="health"), code="photographed", kind="point", name_fa="عکس", name_en="Photo",
        source="test", visibility="public",
    )  # fmt: skip
    made.save()
    return made


def picture(size: tuple[int, int] = (900, 600), image_format: str = "JPEG", **saved: Any) -> bytes:
    """A picture that is red on its left half and blue on its right."""
    image = Image.new("RGB", size, "red")
    image.paste("blue", (size[0] // 2, 0, size[0], size[1]))
    out = io.BytesIO()
    image.save(out, image_format, **saved)
    return out.getvalue()


def camera_data(orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = CAMERA
    exif[ExifTags.Base.Orientation] = orientation
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2024:03:20 10:30:00"
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLatitude] = "N", (33.0, 29.0, 15.6)
    gps[ExifTags.GPS.GPSLongitudeRef], gps[ExifTags.GPS.GPSLongitude] = "E", (48.0, 21.0, 18.0)
    return exif.tobytes()


def add(layer: Layer, author: Any, data: bytes, name: str = "IMG_1.jpg", **said: Any) -> Attachment:
    return attachment_add(
        layer=layer, feature_key="7", author=author, file=ContentFile(data, name), **{"title": "the entrance", **said}
    )


def stored(name: str) -> bytes:
    with default_storage.open(name) as file:
        return bytes(file.read())


def test_nothing_of_the_camera_is_kept(layer: Layer, personas: dict[str, Any]) -> None:
    data = picture(exif=camera_data(), comment=CAMERA.encode())
    assert CAMERA.encode() in data
    made = add(layer, personas["analyst"], data)
    for name in (stored_name(made), thumbnail_name(made)):
        kept = stored(name)
        assert CAMERA.encode() not in kept
        with Image.open(io.BytesIO(kept)) as image:
            assert image.format == "JPEG"
            assert not image.getexif()
            assert set(image.info) <= {
                "jfif",
                "jfif_version",
                "jfif_unit",
                "jfif_density",
                "progressive",
                "progression",
            }
    assert (made.lon, made.lat) == (None, None)
    assert made.taken_at is not None
    assert made.taken_at.date() == date(2024, 3, 20)
    assert (made.kind, made.media_type, made.width, made.height) == ("photo", "image/jpeg", 900, 600)


def test_the_place_is_kept_where_it_is_asked_for_and_only_in_the_record(layer: Layer, personas: dict[str, Any]) -> None:
    made = add(layer, personas["analyst"], picture(exif=camera_data()), keeps_location=True)
    assert (made.lon, made.lat) == pytest.approx((48.355, 33.487667), abs=1e-6)
    with Image.open(io.BytesIO(stored(stored_name(made)))) as image:
        assert not image.getexif()


@pytest.mark.filterwarnings("ignore:Truncated File Read")  # Pillow's own words on the block cut off
@pytest.mark.parametrize("latitude", [(0.0, 0.0, float("nan")), (400.0, 0.0, 0.0), (1.0,), ("x", "y", "z")])
def test_a_place_that_makes_no_sense_is_not_kept(layer: Layer, personas: dict[str, Any], latitude: Any) -> None:
    exif = Image.Exif()
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitude], gps[ExifTags.GPS.GPSLongitude] = latitude, (48.0, 0.0, 0.0)
    gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLongitudeRef] = "N", "E"
    try:
        block = exif.tobytes()
    except (
        TypeError,
        ValueError,
        struct.error,
    ):  # what Pillow does not write, no camera writes either: a block cut off instead
        block = camera_data()[:60]
    made = add(layer, personas["analyst"], picture(exif=block), keeps_location=True)
    assert (made.lon, made.lat) == (None, None)


def test_photos_stand_upright_and_small_enough(layer: Layer, personas: dict[str, Any]) -> None:
    made = add(layer, personas["analyst"], picture((4000, 1000), exif=camera_data(orientation=6), quality=60))
    assert (made.width, made.height) == (512, 2048)
    with Image.open(io.BytesIO(stored(stored_name(made)))) as image:
        assert image.size == (512, 2048)
        red, _green, blue = image.convert("RGB").getpixel((256, 100))  # its left half is on top when it is turned
        assert red > 200 > 60 > blue
    with Image.open(io.BytesIO(stored(thumbnail_name(made)))) as image:
        assert image.size == (80, 320)


@pytest.mark.parametrize(("image_format", "name"), [("PNG", "a.png"), ("WEBP", "b.webp"), ("JPEG", "c.exe")])
def test_content_tells_what_it_is(layer: Layer, personas: dict[str, Any], image_format: str, name: str) -> None:
    made = add(layer, personas["analyst"], picture(image_format=image_format), name)
    assert stored(stored_name(made)).startswith(b"\xff\xd8\xff")
    assert made.file_name == name.split(".")[0] + ".jpg"


def test_a_clear_ground_becomes_white(layer: Layer, personas: dict[str, Any]) -> None:
    out = io.BytesIO()
    Image.new("RGBA", (10, 10), (255, 0, 0, 0)).save(out, "PNG")
    made = add(layer, personas["analyst"], out.getvalue())
    with Image.open(io.BytesIO(stored(stored_name(made)))) as image:
        assert min(image.getpixel((5, 5))) > 250


def test_a_document_is_kept_as_it_is(layer: Layer, personas: dict[str, Any]) -> None:
    made = add(layer, personas["analyst"], PDF, "گزارش بازدید.pdf")
    assert (made.kind, made.media_type, made.file_name) == ("document", "application/pdf", "گزارش بازدید.pdf")
    assert stored(stored_name(made)) == PDF


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd.jpg"),
        ("C:\\x\\y.jpg", "y.jpg"),
        ('a"\r\nb<script>.jpg', "a_ b_script.jpg"),
        ("", "photo.jpg"),
    ],
)
def test_names_are_of_letters_alone(layer: Layer, personas: dict[str, Any], name: str, kept: str) -> None:
    file = ContentFile(picture((20, 20)))
    file.name = name
    made = attachment_add(layer=layer, feature_key="7", author=personas["analyst"], file=file, title="x")
    assert made.file_name == kept
    assert stored_name(made).startswith(f"attachments/{layer.pk}/{made.sha256}")


def huge_png(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes that says to be of many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def text_bomb() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "0" * 80_000_000, zip=True)
    return picture((20, 20), "PNG", pnginfo=info)


HOSTILE = {
    "an html page": (b"<html><script>alert(1)</script>", "unsafe_type"),
    "a drawing with scripts": (b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', "unsafe_type"),
    "a program": (b"MZ\x90\x00" + b"\0" * 500, "unsafe_type"),
    "a gif": (picture((20, 20), "GIF"), "unsafe_type"),
    "a bitmap": (picture((20, 20), "BMP"), "unsafe_type"),
    "nothing": (b"", "unsafe_type"),
    "a page with the start of a photo": (b"\xff\xd8\xff<script>alert(1)</script>", "unreadable_file"),
    "another RIFF": (b"RIFF\x00\x00\x00\x00WAVEfmt ", "unsafe_type"),
    "a photo cut off": (picture()[:900], "unreadable_file"),
    "a PNG cut off": (picture(image_format="PNG")[:200], "unreadable_file"),
    "a WebP cut off": (picture(image_format="WEBP")[:60], "unreadable_file"),
    "a PDF cut off": (PDF[:30], "unreadable_file"),
    "a PDF that begins later": (b"\n" + PDF, "unsafe_type"),
    "a picture of a billion pixels": (huge_png(40_000, 25_000), "too_many_pixels"),
    "a picture of sixty million pixels": (huge_png(10_000, 6_000), "too_many_pixels"),
    "a very long line": (huge_png(1_000_000, 1), "too_many_pixels"),
    "a header with less behind it": (huge_png(2_000, 2_000), "unreadable_file"),
    "a bomb in a comment": (text_bomb(), "unreadable_file"),
    "too many bytes": (picture((20, 20)) + b"\0" * files.MOST_BYTES, "file_too_large"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_hostile_is_refused_and_leaves_nothing(layer: Layer, personas: dict[str, Any], what: str) -> None:
    data, code = HOSTILE[what]
    with pytest.raises(MahallehError) as refused:
        add(layer, personas["analyst"], data)
    assert refused.value.code == code
    assert 400 <= refused.value.status < 500
    assert refused.value.remedy
    assert not layer.attachments.exists()
    assert not default_storage.exists(f"attachments/{layer.pk}")


def test_what_follows_a_photo_is_left_behind(layer: Layer, personas: dict[str, Any]) -> None:
    made = add(layer, personas["analyst"], picture((50, 50)) + b"<script>alert(1)</script>PK\x03\x04")
    assert b"script" not in stored(stored_name(made))


@pytest.mark.parametrize("title", ["", "   ", "x" * 201])
def test_a_title_is_needed(layer: Layer, personas: dict[str, Any], title: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        add(layer, personas["analyst"], PDF, title=title)
    assert refused.value.code == "no_title"


def test_a_feature_has_room_for_so_many(
    layer: Layer, personas: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "MOST_OF_A_FEATURE", 2)
    for _ in range(2):
        add(layer, personas["analyst"], PDF)
    with pytest.raises(LimitExceeded) as refused:
        add(layer, personas["analyst"], PDF)
    assert refused.value.code == "too_many_attachments"


ADDS = {"analyst": True, "planner": True, "administrator": True, "reporter": True, "agency": True}


@pytest.mark.parametrize(
    "name",
    [
        "anonymous",
        "viewer",
        "reporter",
        "agency",
        "analyst",
        "planner",
        "supervisor",
        "planner_elsewhere",
        "administrator",
    ],
)
def test_who_may_add_and_show_to_everybody(layer: Layer, personas: dict[str, Any], name: str) -> None:
    if not ADDS.get(name):
        with pytest.raises(Forbidden):
            add(layer, personas[name], PDF)
        return
    made = add(layer, personas[name], PDF, is_public=True)
    assert made.is_public == (name in ("analyst", "planner", "administrator"))
    assert made.author == personas[name]


def test_reporters_add_nothing_to_layers_they_do_not_see(layer: Layer, personas: dict[str, Any]) -> None:
    layer.visibility, layer.seen_by_roles = "assigned", ["supervisor"]
    layer.save()
    with pytest.raises(Forbidden):
        add(layer, personas["reporter"], PDF)


def test_putting_away_is_undone_and_deletes_nothing(layer: Layer, personas: dict[str, Any]) -> None:
    made = add(layer, personas["reporter"], PDF)
    archived = attachment_change(made, personas["reporter"], is_archived=True)
    assert archived.archived_at is not None
    assert stored(stored_name(made)) == PDF
    again = attachment_change(made, personas["planner"], is_archived=True)
    assert again.archived_at == archived.archived_at
    assert attachment_change(made, personas["reporter"], is_archived=False).archived_at is None
    for who, change in [
        ("viewer", {"is_archived": True}),
        ("agency", {"is_archived": True}),
        ("reporter", {"is_public": True}),
    ]:
        with pytest.raises(Forbidden):
            attachment_change(made, personas[who], **change)
    assert attachment_change(made, personas["analyst"], is_public=True).is_public


def test_the_same_photo_twice_is_one_file(layer: Layer, personas: dict[str, Any]) -> None:
    first, second = (add(layer, personas["analyst"], picture((60, 60))) for _ in range(2))
    assert stored_name(first) == stored_name(second)
    assert len(default_storage.listdir(f"attachments/{layer.pk}")[1]) == 2  # the photo and its small picture
