"""Uploads as JSON."""

from __future__ import annotations

from typing import Any

from django.utils.translation import get_language

from layers.models import Upload

State = Upload.State


def upload_json(upload: Upload, *, whole: bool = True) -> dict[str, Any]:
    """Return an upload as it stands.

    Parameters
    ----------
    whole : bool
        With its report, mapping and options; a list leaves them out.
    """
    options = dict(upload.options)
    organisation = options.pop("organisation", "")
    told: dict[str, Any] = {
        "id": str(upload.pk),
        "address": address_of(upload),
        "city": upload.city.code,
        "state": upload.state,
        "step": upload.step,
        "done": upload.done,
        "of": upload.of,
        "file": {"name": upload.file_name, "size": upload.size, "sha256": upload.sha256},
        "layer": _layer_json(upload),
        "release": _release_json(upload),
        "problem": upload.problem or None,
        "may": may(upload),
        "author": upload.author.get_username(),
        "created_at": upload.created_at.isoformat(),
        "updated_at": upload.updated_at.isoformat(),
        "version": upload.version,
    }
    if not whole:
        return told
    return told | {
        "new_layer": upload.new_layer or None,
        "reference_date": upload.reference_date.isoformat() if upload.reference_date else None,
        "organisation": organisation,
        "options": options,
        "mapping": upload.mapping,
        "report": upload.report or None,
    }


def address_of(upload: Upload) -> str:
    """Return where an upload is found."""
    return f"/api/v1/uploads/{upload.pk}"


def may(upload: Upload) -> list[str]:
    """Return what can be done with an upload in its state: ``change``, ``store``, ``cancel``."""
    is_over = upload.state in (State.STORED, State.CANCELLED)
    can = [] if is_over or upload.state == State.STORING else ["change"]
    if upload.state in (State.EXAMINED, State.FAILED) and "report" not in upload.get_deferred_fields():
        can += ["store"] if upload.report.get("is_loadable") else []
    return can + ([] if is_over else ["cancel"])


def _layer_json(upload: Upload) -> dict[str, Any] | None:
    layer = upload.layer
    if layer is None:
        return None
    name = layer.name_en if get_language() == "en" else layer.name_fa
    return {"code": layer.code, "kind": layer.kind, "name": name, "schema": layer.schema, "key_field": layer.key_field}


def _release_json(upload: Upload) -> dict[str, Any] | None:
    release = upload.release
    if release is None:
        return None
    return {"number": release.number, "rows": release.row_count, "difference": release.difference or None}
