"""A worksheet as text: its cells as they are shown, for tables that people also copy from a spreadsheet."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Final

import pyogrio
import pyogrio.raw

from geo.errors import InvalidInput, LimitExceeded
from layers.reading.limits import Limits
from layers.reading.plan import RefusedError
from layers.reading.quiet import quiet
from layers.reading.source import open_source

_AS_TEXT: Final = {"HEADERS": "FORCE", "FIELD_TYPES": "STRING"}


def sheet_text(path: Path, limits: Limits) -> str:
    """Return the first worksheet of a workbook that has rows, with tabs between cells and a line for each row.

    Parameters
    ----------
    path
        An XLSX file; its content is checked as that of any upload, and its name does not matter.
    limits
        What it may hold at most.

    Raises
    ------
    InvalidInput
        Where it is no workbook that can be read (``bad_workbook``).
    LimitExceeded
        Where it holds more than the limits (``table_too_large``).
    """
    try:
        with open_source(path, limits) as source:
            if source.format != "XLSX":
                raise _unreadable()
            sheet = source.layers[0].name if source.layers else None
            with quiet():
                about, _, _, columns = pyogrio.raw.read(
                    source.target, layer=sheet, read_geometry=False, max_features=limits.rows + 1, **_AS_TEXT
                )
    except RefusedError as refused:
        if refused.problem.code in ("file_too_large", "archive_too_large"):
            raise LimitExceeded(
                "The workbook is too large.",
                code="table_too_large",
                where="file",
                remedy="Bring it in parts, such as a county at a time.",
            ) from refused
        raise _unreadable() from refused
    except (RuntimeError, OSError, ValueError, LookupError) as error:
        raise _unreadable() from error
    text = io.StringIO()
    lines = csv.writer(text, delimiter="\t", lineterminator="\n")
    lines.writerow(about["fields"])
    lines.writerows([["" if cell is None else str(cell) for cell in row] for row in zip(*columns, strict=True)])
    return text.getvalue()


def _unreadable() -> InvalidInput:
    return InvalidInput(
        "The workbook cannot be read.",
        code="bad_workbook",
        where="file",
        remedy="Save it again as .xlsx, copy its cells and put them into the box below, or save the sheet as CSV.",
    )


__all__ = ["sheet_text"]
