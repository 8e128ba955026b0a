"""Template tags about who looks and who may sign up."""

from allauth.account.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django import template
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from atlas.teams import mail
from atlas.teams.invitations import invitations_for, token_of
from atlas.teams.models import Invitation, User

register = template.Library()

#: The first that is found in a browser's description of itself names it: most claim to be others as well.
_BROWSERS = {
    "Edg": "Edge",
    "OPR": "Opera",
    "Firefox": "Firefox",
    "Chrome": "Chrome",
    "Safari": "Safari",
    "curl": "curl",
}
_SYSTEMS = {
    "Android": "Android", "iPhone": "an iPhone", "iPad": "an iPad", "Windows": "Windows",
    "Mac OS": "a Mac", "CrOS": "ChromeOS", "Linux": "Linux",
}  # fmt: skip


@register.filter
def browser_words(user_agent: str) -> str:
    """ "Firefox on Windows" for what a browser says about itself."""
    browser = _first(_BROWSERS, user_agent)
    system = _first(_SYSTEMS, user_agent)
    return " on ".join(filter(None, (browser or "Unknown browser", system)))


@register.simple_tag(takes_context=True)
def may_sign_up(context: template.Context) -> bool:
    """Whether who looks could make an account now."""
    request: HttpRequest = context["request"]
    return bool(get_adapter(request).is_open_for_signup(request))


@register.simple_tag
def csrf_cookie_name() -> str:
    return settings.CSRF_COOKIE_NAME


@register.simple_tag
def has_mail_server() -> bool:
    return mail.has_mail_server()


@register.simple_tag
def single_sign_on() -> dict[str, str] | None:
    """The provider of OpenID Connect: its name, and where the way to it begins."""
    for provider, entry in settings.SOCIALACCOUNT_PROVIDERS.items():
        app = entry["APPS"][0]
        return {"name": app["name"], "address": reverse(f"{provider}_login", args=[app["provider_id"]])}
    return None


@register.simple_tag(takes_context=True)
def open_invitations(context: template.Context) -> list[tuple[Invitation, str]]:
    """Those to the account of who looks, each with the token that accepts it."""
    user = context["request"].user
    if not isinstance(user, User):
        return []
    return [(invitation, token_of(invitation)) for invitation in invitations_for(user)]


@register.simple_tag(takes_context=True)
def has_authenticator(context: template.Context, kind: str) -> bool:
    """Whether who is between the two steps of signing in has this kind of second step."""
    login = context["view"].stage.login
    return bool(Authenticator.objects.filter(user=login.user, type=kind).exists())


def _first(names: dict[str, str], text: str) -> str:
    return next((words for name, words in names.items() if name in text), "")
