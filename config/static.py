"""How our static files get names that change with their content."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Hashed and compressed static files, imports between ES modules rewritten to the hashed names.

    Django rewrites only imports that end in a semicolon; a test runs ``collectstatic`` and fails on any other.
    """

    support_js_module_import_aggregation = True
