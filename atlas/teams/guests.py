"""Guests: people outside the team with a role in one of its datasets."""

from uuid import UUID

from django.conf import settings

from atlas.teams.limits import require_within
from atlas.teams.models import Guest, GuestRole, ShareLink, Team, User
from atlas.teams.people import confirmed_people

#: One person may invite so many in so many seconds.
TRIES, TRY_SECONDS = 60, 3600


class NotAGuestError(Exception):
    """This person cannot be a guest; one sentence for who invites."""


def add_guest(dataset_id: UUID, team: Team, email: str, role: GuestRole, invited_by: User) -> Guest:
    """The person with this address, with this role from now on. Raises NotAGuestError, TooManyError."""
    # Each try tells whether somebody has an account here.
    sentence = "Those were many guests in one hour. Go on later."
    require_within(f"guest:{invited_by.pk}", TRIES, TRY_SECONDS, sentence)
    person = User.objects.filter(email__iexact=email.strip(), is_active=True).first()
    if person is None:
        raise NotAGuestError("Nobody has signed up with this address yet. Send a share link instead.")
    if team.members.filter(pk=person.pk).exists():
        raise NotAGuestError(f"{person} is on the team already.")
    must_confirm = settings.ACCOUNT_EMAIL_VERIFICATION == "mandatory"
    if must_confirm and not confirmed_people().filter(pk=person.pk).exists():
        raise NotAGuestError("Whoever signed up with this address has not confirmed yet that it is theirs.")
    guest, _ = Guest.objects.update_or_create(
        dataset_id=dataset_id,
        user=person,
        defaults={"role": role},
        create_defaults={"role": role, "created_by": invited_by},
    )
    return guest


def forget_dataset(dataset_id: UUID) -> None:
    """Remove the links and guests of a dataset that is going."""
    ShareLink.objects.filter(dataset_id=dataset_id).delete()
    Guest.objects.filter(dataset_id=dataset_id).delete()
