"""GET /api/datasets"""

from atlas.datasets.models import Dataset, Visibility
from tests.people import Cast, client_of


def names(cast: Cast, who: str) -> list[str]:
    user = None if who == "nobody" else getattr(cast, who)
    return [each["name"] for each in client_of(user).get("/api/datasets").json()["datasets"]]


def test_everybody_sees_what_is_theirs_or_public(cast: Cast) -> None:
    Dataset.objects.create(team=cast.team, name="Private", slug="a", model="mini")
    Dataset.objects.create(team=cast.team, name="Link", slug="b", model="mini", visibility=Visibility.LINK)
    Dataset.objects.create(
        team=cast.team, name="Public", slug="c", model="mini", visibility=Visibility.PUBLIC
    )
    Dataset.objects.create(team=cast.team, name="Deleted", slug="d", model="mini", deleting=True)
    for who in ("alice", "bob", "victor"):
        assert names(cast, who) == ["Public", "Link", "Private"]
    for who in ("charlie", "nobody"):
        assert names(cast, who) == ["Public"]


def test_it_says_who_may_edit(cast: Cast, fruit: Dataset) -> None:
    for user, may_edit in ((cast.alice, True), (cast.bob, True), (cast.victor, False)):
        [dataset] = client_of(user).get("/api/datasets").json()["datasets"]
        assert dataset["may_edit"] is may_edit


def test_descriptions_are_left_out(cast: Cast, fruit: Dataset) -> None:
    [dataset] = client_of(cast.alice).get("/api/datasets").json()["datasets"]
    assert dataset["latest_import"]["state"] == "done"
    assert "description" not in dataset["latest_import"]


def test_it_asks_the_database_the_same_few_times_however_many_there_are(
    cast: Cast, fruit: Dataset, django_assert_max_num_queries: object
) -> None:
    for number in range(5):
        Dataset.objects.create(team=cast.team, name="More", slug=f"more-{number}", model="mini")
    client = client_of(cast.alice)
    with django_assert_max_num_queries(5):  # type: ignore[operator]
        client.get("/api/datasets")
