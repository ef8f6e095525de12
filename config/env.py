"""Typed readers of the environment that fail loudly, naming the variable and the remedy."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit


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


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail server; an empty host for none."""

    host: str = ""
    port: int = 25
    user: str = ""
    password: str = ""
    is_tls: bool = False
    is_starttls: bool = False


def mail(name: str) -> Mail:
    """Return the mail server that a variable names as a URL; none where it is not set.

    Raises
    ------
    EnvironmentVariableError
        Where it is no such URL.
    """
    raw = os.environ.get(name, "")
    if not raw:
        return Mail()
    ports = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
    try:
        parts = urlsplit(raw)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ports or not parts.hostname:
        raise EnvironmentVariableError(
            f"{name} must begin with smtp://, smtp+starttls:// or smtps:// and name a host, as in smtps://user:password@mail.example:465."
        )
    return Mail(
        host=parts.hostname,
        port=port or ports[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        is_tls=parts.scheme == "smtps",
        is_starttls=parts.scheme == "smtp+starttls",
    )


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
