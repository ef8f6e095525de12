"""Production refuses to start unsafe; set-up and cluster can be trusted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config import env

ROOT = Path(__file__).resolve().parent.parent.parent
SAFE = {
    "MAHALLEH_ENV": "production",
    "MAHALLEH_SECRET_KEY": "x" * 50,
    "MAHALLEH_HOSTS": "mahalleh.example",
    "DATABASE_URL": "postgresql://user:password@db.example:5432/mahalleh",
}


def settings_start(**variables: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("MAHALLEH") and k != "DATABASE_URL"}
    return subprocess.run(
        [sys.executable, "-c", "from config import settings; print(settings.SESSION_COOKIE_SECURE, settings.DEBUG)"],
        cwd=ROOT, env={**clean, **variables}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_production_starts_when_everything_is_set() -> None:
    assert settings_start(**SAFE).stdout.split() == ["True", "False"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"MAHALLEH_SECRET_KEY": ""}, "MAHALLEH_SECRET_KEY"),
        ({"MAHALLEH_SECRET_KEY": "short"}, "MAHALLEH_SECRET_KEY"),
        ({"MAHALLEH_HOSTS": ""}, "MAHALLEH_HOSTS"),
        ({"MAHALLEH_HOSTS": "*"}, "MAHALLEH_HOSTS"),
        ({"DATABASE_URL": ""}, "DATABASE_URL"),
        ({"DATABASE_URL": "mysql://x/y"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://host"}, "DATABASE_URL"),
        ({"MAHALLEH_ENV": "prod"}, "MAHALLEH_ENV"),
        ({"MAHALLEH_DEBUG": "yes"}, "MAHALLEH_DEBUG"),
        ({"MAHALLEH_EMAIL_URL": "mail.example"}, "MAHALLEH_EMAIL_URL"),
        ({"MAHALLEH_EMAIL_URL": "smtp://mail.example:port"}, "MAHALLEH_EMAIL_URL"),
    ],
)
def test_unsafe_or_unreadable_settings_name_the_variable(change: dict[str, str], named: str) -> None:
    if "MAHALLEH_DEBUG" in change:
        change = {**change, "MAHALLEH_ENV": "development"}
    result = settings_start(**{**SAFE, **change})
    assert result.returncode != 0
    assert named in result.stderr


def test_a_mail_server_is_read_from_its_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAHALLEH_EMAIL_URL", raising=False)
    assert env.mail("MAHALLEH_EMAIL_URL").host == ""
    for url, mail in (
        ("smtps://a%40b:p%2Fw@mail.example", env.Mail("mail.example", 465, "a@b", "p/w", is_tls=True)),
        ("smtp+starttls://mail.example", env.Mail("mail.example", 587, is_starttls=True)),
        ("smtp://127.0.0.1:2525", env.Mail("127.0.0.1", 2525)),
    ):
        monkeypatch.setenv("MAHALLEH_EMAIL_URL", url)
        assert env.mail("MAHALLEH_EMAIL_URL") == mail


def test_debug_stays_off_in_production() -> None:
    assert settings_start(**SAFE, MAHALLEH_DEBUG="1").stdout.split() == ["True", "False"]


def test_integers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("N", "7")
    assert env.integer("N", 1, minimum=1, maximum=9) == 7
    for bad in ("0", "10", "x"):
        monkeypatch.setenv("N", bad)
        with pytest.raises(env.EnvironmentVariableError, match="N is"):
            env.integer("N", 1, minimum=1, maximum=9)
