"""Pages of the network: read what the reader may see, render; and crisis committees set to work and stood down."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from geo.errors import Conflict, InvalidInput
from geo.models import Place
from interventions.models import Activation, Committee
from interventions.selectors.national import place_of_network, side_by_side
from interventions.services import activation_stand_down, committee_activate
from interventions.services.tallies import READERS_S, tallies_count
from maps.network.presenters import network_view
from maps.pages.typed import Typed

MAX_PLACES = 500
"""Places that a committee is set to work in at once."""


@require_safe
def network(request: HttpRequest, path: str = "") -> HttpResponse:
    """Answer where needs are unanswered, part by part of a country, a province, a county or a city."""
    return _page(request, place_of_network(path, request.user))


@require_POST
def activate(request: HttpRequest) -> HttpResponse:
    """Set a crisis committee to work in a place or in parts of it."""
    seen = Place.objects.visible_to(request.user)
    around = get_object_or_404(seen, path=request.POST.get("around", "")[:600])
    typed = Typed(
        {name: request.POST.get(name, "")[:2000] for name in ("committee", "reason")},
        {"places": [path[:600] for path in request.POST.getlist("places")[:MAX_PLACES]]},
    )
    places = list(seen.filter(path__in=typed.lists["places"]))
    if len(places) < len(set(typed.lists["places"])):
        raise Http404
    committee = get_object_or_404(Committee.objects.visible_to(request.user), pk=_number(typed.values["committee"]))
    try:
        committee_activate(user=request.user, committee=committee, places=places, reason=typed.values["reason"])
    except (InvalidInput, Conflict) as error:
        typed.refuse(error)
        return _page(request, around, typed, 409 if isinstance(error, Conflict) else 400)
    messages.success(request, _("The crisis committee is at work."))
    return redirect("network-part", path=around.path)


@require_POST
def stand_down(request: HttpRequest) -> HttpResponse:
    """End the work of a crisis committee in a place."""
    seen = Activation.objects.visible_to(request.user).select_related("place")
    activation = get_object_or_404(seen, pk=_number(request.POST.get("activation", "")))
    activation_stand_down(user=request.user, activation=activation)
    messages.success(request, _("The crisis committee is stood down."))
    return redirect("network-part", path=activation.place.path)


def _page(request: HttpRequest, place: Place, typed: Typed | None = None, status: int = 200) -> HttpResponse:
    waiting = tallies_count(most_s=READERS_S)
    found = side_by_side(place, request.user, today=timezone.localdate(), areas_waiting=waiting)
    context = {"found": found, "view": network_view(found), "typed": typed or Typed({}, {"places": []})}
    return render(request, "maps/network/network.html", context, status=status)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Http404
    return int(text)
