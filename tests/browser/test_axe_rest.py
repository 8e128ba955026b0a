"""axe on what takes steps to reach: the second step of signing in, links, invitations, what failed. And no
page is forgotten."""

import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from urllib.parse import urlsplit

import pytest
from allauth.account.forms import ResetPasswordKeyForm, SetPasswordForm
from django.template.loader import render_to_string
from django.urls import URLResolver, get_resolver, resolve
from playwright.sync_api import Browser, Page, Route, expect
from pytest_django import Settings

from atlas.teams.models import User
from atlas.vite import manifest
from tests.browser.squares import Squares
from tests.browser.test_accounts import confirm, plug_in_device, sign_in, sign_out, sign_up, totp
from tests.browser.test_axe import PAGES, look
from tests.browser.waiting import submit
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: What a server that works does not show, or only to who comes from elsewhere: the template, what it is told.
MADE: dict[str, tuple[str, dict[str, object]]] = {
    "our mistake": ("500.html", {"away": False}),
    "database away": ("500.html", {"away": True}),
    "disk full": ("500.html", {"full": True}),
    "unknown name": ("500.html", {"unnamed": True}),
    "odd request": ("500.html", {"odd": True}),
    "too many tries": ("429.html", {"sentence": "Those were too many tries. Wait a minute, then try again."}),
    "unreadable": ("unreadable.html", {"sentence": "This was sealed with another key."}),
    "refused form": ("403_csrf.html", {}),
    "address of a form": ("405.html", {}),
    "no sign up": ("account/signup_closed.html", {}),
    "first password": ("account/password_set.html", {"form": lambda: SetPasswordForm(user=User())}),
    "new password": (
        "account/password_reset_from_key.html",
        {"form": lambda: ResetPasswordKeyForm(user=User())},
    ),
    "on to the provider": ("socialaccount/going.html", {"address": "#there", "name": "Museum"}),
    "new by single sign-on": ("socialaccount/signup.html", {}),
}
#: Addresses that show no page of their own, and why.
NO_PAGES = {
    "health": "JSON",
    "accounts/login/code/confirm/": "leads on: nobody is mailed codes",
    "accounts/2fa/recovery-codes/download/": "a file",
    "accounts/2fa/webauthn/login/": "JSON",
    "accounts/oidc/(?P<provider_id>[^/]+)/login/": "hidden by ours",
    "accounts/oidc/(?P<provider_id>[^/]+)/login/callback/": "leads on, or shows the login error",
    "accounts/social/login/cancelled/": "leads on",
    "accounts/social/login/error/": "leads on",
    "accounts/social/signup/": "leads on",
    "accounts/social/connections/": "leads on",
    "account/sessions/<int:session_id>/end": "leads on",
    "teams/<slug:team>/name": "shows the members",
    "teams/<slug:team>/members/<int:user_id>/role": "shows the members",
    "teams/<slug:team>/members/<int:user_id>/remove": "leads on",
    "teams/<slug:team>/invitations/<uuid:invitation_id>/revoke": "leads on",
    "teams/<slug:team>/keys/<uuid:key_id>/revoke": "leads on",
    "join/<str:invite>/decline": "leads on",
    "data/<slug:team>/<slug:slug>/preview.png": "a picture",
    "maps/<uuid:map_id>/<uuid:version_id>/from/<uuid:other_id>/<int:z>-<int:x>-<int:y>.bin": "a file",
    "maps/<uuid:map_id>/<uuid:version_id>/<path:name>": "a file",
    "data/<slug:team>/<slug:slug>/transfer": "shows the settings",
    "data/<slug:team>/<slug:slug>/sharing/visibility": "shows the sharing",
    "data/<slug:team>/<slug:slug>/sharing/links": "shows the sharing",
    "data/<slug:team>/<slug:slug>/sharing/links/<uuid:link_id>/revoke": "leads on",
    "data/<slug:team>/<slug:slug>/sharing/guests": "shows the sharing",
    "data/<slug:team>/<slug:slug>/sharing/guests/<int:guest_id>/remove": "leads on",
    "data/<slug:team>/<slug:slug>/sharing/embedding": "shows the sharing",
    "uploads/": "for the uploader",
    "uploads/<uuid:upload_id>": "for the uploader",
}
#: What the made ones and the tests below look at.
HERE = {
    "accounts/oidc/<str:provider_id>/login/",
    "accounts/password/set/",
    "accounts/3rdparty/signup/",
    "accounts/2fa/authenticate/",
    "accounts/2fa/reauthenticate/",
    "accounts/2fa/totp/deactivate/",
    "accounts/2fa/recovery-codes/",
    "accounts/2fa/recovery-codes/generate/",
    "accounts/2fa/webauthn/reauthenticate/",
    "accounts/2fa/webauthn/keys/<int:pk>/remove/",
    "accounts/2fa/webauthn/keys/<int:pk>/edit/",
    "teams/<slug:team>/invitations",
    "data/<slug:team>/<slug:slug>/sharing/links/<uuid:link_id>",
    "data/<slug:team>/<slug:slug>/delete",
    "data/<slug:team>/<slug:slug>/imports/<uuid:import_id>",
}


