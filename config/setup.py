"""Set-up of a fresh machine, with the standard library alone: ``python3 -m config.setup [--tests]``.

Installs what is missing and nothing twice: system packages by apt on Debian and Ubuntu (elsewhere it says what to install),
the virtual environment and the front-end packages by their lock files, translations, and static files.
"""

from __future__ import annotations

import argparse
import ctypes.util
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from config import cluster, env

BASE_DIR = Path(__file__).resolve().parent.parent
VENV = BASE_DIR / ".venv"
PYTHON = VENV / "bin" / "python"
VAR_DIR = env.folder("MAHALLEH_VAR", BASE_DIR / "var")
STAMPS = VENV / "stamps"
MINIMUM_PYTHON = (3, 11)
# What shapes Persian in printed reports: library and the apt package it comes in.
PANGO = {
    "pango-1.0": "libpango-1.0-0",
    "pangoft2-1.0": "libpangoft2-1.0-0",
    "harfbuzz-subset": "libharfbuzz-subset0",
}
CHROMIUM = (
    "/usr/bin/chromium-headless-shell",
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
)


class SetupError(RuntimeError):
    """Something cannot be installed here; the message says what to do."""


def say(text: str) -> None:
    """Print a line of progress with the time since the start."""
    print(f"[setup {time.monotonic() - _STARTED:5.1f} s] {text}", file=sys.stderr, flush=True)


_STARTED = time.monotonic()


def run(*command: str | Path, quiet: bool = True, env: dict[str, str] | None = None) -> None:
    """Run a command; where it fails, raise with the last lines it printed."""
    result = subprocess.run(
        [str(part) for part in command], cwd=BASE_DIR, env=env, text=True, capture_output=quiet, check=False
    )
    if result.returncode:
        tail = "\n".join(((result.stdout or "") + (result.stderr or "")).strip().splitlines()[-15:])
        raise SetupError(f"`{' '.join(str(part) for part in command)}` failed:\n{tail}")


# ---- system packages


def has_postgis() -> bool:
    """Tell whether PostgreSQL with PostGIS is installed."""
    try:
        cluster.bin_dir()
    except cluster.ClusterError:
        return False
    return True


def missing_packages(*, tests: bool) -> dict[str, str]:
    """Return what the system lacks: a word for each need, and the apt package that meets it."""
    missing: dict[str, str] = {}
    if not has_postgis():
        missing["PostgreSQL with PostGIS"] = "postgis"
    for library, package in PANGO.items():
        if ctypes.util.find_library(library) is None:
            missing[f"Pango ({library})"] = package
    if shutil.which("msgfmt") is None:
        missing["gettext"] = "gettext"
    if subprocess.run([sys.executable, "-c", "import ensurepip, venv"], capture_output=True, check=False).returncode:
        missing["Python's venv module"] = "python3-venv"
    if tests and ctypes.util.find_library("atomic") is None:
        missing["libatomic (for the browser's driver)"] = "libatomic1"
    if tests and not any(Path(p).exists() for p in CHROMIUM):
        missing["Chromium"] = "chromium"
    return missing


def install_system(*, tests: bool) -> None:
    """Install missing system packages by apt, through sudo where not root."""
    missing = missing_packages(tests=tests)
    if not missing:
        return
    if shutil.which("apt-get") is None:
        needs = ", ".join(missing)
        raise SetupError(
            f"This machine lacks: {needs}. Install PostgreSQL 15+, PostGIS 3.3+, Pango, gettext{' and Chromium' if tests else ''} and run this again."
        )
    prefix = [] if os.geteuid() == 0 else ["sudo"]
    if prefix and shutil.which("sudo") is None:
        raise SetupError(f"Ask an administrator to run: apt-get install {' '.join(missing.values())}")
    say(f"Installing by apt{' (through sudo)' if prefix else ''}: {', '.join(missing)}. This happens once.")
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "Dpkg::Use-Pty=0"]
    run(*apt, "update")
    named = {"postgis": _postgis_package, "chromium": _chromium_package}
    packages = [named[package]() if package in named else package for package in missing.values()]
    run(*apt, "install", "--no-install-recommends", *packages)


def _offered(pattern: str) -> str:
    return subprocess.run(
        ["apt-cache", "search", "--names-only", pattern], capture_output=True, text=True, check=True
    ).stdout


def _chromium_package() -> str:
    """Prefer the one without windows: the same browser, which takes a fifth less of the processor in tests."""
    return "chromium-headless-shell" if _offered("^chromium-headless-shell$") else "chromium"


def _postgis_package() -> str:
    found = _offered(r"^postgresql-[0-9]+-postgis-3$")
    versions = sorted(int(v) for v in re.findall(r"^postgresql-(\d+)-postgis-3 ", found, re.MULTILINE))
    if not versions or versions[-1] < 15:
        raise SetupError(
            "apt offers no PostgreSQL 15 or later with PostGIS 3. Use Debian 12, Ubuntu 24.04 or later, or set DATABASE_URL."
        )
    return f"postgresql-{versions[-1]}-postgis-3"


