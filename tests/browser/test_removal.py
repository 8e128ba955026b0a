"""Records are taken out of a dataset on its map: asked first, gone at once, and the map follows."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from atlas.datasets.demo import Site
from tests.browser.squares import ALL, EACH, Squares, bring_in, squares_zip
from tests.browser.test_explorer import expect_selected
from tests.browser.test_journey import sign_up
from tests.browser.windows import window
from tests.people import PASSWORD
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]

EMAIL = "tara@example.org"


@pytest.fixture
def owner(browser: Browser, stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """On the map of a dataset of their own."""
    with window(browser, stack, reduced_motion="reduce") as page:
        sign_up(page, EMAIL)
        archive = tmp_path_factory.mktemp("removal") / "squares.zip"
        archive.write_bytes(squares_zip())
        site = Site(stack.url)
        site.sign_in(EMAIL, PASSWORD)
        dataset = site.post("/api/datasets", {"name": "Squares", "uploads": [site.upload(archive)]})
        bring_in(site, dataset)
        page.goto(f"{dataset['url']}/map#record=3")
        yield page


def record(page: Page, row: int) -> None:
    """It is open and has the focus."""
    expect(page.get_by_role("complementary", name=f"Record {row}", exact=True)).to_be_focused()


def select(page: Page, words: str, count: int) -> None:
    page.goto(f"{page.url.partition('#')[0]}#sel={words}")
    expect_selected(page, count)


def load_newer(page: Page, count: int) -> None:
    """From here on no map takes the place of the one that is shown."""
    expect(page.get_by_role("alert")).to_contain_text("A newer version of this map is ready.")
    page.get_by_role("button", name="Load it").click()
    expect(page.get_by_text(re.compile(rf"^\s*{count} records"))).to_be_visible()


def test_records_are_removed_one_by_one_and_as_selected(owner: Page) -> None:
    record(owner, 3)
    ask = owner.get_by_role("button", name="Remove this record…")
    ask.press("Enter")
    dialog = owner.get_by_role("dialog", name="Remove this record?")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    owner.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(ask).to_be_focused()
    ask.press("Enter")
    dialog.get_by_role("button", name="Remove the record").press("Enter")
    expect(owner.get_by_text("1 record was removed. The map is being laid out without it.")).to_be_visible()
    record(owner, 4)
    load_newer(owner, ALL - 1)
    record(owner, 4)
    owner.keyboard.press("ArrowLeft")
    record(owner, 2)

    select(owner, '{"not":{"rows":[]}}', ALL - 1)
    owner.get_by_role("button", name="Remove…").click()
    many = owner.get_by_role("dialog", name=f"Remove {ALL - 1} records?")
    typed = many.get_by_label(f"Type “{ALL - 1}” to confirm")
    expect(typed).to_be_focused()
    typed.fill(str(ALL))
    typed.press("Enter")
    expect(many.get_by_role("alert")).to_have_text(f"This is not the number of records, {ALL - 1}.")
    expect(typed).to_be_focused()
    many.get_by_role("button", name="Cancel").click()

    select(owner, '{"caption":"red square"}', EACH - 1)
    owner.get_by_role("button", name="Remove…").click()
    some = owner.get_by_role("dialog", name=f"Remove {EACH - 1} records?")
    some.get_by_role("button", name=f"Remove {EACH - 1} records").click()
    expect(some).to_have_count(0)
    expect(owner.get_by_role("region", name="Selection", exact=True)).to_have_count(0)
    load_newer(owner, ALL - EACH)
    owner.goto(f"{owner.url.partition('#')[0]}#record=3")
    expect(owner.get_by_role("alert")).to_contain_text("This record was removed.")

    select(owner, '{"not":{"rows":[]}}', ALL - EACH)
    owner.get_by_role("button", name="Remove…").click()
    rest = owner.get_by_role("dialog", name=f"Remove {ALL - EACH} records?")
    expect(rest).to_contain_text("They are all records of the dataset: its maps go with them.")
    rest.get_by_role("button", name=f"Remove {ALL - EACH} records").click()
    expect(owner).to_have_url(re.compile(r"/squares$"))
    expect(owner.get_by_role("link", name="Open the map")).to_have_count(0)


def test_who_may_not_edit_is_not_offered_it(page: Page, squares: Squares) -> None:
    page.goto(f'{squares.map}#record=3&sel={{"caption":"red square"}}')
    record(page, 3)
    expect_selected(page, EACH)
    expect(page.get_by_role("button", name=re.compile("^Remove"))).to_have_count(0)
