"""Runs of measures: what was computed, from what, with what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.caching import content_key
from analysis.measures.results import Basis
from analysis.measures.tables import Answer
from analysis.models import Run
from analysis.version import code_version


def measure_record(answer: Answer, *, author: Any = None) -> Run:
    """Store a measure with all it was computed from and with; the same again gives the same bytes."""
    return _stored(Run.Kind(answer.measure), answer.basis, answer.parameters, answer.rows(), author)


def shape_record(kind: Run.Kind, basis: Basis, parameters: Mapping[str, Any], result: Any, author: Any = None) -> Run:
    """Store a result that is a shape, as GeoJSON."""
    return _stored(kind, basis, parameters, result, author)


def _stored(kind: Run.Kind, basis: Basis, parameters: Mapping[str, Any], result: Any, author: Any) -> Run:
    return Run.objects.create(
        kind=kind,
        city=basis.city,
        parameters=parameters,
        inputs=basis.inputs,
        input_hash=content_key(kind, parameters, basis.inputs_key, code_version()),
        code_version=code_version(),
        warnings=list(basis.warnings),
        result=result,
        duration_ms=basis.duration_ms,
        author=author if author is not None and author.pk else None,
    )
