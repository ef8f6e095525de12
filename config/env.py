"""Typed readers of the environment that fail loudly, naming the variable and the remedy."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


class EnvironmentVariableError(RuntimeError):
    """A setting in the environment is missing or unusable."""


def text(name: str, default: str | None = None, *, choices: tuple[str, ...] | None = None) -> str:
    """Return a variable as text; without a default it must be set.

    Raises
    ------
    EnvironmentVariableError
        Where it is missing, or is none of `choices`.
    """
    value = os.environ.get(name, "")
    if not value:
        if default is None:
            raise EnvironmentVariableError(f"{name} must be set in the environment.")
        value = default
    if choices and value not in choices:
        raise EnvironmentVariableError(f"{name} is {value!r}; it must be one of {', '.join(choices)}.")
    return value


def words(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """Return a comma-separated variable as a list, without empty items."""
    return [word.strip() for word in os.environ.get(name, ",".join(default)).split(",") if word.strip()]


def integer(name: str, default: int, *, minimum: int, maximum: int) -> int:
    """Return a whole number within bounds."""
    raw = os.environ.get(name, "")
    if not raw:
        return default
    try:
        value = int(raw)
    except ValueError:
        raise EnvironmentVariableError(f"{name} is {raw!r}; it must be a whole number.") from None
    if not minimum <= value <= maximum:
        raise EnvironmentVariableError(f"{name} is {value}; it must lie between {minimum} and {maximum}.")
    return value


def folder(name: str, default: Path) -> Path:
    """Return a folder's path; it need not exist yet."""
    value = os.environ.get(name, "")
    return Path(value).expanduser().resolve() if value else default


def database(url: str) -> dict[str, Any]:
    """Turn a PostgreSQL URL into Django's database settings.

    Raises
    ------
    EnvironmentVariableError
        Where the URL is not one of PostgreSQL, or names no database.
    """
    from psycopg import ProgrammingError  # here, so that reading other settings needs no driver
    from psycopg.conninfo import conninfo_to_dict

    if not url.startswith(("postgresql://", "postgres://", "postgis://")):
        raise EnvironmentVariableError(
            "DATABASE_URL must begin with postgresql://, as in postgresql://user:password@host:5432/name."
        )
    try:
        parts = {k: str(v) for k, v in conninfo_to_dict(url.replace("postgis://", "postgresql://", 1)).items()}
    except ProgrammingError as error:
        raise EnvironmentVariableError(f"DATABASE_URL cannot be read: {error}") from None
    if "dbname" not in parts:
        raise EnvironmentVariableError("DATABASE_URL names no database; end it with /name.")
    return {
        "ENGINE": "django.contrib.gis.db.backends.postgis",
        "NAME": parts.pop("dbname"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "OPTIONS": parts,
    }
