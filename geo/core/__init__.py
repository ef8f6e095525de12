"""Pure geometry: reference systems, measuring, validity, text and the analysis grid (no Django, no SQL, no files)."""
