"""The layers that ways of travel are measured on, as results name them."""

from __future__ import annotations

from analysis.results import TravelLayerRow
from layers.models import Release


def layer_row(use: str, release: Release) -> TravelLayerRow:
    """Return a release that costs are measured on: ``roads``, ``elevation`` or ``land_cover``."""
    layer = release.layer
    return TravelLayerRow(
        use=use, layer_code=layer.code, name_fa=layer.name_fa, name_en=layer.name_en, source=layer.source,
        reference_date=release.reference_date, release_id=release.pk, release_number=release.number,
        release_hash=release.content_hash, source_fa=layer.source_fa,
    )  # fmt: skip
