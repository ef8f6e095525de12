"""The page of notices: sentences in both languages that lead to what they are about, marked as read by their reader alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from geo.models import Place
from interventions.models import Action, MailChoice, Notice, Round
from interventions.services import membership_enter, need_report, need_review, notices_write
from tests.db.network_world import NEEDS_DUE, network_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> SimpleNamespace:
    """The shared network alone, its deadline three days away, its association with a contact person."""
    Round.objects.filter(state="opened").update(state="closed", closed_at=timezone.now() + timedelta(days=9))
    Action.objects.all().update(state="done", done_on=date(2026, 1, 1))
    made = network_world("noticed")
    Place.objects.filter(path__in=[made.city.path, made.a.path]).update(is_published=True)
    made.contact = User.objects.create_user("noticed-contact", "contact@example.org")
    membership_enter(user=made.people["root"], organisation=made.ngo_a, person=made.contact, is_contact=True)
    due = timezone.now() + timedelta(days=3)
    made.round.phases.filter(kind="needs").update(due_at=due, first_due_at=due)
    return made


@pytest.fixture
def contact(world: SimpleNamespace, client: Client) -> Client:
    client.force_login(world.contact)
    client.cookies["django_language"] = "en"
    return client


def page(client: Client, query: str = "") -> str:
    answer = client.get(f"/notices/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def owed(world: SimpleNamespace) -> dict[str, Any]:
    return {
        "what": "owed", "round": world.round.pk, "organisation": world.ngo_a.pk, "matter": "needs", "n": 0,
        "due_at": NEEDS_DUE.isoformat(),
    }  # fmt: skip


def plain(text: str) -> str:
    return re.sub("[\u2066-\u2069]", "", text)


def test_a_reminder_says_who_owes_what_by_when_in_both_languages(world: SimpleNamespace, contact: Client) -> None:
    assert "You have read every notice." in page(contact)
    notices_write()
    text = plain(page(contact))
    assert "1 notice that you have not read" in text
    assert "Association has not reported any need in “First round”." in text
    assert re.search(r"Due by .*\(3 days left\)", text)
    assert f'href="/{world.city.code}/rounds/{world.round.pk}/" data-notice' in text
    assert '<span class="count" title="not read">1</span>' in text
    contact.cookies["django_language"] = "fa"
    text = plain(page(contact))
    assert 'dir="rtl"' in text
    assert '<span class="count"' in text
    assert ">۱</span>" in text
    assert "سمن" in text
    assert "دور نخست" in text


def test_what_became_of_a_need_leads_to_it(world: SimpleNamespace, contact: Client) -> None:
    reporter = world.people["reporter@city"]
    first, second = (
        need_report(user=reporter, spec=replace(world.need_spec, organisation=world.ngo_a)) for _ in range(2)
    )
    need_review(user=world.people["root"], need=second, event="merge", into=first)
    text = plain(page(contact))
    assert "The need “No clinic” was merged into “No clinic”." in text
    assert f'href="/{world.city.code}/needs/{second.pk}/"' in text
    assert reporter.get_username() not in text
    Notice.objects.filter(user=world.contact).update(
        content={"what": "need.confirm", "subject": "need", "number": 10**9}
    )
    text = page(contact)
    assert "This is about something that you may not see any more." in text
    assert "No clinic" not in text


def test_one_and_all_are_marked_as_read_and_nobody_elses(world: SimpleNamespace, contact: Client) -> None:
    notices = [
        Notice.objects.create(user=user, kind="reminder", key=f"n{k}", place=world.city, content=owed(world))
        for k in range(3)
        for user in (world.contact, world.people["root"])
    ]
    mine, theirs = notices[0::2], notices[1::2]
    answer = contact.post("/notices/read/", {"number": mine[1].pk, "here": "/notices/?show=unread"})
    assert (answer.status_code, answer["Location"]) == (302, "/notices/?show=unread")
    assert page(contact).count("is-new") == 2
    assert page(contact, "?show=unread").count("<h2><span") == 2
    contact.post("/notices/read/", {"number": theirs[0].pk})
    late = Notice.objects.create(
        user=world.contact, kind="digest", key="late", place=world.city, content=mine[0].content
    )
    contact.post("/notices/read/", {"until": mine[2].pk})
    unread = Notice.objects.unread().filter(user__in=(world.contact, world.people["root"]))
    assert set(unread.values_list("pk", flat=True)) == {late.pk, *(notice.pk for notice in theirs)}
    for here in ("https://elsewhere.example/", "//elsewhere.example", "/admin/"):
        assert contact.post("/notices/read/", {"number": late.pk, "here": here})["Location"] == "/notices/"
    assert contact.get("/notices/read/").status_code == 405


def test_older_ones_are_on_further_pages(world: SimpleNamespace, contact: Client) -> None:
    Notice.objects.bulk_create(
        Notice(user=world.contact, kind="reminder", key=f"n{k}", place=world.city, content=owed(world))
        for k in range(101)
    )
    seen, query = 0, ""
    for _ in range(5):
        text = page(contact, query)
        seen += text.count("data-notice")
        older = re.search(r'class="button" href="(\?[^"]+)"', text)
        if older is None:
            break
        query = older[1].replace("&amp;", "&")
    assert seen == 101
    assert ">99+</span>" in page(contact)


def test_the_header_asks_once_for_readers_and_never_for_the_public(
    world: SimpleNamespace, contact: Client, django_assert_max_num_queries: Any
) -> None:
    def asked(client: Client) -> list[str]:
        with django_assert_max_num_queries(500) as found:
            assert client.get(f"/{world.city.code}/rounds/").status_code == 200
        return [query["sql"] for query in found.captured_queries if "interventions_notice" in query["sql"]]

    assert len(asked(contact)) == 1
    assert asked(Client()) == []


def test_the_first_page_shows_the_latest_that_wait(world: SimpleNamespace, contact: Client) -> None:
    notices_write()
    text = plain(contact.get("/").content.decode())
    assert "Association has not reported any need in “First round”." in text
    contact.post("/notices/read/", {"until": Notice.objects.get(user=world.contact).pk})
    assert "has not reported any need" not in contact.get("/").content.decode()


def test_mail_is_chosen_where_there_is_a_server_and_an_address(
    world: SimpleNamespace, contact: Client, settings: Any
) -> None:
    settings.EMAIL_HOST = ""
    assert "no mail server is set" in page(contact)
    settings.EMAIL_HOST = "mail.example"
    text = page(contact)
    assert "contact@example.org" in text
    assert '<option value="fa" selected>' in text
    assert contact.post("/notices/mail/", {"language": ""}).status_code == 302
    assert MailChoice.objects.get(user=world.contact).language == ""
    assert '<option value="" selected>' in page(contact)
    assert contact.post("/notices/mail/", {"language": "de"}).status_code == 400
    User.objects.filter(pk=world.contact.pk).update(email="")
    assert "has no e-mail address" in page(contact)


def test_every_sentence_can_be_said(
    world: SimpleNamespace, contact: Client, client_as: Callable[[str], Client]
) -> None:
    """Each kind of content that is written, in both languages, without a gap that stays open."""
    from interventions.core.reminders import Level, Matter
    from interventions.services.notices import TOLD
    from tests.db.test_notices import need_of, offer_of

    need = need_of(world)
    offer = offer_of(world, world.ngo_a, need)
    action = Action.objects.create(
        organisation=world.ngo_a, place=world.a, sector=need.sector, approach="social", title_en="Works", starts_on=date(2026, 1, 1),
        ends_on=date(2026, 2, 1),
    )  # fmt: skip
    whom = {"organisation": world.ngo_a.pk}
    debt = whom | {"round": world.round.pk, "due_at": NEEDS_DUE.isoformat()}
    contents: list[dict[str, Any]] = [
        debt | {"what": "owed", "matter": matter.value, "n": n} for matter in Matter for n in (0, 1, 7)
    ]
    contents += [debt | {"what": f"silent.{level}", "matter": "assessments", "n": 2} for level in Level]
    for subject, event in TOLD:
        kind, number = ("need", need.pk) if subject == "need" else ("proposal", offer.pk)
        into = {"into": need.pk} if event == "merge" else {}
        contents.append(whom | {"what": f"{subject}.{event}", "subject": kind, "number": number} | into)
    for kind, number in (("proposal", offer.pk), ("action", action.pk)):
        for what in ("overlap", "overlap.same"):
            contents.append(
                whom | {"what": what, "subject": "proposal", "number": offer.pk, "own": kind, "own_number": number}
            )
    for what in ("action.late", "action.silent"):
        contents += [whom | {"what": what, "n": n, "actions": [action.pk], "since": "2026-02-01"} for n in (1, 3)]
    contents.append(
        {
            "what": "digest", "round": world.round.pk, "since": NEEDS_DUE.isoformat(), "until": NEEDS_DUE.isoformat(),
            "came": {"needs": 1, "proposals": 2, "assessments": 3, "reports": 4}, "newly_late": 2,
            "late": {matter.value: 2 for matter in Matter},
            "waits": {"needs": 1, "proposals": 2, "organisations": 3, "members": 4},
        }
    )  # fmt: skip
    leader = world.people["root"]
    Notice.objects.filter(user=leader).delete()
    Notice.objects.bulk_create(
        Notice(user=leader, kind="change", key=f"s{k}", place=world.city, content=content)
        for k, content in enumerate(contents)
    )
    contact.force_login(leader)
    for language in ("fa", "en"):
        contact.cookies["django_language"] = language
        text = page(contact) + page(contact, f"?before={Notice.objects.filter(user=leader).order_by('-pk')[29].pk}")
        assert text.count("data-notice") == len(contents)
        assert "%(" not in text
        assert "may not see any more" not in text
        addresses = set(re.findall(r'href="([^"]+)" data-notice', text))
        assert len(addresses) > 5
        for address in addresses:
            assert contact.get(address.replace("&amp;", "&")).status_code == 200, address
