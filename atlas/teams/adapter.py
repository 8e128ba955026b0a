"""Who may sign up: what allauth asks."""

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest

from atlas.teams.invitations import invitation_of

#: Where a session keeps the token of the invitation that was followed last.
INVITATION = "invitation"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        if settings.ATLAS_SIGN_UP == "invitation":
            return invitation_of(request.session.get(INVITATION, "")) is not None
        return bool(settings.ATLAS_SIGN_UP == "open")
