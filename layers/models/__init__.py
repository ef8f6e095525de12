"""Layers, their releases, what the releases hold, how files come in, and the services and standards measured with them."""

from layers.models.catalogue import Layer, Release
from layers.models.contents import Feature, Raster
from layers.models.taxonomy import FrequencyClass, Service, Standard, Theme
from layers.models.uploads import Attachment, FieldMapping, Upload
from layers.models.uses import PopulationSource, Supply, Timetable, TravelData
from layers.models.wording import Named, Sourced

__all__ = [
    "Attachment", "Feature", "FieldMapping", "FrequencyClass", "Layer", "Named", "PopulationSource", "Raster", "Release",
    "Service", "Sourced", "Standard", "Supply", "Theme", "Timetable", "TravelData", "Upload",
]  # fmt: skip
