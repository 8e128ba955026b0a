"""No page keeps anybody out: axe looks at each in both looks, on a desk and on a phone."""

from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect

from tests.browser.squares import Squares
from tests.browser.waiting import expect_no_wider, submit
from tests.people import PASSWORD
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]

AXE = (settings.BASE_DIR / "frontend" / "node_modules" / "axe-core" / "axe.min.js").read_text()
#: WCAG 2.0 to 2.2, levels A and AA, and what axe's makers advise besides.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
#: Colours of a look that has just changed are those of the next frame.
RUN = """async rules => {
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  const {violations} = await axe.run({runOnly: rules, preload: false, resultTypes: ["violations"]});
  const said = (id, {target, failureSummary}) => `${id}: ${target.join(" ")}: ${failureSummary}`;
  return violations.flatMap(({id, nodes}) => nodes.map(node => said(id, node)));
}"""
SIZES = {"desk": (1280, 800), "phone": (360, 740)}
NO_WEBGL = "HTMLCanvasElement.prototype.getContext = () => null"


def unprepared(page: Page) -> None:
    """The page as it comes."""


def on_map(start: str = "", then: Callable[[Page], None] = unprepared) -> Callable[[Page], None]:
    """Shows what `start` names in the map, which may be open already, and does something with it."""

    def prepare(page: Page) -> None:
        expect(page.get_by_role("toolbar", name="Map tools")).to_be_visible()
        if start:
            page.goto(f"{page.url.partition('#')[0]}#{start}")
        then(page)

    return prepare


def press(name: str) -> Callable[[Page], None]:
    return lambda page: page.get_by_role("button", name=name, exact=True).first.click()


def open_all(page: Page) -> None:
    press("Table of records")(page)
    page.get_by_role("heading", name="Topics", exact=True).click()
    press("Comments and saved views")(page)


def see(role: str, name: str | None = None) -> Callable[[Page], None]:
    return lambda page: expect(page.get_by_role(role, name=name).first).to_be_visible()  # type: ignore[arg-type]


def confirm(page: Page) -> None:
    """What changes how one signs in asks for the password, unless it was typed just now."""
    if "/reauthenticate" in page.url:
        page.get_by_label("Password").fill(PASSWORD)
        submit(page.get_by_role("button", name="Go on"))


def send(button: str, **fields: str) -> Callable[[Page], None]:
    """Fills in the form, whatever the browser says of it, and waits for what the server says."""

    def prepare(page: Page) -> None:
        page.evaluate("for (const form of document.forms) form.noValidate = true")
        for label, text in fields.items():
            page.get_by_label(label, exact=True).first.fill(text)
        submit(page.get_by_role("button", name=button, exact=True).first)

    return prepare


FILTERS = '[["caption",{"caption":"red"}],["year",{"column":"year","from":1905}]]'


def open_filters(page: Page) -> None:
    page.get_by_text("Filters", exact=True).click()
    page.locator(".filter-column summary").first.click()
    expect(page.get_by_label("Filter year, smallest value")).to_be_visible()


