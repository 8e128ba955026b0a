"""Two people at work on one map at once, each in a browser of their own."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Locator, Page, StorageState, expect

from atlas.datasets.demo import Site
from tests.browser.squares import bring_in
from tests.browser.test_explorer import chip
from tests.browser.test_journey import coloured_zip, sign_up
from tests.browser.waiting import steady, submit
from tests.browser.windows import window
from tests.people import PASSWORD
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OWNER = "nora@example.org"
TEAM = "nora"


@dataclass(frozen=True)
class Shared:
    map: str
    #: The owner and a friend who was invited and has joined are signed in by these.
    owner: StorageState
    friend: StorageState


@dataclass(frozen=True)
class Two:
    owner: Page
    friend: Page


@pytest.fixture(scope="module")
def shared(browser: Browser, stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """A private dataset of the owner's team."""
    with window(browser, stack) as page:
        sign_up(page, OWNER)
        owner = page.context.storage_state()
    archive = tmp_path_factory.mktemp("together") / "squares.zip"
    archive.write_bytes(coloured_zip())
    site = Site(stack.url)
    site.sign_in(OWNER, PASSWORD)
    dataset = site.post("/api/datasets", {"name": "Squares", "uploads": [site.upload(archive)]})
    bring_in(site, dataset)
    return Shared(f"{dataset['url']}/map", owner, invited(browser, stack, owner, "olaf@example.org"))


def invited(browser: Browser, stack: Stack, owner: StorageState, email: str) -> StorageState:
    """The owner invites, the friend signs up and accepts."""
    with window(browser, stack, owner) as page, window(browser, stack) as friend:
        page.goto(f"/teams/{TEAM}/members")
        page.get_by_label("Email").fill(email)
        page.get_by_label("Role", exact=True).select_option("editor")
        submit(page.get_by_role("button", name="Invite", exact=True))
        address = page.get_by_label(f"Address of the invitation to {email}").input_value()
        sign_up(friend, email)
        friend.goto(address)
        friend.get_by_role("button", name="Join the team").click()
        expect(friend.get_by_role("link", name="New dataset").first).to_be_visible()
        return friend.context.storage_state()


@pytest.fixture
def two(browser: Browser, stack: Stack, shared: Shared) -> Iterator[Two]:
    """Both look at the map."""
    with (
        window(browser, stack, shared.owner) as owner,
        window(browser, stack, shared.friend) as friend,
    ):
        for page in (owner, friend):
            page.goto(shared.map)
        for page in (owner, friend):
            expect(tool(page)).to_be_visible()
        yield Two(owner, friend)


def tool(page: Page) -> Locator:
    return page.get_by_role("button", name="Comments and saved views")