# ---- steps that follow lock files and sources


def once(name: str, inputs: list[Path], step: Callable[[], None], text: str) -> bool:
    """Do a step unless it was done for the same inputs; return whether it was done now."""
    digest = hashlib.sha256()
    for path in sorted(inputs):
        digest.update(str(path.relative_to(BASE_DIR)).encode() + b"\0" + path.read_bytes() + b"\0")
    stamp = STAMPS / name
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return False
    say(text)
    step()
    STAMPS.mkdir(parents=True, exist_ok=True)
    stamp.write_text(digest.hexdigest())
    return True


def make_environment(*, tests: bool) -> None:
    """Make the virtual environment and fill it by the lock file."""
    if sys.version_info < MINIMUM_PYTHON:
        raise SetupError(
            f"Python {sys.version.split()[0]} is too old; install Python 3.11 or later and use it: make PYTHON=python3.11 …"
        )
    if not PYTHON.exists():
        say("Making the virtual environment.")
        run(sys.executable, "-m", "venv", VENV)
    lock = BASE_DIR / "requirements" / ("test.txt" if tests else "base.txt")
    # What the tests add contains what the service needs: with it in place there is nothing left to do for the latter.
    full = STAMPS / "test.txt"
    test_lock = BASE_DIR / "requirements" / "test.txt"
    if not tests and full.exists() and full.read_text() == _digest([test_lock]):
        return
    once(
        lock.name,
        [lock],
        lambda: run(
            PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", lock
        ),
        f"Installing Python packages by {lock.relative_to(BASE_DIR)}.",
    )


def _digest(paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(str(path.relative_to(BASE_DIR)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def npm() -> tuple[list[str], dict[str, str]]:
    """Return the npm command of the system where its Node is recent, else that of the wheel in the environment."""
    env = dict(os.environ)
    node = shutil.which("node")
    if node and shutil.which("npm"):
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
        match = re.match(r"v(\d+)", version)
        if match and int(match[1]) >= 20:
            return ["npm"], env
    env["PATH"] = f"{VENV / 'bin'}:{env['PATH']}"
    return [str(VENV / "bin" / "npm")], env


def install_front_end() -> None:
    """Fetch the front-end packages by the lock file."""
    lock = BASE_DIR / "package-lock.json"

    def step() -> None:
        command, env = npm()
        run(*command, "ci", "--ignore-scripts", "--no-audit", "--no-fund", env=env)

    if not (BASE_DIR / "node_modules").is_dir():
        (STAMPS / "npm").unlink(missing_ok=True)
    once("npm", [lock, BASE_DIR / "package.json"], step, "Fetching front-end packages by package-lock.json.")


def sources(*patterns: str) -> list[Path]:
    """Return the files of the checkout that match patterns."""
    return [path for pattern in patterns for path in BASE_DIR.glob(pattern) if path.is_file()]


def prepare_files() -> None:
    """Compile translations and what computes, and collect static files, where they changed."""
    manage = [PYTHON, BASE_DIR / "manage.py"]

    def compile_messages() -> None:
        for catalogue in sources("maps/locale/*/LC_MESSAGES/*.po"):
            run("msgfmt", "--check-format", "-o", catalogue.with_suffix(".mo"), catalogue)

    catalogues = sources("maps/locale/*/LC_MESSAGES/*.po")
    if not all(path.with_suffix(".mo").exists() for path in catalogues):
        (STAMPS / "messages").unlink(missing_ok=True)
    once("messages", catalogues, compile_messages, "Compiling translations.")
    if not (VAR_DIR / "static").is_dir():
        (STAMPS / "static").unlink(missing_ok=True)
    once(
        "static",
        [
            *sources("maps/static/**/*"),
            BASE_DIR / "package-lock.json",
            BASE_DIR / "config" / "settings.py",
            BASE_DIR / "config" / "static.py",
        ],
        lambda: run(
            *manage,
            "collectstatic",
            "--noinput",
            "--clear",
            *(f"--ignore={name}" for name in ("*.map", "*-dev.mjs", "*.d.ts", "*.cjs", "*.umd.js", "*.module.js")),
            "--verbosity=0",
        ),
        "Collecting static files.",
    )
    compiled = sources("analysis/core/**/*.py")
    if not any((VAR_DIR / "cache" / "numba").rglob("*.nbc")):
        (STAMPS / "compiled").unlink(missing_ok=True)
    once(
        "compiled",
        [*compiled, BASE_DIR / "requirements" / "base.txt"],
        lambda: run(PYTHON, "-m", "config.compiling"),
        "Compiling what computes.",
    )


def main() -> int:
    """Set the machine up; say what went wrong in one paragraph."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tests", action="store_true", help="also install what the tests need (a browser, linters)")
    options = parser.parse_args()
    try:
        install_system(tests=options.tests)
        make_environment(tests=options.tests)
        install_front_end()
        prepare_files()
    except SetupError as error:
        print(f"\nSet-up stopped: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