#: By a name for people: whether the owner looks, the address ({} is the dataset's page), and what is done
#: before axe looks.
PAGES: dict[str, tuple[bool, str, Callable[[Page], None]]] = {
    "front page": (False, "/", unprepared),
    "sign in": (False, "/accounts/login/", unprepared),
    "sign up": (False, "/accounts/signup/", unprepared),
    "forgotten password": (False, "/accounts/password/reset/", unprepared),
    "wrong password": (False, "/accounts/login/", send("Sign in", Email="a@example.org", Password="no")),
    "bad sign up": (False, "/accounts/signup/", send("Create the account", Email="a", Password="b")),
    "used reset link": (False, "/accounts/password/reset/key/a-b/", unprepared),
    "mail is on its way": (False, "/accounts/confirm-email/", unprepared),
    "ended invitation": (False, "/join/none", unprepared),
    "search for visitors": (False, "/search", unprepared),
    "nothing here": (False, "/data/nobody/nothing", unprepared),
    "dead link": (False, "/s/none", unprepared),
    "public page": (False, "{}", unprepared),
    "in a frame": (False, "/embed/rosa/squares", on_map()),
    "no such person": (False, "/accounts/inactive/", unprepared),
    "reset is on its way": (False, "/accounts/password/reset/done/", unprepared),
    "password was reset": (False, "/accounts/password/reset/key/done/", unprepared),
    "used mail": (False, "/accounts/confirm-email/x/", unprepared),
    "single sign-on given up": (False, "/accounts/3rdparty/login/cancelled/", unprepared),
    "single sign-on failed": (False, "/accounts/3rdparty/login/error/", unprepared),
    "HTTP API": (False, "/api/docs", unprepared),
    "API of the nomic client": (False, "/v1/docs", unprepared),
    "shared link": (False, "LINK", on_map()),
    "datasets": (True, "/", unprepared),
    "team": (True, "/data/rosa", unprepared),
    "members": (True, "/teams/rosa/members", unprepared),
    "API keys": (True, "/teams/rosa/keys", unprepared),
    "security log": (True, "/teams/rosa/log", unprepared),
    "recent activity": (True, "/account/activity", unprepared),
    "new team": (True, "/teams/new", unprepared),
    "profile": (True, "/account", unprepared),
    "sessions": (True, "/accounts/sessions/", unprepared),
    "email": (True, "/accounts/email/", unprepared),
    "password": (True, "/accounts/password/change/", unprepared),
    "two steps": (True, "/accounts/2fa/", unprepared),
    "team without a name": (True, "/teams/new", send("Make the team")),
    "passkeys": (True, "/accounts/2fa/webauthn/", unprepared),
    "single sign-on": (True, "/accounts/3rdparty/", unprepared),
    "password again": (True, "/accounts/reauthenticate/", unprepared),
    "add a passkey": (True, "/accounts/2fa/webauthn/add/", confirm),
    "authenticator app": (True, "/accounts/2fa/totp/activate/", confirm),
    "delete the account": (True, "/account/delete", confirm),
    "sign out": (True, "/accounts/logout/", unprepared),
    "account menu": (True, "/", lambda page: page.locator(".menu > summary").click()),
    "search": (True, "/search", see("combobox")),
    "upload": (True, "/new", see("heading")),
    "dataset": (True, "{}", see("heading")),
    "report": (True, "{}", lambda page: submit(page.get_by_role("link", name="Report"))),
    "add": (True, "{}/add", see("heading")),
    "settings": (True, "{}/settings", unprepared),
    "not deleted": (True, "{}/settings", send("Delete the dataset")),
    "sharing": (True, "{}/sharing", unprepared),
    "new link": (True, "{}/sharing", press("New link")),
    "map": (True, "{}/map", on_map()),
    "map with hits": (True, "{}/map", on_map("q=a blue square", see("region", "Hits, best first"))),
    "map with a record": (True, "{}/map", on_map("record=3", see("complementary", "Record 3"))),
    "map with a selection": (True, "{}/map", on_map('sel={"caption":"red"}', see("region", "Selection"))),
    "map with filters": (
        True,
        "{}/map",
        on_map(f"colour=year&range=9000,60000&filters={FILTERS}", open_filters),
    ),
    "map with a table, topics and comments": (True, "{}/map", on_map("at=0.5,0.5,2", open_all)),
    "two maps": (True, "{}/map", on_map("beside=caption", see("region", "Second map"))),
    "map with a tag dialog": (
        True,
        "{}/map",
        on_map('sel={"caption":"red"}', lambda page: page.get_by_role("button", name="Tag…").click()),
    ),
    "map with an export menu": (
        True,
        "{}/map",
        on_map('sel={"caption":"blue"}', lambda page: page.get_by_text("Export", exact=True).click()),
    ),
    "map with its keys": (True, "{}/map", on_map("", press("Keys"))),
    "delete the team": (True, "/teams/rosa/delete", confirm),
    "picture": (True, "{}/map", on_map("record=4", lambda page: page.get_by_title("Look closer").click())),
    "list by choice": (True, "{}/map?list", see("checkbox", "Select record 3")),
    "list": (True, "{}/map", see("checkbox", "Select record 3")),
    # Until they are there, what is listed is pale.
    "list with hits": (
        True,
        "{}/map?list=hits#q=a blue square",
        lambda page: expect(page.get_by_text("hits, best first")).to_be_visible(),
    ),
    "list with a selection": (
        True,
        '{}/map?list=filtered#filters=[["c",{{"caption":"red"}}]]',
        lambda page: page.get_by_label("Select record 4", exact=True).check(),
    ),
    "list with a record": (True, "{}/map?list=opened#record=5", see("complementary", "Record 5")),
}


@pytest.fixture(scope="module")
def lookers(browser: Browser, stack: Stack, squares: Squares) -> Iterator[dict[bool, Page]]:
    """By whether the owner looks. What moves is still, so that no colour is caught on its way."""
    states = {True: squares.state, False: None}
    contexts = {
        owner: browser.new_context(base_url=stack.url, storage_state=state, reduced_motion="reduce")
        for owner, state in states.items()
    }
    yield {owner: context.new_page() for owner, context in contexts.items()}
    for context in contexts.values():
        context.close()


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(lookers: dict[bool, Page], squares: Squares, name: str) -> None:
    owner, path, prepare = PAGES[name]
    page = lookers[owner]
    if name == "list":
        page = page.context.new_page()
        page.add_init_script(NO_WEBGL)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(squares.link if path == "LINK" else path.format(squares.url))
    prepare(page)
    look(page, name)


def look(page: Page, name: str) -> None:
    """Fails with what axe finds, on a desk, on a phone, and in the dark."""
    page.evaluate(AXE)
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        expect_no_wider(page, width)
        page.emulate_media(color_scheme="light")
        assert page.evaluate(RUN, RULES) == [], f"{name} on a {size}"
    # The same colours on both, and this is half of the work.
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(RUN, ["color-contrast"]) == [], f"{name}, dark"


def test_icons_stay_where_the_system_chooses_the_colours(lookers: dict[bool, Page], squares: Squares) -> None:
    page = lookers[True]
    page.goto(squares.url)
    page.emulate_media(forced_colors="active")

    colours = page.evaluate(
        """[...document.querySelectorAll(".icon, body")].map(({localName}, i, all) =>
          [localName, getComputedStyle(all[i]).backgroundColor])"""
    )

    page.emulate_media(forced_colors="none")
    ground = dict(colours)["body"]
    assert len(colours) > 3
    assert [colour for name, colour in colours if name != "body" and colour == ground] == []
