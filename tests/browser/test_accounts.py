"""Signing in with a second step or a passkey, ending sessions, deleting the account: as people do it."""

import base64
import hashlib
import hmac
import re
import struct
import time
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from tests.people import PASSWORD
from tests.stack import Stack

pytestmark = pytest.mark.browser

#: A device that vouches for its owner without asking anybody.
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def address(stack: Stack) -> str:
    """By name: an IP address has no passkeys."""
    return f"http://localhost:{urlsplit(stack.url).port}"


def totp(secret: str, now: float) -> str:
    """The code of an authenticator app (RFC 6238: SHA-1, 30 seconds, six digits)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(now // 30)), hashlib.sha1).digest()
    (number,) = struct.unpack_from(">I", digest, digest[-1] & 15)
    return f"{(number & 0x7FFFFFFF) % 10**6:06d}"


def sign_up(page: Page, address: str, email: str) -> None:
    page.goto(f"{address}/accounts/signup/")
    page.get_by_label("Name").fill("Ann Author")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()
    expect(page.get_by_role("heading", name="No datasets yet")).to_be_visible()


def sign_in(page: Page, address: str, email: str) -> None:
    page.goto(f"{address}/accounts/login/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_out(page: Page) -> None:
    page.get_by_label("Account:").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_label("Account:")).to_have_count(0)


def confirm(page: Page) -> None:
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()


def plug_in_device(page: Page) -> CDPSession:
    tools = page.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    tools.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    return tools


def test_an_app_is_asked_for_its_code_and_a_recovery_code_helps_without_it(page: Page, address: str) -> None:
    sign_up(page, address, "app@example.org")
    page.goto(f"{address}/accounts/2fa/totp/activate/")
    confirm(page)
    secret = page.get_by_label("Or type this into the app").input_value()
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_text("Incorrect code.")).to_be_visible()
    page.get_by_label("Code").fill(totp(secret, time.time()))
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    recovery = page.locator(".codes li").first.inner_text()
    sign_out(page)

    sign_in(page, address, "app@example.org")
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()
    # A code works once: this is the next one, which a clock that is fast would show.
    page.get_by_label("Code").fill(totp(secret, time.time() + 30))
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_label("Account: app@example.org")).to_be_visible()
    sign_out(page)

    sign_in(page, address, "app@example.org")
    page.get_by_label("Code").fill(recovery)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_label("Account: app@example.org")).to_be_visible()
    page.goto(f"{address}/accounts/2fa/")
    expect(page.get_by_text("9 of 10 left")).to_be_visible()


def test_a_passkey_signs_in_alone_and_a_strange_device_does_not(page: Page, address: str) -> None:
    tools = plug_in_device(page)
    sign_up(page, address, "key@example.org")
    page.goto(f"{address}/accounts/2fa/webauthn/add/")
    confirm(page)
    page.get_by_role("textbox", name="Name").fill("My laptop")
    page.get_by_role("button", name="Add the passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    sign_out(page)

    page.goto(f"{address}/accounts/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_label("Account: key@example.org")).to_be_visible()
    page.goto(f"{address}/accounts/2fa/webauthn/")
    expect(page.get_by_role("row", name="My laptop")).to_contain_text("alone")
    sign_out(page)

    # It is the second step, too, for whoever types the password; without the device nobody passes.
    sign_in(page, address, "key@example.org")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_label("Account: key@example.org")).to_be_visible()
    sign_out(page)
    tools.send("WebAuthn.disable")
    plug_in_device(page)
    page.goto(f"{address}/accounts/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("No passkey was used")


def test_one_browser_signs_the_other_out(page: Page, browser: Browser, address: str) -> None:
    sign_up(page, address, "two@example.org")
    phone = browser.new_context(user_agent="Mozilla/5.0 (iPhone) Version/18.0 Safari/604.1")
    try:
        other = phone.new_page()
        sign_in(other, address, "two@example.org")
        expect(other.get_by_label("Account: two@example.org")).to_be_visible()
        page.goto(f"{address}/accounts/sessions/")
        page.get_by_role("button", name="Sign out Safari on an iPhone").click()
        expect(page.get_by_text("That browser is signed out.")).to_be_visible()
        other.goto(f"{address}/account")
        expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    finally:
        phone.close()


def test_an_account_is_deleted_with_what_it_owned(page: Page, address: str) -> None:
    sign_up(page, address, "gone@example.org")
    page.goto(f"{address}/account")
    page.get_by_role("link", name="Delete the account").click()
    confirm(page)
    expect(page.get_by_text("Goes for good")).to_be_visible()
    page.get_by_label(re.compile("^Type .gone@")).fill("gone@example.org")
    page.get_by_role("button", name="Delete my account").click()
    expect(page.get_by_text("Your account is deleted.")).to_be_visible()
    sign_in(page, address, "gone@example.org")
    expect(page.get_by_text("are not correct")).to_be_visible()
