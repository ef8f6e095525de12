"""Layers out: a release as a file of any of the usual formats, with a codebook that says what it is."""

from layers.writing.codebook import codebook, codebook_csv, codebook_json
from layers.writing.exporting import Export, Written, export_of, export_write
from layers.writing.formats import FORMATS, Format, format_of, formats_for
from layers.writing.packing import Bare, bare_file, codebook_alone, export, export_folder, zip_stream

__all__ = [
    "FORMATS", "Bare", "Export", "Format", "Written", "bare_file", "codebook", "codebook_alone", "codebook_csv",
    "codebook_json", "export", "export_folder", "export_of", "export_write", "format_of", "formats_for", "zip_stream",
]  # fmt: skip
