"""What allauth asks us: who may sign up, how mails go out, what things are called."""

import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest

from atlas.teams.audit import record_audit
from atlas.teams.invitations import invitation_of
from atlas.teams.limits import TooManyError
from atlas.teams.models import AuditVerb, User
from atlas.teams.people import create_own_team
from atlas.teams.sealing import seal, unseal
from atlas.teams.tags import browser_words

log = logging.getLogger(__name__)

#: Where a session keeps the token of the invitation that was followed last.
INVITATION = "invitation"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        if settings.ATLAS_SIGN_UP == "invitation":
            invitation = invitation_of(request.session.get(INVITATION, ""))
            return invitation is not None and invitation.account_id is None
        return bool(settings.ATLAS_SIGN_UP == "open")

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Refused where another account has it as its own, confirmed or not."""
        others = User.objects.exclude(pk=email_address.user_id)
        if others.filter(email__iexact=email_address.email).exists():
            messages.error(request, "Another account has this address.")
            return False
        return bool(super().confirm_email(request, email_address))

    def get_reauthentication_methods(self, user: User) -> list[dict[str, Any]]:
        words = {
            "mfa_reauthenticate": "Use a code of the app",
            "mfa_reauthenticate:webauthn": "Use a passkey",
        }
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        return [
            method | {"description": words.get(method["id"], method["description"])} for method in methods
        ]

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """A mail server that is away undoes nothing: the person is told, and may ask for the mail again."""
        try:
            super().send_mail(template_prefix, email, context)
        except OSError as error:  # smtplib's errors are ones too
            log.warning("The mail %s could not be sent: %s", template_prefix, error)
            messages.warning(self.request, "A mail to you could not be sent. Try again later.")

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """allauth counts failed tries: 10 a minute from one address, 5 in five minutes for one account."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError as error:
            sentence = "Those were too many tries to sign in. Wait five minutes, then try again."
            raise TooManyError(sentence, 300) from error


class SingleSignOnAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return settings.ATLAS_OIDC_SIGN_UP or bool(super().is_open_for_signup(request, sociallogin))

    @transaction.atomic
    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> User:
        """An account without what ties it to the provider would be nobody's, and keep its address."""
        user: User = super().save_user(request, sociallogin, form)
        if form is None:  # else it sees to that
            create_own_team(user)
        return user

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> Any:
        """Some providers say whether an address is confirmed in words: "false" is true for Python."""
        for address in sociallogin.email_addresses:
            address.verified = str(address.verified).lower() == "true"
        return super().populate_user(request, sociallogin, data)

    def can_authenticate_by_email(self, login: Any, email: str) -> bool:  # noqa: ARG002 - allauth's signature
        """Only where both sides have confirmed the address: strangers can sign up with any."""
        confirmed: bool = EmailAddress.objects.filter(email=email.lower(), verified=True).exists()
        return confirmed


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    def encrypt(self, text: str) -> str:
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Raises SealError: the forms show its sentence."""
        return unseal(encrypted_text)

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        count: int = Authenticator.objects.filter(user=user, type=type).count()
        return f"Passkey {count + 1}" if count else "Passkey"


class SessionsAdapter(DefaultUserSessionsAdapter):  # type: ignore[misc]
    def end_sessions(self, sessions: list[UserSession]) -> None:
        browsers = ", ".join(browser_words(session.user_agent) for session in sessions)
        super().end_sessions(sessions)
        if sessions:
            record_audit(context.request, AuditVerb.SESSIONS_ENDED, browsers)
