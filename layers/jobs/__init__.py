"""Work on files apart from the worker that orders it: a process of its own for each, with limits of memory and time."""
