"""The boundaries as an OGC API – Features service (Parts 1 to 4), for GDAL, QGIS and any other client of the standard.

Names of requirements such as ``/req/core/fc-bbox-definition`` in docstrings are those of OGC 17-069 (Part 1: Core), 18-058
(Part 2: Coordinate Reference Systems), 19-079 (Part 3: Filtering), 20-002 (Part 4: Create, Replace, Update and Delete) and
21-065 (CQL2).
"""
