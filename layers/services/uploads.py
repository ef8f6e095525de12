"""Writes of uploads: a file comes in, is examined, read otherwise, stored or given up; every step whole or not at all.

What a step is based on is told by the upload's version; what a worker does is told by the job that the upload names. So a
write that comes too late changes nothing: the worker's of a job that is not the upload's any more, a person's of a version
that is not the last.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from procrastinate.contrib.django import app

from geo.errors import Conflict, LimitExceeded
from geo.models import Place
from layers.models import FieldMapping, Layer, Release, Upload
from layers.reading.schemas import schema_of
from layers.selectors import columns_fingerprint, folder_of, layer_to_join
from layers.services.layers import layer_put
from layers.services.new_layers import DESCRIBED, code_taken, new_layer_checked, wanted_layer
from layers.services.osm_rules import rules_wanted
from layers.services.upload_folders import (
    Received,
    folder_remove,
    incoming_folder,
    safe_name,
    shown_name,
    uploads_sweep,
)

__all__ = [
    "EXAMINE", "MOST_OPEN", "QUEUE", "STORE", "Received", "folder_remove", "incoming_folder", "new_layer_checked",
    "safe_name", "upload_begin", "upload_cancel", "upload_change", "upload_create", "upload_examined",
    "upload_failed", "upload_layer", "upload_locked", "upload_progress", "upload_store", "upload_stored",
    "uploads_sweep",
]  # fmt: skip

State = Upload.State

EXAMINE: Final = "layers.upload_examine"
STORE: Final = "layers.upload_store"
QUEUE: Final = "imports"
MOST_OPEN: Final = 20
"""Uploads that one person may have open: more would fill the disk with files nobody thinks of."""

_OTHER_FIELDS: Final = ("layer", "rules")
"""Options with which a file has other fields, for which a mapping of those before means nothing."""
_RUNNING: Final = (State.EXAMINING, State.STORING)
_ENDED: Final = (State.STORED, State.CANCELLED)


# ---- what people do


def upload_create(
    *,
    city: Place,
    author: Any,
    received: Received,
    layer: Layer | None = None,
    new_layer: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    reference_date: date | None = None,
    organisation: str = "",
) -> Upload:
    """Take a file in, and have it examined.

    Raises
    ------
    LimitExceeded
        Where the person has too many uploads open.
    InvalidInput, Conflict
        Where the new layer cannot be made, or the layer to join to is not there.
    """
    _join_layer_required(city, options or {}, author)
    rules_wanted(options or {})
    open_ = Upload.objects.filter(author=author).exclude(state__in=_ENDED).count()
    if open_ >= MOST_OPEN:
        raise LimitExceeded(
            f"You have {open_} uploads open.",
            code="too_many_uploads",
            remedy="Store or cancel some of them first.",
            details={"open": open_},
        )
    wanted = new_layer_checked(city, new_layer or {})
    upload = Upload(
        city=city,
        author=author,
        layer=layer,
        new_layer={} if layer else wanted,
        reference_date=reference_date,
        file_name=shown_name(received.file_name),
        size=received.size,
        sha256=received.sha256,
        options=dict(options or {}) | ({"organisation": organisation} if organisation else {}),
    )
    folder = folder_of(upload.pk)
    try:
        folder.mkdir(parents=True, mode=0o700)
        received.path.replace(folder / safe_name(received.file_name))
        with transaction.atomic():
            upload.save(force_insert=True)
            _order(upload, EXAMINE)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return upload


def upload_change(
    upload: Upload,
    version: int,
    *,
    options: Mapping[str, Any] | None = None,
    mapping: list[dict[str, Any]] | None = None,
    layer: Layer | None = None,
    new_layer: Mapping[str, Any] | None = None,
    reference_date: date | None = None,
    organisation: str | None = None,
) -> Upload:
    """Say how an upload is to be read, and have it examined again; what is None stays as it is.

    Raises
    ------
    Conflict
        Where the upload changed since the version given (``stale_version``), or is being stored, or is over.
    InvalidInput
        Where the new layer cannot be made, or the layer to join to is not there.
    """
    _require_version(upload, version)
    if upload.state in (State.STORING, *_ENDED):
        raise _not_in_this_state(upload, "changed")
    if layer is not None:
        upload.layer, upload.new_layer = layer, {}
    elif new_layer is not None:
        upload.layer, upload.new_layer = None, new_layer_checked(upload.city, new_layer)
    if options is not None:
        _join_layer_required(upload.city, options, upload.author)
        rules_wanted(options)
        if mapping is None and any(options.get(name) != upload.options.get(name) for name in _OTHER_FIELDS):
            mapping = []
        kept = {"organisation": upload.options["organisation"]} if "organisation" in upload.options else {}
        upload.options = dict(options) | kept
    if organisation is not None:
        upload.options = {**upload.options, "organisation": organisation}
    if mapping is not None:
        upload.mapping = mapping
    if reference_date is not None:
        upload.reference_date = reference_date
    changed = {
        "layer": upload.layer,
        "new_layer": upload.new_layer,
        "options": upload.options,
        "mapping": upload.mapping,
        "reference_date": upload.reference_date,
    }
    return _moved(upload, version, State.RECEIVED, EXAMINE, **changed, report={}, problem={})


def upload_store(upload: Upload, version: int) -> Upload:
    """Have an upload stored as the next release of its layer.

    Raises
    ------
    Conflict
        Where it changed since, was not examined, or has errors.
    InvalidInput
        Where its layer, or what a new layer needs, is missing.
    """
    _require_version(upload, version)
    if upload.state not in (State.EXAMINED, State.FAILED) or not upload.report:
        raise _not_in_this_state(upload, "stored")
    if not upload.report.get("is_loadable"):
        raise Conflict(
            "The file has errors, and is stored whole or not at all.",
            code="not_loadable",
            where=upload.file_name,
            remedy="Mend the file and bring it again, or choose other options: the report says what helps.",
            details={"file": upload.file_name},
        )
    if upload.layer is None:
        wanted_layer(upload, upload.report.get("kind") or "").check()
    return _moved(upload, version, State.STORING, STORE, problem={})


def upload_cancel(upload: Upload) -> Upload:
    """Give an upload up, in whatever state it is; what a worker does for it at the moment is undone.

    Raises
    ------
    Conflict
        Where it is stored already.
    """
    if upload.state == State.CANCELLED:
        return upload
    with transaction.atomic():
        job = upload.job
        found = Upload.objects.filter(pk=upload.pk).exclude(state__in=_ENDED)
        if not found.update(**_news(state=State.CANCELLED, job=None, step="", done=0, of=0)):
            upload.refresh_from_db()
            if upload.state == State.CANCELLED:
                return upload
            raise _not_in_this_state(upload, "cancelled")
        if job is not None:
            app.job_manager.cancel_job_by_id(job)
        transaction.on_commit(lambda: folder_remove(upload.pk))
    upload.refresh_from_db()
    return upload


# ---- what the worker does


def upload_begin(upload: uuid.UUID, job: int, state: str) -> Upload | None:
    """Begin, or begin again, what a job is for; None where the upload does not wait for this job any more."""
    before = {State.EXAMINING: State.RECEIVED, State.STORING: State.STORING}[State(state)]
    mine = Upload.objects.filter(pk=upload, job=job, state__in=[before, state])
    if not mine.update(state=state, step="", done=0, of=0, updated_at=timezone.now()):
        return None
    found: Upload | None = Upload.objects.select_related("city", "layer", "author").filter(pk=upload, job=job).first()
    return found


def upload_progress(upload: uuid.UUID, job: int, step: str, done: int, of: int) -> bool:
    """Keep how far a job is; return whether the upload still waits for it."""
    mine = Upload.objects.filter(pk=upload, job=job, state__in=_RUNNING)
    return bool(mine.update(step=step[:40], done=done, of=of, updated_at=timezone.now()))


def upload_examined(upload: uuid.UUID, job: int, report: Mapping[str, Any]) -> bool:
    """Keep what an examination found; return whether somebody waited for it."""
    mine = Upload.objects.filter(pk=upload, job=job, state=State.EXAMINING)
    settled = {name: report[name] for name in ("mapping", "options") if name in report}
    kept = {name: part for name, part in report.items() if name != "options"}
    return bool(
        mine.update(**_news(state=State.EXAMINED, report=kept, problem={}, job=None, step="", done=0, of=0, **settled))
    )


def upload_failed(upload: uuid.UUID, job: int, problem: Mapping[str, Any]) -> bool:
    """Keep why an upload could not be examined or stored; return whether somebody waited for it."""
    mine = Upload.objects.filter(pk=upload, job=job, state__in=(State.RECEIVED, *_RUNNING))
    return bool(mine.update(**_news(state=State.FAILED, problem=dict(problem), job=None, step="", done=0, of=0)))


def upload_locked(upload: uuid.UUID, job: int) -> Upload | None:
    """Return an upload to be stored by a job, with no other process at it; None where it is not to be stored by this job.

    Inside a transaction: the lock lasts as long. It is taken on a number, not on the row, whose progress is written meanwhile.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"upload {upload}"])
    found: Upload | None = (
        Upload.objects.select_related("city", "layer", "author").filter(pk=upload, job=job, state=State.STORING).first()
    )
    return found


