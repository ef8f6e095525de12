"""How our static files get names that change with their content."""

from __future__ import annotations

from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage


def _without_source_maps(patterns: tuple[Any, ...]) -> tuple[Any, ...]:
    """Leave out what rewrites references to source maps: maps are not served, and a reference to one would be refused."""
    kept = []
    for files, rules in patterns:
        left = tuple(rule for rule in rules if "sourceMappingURL" not in str(rule))
        if left:
            kept.append((files, left))
    return tuple(kept)


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Hashed and compressed static files, imports between ES modules rewritten to the hashed names.

    Django rewrites only imports that end in a semicolon; a test runs ``collectstatic`` and fails on any other.
    """

    support_js_module_import_aggregation = True
    max_post_process_passes = 30
    """One for each link of the longest chain of imports; modules that import each other in a circle never come to rest."""
    patterns = _without_source_maps(CompressedManifestStaticFilesStorage.patterns)
