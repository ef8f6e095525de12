"""Rules of the network as tables and pure functions: no Django, no SQL, no files, no clock."""