def upload_layer(upload: Upload, kind: str) -> Layer:
    """Return the layer an upload is for; a new one is made.

    Raises
    ------
    InvalidInput, Conflict
        Where it cannot be made.
    """
    if upload.layer is not None:
        return upload.layer
    spec = wanted_layer(upload, kind).check()
    if Layer.objects.filter(city=upload.city, code=spec.code).exists():
        raise code_taken(spec.code)
    layer = layer_put(spec)
    described: dict[str, Any] = {name: upload.new_layer[name] for name in DESCRIBED if upload.new_layer.get(name)}
    kept = {rule["name"]: rule.get("unit_to", "") for rule in upload.mapping if rule.get("keep", True)}
    described["schema"] = schema_of(kept, spec.purpose, spec.theme)
    for name, said in described.items():
        setattr(layer, name, said)
    layer.save()
    return layer


def upload_stored(upload: Upload, job: int, layer: Layer, release: Release) -> None:
    """Say that an upload is stored, in the transaction that stores it.

    Raises
    ------
    Conflict
        Where nobody waits for it any more: the transaction must not be committed then.
    """
    columns = [field["name"] for field in upload.report.get("fields", [])]
    if upload.mapping and columns:
        FieldMapping.objects.update_or_create(
            layer=layer,
            organisation=upload.options.get("organisation", ""),
            columns=columns_fingerprint(columns),
            defaults={
                "mapping": upload.mapping,
                "options": {name: value for name, value in upload.options.items() if name != "organisation"},
                "author": upload.author,
            },
        )
    mine = Upload.objects.filter(pk=upload.pk, job=job, state=State.STORING)
    ended = _news(state=State.STORED, release=release, layer=layer, job=None, step="", done=0, of=0, problem={})
    if not mine.update(**ended):
        raise Conflict("The upload was cancelled meanwhile.", code="cancelled", where=upload.file_name)


