"""The same question asked of all cities of a country: a task a city, on processes of this machine or on a Dask cluster.

`running` orders the work, `processes` and `cluster` have it done, `worker` is what does it there, and `city` is the task:
the analyses of one city as anybody else computes them, recorded as runs. `totals` adds up what came of it.
"""
