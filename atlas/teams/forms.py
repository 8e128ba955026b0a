"""The forms of teams and people."""

from typing import TYPE_CHECKING

from django import forms
from django.http import HttpRequest

from atlas.teams.models import KeyScope, Role, Team, User

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Team]
else:
    ModelForm = forms.ModelForm

ROLES = [
    (Role.VIEWER, "Viewer: looks, searches and comments"),
    (Role.EDITOR, "Editor: also uploads, tags and builds maps"),
    (Role.OWNER, "Owner: also shares, deletes and invites"),
]


class TeamForm(ModelForm):
    class Meta:
        model = Team
        fields = ("name",)


class InvitationForm(forms.Form):
    email = forms.EmailField(label="Email", max_length=254, widget=forms.EmailInput({"autocomplete": "off"}))
    role = forms.ChoiceField(choices=ROLES)


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Role.choices)


class KeyForm(forms.Form):
    name = forms.CharField(
        label="What it is for", max_length=80, widget=forms.TextInput({"placeholder": "Nightly import"})
    )
    scopes = forms.MultipleChoiceField(
        label="It may",
        choices=KeyScope.choices,
        initial=[KeyScope.READ],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose what it may do."},
    )
    days = forms.TypedChoiceField(
        label="It ends",
        choices=[(30, "in 30 days"), (90, "in 90 days"), (365, "in a year"), (0, "when it is revoked")],
        initial=90,
        coerce=int,
    )


class ProfileForm(forms.Form):
    name = forms.CharField(
        required=False, max_length=150, help_text="What others see. Empty: your email address up to the @.",
        widget=forms.TextInput({"autocomplete": "name"}),
    )  # fmt: skip


class SignUpForm(forms.Form):
    """What allauth's own form is built upon."""

    name = forms.CharField(
        label="Name", required=False, max_length=150, widget=forms.TextInput({"autocomplete": "name"})
    )

    def signup(self, request: HttpRequest, user: User) -> None:  # noqa: ARG002 - allauth's signature
        if self.cleaned_data["name"]:
            user.first_name, user.last_name = self.cleaned_data["name"], ""
            user.save(update_fields=["first_name", "last_name"])
