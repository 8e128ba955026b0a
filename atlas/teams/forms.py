"""The forms of a team's pages."""

from typing import TYPE_CHECKING

from django import forms

from atlas.teams.models import Role, Team

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
