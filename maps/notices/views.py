"""The page of notices: what one was told, marked as read; and whether one is told by e-mail too."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from geo.errors import InvalidInput
from interventions.models import MailChoice
from interventions.selectors.notices import PAGE, mail_language, notices_of, notices_unread
from interventions.services import mail_choose, notices_read
from maps.notices import presenters

_LONGEST: Final = 18


@login_required
@require_safe
def notices(request: HttpRequest) -> HttpResponse:
    """Answer what the reader was told, the latest first."""
    is_unread = request.GET.get("show") == "unread"
    before = _number(request.GET.get("before", ""), "before")
    rows = notices_of(request.user, before=before, unread=is_unread, most=PAGE + 1)
    now = timezone.now()
    unread = notices_unread(request.user)
    views = [presenters.notice_view(row, now) for row in rows[:PAGE]]
    asked = {"show": "unread"} if is_unread else {}
    context = {
        "title": presenters.page_title(unread),
        "unread": unread,
        "views": views,
        "is_unread": is_unread,
        "is_first": before is None,
        "older": "?" + urlencode(asked | {"before": views[-1].pk}) if len(rows) > PAGE else "",
        "until": views[0].pk if views else 0,
        "here": request.get_full_path(),
        "has_mail": bool(settings.EMAIL_HOST),
        "address": getattr(request.user, "email", ""),
        "choices": [(code, label, code == mail_language(request.user)) for code, label in MailChoice.Language.choices],
    }
    return render(request, "maps/notices/notices.html", context)


@login_required
@require_POST
def read(request: HttpRequest) -> HttpResponse:
    """Mark one notice as read, or all up to the latest that the reader had before them."""
    number = _number(request.POST.get("number", ""), "number")
    until = _number(request.POST.get("until", ""), "until")
    if number is None and until is None:
        raise InvalidInput(
            "No notice is named.", code="no_notice", where="number", remedy="Name one, or until which all are read."
        )
    notices_read(user=request.user, number=number, until=until)
    return _back(request)


@login_required
@require_POST
def mail(request: HttpRequest) -> HttpResponse:
    """Keep whether and in which language the reader is told by e-mail."""
    mail_choose(user=request.user, language=request.POST.get("language", "-")[:10])
    messages.success(request, _("Your choice is kept."))
    return redirect("notices")


def _back(request: HttpRequest) -> HttpResponse:
    """Lead back to the page that was looked at, of the pages of notices alone."""
    here = request.POST.get("here", "")
    page = reverse("notices")
    return redirect(here if here == page or here.startswith(f"{page}?") else page)


def _number(text: str, where: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST):
        raise InvalidInput(
            f"{text[:40]!r} is no number of a notice.",
            code="bad_number",
            where=where,
            remedy="Choose one from the list of notices.",
            details={"value": text[:40]},
        )
    return int(text)
