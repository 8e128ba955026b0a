"""How often one may search: the query worker is one for all."""

from django.conf import settings
from django.http import HttpRequest

from atlas.teams.quota import count_for


def count_search(request: HttpRequest) -> None:
    """Raises TooManyError."""
    most = settings.ATLAS_SEARCHES_PER_MINUTE
    count_for(request, "search", most, 60, f"Those were more than {most:,} searches in a minute. Go on soon.")
