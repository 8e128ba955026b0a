"""What allauth does with accounts, into the audit log."""

from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from django.contrib.auth.signals import user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from atlas.teams.audit import record_audit
from atlas.teams.models import AuditVerb, User

_STEPS = {
    Authenticator.Type.TOTP: "an authenticator app",
    Authenticator.Type.WEBAUTHN: "a passkey",
    Authenticator.Type.RECOVERY_CODES: "recovery codes",
}


@receiver(account.user_signed_up)
def signed_up(request: HttpRequest, user: User, **_: Any) -> None:
    record_audit(request, AuditVerb.SIGNED_UP, by=user)


@receiver(account.user_logged_in)
def signed_in(request: HttpRequest, user: User, **_: Any) -> None:
    record_audit(request, AuditVerb.SIGNED_IN, by=user)


@receiver(user_logged_out)
def signed_out(request: HttpRequest, user: User | None, **_: Any) -> None:
    if user is not None:
        record_audit(request, AuditVerb.SIGNED_OUT, by=user)


@receiver(user_login_failed)
def sign_in_failed(credentials: dict[str, Any], request: HttpRequest, **_: Any) -> None:
    # An address that no account has is not written down: people type passwords there.
    user = User.objects.filter(email__iexact=credentials.get("email") or "").first()
    record_audit(
        request, AuditVerb.SIGN_IN_FAILED, "wrong password" if user else "no such account", about=user
    )


@receiver(mfa.authentication_failed)
def second_step_failed(request: HttpRequest, user: User, **_: Any) -> None:
    record_audit(request, AuditVerb.SIGN_IN_FAILED, "wrong code of the second step", about=user)


@receiver([account.password_changed, account.password_set, account.password_reset])
def password_changed(request: HttpRequest, user: User, **_: Any) -> None:
    record_audit(request, AuditVerb.PASSWORD_CHANGED, by=user)


@receiver(account.email_changed)
def email_changed(request: HttpRequest, user: User, to_email_address: Any, **_: Any) -> None:
    record_audit(request, AuditVerb.EMAIL_CHANGED, f"to {to_email_address.email}", by=user)


@receiver([mfa.authenticator_added, mfa.authenticator_reset])
def second_step_added(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    record_audit(request, AuditVerb.SECOND_STEP_ADDED, _STEPS[authenticator.type], by=user)


@receiver(mfa.authenticator_removed)
def second_step_removed(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    record_audit(request, AuditVerb.SECOND_STEP_REMOVED, _STEPS[authenticator.type], by=user)
