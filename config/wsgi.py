"""WSGI entry point."""

from __future__ import annotations

import gc
import os
import sys

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

# What is loaded by now stays: looking through it again and again makes single answers wait for a tenth of a second.
gc.collect()
gc.freeze()
gc.set_threshold(50_000, 20, 20)
# Short questions need not wait for a thread that computes.
sys.setswitchinterval(0.0005)
