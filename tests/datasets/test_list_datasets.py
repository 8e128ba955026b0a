"""GET /api/datasets"""

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from atlas.datasets.imports import append
from atlas.datasets.models import Dataset, Visibility
from atlas.teams.links import create_link, token_of
from tests.datasets.material import uploaded
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


def test_descriptions_and_all_names_but_the_first_ten_are_left_out(cast: Cast, fruit: Dataset) -> None:
    uploads = [uploaded(cast.alice, f"{number}.png", b"xy") for number in range(12)]
    append(fruit, cast.alice, uploads)
    with CaptureQueriesContext(connection) as asked:
        [dataset] = client_of(cast.alice).get("/api/datasets").json()["datasets"]
    latest = dataset["latest_import"]
    assert (latest["state"], latest["file_count"], latest["size"]) == ("describing", 12, 24)
    assert [file["filename"] for file in latest["files"]] == [f"{number}.png" for number in range(10)]
    assert "description" not in latest
    assert not any('"datasets_import"."description"' in query["sql"] for query in asked)


def test_whoever_must_not_see_all_reads_no_names_of_files(cast: Cast, fruit: Dataset) -> None:
    Dataset.objects.update(visibility=Visibility.LINK)
    link = create_link(fruit.pk, cast.alice, hide_captions=True)
    visitor = Client()
    visitor.get(f"/s/{token_of(link)}")
    [dataset] = visitor.get("/api/datasets").json()["datasets"]
    assert (dataset["name"], dataset["latest_import"]) == ("Fruit", None)


def test_it_comes_in_pages(cast: Cast) -> None:
    for number in range(3):
        Dataset.objects.create(team=cast.team, name=str(number), slug=f"d-{number}", model="mini")
    client = client_of(cast.alice)
    body = client.get("/api/datasets?offset=1&limit=1").json()
    assert ([each["name"] for each in body["datasets"]], body["total"]) == (["1"], 3)
    assert client.get("/api/datasets?limit=501").status_code == 422


def test_a_picture_is_given_without_a_look_at_the_imports(cast: Cast, fruit: Dataset) -> None:
    with CaptureQueriesContext(connection) as asked:
        client_of(cast.alice).get(f"/api/datasets/{fruit.pk}/records/0/thumbnail")
    assert not any('"datasets_import"' in query["sql"] for query in asked)


def test_it_asks_the_database_the_same_few_times_however_many_there_are(
    cast: Cast, fruit: Dataset, django_assert_max_num_queries: object
) -> None:
    for number in range(5):
        Dataset.objects.create(team=cast.team, name="More", slug=f"more-{number}", model="mini")
    client = client_of(cast.alice)
    with django_assert_max_num_queries(5):  # type: ignore[operator]
        client.get("/api/datasets")
