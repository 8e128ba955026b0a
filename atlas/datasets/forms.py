"""The forms of a dataset's settings."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError

from atlas.datasets.models import Dataset
from atlas.teams.models import User

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


class ClosingForm(forms.Form):
    """Typed by hand, as for a dataset."""

    confirmation = forms.CharField(required=False, widget=forms.TextInput({"autocomplete": "off"}))

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields["confirmation"].label = f"Type {user.email} to confirm"

    def clean_confirmation(self) -> str:
        typed: str = self.cleaned_data["confirmation"]
        if typed.strip().lower() != self.user.email.lower():
            raise ValidationError("This is not the address of your account.")
        return typed


class DeletionForm(forms.Form):
    """Typed by hand, so that no press of a wrong button deletes a dataset."""

    confirmation = forms.CharField(required=False, widget=forms.TextInput({"autocomplete": "off"}))

    def __init__(self, dataset: Dataset, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.dataset = dataset
        self.fields["confirmation"].label = f"Type “{dataset.name}” to confirm"

    def clean_confirmation(self) -> str:
        typed: str = self.cleaned_data["confirmation"]
        if typed.strip() != self.dataset.name:
            raise ValidationError(f"This is not the name of the dataset, “{self.dataset.name}”.")
        return typed
