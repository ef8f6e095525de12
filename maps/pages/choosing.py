"""What a page may be asked of a city: read from what the city has, for `maps.pages.measured`."""

from __future__ import annotations

from analysis.results import CityCoverage
from analysis.selectors import CityReading
from analysis.travel import own_travel, travels_of
from layers.models import PopulationSource, Release
from maps.pages.forms import CityState
from maps.pages.measured import Choices, Source, choices_of
from maps.pages.reader import language


def choices_read(state: CityState, covered: CityCoverage, reading: CityReading) -> Choices:
    """Return the choices of a page about a city, as far as its reader may see the data they need."""
    sources = [source_of(release, source) for release, source in reading.populations]
    return choices_of(state, covered, travels_of(reading), own_travel(reading), sources)


def source_of(release: Release, source: PopulationSource) -> Source:
    """Return a source of people under its own name, or else the layer's."""
    return Source(source.code, source_label(source), source.reference_date or release.reference_date)


def source_label(source: PopulationSource) -> str:
    """Return what a source of people is called: its own name, or else its layer's."""
    own = source.name_en if language() == "en" else source.name_fa
    return own or str(source.layer.name)
