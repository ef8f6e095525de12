"""Django settings, read from the environment.

Development (the default) needs nothing set: it uses the private cluster and a secret made on this machine. Production
(``MAHALLEH_ENV=production``) refuses to start without its own secret, hosts and database.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from config import env, gdal

GDAL_LIBRARY_PATH, GEOS_LIBRARY_PATH = gdal.wheel_libraries()

BASE_DIR = Path(__file__).resolve().parent.parent
ENVIRONMENT = env.text("MAHALLEH_ENV", "development", choices=("development", "production", "test"))
IS_PRODUCTION = ENVIRONMENT == "production"
DEBUG = not IS_PRODUCTION and env.text("MAHALLEH_DEBUG", "0", choices=("0", "1")) == "1"
IS_SERVING = env.text("MAHALLEH_SERVING", "0", choices=("0", "1")) == "1"

VAR_DIR = env.folder("MAHALLEH_VAR", BASE_DIR / "var")
"""Everything the service writes outside the database: rasters, published maps, caches, collected static files."""
RASTER_DIR = VAR_DIR / "rasters"
CACHE_DIR = VAR_DIR / "cache"
# What numba compiles is kept for the next start, where the service may write; read when numba is first imported.
os.environ.setdefault("NUMBA_CACHE_DIR", str(CACHE_DIR / "numba"))
UPLOAD_DIR = VAR_DIR / "uploads"
"""Files on their way in, one folder each; the server and the worker must see the same."""
DATA_DIR = env.folder("MAHALLEH_DATA", BASE_DIR.parent / "shared" / "data")
CITY_DIR = BASE_DIR / "fixtures" / "cities"
TAXONOMY_DIR = BASE_DIR / "fixtures" / "taxonomy"


def _development_secret() -> str:
    """Return a secret of this machine's own, made on first use: no default is ever shipped."""
    file = VAR_DIR / "secret"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(50))
    return file.read_text()


if IS_PRODUCTION:
    SECRET_KEY = env.text("MAHALLEH_SECRET_KEY")
    if len(SECRET_KEY) < 40:
        raise env.EnvironmentVariableError("MAHALLEH_SECRET_KEY is too short; give at least 40 random characters.")
    ALLOWED_HOSTS = env.words("MAHALLEH_HOSTS")
    if not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS:
        raise env.EnvironmentVariableError(
            "MAHALLEH_HOSTS must name the hosts this service answers for, separated by commas."
        )
    DATABASES = {"default": env.database(env.text("DATABASE_URL"))}
else:
    SECRET_KEY = env.text("MAHALLEH_SECRET_KEY", _development_secret())
    ALLOWED_HOSTS = env.words("MAHALLEH_HOSTS", ("127.0.0.1", "localhost", "testserver"))
    if not env.text("DATABASE_URL", "-").startswith("-"):
        DATABASES = {"default": env.database(env.text("DATABASE_URL"))}
    else:
        from config.cluster import private_cluster

        DATABASES = {"default": env.database(private_cluster().url())}

if IS_SERVING:  # commands use one connection and leave none behind
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": 0,
        "max_size": env.integer("MAHALLEH_DB_CONNECTIONS", 12, minimum=1, maximum=500),
        "timeout": 10,
    }
    # After the database was started again, the pool holds connections that lead nowhere.
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.gis",
    "django.contrib.postgres",
    "procrastinate.contrib.django",
    "geo",
    "layers",
    "analysis",
    "interventions",
    "maps",
    "config.apps.AdminConfig",  # after our apps, whose admin templates come before its own
    "config",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.ContentSecurityPolicy",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "config.middleware.PersianFirstLocale",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.middleware.ErrorsAsAnswers",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "maps.context.site",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static", "maps.templatetags.mahalleh"],
        },
    }
]

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"

LANGUAGE_CODE = "fa"
LANGUAGES = [("fa", "فارسی"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "maps" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Tehran"
LANGUAGE_COOKIE_AGE = 60 * 60 * 24 * 365
LANGUAGE_COOKIE_SAMESITE = "Lax"

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [
    ("vendor/maplibre-gl", BASE_DIR / "node_modules" / "maplibre-gl" / "dist"),
    ("vendor/terra-draw", BASE_DIR / "node_modules" / "terra-draw" / "dist"),
    (
        "vendor/terra-draw-maplibre-gl-adapter",
        BASE_DIR / "node_modules" / "terra-draw-maplibre-gl-adapter" / "dist",
    ),
    ("vendor/vazirmatn", BASE_DIR / "node_modules" / "vazirmatn" / "fonts" / "webfonts"),
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": VAR_DIR / "files"}},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "config.static.HashedStaticFiles"
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_MAX_AGE = 0 if DEBUG else 60

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = SESSION_COOKIE_SAMESITE = "Lax"
if IS_PRODUCTION:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365

UPLOAD_MAX_BYTES = env.integer("MAHALLEH_UPLOAD_MB", 1_000, minimum=1, maximum=100_000) * 1_000_000
IMPORT_MEMORY_BYTES = env.integer("MAHALLEH_IMPORT_MEMORY_MB", 2_000, minimum=100, maximum=100_000) * 1_000_000
"""What the reading of one file may take beyond what the program itself takes."""
IMPORT_SECONDS = env.integer("MAHALLEH_IMPORT_SECONDS", 1_800, minimum=5, maximum=86_400)
ANALYSIS_THREADS = env.integer("MAHALLEH_THREADS", os.cpu_count() or 1, minimum=1, maximum=256)
"""How many threads of one process measure services side by side; more than four are not used."""
WORKER_JOBS = env.integer("MAHALLEH_WORKER_JOBS", 2, minimum=1, maximum=64)
"""Files that one worker reads at a time."""

SITE_URL = env.text("MAHALLEH_SITE_URL", f"https://{ALLOWED_HOSTS[0]}" if IS_PRODUCTION else "http://127.0.0.1:8000")
"""Where mails lead to."""
_MAIL = env.mail("MAHALLEH_EMAIL_URL")
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if _MAIL.host else 'dummy'}.EmailBackend"
EMAIL_HOST, EMAIL_PORT = _MAIL.host, _MAIL.port
"""No host: no mail is sent, and people are told so."""
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _MAIL.user, _MAIL.password
EMAIL_USE_SSL, EMAIL_USE_TLS = _MAIL.is_tls, _MAIL.is_starttls
EMAIL_TIMEOUT = 20
EMAIL_USE_LOCALTIME = True
DEFAULT_FROM_EMAIL = env.text("MAHALLEH_EMAIL_FROM", f"mahalleh@{ALLOWED_HOSTS[0]}")

DATA_UPLOAD_MAX_MEMORY_SIZE = 2_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"mahalleh": {"level": "INFO"}},
}
