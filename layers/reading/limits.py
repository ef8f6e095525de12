"""How large a file may be before it is refused: every limit in one place, with its unit in its name."""

from dataclasses import dataclass
from typing import Final

from geo.core.validity import MAX_VERTICES


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may hold; beyond any of these it is refused with a located message that names the limit.

    The defaults fit a national layer that is read in batches, for which the size of the file does not matter. How large
    a file a page takes at all is a setting of the service (``MAHALLEH_UPLOAD_MB``), and so is the memory that reading it
    may take there (``MAHALLEH_IMPORT_MEMORY_MB``).

    Attributes
    ----------
    file_bytes
        Size of the file, of all parts of a shapefile together, or of what a zip holds once unpacked.
    table_bytes
        Size of the cells of a workbook, which takes many times its size in memory.
    rows, fields
        Features (or lines of a table), and attributes of each.
    vertices_per_row, vertices
        Vertices of one geometry, and of all geometries together.
    text_characters
        Length of one text attribute.
    archive_members, archive_ratio
        Files in a zip, and how many times larger than the zip its content may be.
    pixels
        Pixels of one raster band.
    problems, problems_per_code
        Problems kept in a plan, and of one kind; all are counted.
    """

    file_bytes: int = 4_000_000_000
    table_bytes: int = 128 * 1024 * 1024
    rows: int = 10_000_000
    fields: int = 500
    vertices_per_row: int = MAX_VERTICES
    vertices: int = 300_000_000
    text_characters: int = 100_000
    archive_members: int = 100
    archive_ratio: int = 200
    pixels: int = 400_000_000
    problems: int = 1_000
    problems_per_code: int = 100


DEFAULT: Final = Limits()
"""Of files that are read in batches, and of rasters."""

WHOLE: Final = Limits(file_bytes=512_000_000, rows=1_000_000, vertices=30_000_000)
"""Of files that are read whole, all rows at once in memory: places, and what is looked at from a script."""
