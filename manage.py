#!/usr/bin/env python
"""Django's command line, which starts the private database by itself where a command needs it."""

from __future__ import annotations

import os
import sys

NEEDS_NO_DATABASE = {
    "help",
    "version",
    "--help",
    "--version",
    "-h",
    "makemessages",
    "compilemessages",
    "collectstatic",
    "startapp",
    "check",
}


def main() -> None:
    """Run a management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from config.cluster import ClusterError, ensure_private_database

    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("Django is not installed here: run `make setup`, then use .venv/bin/python manage.py …")
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    if command not in NEEDS_NO_DATABASE and not os.environ.get("DATABASE_URL"):
        try:
            ensure_private_database()
        except ClusterError as error:
            sys.exit(str(error))
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
