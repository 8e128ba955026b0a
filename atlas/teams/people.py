"""Verbs for people: every person gets a team of their own on the first day."""

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from atlas.teams.membership import create_team
from atlas.teams.models import AuditEvent, AuditVerb, Invitation, Team, User

#: People and addresses may be called by more letters than teams.
MOST_OF_A_NAME = 100


@transaction.atomic
def create_person(email: str, password: str, *, name: str = "") -> User:
    user = User.objects.create_user(email, password, first_name=name)
    create_own_team(user)
    return user


def confirmed_people() -> QuerySet[User]:
    """Those whose address is theirs: they opened the link in a mail to it, or their provider says so."""
    own = EmailAddress.objects.filter(user=OuterRef("pk"), email__iexact=OuterRef("email"), verified=True)
    return User.objects.filter(Exists(own))


def create_own_team(user: User) -> Team:
    """Give a new person the team that their first datasets go to."""
    name = user.get_full_name() or user.email.partition("@")[0]
    return create_team(user, name[:MOST_OF_A_NAME])


@transaction.atomic
def close_person(user: User) -> None:
    """As the site's operator: nobody signs in with this account, nor do its keys open anything. What it made
    stays, but for open invitations, which would let it come back as another one."""
    _set_active(user, False, AuditVerb.ACCOUNT_CLOSED)
    Invitation.objects.filter(created_by=user).revoke()


@transaction.atomic
def reopen_person(user: User) -> None:
    _set_active(user, True, AuditVerb.ACCOUNT_REOPENED)


def _set_active(user: User, active: bool, verb: AuditVerb) -> None:
    user.is_active = active
    user.save(update_fields=["is_active"])
    AuditEvent.objects.create(verb=verb, text="by the operator of the site", about_id=user.pk)
