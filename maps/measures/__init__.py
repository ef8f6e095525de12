"""Measures of a city as JSON and as workbooks."""
