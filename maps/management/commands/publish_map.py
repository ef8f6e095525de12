"""``manage.py publish_map <city>``: freeze a result as a public map."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, cast

from django.contrib.auth import get_user_model
from django.core.management import BaseCommand

from analysis.commands import add_question_arguments, question_from_options
from analysis.selectors import city_get
from geo.errors import InvalidInput, MahallehError, NotFound
from geo.querysets import system_user
from layers.models import Supply
from maps.pages.forms import SHOWS
from maps.published import services
from maps.published.forms import PublishForm
from maps.published.freeze import Measure


class Command(BaseCommand):
    help = "Freeze a result of a city as a public map at /m/<slug>/, as anybody may see it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("city", help="code of the city, such as khorramabad")
        parser.add_argument(
            "--show", default="priority", choices=SHOWS, help="what the colour shows; priority by default"
        )
        add_question_arguments(parser)
        parser.add_argument("--slug", default="", help="last part of the address; made from what is shown by default")
        parser.add_argument("--title-fa", default="", help="Persian title; the finding by default")
        parser.add_argument("--title-en", default="", help="English title; the finding by default")
        parser.add_argument("--author", default="", help="name of the user who publishes; nobody by default")
        parser.add_argument("--save", default="", metavar="FOLDER", help="also write the two pages as files there")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            address = self._publish(options)
        except MahallehError as error:
            self.stderr.write(str(error))
            sys.exit(2)
        self.stdout.write(address)

    def _publish(self, options: dict[str, Any]) -> str:
        city = city_get(options["city"], system_user())
        known = list(Supply.objects.filter(city=city).values_list("service__code", flat=True))
        question = question_from_options({**options, "service": []}, options["service"] or known)
        measure = cast("Measure", options["show"])
        service = options["service"][0] if options["service"] else ""
        public = services.public_result(city=city, measure=measure, service=service, question=question)
        said = PublishForm(
            {
                "slug": options["slug"] or services.suggested_slug(public),
                "title_fa": options["title_fa"] or services.suggested_title(public, "fa"),
                "title_en": options["title_en"] or services.suggested_title(public, "en"),
            }
        )
        if not said.is_valid():
            field, problems = next(iter(said.errors.items()))
            raise InvalidInput(str(problems[0]), code="bad_form", where=f"--{field.replace('_', '-')}")
        author = None
        if options["author"]:
            author = get_user_model().objects.filter(username=options["author"]).first()
            if author is None:
                raise NotFound(f"There is no user {options['author']!r}.", code="unknown_user", where="--author")
        made = services.publication_create(
            city=city, author=author, measure=measure, service=service, question=question, **said.cleaned_data
        )
        if options["save"]:
            folder = Path(options["save"])
            folder.mkdir(parents=True, exist_ok=True)
            for language, page in (("fa", made.page_fa), ("en", made.page_en)):
                (folder / f"{made.slug}.{language}.html").write_text(page, encoding="utf-8")
        return f"/m/{made.slug}/"