def look_again(page: Page) -> None:
    """As when somebody comes back to the tab: what others did meanwhile is asked for."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def comment_on_a_place(page: Page, words: str) -> None:
    tool(page).click()
    page.get_by_role("button", name="A place on the map").click()
    page.mouse.click(640, 420)
    page.get_by_placeholder("Your comment").fill(words)
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(thread(page, words)).to_be_visible()


def thread(page: Page, words: str) -> Locator:
    return page.get_by_role("article").filter(has_text=words)


def test_a_comment_on_a_place_is_answered_and_resolved(two: Two) -> None:
    comment_on_a_place(two.owner, "Why are these apart?")

    look_again(two.friend)
    two.friend.get_by_role("button", name="Comment by nora").click()  # the pin on the map
    asked = thread(two.friend, "Why are these apart?")
    expect(asked).to_contain_text("nora")
    asked.get_by_role("button", name="Reply").click()
    asked.get_by_placeholder("Your reply").fill("They are <b>blue</b>.")
    asked.get_by_role("button", name="Reply").click()
    expect(asked).to_contain_text("They are <b>blue</b>.")

    look_again(two.owner)
    expect(two.owner.get_by_role("button", name="Open 1", exact=True)).to_be_visible()
    mine = thread(two.owner, "Why are these apart?")
    expect(mine).to_contain_text("They are <b>blue</b>.")
    mine.get_by_role("button", name="Resolve").click()
    expect(mine).to_be_hidden()

    look_again(two.friend)
    expect(asked).to_be_hidden()
    two.friend.get_by_role("button", name="Resolved").click()
    expect(asked).to_contain_text("They are <b>blue</b>.")


def test_words_that_are_not_sent_yet_stay_whatever_happens_around_them(two: Two) -> None:
    owner, friend = two.owner, two.friend
    comment_on_a_place(owner, "Is this one blue?")
    look_again(friend)
    tool(friend).click()
    asked = thread(friend, "Is this one blue?")
    asked.get_by_role("button", name="Reply").click()
    area = asked.get_by_placeholder("Your reply")
    area.fill("Let me see, it")
    friend.keyboard.press("Escape")
    expect(friend).to_have_url(re.compile("at="))
    friend.goto(f"{friend.url}&record=3")
    friend.get_by_role("complementary", name="Record 3").get_by_role("button", name="Close").click()
    expect(area).to_have_value("Let me see, it")

    thread(owner, "Is this one blue?").get_by_role("button", name="Resolve").click()
    expect(thread(owner, "Is this one blue?")).to_be_hidden()
    with friend.expect_response(lambda response: "/comments?" in response.url):
        look_again(friend)
    area.fill("Let me see, it is.")
    asked.get_by_role("button", name="Reply").click()
    expect(area).to_have_count(0)
    friend.get_by_role("button", name="Resolved").click()
    expect(asked.locator(".comment-reply")).to_contain_text("Let me see, it is.")


def test_a_link_opens_a_comment_on_a_record(two: Two, shared: Shared) -> None:
    two.owner.goto(f"{shared.map}#record=3")
    two.owner.get_by_role("button", name="Comment", exact=True).last.click()
    two.owner.get_by_placeholder("Your comment").fill("Look at this one")
    two.owner.keyboard.press("Control+Enter")
    expect(two.owner).to_have_url(re.compile("comment="))
    address = re.sub("#.*comment=", "#comment=", two.owner.url)

    two.friend.goto("about:blank")
    two.friend.goto(address)

    opened = thread(two.friend, "Look at this one")
    expect(opened).to_be_visible()
    opened.get_by_role("button", name="Open the record").click()
    expect(two.friend.get_by_role("complementary", name="Record 3")).to_be_visible()


def test_a_mailed_link_opens_its_view_after_signing_in(
    browser: Browser, stack: Stack, shared: Shared
) -> None:
    with window(browser, stack) as page:
        page.goto(f"{shared.map}?list#record=3")
        page.get_by_role("main").get_by_role("link", name="Sign in").click()
        page.get_by_label("Email").fill(OWNER)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()

        expect(page.get_by_role("complementary", name="Record 3")).to_be_visible()
        expect(page).to_have_url(re.compile(r"\?list#.*record=3"))


def select_with_a_box(page: Page) -> Locator:
    """What says how many are selected: those right of the middle, some in any layout, and never all."""
    page.get_by_role("button", name="Select with a box").click()
    page.mouse.move(760, 130)
    page.mouse.down()
    page.mouse.move(1200, 780, steps=5)
    page.mouse.up()
    steady(page, chip(page).inner_text)
    return chip(page)


def comment_on_the_selection(page: Page, words: str) -> None:
    tool(page).click()
    page.get_by_role("button", name=re.compile(r"^The [\d,]+ selected$")).click()
    page.get_by_placeholder("Your comment").fill(words)
    draft = page.get_by_role("region", name="New comment")
    draft.get_by_role("button", name="Comment", exact=True).click()
    expect(thread(page, words)).to_be_visible()
    tool(page).click()


def test_comments_on_a_region_and_on_a_selection_lead_the_other_there(two: Two) -> None:
    owner, friend = two.owner, two.friend
    selected = select_with_a_box(owner)
    comment_on_the_selection(owner, "This corner")
    owner.get_by_role("button", name="Invert").click()
    expect(owner).to_have_url(re.compile("sel=%7B%22not%22"))
    steady(owner, selected.inner_text)
    comment_on_the_selection(owner, "All the rest")

    look_again(friend)
    tool(friend).click()
    corner, rest = thread(friend, "This corner"), thread(friend, "All the rest")
    expect(corner).to_contain_text("Region")
    expect(rest).to_contain_text("Selection")
    rest.get_by_title("Show on the map").click()
    expect(chip(friend)).to_have_text(selected.inner_text())
    before = steady(friend, lambda: friend.url)
    corner.get_by_title("Show on the map").click()
    expect(friend).not_to_have_url(before)


def test_an_author_changes_and_deletes_what_they_wrote(two: Two) -> None:
    owner, friend = two.owner, two.friend
    comment_on_a_place(owner, "Teh frist words")
    mine = owner.get_by_role("article").filter(has_text="frist")
    mine.get_by_role("button", name="Change what you wrote").click()
    area = owner.get_by_placeholder("Your words")
    expect(area).to_have_value("Teh frist words")
    area.fill("The first words")
    owner.get_by_role("button", name="Save", exact=True).click()
    expect(thread(owner, "The first words")).to_contain_text("edited")

    look_again(friend)
    tool(friend).click()
    theirs = thread(friend, "The first words")
    expect(theirs).to_contain_text("edited")
    expect(theirs.get_by_role("button", name="Change what you wrote")).to_have_count(0)

    written = thread(owner, "The first words")
    written.get_by_role("button", name="Delete what nora wrote").click()
    written.get_by_role("button", name="Keep").click()
    expect(written).to_be_visible()
    written.get_by_role("button", name="Delete what nora wrote").click()
    written.get_by_role("button", name="Delete for good").click()
    expect(written).to_have_count(0)
    look_again(friend)
    expect(theirs).to_have_count(0)


def test_what_one_selects_tags_and_saves_the_other_opens(two: Two) -> None:
    friend, owner = two.friend, two.owner
    selected = select_with_a_box(friend)
    friend.get_by_role("button", name="Tag…").click()
    friend.get_by_label("A new tag").fill("blurry")
    friend.get_by_role("button", name="Create and put on").click()
    expect(friend.get_by_role("button", name="Take blurry off them")).to_be_visible()
    friend.keyboard.press("Escape")
    tool(friend).click()
    friend.get_by_role("button", name="Saved views").last.click()
    for name, shared in (("For all", True), ("My own", False)):
        friend.get_by_label("Save what you see as").fill(name)
        friend.get_by_label("Share it with everybody").set_checked(shared)
        friend.get_by_role("button", name="Save the view").click()
        expect(friend.get_by_role("link", name=name)).to_be_visible()

    tool(owner).click()
    owner.get_by_role("button", name="Saved views").last.click()
    owner.get_by_role("link", name="For all").click()

    expect(chip(owner)).to_have_text(selected.inner_text())
    expect(owner.get_by_role("link", name="My own")).to_have_count(0)
    friend.get_by_role("button", name="Rename My own").press("Enter")
    friend.get_by_label("New name of “My own”").fill("Mine")
    friend.keyboard.press("Enter")
    expect(friend.get_by_role("button", name="Rename Mine")).to_be_focused()
    deletion = friend.get_by_role("button", name="Delete the view Mine")
    friend.once("dialog", lambda dialog: dialog.dismiss())
    deletion.click()
    friend.once("dialog", lambda dialog: dialog.accept())
    deletion.click()
    expect(deletion).to_have_count(0)
    expect(friend.get_by_role("link", name="For all")).to_be_visible()
    owner.reload()
    owner.get_by_role("button", name="Tag…").click()
    expect(owner.get_by_role("button", name="Put blurry on them")).to_be_visible()


def test_who_is_removed_from_the_team_is_stopped_at_the_next_request(
    browser: Browser, stack: Stack, shared: Shared
) -> None:
    state = invited(browser, stack, shared.owner, "petra@example.org")
    with window(browser, stack, shared.owner) as owner, window(browser, stack, state) as friend:
        with friend.expect_request(re.compile(r"\.atm$")) as tile:
            friend.goto(shared.map)
        expect(tool(friend)).to_be_visible()
        comment_on_a_place(friend, "Mine")
        friend.keyboard.press("Escape")
        expect(friend.locator(".pin").first).to_be_visible()

        owner.goto(f"/teams/{TEAM}/members")
        owner.on("dialog", lambda dialog: dialog.accept())
        owner.get_by_role("button", name="Remove petra").click()
        expect(owner.get_by_role("button", name="Remove petra")).to_have_count(0)

        look_again(friend)
        expect(friend.get_by_role("alert")).to_contain_text("There is no such dataset")
        expect(friend.locator(".pin")).to_have_count(0)
        assert friend.request.get(tile.value.url).status == 404
        with friend.expect_response(re.compile("/search$")) as answer:
            friend.get_by_label("Search by meaning").fill("a red square")
            friend.keyboard.press("Enter")
        assert answer.value.status == 404
        again = friend.reload()
        assert again is not None
        assert again.status == 404


def test_a_guest_may_as_much_as_their_role_says(browser: Browser, stack: Stack, shared: Shared) -> None:
    with window(browser, stack, shared.owner) as owner, window(browser, stack) as guest:
        sign_up(guest, "quinn@example.org")
        guest.goto(shared.map)
        expect(guest.get_by_role("heading", name="There is nothing here")).to_be_visible()

        make_guest(owner, shared, "quinn@example.org", "May comment")
        guest.goto(shared.map)
        expect(tool(guest)).to_be_visible()
        comment_on_a_place(guest, "From outside")

        make_guest(owner, shared, "quinn@example.org", "May view")
        guest.reload()
        expect(guest.get_by_label("Search by meaning")).to_be_visible()
        expect(guest.locator(".pin")).to_have_count(0)

        submit(owner.get_by_role("button", name="Remove quinn"))
        again = guest.reload()
        assert again is not None
        assert again.status == 404


def make_guest(owner: Page, shared: Shared, email: str, role: str) -> None:
    owner.goto(f"{shared.map.removesuffix('/map')}/sharing")
    owner.get_by_label("Email").fill(email)
    owner.get_by_label("Role").select_option(label=role)
    owner.get_by_role("button", name="Add the guest").click()
    expect(owner.get_by_role("row", name=email)).to_contain_text(role)


def test_an_invitation_opens_to_whoever_has_an_account(
    browser: Browser, stack: Stack, shared: Shared
) -> None:
    with window(browser, stack, shared.owner) as owner, window(browser, stack) as friend:
        sign_up(friend, "ruth@example.org")
        owner.goto(f"/teams/{TEAM}/members")
        owner.get_by_label("Email").fill("ruth@example.org")
        owner.get_by_role("button", name="Invite", exact=True).click()
        address = owner.get_by_label("Address of the invitation to ruth@example.org")

        friend.goto(address.input_value())
        expect(friend.get_by_text("You are signed in as ruth@example.org")).to_be_visible()
        friend.get_by_role("button", name="Join the team").click()
        expect(friend.get_by_role("heading", name=TEAM)).to_be_visible()
        friend.goto(shared.map)
        expect(tool(friend)).to_be_visible()


def test_a_dataset_moves_to_another_team_and_back(browser: Browser, stack: Stack, shared: Shared) -> None:
    with window(browser, stack, shared.owner) as owner, window(browser, stack, shared.friend) as friend:
        owner.goto("/teams/new")
        owner.get_by_label("Name").fill("Museum")
        submit(owner.get_by_role("button", name="Make the team"))
        here, there = shared.map, shared.map.replace(f"/{TEAM}/", "/museum/")

        def seen(address: str) -> list[int]:
            answers = [page.goto(address) for page in (owner, friend)]
            return [answer.status for answer in answers if answer is not None]

        assert seen(here) == [200, 200]
        move(owner, here, "Museum")
        assert (seen(here), seen(there)) == ([404, 404], [200, 404])
        move(owner, there, TEAM)
        assert (seen(here), seen(there)) == ([200, 200], [404, 404])


def move(owner: Page, address: str, team: str) -> None:
    owner.goto(f"{address.removesuffix('/map')}/settings")
    owner.get_by_label("Team", exact=True).select_option(label=team)
    owner.get_by_role("button", name="Move the dataset").click()
    expect(owner.get_by_text(f"belongs to {team} now")).to_be_visible()
