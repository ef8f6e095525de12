"""Mails of notices, through a real SMTP server on this machine: one for each person and run, none lost, none twice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from interventions.models import MailChoice, Notice
from interventions.services import need_report, need_review, notices_write
from maps.notices.mailing import MailAwayError, notices_mail
from tests.db.mail_server import MailServer, mail_server
from tests.db.network_world import NEEDS_DUE, PROPOSALS_DUE, TEHRAN
from tests.db.test_notices import need_of, offer_of, world  # noqa: F401 - a fixture
from tests.load.service import ROOT, service

pytestmark = pytest.mark.django_db
MORNING = (NEEDS_DUE - timedelta(days=7)).replace(hour=7, minute=3)


@pytest.fixture
def mails(settings: Any) -> Iterator[MailServer]:
    """The server, to which the service is told to send."""
    with mail_server() as made:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", made.port
        settings.SITE_URL = "https://mahalleh.example"
        settings.DEFAULT_FROM_EMAIL = "mahalleh@mahalleh.example"
        yield made


def text_of(message: Any, kind: str) -> str:
    return str(message.get_body((kind,)).get_content())


def test_one_mail_tells_a_person_everything_in_their_language(world: SimpleNamespace, mails: MailServer) -> None:  # noqa: F811
    contact = world.people["contact-ngo"]
    need = need_report(
        user=world.people["reporter@city"], spec=replace(world.need_spec, organisation=world.ngo_a), at=MORNING
    )
    need_review(user=world.people["root"], need=need, event="confirm", at=MORNING)
    offer_of(world, world.water, need_of(world), state="draft")
    MailChoice.objects.create(user=world.people["contact-water"], language="en")
    at = (PROPOSALS_DUE - timedelta(days=1)).replace(hour=8)
    Notice.objects.update(created_at=at - timedelta(hours=1))
    notices_write(at)
    mailed = notices_mail(at)
    by_person = dict(mails.taken)
    assert set(by_person) >= {"ngo@example.org", "water@example.org"}
    assert len(mails.taken) == len(by_person) == mailed.mails, "One mail a person."
    persian, english = by_person["ngo@example.org"], by_person["water@example.org"]
    assert "محله" in persian["subject"] or "Mahalleh" in persian["subject"]
    assert 'dir="rtl"' in text_of(persian, "html")
    assert "درمانگاه نیست" in text_of(persian, "plain")
    assert f"https://mahalleh.example/{world.city.code}/needs/{need.pk}/" in text_of(persian, "plain")
    assert 'dir="ltr"' in text_of(english, "html")
    assert "is not handed in" in text_of(english, "plain")
    assert english["from"] == "mahalleh@mahalleh.example"
    assert "reporter" not in str(persian) + text_of(persian, "plain") + text_of(persian, "html")
    told = Notice.objects.filter(user=contact)
    assert all(notice.mailed_at == at and notice.read_at is None for notice in told)
    again = notices_mail(at + timedelta(hours=1))
    assert (again.mails, len(mails.taken)) == (0, mailed.mails)
    assert mails.connections == 1, "All mails of a run go through one connection."


def test_nobody_is_sent_what_they_read_or_do_not_want_or_may_not_see(world: SimpleNamespace, mails: MailServer) -> None:  # noqa: F811
    notices_write(MORNING)
    everybody = Notice.objects.filter(user=world.people["contact-ngo"])
    assert everybody.exists()
    for change, restore in (
        ({"read_at": MORNING}, {"read_at": None}),
        ({"created_at": MORNING - timedelta(days=4)}, {"created_at": MORNING}),
    ):
        everybody.update(**change)
        notices_mail(MORNING)
        assert "ngo@example.org" not in dict(mails.taken), change
        everybody.update(**restore)
    choice = MailChoice.objects.create(user=world.people["contact-ngo"], language="")
    notices_mail(MORNING)
    assert "ngo@example.org" not in dict(mails.taken)
    choice.delete()
    held = world.people["contact-ngo"].memberships
    held.update(state="ended")
    notices_mail(MORNING)
    assert "ngo@example.org" not in dict(mails.taken)
    held.update(state="approved")
    assert notices_mail(MORNING.replace(hour=23)).mails == 0, "Nobody is woken."
    notices_mail(MORNING)
    assert "ngo@example.org" in dict(mails.taken)


def test_a_refused_address_keeps_nobody_else_from_being_told(world: SimpleNamespace, mails: MailServer) -> None:  # noqa: F811
    mails.refuses.add("ngo@example.org")
    world.people["supervisor@city"].email = "supervisor@example.org"
    world.people["supervisor@city"].save()
    at = (NEEDS_DUE + timedelta(days=1)).replace(hour=9)
    notices_write(at)
    mailed = notices_mail(at)
    assert (mailed.mails, mailed.refused) == (1, 1)
    assert [address for address, _ in mails.taken] == ["supervisor@example.org"]
    mails.refuses.clear()
    assert notices_mail(at + timedelta(hours=1)).mails == 1


def test_what_a_server_that_fails_did_not_take_is_sent_later(
    world: SimpleNamespace,  # noqa: F811
    mails: MailServer,
    settings: Any,
) -> None:
    world.people["supervisor@city"].email = "supervisor@example.org"
    world.people["supervisor@city"].save()
    at = (NEEDS_DUE + timedelta(days=1)).replace(hour=9)
    notices_write(at)
    mails.drops_after = 1
    with pytest.raises(MailAwayError):
        notices_mail(at)
    assert len(mails.taken) == 1
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    with pytest.raises(MailAwayError):
        notices_mail(at)
    with pytest.raises(CommandError, match="are written"):
        call_command("notices", at=at.isoformat())
    assert Notice.objects.unread().filter(user=world.people["contact-ngo"]).exists(), "They stay on the page."
    settings.EMAIL_PORT, mails.drops_after = port, None
    assert notices_mail(at).mails == 1
    assert len({address for address, _ in mails.taken}) == len(mails.taken) == 2
    settings.EMAIL_HOST = ""
    assert notices_mail(at).mails == 0


def test_the_command_says_what_it_did(world: SimpleNamespace, mails: MailServer, capsys: Any) -> None:  # noqa: F811
    call_command("notices", "--at", MORNING.isoformat(), "--json")
    said = json.loads(capsys.readouterr().out)
    assert said["written"]["reminders"] >= 1
    assert said["mailed"]["mails"] == len(mails.taken) == 1
    call_command("notices", "--at", MORNING.isoformat())
    assert capsys.readouterr().out.startswith("0 new")
    with pytest.raises(CommandError, match="no moment"):
        call_command("notices", "--at", "tomorrow")


def test_the_worker_is_to_do_it_every_hour() -> None:
    """At the hour in Tehran, whose clocks are half an hour off those of the queue."""
    from procrastinate.contrib.django import app

    (periodic,) = (one for one in app.periodic_registry.periodic_tasks.values() if one.task.name == "maps.notices")
    from croniter import croniter

    after = datetime(2026, 12, 21, 6, 59, tzinfo=TEHRAN)
    first = datetime.fromtimestamp(croniter(periodic.cron, after.timestamp()).get_next(float), TEHRAN)
    assert (first.hour, first.minute) == (7, 3)


WORLD = """
import django; django.setup()
from datetime import timedelta
from django.utils import timezone
from interventions.models import Membership, Phase, Notice
from procrastinate.contrib.django import app
from layers.services.uploads import QUEUE
from tests.db.network_world import network_world
import sys
if sys.argv[1] == "make":
    made = network_world("worked")
    due = timezone.now() + timedelta(days=3)
    Phase.objects.filter(round=made.round, kind="needs").update(due_at=due, first_due_at=due)
    made.round.opened_at = timezone.now() - timedelta(days=1); made.round.save()
    person = made.people["reporter@city"]
    person.email = "worked@example.org"; person.save()
    Membership.objects.filter(organisation=made.ngo_a, user=person).update(is_contact=True)
    app.configure_task("maps.notices", queue=QUEUE).defer(timestamp=0)
