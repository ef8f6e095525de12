"""The sliders of a city's page: limits and weights, in round steps. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.utils.translation import gettext as _

from analysis.results import ServiceRow
from maps.pages import formats
from maps.pages.reader import language, word


@dataclass(frozen=True, slots=True)
class Slider:
    """A control for one number."""

    name: str
    label: str
    low: float
    high: float
    step: float
    value: float
    text: str
    standard: float


def threshold_slider(service: ServiceRow, *, is_time: bool = False) -> Slider:
    """Return the slider of a service's threshold: from one step to three times its standard, in round steps.

    `is_time` says whether its metres stand for time.
    """
    step = 10.0 if service.standard_m <= 150 else 50.0 if service.standard_m <= 1500 else 100.0
    high = max(np.ceil(service.standard_m * 3 / step) * step, np.ceil(service.threshold_m / step) * step)
    return Slider(
        name=f"threshold-{service.code}",
        label=_("Distance limit"),
        low=step,
        high=float(high),
        step=step,
        value=service.threshold_m,
        text=formats.cost(service.threshold_m, language(), is_time),
        standard=service.standard_m,
    )


def weight_slider(service: ServiceRow, own: float) -> Slider:
    """Return the slider of a service's weight; `own` is what the city gives it."""
    return Slider(
        name=f"weight-{service.code}",
        label=service.name,
        low=0.0,
        high=float(max(5.0, np.ceil(own), np.ceil(service.weight))),
        step=0.5,
        value=service.weight,
        text=weight_text(service.weight),
        standard=own,
    )


def weight_text(weight: float) -> str:
    """Write a weight: no decimals where there are none."""
    return formats.number(weight, language(), 0 if weight == int(weight) else 1)


def weights_text(services: Sequence[ServiceRow]) -> str:
    """Say in a few words how the services are weighted: all alike, or which count most."""
    lang = language()
    if len({service.weight for service in services}) <= 1:
        return _("all equal")
    heaviest = sorted(services, key=lambda s: -s.weight)[:3]
    common = sorted(service.weight for service in services)[len(services) // 2]
    parts = [f"{word(s.name)} ×{weight_text(s.weight)}" for s in heaviest if s.weight > common]
    return formats.listing(parts, lang) or _("not all equal")
