"""Pure analysis: arrays in, frozen results out (no Django, no SQL, no files, no clock)."""