import json
from procrastinate.contrib.django.models import ProcrastinateJob
print(json.dumps({"notices": list(Notice.objects.values_list("user__email", "kind")),
    "jobs": list(ProcrastinateJob.objects.filter(task_name="maps.notices").values_list("status", flat=True))}))
"""


def test_the_worker_writes_and_sends() -> None:
    """A service of its own: a cluster, and the worker as a process, which is started with nothing but its environment."""
    with service() as made, mail_server() as mails:
        environment = {
            **made.environment,
            "MAHALLEH_EMAIL_URL": f"smtp://127.0.0.1:{mails.port}",
            "MAHALLEH_SITE_URL": "https://mahalleh.example",
        }

        def run(*command: str) -> str:
            ended = subprocess.run(
                [sys.executable, *command], env={**environment, "PYTHONPATH": str(ROOT)}, cwd=ROOT, capture_output=True,
                text=True, timeout=120, check=False,
            )  # fmt: skip
            assert ended.returncode == 0, ended.stderr[-3000:]
            return ended.stdout

        run("manage.py", "migrate", "--verbosity", "0")
        assert json.loads(run("-c", WORLD, "make"))["jobs"] == ["todo"]
        run("manage.py", "work", "--until-idle", "--jobs", "1")
        found = json.loads(run("-c", WORLD, "look"))
        assert found["jobs"].count("succeeded") >= 1
        assert ["worked@example.org", "reminder"] in found["notices"]
        hour = timezone.now().astimezone(TEHRAN).hour
        assert [address for address, _ in mails.taken] == (["worked@example.org"] if 7 <= hour < 21 else [])
