"""Photos and documents over HTTP: brought by a form without scripts, handed out under rights as nothing that runs."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from layers.models import Attachment, Layer
from layers.services.attachments import stored_name
from layers.services.files import MOST_BYTES
from tests.db.test_attachments import PDF, camera_data, picture

pytestmark = pytest.mark.django_db

ClientAs = Callable[[str], Client]
ROW = "/khorramabad/layers/clinic/rows/3/"
ADD = f"{ROW}attachments/"


def sent(data: bytes, name: str = "door.jpg", **said: Any) -> dict[str, Any]:
    return {"file": SimpleUploadedFile(name, data, content_type="text/html"), "title": "the door", **said}


def whole(response: Any) -> bytes:
    """Read an answer to its end, which closes its file."""
    return b"".join(response.streaming_content) if response.streaming else response.content


def added(client: Client, data: bytes | None = None, **said: Any) -> Attachment:
    response = client.post(ADD, sent(picture() if data is None else data, **said))
    assert response.status_code == 302, response.content.decode()[:3000]
    assert response["Location"] == ROW
    made = Attachment.objects.order_by("-created_at").first()
    assert made is not None
    return made


def test_a_photo_is_brought_and_shown(client_as: ClientAs) -> None:
    client = client_as("analyst")
    made = added(client, picture(exif=camera_data()), is_public="1")
    assert (made.feature_key, made.title, made.is_public, made.lon) == ("3", "the door", True, None)
    for path in (ROW, "/khorramabad/layers/clinic/"):
        html = client_as("anonymous").get(path).content.decode()
        assert f'<img src="/attachments/{made.pk}/small/" alt="the door"' in html
    assert f'href="{ROW}"' in client.get("/khorramabad/layers/clinic/").content.decode()


@pytest.mark.parametrize("part", ["file", "photo"])
def test_the_camera_of_a_phone_is_a_part_of_its_own(client_as: ClientAs, part: str) -> None:
    client = client_as("reporter")
    html = client.get(ROW).content.decode()
    assert 'name="photo" accept="image/*" capture="environment"' in html
    assert client.post(ADD, {part: SimpleUploadedFile("x.jpg", picture()), "title": "x"}).status_code == 302


def test_attachments_follow_the_key_and_not_the_row(client_as: ClientAs, demo_city: Any) -> None:
    layer = Layer.objects.get(city=demo_city, code="clinic")
    layer.key_field = "name_en"
    layer.save()
    made = added(client_as("analyst"), is_public="1")
    assert made.feature_key == "Emam Hasan-e Mojtaba Clinic"
    assert str(made.pk) in client_as("anonymous").get(ROW).content.decode()
    assert str(made.pk) not in client_as("anonymous").get("/khorramabad/layers/clinic/rows/4/").content.decode()
    assert f'href="{ROW}"' in client_as("anonymous").get("/khorramabad/layers/clinic/").content.decode()
    edit = "/khorramabad/layers/clinic/edit/"
    form = {
        "name_fa": "x",
        "name_en": "x",
        "source": "x",
        "theme": "health",
        "purpose": "general",
        "visibility": "public",
        "key_field": "",
    }
    seen = client_as("analyst").get(edit).content.decode().split('name="seen" value="')[1].split('"')[0]
    assert client_as("analyst").post(edit, {**form, "seen": seen}).status_code == 409
    layer.refresh_from_db()
    assert layer.key_field == "name_en"


def test_what_is_served_runs_nowhere(client_as: ClientAs) -> None:
    client = client_as("analyst")
    photo, document = added(client), added(client, PDF, name="گزارش.pdf")
    for made, suffix, kind, how in [
        (photo, "", "image/jpeg", "inline"), (photo, "small/", "image/jpeg", "inline"), (document, "", "application/pdf", "attachment"),
    ]:  # fmt: skip
        response = client.get(f"/attachments/{made.pk}/{suffix}")
        assert response.status_code == 200
        assert response["Content-Type"] == kind
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Content-Disposition"].startswith(how)
        assert "sandbox" in response["Content-Security-Policy"]
        assert "default-src 'none'" in response["Content-Security-Policy"]
        assert response["Cache-Control"] == "private, no-cache"
        data = whole(response)
        assert data.startswith(b"%PDF-") if made is document else Image.open(io.BytesIO(data)).format == "JPEG"
        again = client.get(f"/attachments/{made.pk}/{suffix}", headers={"if-none-match": response["ETag"]})
        assert again.status_code == 304
    assert client.get(f"/attachments/{document.pk}/small/").status_code == 404


READERS = (
    "anonymous",
    "planner_elsewhere",
    "viewer",
    "reporter",
    "agency",
    "analyst",
    "planner",
    "supervisor",
    "administrator",
)
INSIDE = READERS[2:]


def seen_by(client_as: ClientAs, made: Attachment) -> set[str]:
    found = set()
    for name in READERS:
        client = client_as(name)
        statuses = set()
        for suffix in ("", "small/"):
            response = client.get(f"/attachments/{made.pk}/{suffix}")
            whole(response)
            statuses.add(response.status_code)
        assert len(statuses) == 1
        found |= {name} if statuses == {200} else set()
    return found


def test_rights_are_asked_for_each_time(client_as: ClientAs, demo_city: Any) -> None:
    made = added(client_as("analyst"), is_public="1")
    layer = Layer.objects.get(city=demo_city, code="clinic")
    assert seen_by(client_as, made) == set(READERS)
    Attachment.objects.update(is_public=False)
    assert seen_by(client_as, made) == set(INSIDE)
    Attachment.objects.update(is_public=True)
    layer.visibility = "signed-in"
    layer.save()
    assert seen_by(client_as, made) == set(READERS) - {"anonymous"}
    layer.visibility, layer.seen_by_roles = "assigned", ["supervisor"]
    layer.save()
    assert seen_by(client_as, made) == {"supervisor", "analyst", "planner", "administrator"}
    nothing = "00000000-0000-0000-0000-000000000007"
    hidden, missing = (client_as("anonymous").get(f"/attachments/{key}/") for key in (made.pk, nothing))
    assert hidden.status_code == missing.status_code == 404
    told = [re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", one.content.decode()) for one in (hidden, missing)]
    assert told[0].replace(str(made.pk), nothing) == told[1]


def test_who_may_not_is_told_so(client_as: ClientAs) -> None:
    for name, status in {"anonymous": 302, "viewer": 403, "supervisor": 403, "planner_elsewhere": 403}.items():
        assert client_as(name).post(ADD, sent(picture())).status_code == status
    assert (
        client_as("analyst").post("/khorramabad/layers/clinic/rows/999/attachments/", sent(picture())).status_code
        == 404
    )
    assert (
        client_as("analyst").post("/khorramabad/layers/nothing/rows/1/attachments/", sent(picture())).status_code == 404
    )
    assert client_as("analyst").get(ADD).status_code == 405
    assert not Attachment.objects.exists()


def test_the_token_of_the_page_is_needed(personas: dict[str, Any]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(personas["analyst"])
    assert client.post(ADD, sent(picture())).status_code == 403
    client.get(ROW)
    token = client.cookies["csrftoken"].value
    assert client.post(ADD, sent(picture(), csrfmiddlewaretoken=token)).status_code == 302


def test_too_much_is_refused_before_it_is_read(client_as: ClientAs) -> None:
    client = client_as("analyst")
    response = client.post(
        ADD, data=b"--x\r\n", content_type="multipart/form-data; boundary=x", CONTENT_LENGTH=str(MOST_BYTES * 2)
    )
    assert response.status_code == 413


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"<script>alert(1)</script>", 400),
        (picture()[:500], 400),
        (b"", 400),
        (picture((20, 20), "GIF"), 400),
        (b"%PDF-1.4 cut", 400),
    ],
)
def test_what_is_hostile_is_refused_in_words_and_the_title_stays(client_as: ClientAs, data: bytes, status: int) -> None:
    client = client_as("analyst")
    for language in ("fa", "en"):
        client.cookies["django_language"] = language
        response = client.post(ADD, sent(data, title="typed by me"))
        text = response.content.decode()
        assert response.status_code == status
        assert 'role="alert"' in text
        assert 'value="typed by me"' in text
    assert not Attachment.objects.exists()


def test_a_form_without_a_file_or_title_says_so(client_as: ClientAs) -> None:
    client = client_as("analyst")
    assert client.post(ADD, {"title": "x"}).status_code == 400
    assert client.post(ADD, sent(picture(), title=" ")).status_code == 400


def test_it_is_archived_brought_back_and_shown_to_everybody(client_as: ClientAs) -> None:
    made = added(client_as("reporter"))
    assert not made.is_public
    path = f"/attachments/{made.pk}/change/"
    assert client_as("viewer").post(path, {"do": "archive"}).status_code == 403
    assert client_as("anonymous").post(path, {"do": "archive"}).status_code == 302
    assert client_as("planner_elsewhere").post(path, {"do": "archive"}).status_code == 404
    assert client_as("reporter").post(path, {"do": "publish"}).status_code == 403
    assert client_as("analyst").post(path, {"do": "nothing"}).status_code == 400
    response = client_as("analyst").post(path, {"do": "publish"})
    assert response["Location"] == ROW
    assert str(made.pk) in client_as("anonymous").get(ROW).content.decode()
    client_as("reporter").post(path, {"do": "archive"})
    assert str(made.pk) not in client_as("anonymous").get(ROW).content.decode()
    assert str(made.pk) not in client_as("viewer").get(ROW).content.decode()
    assert client_as("anonymous").get(f"/attachments/{made.pk}/").status_code == 404
    assert str(made.pk) in client_as("analyst").get(ROW).content.decode()
    client_as("analyst").post(path, {"do": "restore"})
    assert str(made.pk) in client_as("anonymous").get(ROW).content.decode()


def test_a_file_that_is_gone_is_not_found(client_as: ClientAs) -> None:
    from django.core.files.storage import default_storage

    made = added(client_as("analyst"))
    default_storage.delete(stored_name(made))
    assert client_as("analyst").get(f"/attachments/{made.pk}/").status_code == 404
