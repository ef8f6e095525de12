"""Layers as downloads: what may be asked for, by whom, and how it is sent."""
