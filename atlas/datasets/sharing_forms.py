"""The forms of a dataset's sharing page."""

import re
from datetime import MAXYEAR, UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from atlas.datasets.models import Visibility
from atlas.teams.models import LONGEST_VIEW, GuestRole, Scope, ShareLink

#: A host as a frame's policy names it: example.org, *.example.org, https://example.org, localhost:8080.
_HOST = re.compile(r"(?:https?://)?(?:\*\.)?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?")
MOST_HOSTS = 50


class VisibilityForm(forms.Form):
    visibility = forms.ChoiceField(choices=Visibility.choices)


class LinkForm(forms.Form):
    name = forms.CharField(
        label="For whom", required=False, max_length=80, help_text="Only your team sees this.",
        widget=forms.TextInput({"placeholder": "The jury"}),
    )  # fmt: skip
    scope = forms.ChoiceField(label="Its visitors may", choices=Scope.choices, initial=Scope.VIEW)
    password = forms.CharField(
        required=False, min_length=6, max_length=128, help_text="Empty: whoever has the link gets in.",
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    last_day = forms.DateField(
        required=False, help_text="Empty: until you revoke it.", widget=forms.DateInput({"type": "date"})
    )
    start_view = forms.CharField(
        label="First view", required=False, max_length=LONGEST_VIEW + 2_000,
        help_text="Move the map to what visitors shall see first and copy its address from the browser.",
        widget=forms.TextInput({"placeholder": "https://…/map#at=…", "spellcheck": "false"}),
    )  # fmt: skip
    hide_originals = forms.BooleanField(label="Hide the original files: thumbnails only", required=False)
    hide_captions = forms.BooleanField(
        label="Hide the captions: topics that nobody renamed become numbers", required=False
    )

    def clean_last_day(self) -> datetime | None:
        """The end of that day in UTC."""
        day = self.cleaned_data["last_day"]
        if day is None:
            return None
        if day.year == MAXYEAR:  # there would be no day after its last one
            raise ValidationError("Leave it empty for a link without an end.")
        end = datetime.combine(day, time(tzinfo=UTC)) + timedelta(days=1)
        if end <= timezone.now():
            raise ValidationError("This day is over.")
        return end

    def clean_start_view(self) -> str:
        """What comes after "#" in an address."""
        typed: str = self.cleaned_data["start_view"]
        before, mark, view = typed.partition("#")
        if before and not mark:
            raise ValidationError("This address has no view in it: it would come after a “#”.")
        if len(view) > LONGEST_VIEW:
            raise ValidationError(
                f"This view has more than {LONGEST_VIEW:,} characters. Draw a shorter lasso."
            )
        return view


class LinkChangeForm(LinkForm):
    """What is left empty of the password stays: nobody can read it, so nobody has to type it again."""

    without_password = forms.BooleanField(label="Ask for no password any more", required=False)
    field_order = ("name", "scope", "password", "without_password")

    def __init__(self, link: ShareLink, data: Any = None) -> None:
        last_day = link.expires_at and (link.expires_at - timedelta(days=1)).date()
        view = f"#{link.start_view}" if link.start_view else ""
        initial = {name: getattr(link, name) for name in ("name", "scope", "hide_originals", "hide_captions")}
        super().__init__(data, initial=initial | {"last_day": last_day, "start_view": view})
        if link.password:
            password = self.fields["password"]
            password.label = "New password"
            password.help_text = "Empty: the present one stays. A new one is asked of everybody."
        else:
            del self.fields["without_password"]

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("password") and self.cleaned_data.get("without_password"):
            self.add_error("without_password", "Either a new password or none.")
        return self.cleaned_data

    def changes(self) -> dict[str, Any]:
        """What `change_link` takes; no password where it stays."""
        values = dict(self.cleaned_data)
        values["expires_at"] = values.pop("last_day")
        typed = values.pop("password")
        if values.pop("without_password", False) or typed:
            values["password"] = typed
        return values

    def words(self) -> str:
        """Which fields are other than they were, for the log: not to what, which may be a password."""
        return ", ".join(name.replace("_", " ") for name in self.changed_data) or "nothing"


class GuestForm(forms.Form):
    email = forms.EmailField(label="Email", max_length=254, widget=forms.EmailInput({"autocomplete": "off"}))
    role = forms.ChoiceField(label="Role", choices=GuestRole.choices, initial=GuestRole.VIEWER)


class EmbedForm(forms.Form):
    hosts = forms.CharField(
        label="Sites that may show it", required=False, max_length=10_000,
        help_text="One a line: example.org, or *.example.org for all below it. Empty: none.",
        widget=forms.Textarea({"rows": 3, "spellcheck": "false", "placeholder": "example.org"}),
    )  # fmt: skip

    def clean_hosts(self) -> list[str]:
        hosts = list(dict.fromkeys(self.cleaned_data["hosts"].lower().split()))
        if len(hosts) > MOST_HOSTS:
            raise ValidationError(f"At most {MOST_HOSTS} sites can be named.")
        for host in hosts:
            if not _HOST.fullmatch(host.rstrip("/")):
                raise ValidationError(f"“{host}” is not the name of a site, like example.org.")
        return [host.rstrip("/") for host in hosts]
