"""The forms of a dataset's settings."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError

from atlas.datasets.models import Dataset
from atlas.teams.models import Team, TeamQuerySet, User

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Dataset]
else:
    ModelForm = forms.ModelForm


class SettingsForm(ModelForm):
    class Meta:
        model = Dataset
        fields = ("name", "description")
        widgets = {  # noqa: RUF012 - Django's way
            "description": forms.Textarea({"rows": 4, "placeholder": "What is in it, and where is it from?"}),
        }
        help_texts = {"description": "Shown to everyone who may see the dataset."}  # noqa: RUF012


class _TypedForm(forms.Form):
    """Confirmed by a text typed by hand, so that no press of a wrong button deletes anything."""

    confirmation = forms.CharField(required=False, widget=forms.TextInput({"autocomplete": "off"}))

    def __init__(self, text: str, otherwise: str, *args: Any, **kwargs: Any) -> None:
        """`text` must be typed; `otherwise` is what whoever types something else is told."""
        super().__init__(*args, **kwargs)
        self.text, self.otherwise = text, otherwise
        self.fields["confirmation"].label = f"Type “{text}” to confirm"

    def clean_confirmation(self) -> str:
        typed: str = self.cleaned_data["confirmation"].strip()
        if not self.is_it(typed):
            raise ValidationError(self.otherwise)
        return typed

    def is_it(self, typed: str) -> bool:
        # Of the white space in a name a page shows one space.
        return typed.split() == self.text.split()


class ClosingForm(_TypedForm):
    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(user.email, "This is not the address of your account.", *args, **kwargs)

    def is_it(self, typed: str) -> bool:
        return typed.lower() == self.text.lower()


class DeletionForm(_TypedForm):
    def __init__(self, dataset: Dataset, *args: Any, **kwargs: Any) -> None:
        name = dataset.name
        super().__init__(name, f"This is not the name of the dataset, “{name}”.", *args, **kwargs)


class TeamDeletionForm(_TypedForm):
    def __init__(self, team: Team, others: TeamQuerySet, *args: Any, **kwargs: Any) -> None:
        """`others`: teams that its datasets may move to."""
        super().__init__(team.name, f"This is not the name of the team, “{team.name}”.", *args, **kwargs)
        if others.exists():
            self.fields["heir"] = forms.ModelChoiceField(
                others, label="Its datasets", required=False, empty_label="are deleted with it, for good"
            )
            self.fields["heir"].label_from_instance = lambda other: f"move to {other}"  # type: ignore[attr-defined]
