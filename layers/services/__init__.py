"""Writes of layers, their releases, and what they are used for."""

from layers.services.attachments import attachment_add, attachment_change
from layers.services.layers import LayerSpec, layer_archive, layer_describe, layer_put, layer_restore
from layers.services.rasters import raster_release_create, raster_sweep
from layers.services.releases import release_create
from layers.services.taxonomy import frequency_class_put, standard_put, taxonomy_put
from layers.services.uses import TravelSpec, population_source_put, supply_put, timetable_put, travel_data_put

__all__ = [
    "LayerSpec", "TravelSpec", "attachment_add", "attachment_change", "frequency_class_put", "layer_archive",
    "layer_describe", "layer_put", "layer_restore", "population_source_put", "raster_release_create", "raster_sweep",
    "release_create", "standard_put", "supply_put", "taxonomy_put", "timetable_put", "travel_data_put",
]  # fmt: skip