# ---- steps


def _moved(upload: Upload, version: int, state: str, task: str, **values: Any) -> Upload:
    """Bring an upload from one version to the next, and order what is to be done; one of two that try comes too late."""
    with transaction.atomic():
        old_job = upload.job
        found = Upload.objects.filter(pk=upload.pk, version=version).exclude(state__in=(State.STORING, *_ENDED))
        if not found.update(**_news(state=state, step="", done=0, of=0, **values)):
            raise _stale(upload)
        if old_job is not None:
            app.job_manager.cancel_job_by_id(old_job)
        upload.refresh_from_db()
        _order(upload, task)
    return upload


def _order(upload: Upload, task: str) -> None:
    """Put a job into the queue, in the transaction that is open, and name it as the one that the upload waits for.

    Examinations go before storing: somebody looks at the page. What is for one layer is stored one after the other.
    """
    is_storing = task == STORE
    of_layer = upload.layer_id or f"{upload.city_id}/{upload.new_layer.get('code', '')}"
    upload.job = app.configure_task(
        task,
        queue=QUEUE,
        lock=f"layer {of_layer}" if is_storing else f"upload {upload.pk}",
        priority=0 if is_storing else 10,
    ).defer(upload=str(upload.pk))
    Upload.objects.filter(pk=upload.pk).update(job=upload.job)


def _news(**values: Any) -> dict[str, Any]:
    return {**values, "version": F("version") + 1, "updated_at": timezone.now()}


def _join_layer_required(city: Place, options: Mapping[str, Any], author: Any) -> None:
    if options.get("join_layer"):
        layer_to_join(city, options["join_layer"], author)


def _require_version(upload: Upload, version: int) -> None:
    if upload.version != version:
        raise _stale(upload)


def _stale(upload: Upload) -> Conflict:
    return Conflict(
        "The upload has changed since it was read.",
        code="stale_version",
        where=upload.file_name,
        remedy="Read it again, and repeat what you meant to do.",
    )


def _not_in_this_state(upload: Upload, what: str) -> Conflict:
    remedies = {
        State.RECEIVED: "Wait until it is examined.",
        State.EXAMINING: "Wait until it is examined.",
        State.EXAMINED: "",
        State.STORING: "Wait until it is stored, or cancel it.",
        State.STORED: "Bring a new file for a further release.",
        State.FAILED: "Read why it failed, and choose other options.",
        State.CANCELLED: "Bring the file again.",
    }
    return Conflict(
        f"The upload is {upload.state}, and cannot be {what}.",
        code="wrong_state",
        where=upload.file_name,
        remedy=remedies[State(upload.state)],
        details={"state": upload.state},
    )
