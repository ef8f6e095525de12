"""Measures of a city beside coverage: access with capacity, land for each person, equity, groups, distances, isochrones.

Every measure is asked by a `analysis.results.Question`, reads through `analysis.inputs.inputs_read`, and answers with a
frozen result that names its units, the standard used, what it was computed from, and what to be wary of.
"""
