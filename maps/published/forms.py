"""The form that publishes a map: its address and titles; what it shows comes along from the city page."""

from __future__ import annotations

import re
from typing import Any, Final

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from geo.core.text import clean_name
from maps.models import Publication

QUESTION_KEY: Final = re.compile(
    r"^((threshold|weight)-[a-z0-9-]{1,60}|show|service|normalisation|aggregation|travel|population|programme|scenario)$"
)
"""Parameters of the city page that say what it shows."""


def question_parameters(parameters: dict[str, str]) -> dict[str, str]:
    """Return of a query string or form what says which result is meant; all else is left out."""
    return {key: value[:60] for key, value in parameters.items() if QUESTION_KEY.match(key) and value}


class PublishForm(forms.Form):
    """Titles and address of a map to be published."""

    title_fa = forms.CharField(
        label=_("Persian title"),
        max_length=200,
        widget=forms.Textarea({"rows": 2}),
        help_text=_("State the finding: what the map shows, where, how many."),
    )
    title_en = forms.CharField(
        label=_("English title"),
        max_length=200,
        widget=forms.Textarea({"rows": 2}),
        help_text=_("The English page of the map carries it."),
    )
    slug = forms.CharField(
        label=_("Address"),
        max_length=80,
        validators=[
            RegexValidator(r"^[a-z0-9]+(-[a-z0-9]+)*\Z", _("Use small Latin letters, digits and single hyphens."))
        ],
        help_text=_("Last part of the map's address; it cannot be changed afterwards."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["slug"].widget.attrs |= {"dir": "ltr", "autocapitalize": "off", "spellcheck": "false"}
        self.fields["title_fa"].widget.attrs |= {"dir": "rtl", "lang": "fa"}
        self.fields["title_en"].widget.attrs |= {"dir": "ltr", "lang": "en"}

    def clean_title_fa(self) -> str:
        """Return the Persian title, cleaned; it must say something."""
        return self._title("title_fa")

    def clean_title_en(self) -> str:
        """Return the English title, cleaned; it must say something."""
        return self._title("title_en")

    def clean_slug(self) -> str:
        """Refuse an address that another map has, withdrawn ones included: links to them must not change their meaning."""
        slug = str(self.cleaned_data["slug"])
        if Publication.objects.filter(slug=slug).exists():
            raise forms.ValidationError(_("Another map has this address. Choose another one."), code="taken")
        return slug

    def _title(self, name: str) -> str:
        title = clean_name(str(self.cleaned_data[name]))
        if sum(character.isalpha() for character in title) < 3:
            raise forms.ValidationError(_("Write a title in words."), code="no_words")
        return title
