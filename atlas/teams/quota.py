"""What one visitor may ask of a part that is there for everybody."""

from django.http import HttpRequest

from atlas.teams.asker import key_of_request
from atlas.teams.audit import address_of
from atlas.teams.limits import network_of, require_within


def count_for(request: HttpRequest, what: str, most: int, seconds: int, sentence: str) -> None:
    """Count a request of whoever asks: an API key, a person, or an address. Raises TooManyError."""
    key = key_of_request(request)
    if key is not None:
        who = f"key-{key.pk}"
    elif request.user.is_authenticated:
        who = f"user-{request.user.pk}"
    else:
        who = f"address-{network_of(address_of(request))}"
    require_within(f"{what}:{who}", most, seconds, sentence)
