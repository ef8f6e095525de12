"""The collections of layers: one for every layer that the reader may see, its items those of its newest release. Read only."""
