"""allauth's forms in the words and the look of our pages."""

from typing import Any

from allauth.account import forms
from allauth.account.internal.flows.email_verification import send_verification_email_to_address
from allauth.account.models import EmailAddress
from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa.adapter import get_adapter
from allauth.mfa.app_settings import TOTP_PERIOD, TOTP_TOLERANCE
from allauth.mfa.base import forms as mfa_forms
from allauth.socialaccount import forms as social_forms
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest

from atlas.teams.models import User
from atlas.teams.people import create_own_team


class _Plain:
    """Labels like "New password", and none a second time inside the input."""

    fields: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.label = str(field.label).capitalize()
            field.widget.attrs.pop("placeholder", None)


class _WithTeam:
    """Somebody who signs up is there with their address and their team, or not at all."""

    @transaction.atomic
    def save(self, request: HttpRequest) -> User:
        user: User = super().save(request)  # type: ignore[misc]
        create_own_team(user)
        return user


class LoginForm(_Plain, forms.LoginForm):  # type: ignore[misc]  # allauth has no types
    pass


class SignupForm(_WithTeam, _Plain, forms.SignupForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields(["name"])


class SingleSignOnForm(_WithTeam, social_forms.SignupForm):  # type: ignore[misc]
    pass


class AddEmailForm(_Plain, forms.AddEmailForm):  # type: ignore[misc]
    def save(self, request: HttpRequest) -> EmailAddress:
        """allauth's own takes an address that is not confirmed away at once: nobody could sign in with any
        until the link in the mail is followed."""
        others = EmailAddress.objects.filter(user=self.user, verified=False).exclude(email=self.user.email)
        others.delete()
        address = EmailAddress.objects.create(user=self.user, email=self.cleaned_data["email"])
        send_verification_email_to_address(request, address)
        return address


class ChangePasswordForm(_Plain, forms.ChangePasswordForm):  # type: ignore[misc]
    pass


class SetPasswordForm(_Plain, forms.SetPasswordForm):  # type: ignore[misc]
    pass


class ResetPasswordForm(_Plain, forms.ResetPasswordForm):  # type: ignore[misc]
    pass


class ResetPasswordKeyForm(_Plain, forms.ResetPasswordKeyForm):  # type: ignore[misc]
    pass


class ReauthenticateForm(_Plain, forms.ReauthenticateForm):  # type: ignore[misc]
    pass


class _Once(_Plain):
    """allauth forgets a used code of the app after 30 seconds, and with our tolerance it is good for 90."""

    user: Any

    def clean_code(self) -> str:
        code: str = super().clean_code()  # type: ignore[misc]
        used = f"second-step:{self.user.pk}:{normalize_user_code(code)}"
        seconds = TOTP_PERIOD * (2 * TOTP_TOLERANCE + 1)
        if not cache.add(used, 1, seconds):
            raise get_adapter().validation_error("incorrect_code")
        return code


class SecondStepForm(_Once, mfa_forms.AuthenticateForm):  # type: ignore[misc]
    pass


class SecondStepAgainForm(_Once, mfa_forms.ReauthenticateForm):  # type: ignore[misc]
    pass