def addresses(resolver: URLResolver, before: str = "") -> Iterator[str]:
    """Every address that a person may open, as the resolver names it."""
    for each in resolver.url_patterns:
        route = before + str(each.pattern).removeprefix("^")
        if isinstance(each, URLResolver):
            yield from addresses(each, route)
        elif not route.startswith(("api/", "v1/")):
            yield route


def route_of(address: str) -> str:
    return resolve(urlsplit(address).path).route


def test_no_page_is_forgotten() -> None:
    visited = {route_of(path.format("/data/rosa/squares")) for _, path, _ in PAGES.values() if path != "LINK"}
    looked_at = visited | HERE | {"s/<str:token>"}

    assert sorted(set(addresses(get_resolver())) - looked_at) == sorted(NO_PAGES)
    assert HERE & visited == set()


@pytest.fixture
def still(browser: Browser, stack: Stack) -> Iterator[Callable[..., Page]]:
    """Opens windows in which nothing moves."""
    contexts = []

    def open_it(**options: object) -> Page:
        base = f"http://localhost:{urlsplit(stack.url).port}"
        contexts.append(browser.new_context(base_url=base, reduced_motion="reduce", **options))  # type: ignore[arg-type]
        return contexts[-1].new_page()

    yield open_it
    for context in contexts:
        context.close()


@pytest.fixture
def built(settings: Settings) -> Iterator[None]:
    """Pages made here have the styles of the server, not the made-up ones of other tests."""
    settings.VITE_MANIFEST = settings.FRONTEND / "manifest.json"
    manifest.cache_clear()
    yield
    manifest.cache_clear()


def answer(html: str, route: Route) -> None:
    route.fulfill(body=html, content_type="text/html")


@pytest.mark.usefixtures("built")
def test_pages_that_a_server_seldom_shows(still: Callable[..., Page]) -> None:
    page = still()
    for name, (template, context) in MADE.items():
        told = {key: value() if callable(value) else value for key, value in context.items()}
        html = render_to_string(template, told)
        page.unroute_all()
        page.route("**/made", partial(answer, html))
        page.goto("/made")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        look(page, name)


def test_links_and_invitations(still: Callable[..., Page], squares: Squares) -> None:
    owner = still(storage_state=squares.state)
    address = urlsplit(squares.link)
    base = f"{address.scheme}://{address.netloc}"
    owner.goto(f"{base}{squares.url}/sharing")
    owner.get_by_role("button", name="New link").click()
    owner.get_by_label("For whom").fill("The critics")
    owner.get_by_label("Password").fill("open sesame")
    submit(owner.get_by_role("button", name="Make the link"))
    locked = owner.get_by_label("Address of The critics").input_value()
    look(owner, "sharing with links")
    submit(owner.get_by_role("link", name="Change The critics"))
    look(owner, "change a link")
    owner.goto(f"{base}/teams/rosa/members")
    owner.get_by_label("Email").fill("guest@example.org")
    submit(owner.get_by_role("button", name="Invite", exact=True))
    look(owner, "invited")
    invitation = owner.get_by_label(re.compile("guest@example.org")).first.input_value()
    owner.goto(invitation)
    look(owner, "an invitation of somebody else")

    visitor = still()
    visitor.goto(locked)
    visitor.get_by_label("Password").fill("no")
    submit(visitor.get_by_role("button", name="Open the map"))
    look(visitor, "the password of a link")
    visitor.goto(invitation)
    look(visitor, "an invitation")


def test_the_second_step(still: Callable[..., Page]) -> None:
    page = still()
    plug_in_device(page)
    sign_up(page, "", "careful@example.org")
    page.goto("/accounts/2fa/totp/activate/")
    confirm(page)
    secret = page.get_by_label("Or type this into the app").input_value()
    page.get_by_label("Code").fill(totp(secret, time.time()))
    submit(page.get_by_role("button", name="Turn it on"))
    look(page, "recovery codes")
    page.goto("/accounts/2fa/webauthn/add/")
    page.get_by_role("textbox", name="Name").fill("My laptop")
    submit(page.get_by_role("button", name="Add the passkey"))
    for path in ("", "totp/deactivate/", "recovery-codes/generate/", "reauthenticate/", "webauthn/"):
        page.goto(f"/accounts/2fa/{path}")
        look(page, path)
    page.goto("/accounts/2fa/webauthn/")
    for name in ("Rename My laptop", "Remove My laptop"):
        submit(page.get_by_role("link", name=name))
        look(page, name)
        page.go_back()
    page.goto("/accounts/2fa/webauthn/reauthenticate/")
    look(page, "a passkey again")
    sign_out(page)
    sign_in(page, "", "careful@example.org")
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()
    look(page, "second step")
