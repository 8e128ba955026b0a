"""The forms of a team's pages."""

from typing import TYPE_CHECKING

from django import forms

from atlas.teams.models import KeyScope, Role, Team

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
    email = forms.EmailField(label="E-mail address")
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
