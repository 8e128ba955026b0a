"""What a person is called where others read it."""

from django.test import Client

from atlas.datasets.models import Dataset, Visibility
from atlas.maps.models import SavedView
from atlas.teams.models import User
from tests.maps.records import make_dataset
from tests.people import Cast


def test_visitors_of_a_public_map_read_no_address_of_its_team(cast: Cast) -> None:
    User.objects.filter(pk=cast.alice.pk).update(first_name="")
    dataset = make_dataset(cast.team)
    Dataset.objects.filter(pk=dataset.pk).update(visibility=Visibility.PUBLIC)
    alice = User.objects.get(pk=cast.alice.pk)
    SavedView.objects.create(dataset=dataset, created_by=alice, name="All", hash="at=1")
    dataset.tags.create(name="blurry", colour=0, created_by=alice)

    for part in ("", "/views", "/tags", "/searches"):
        answer = Client().get(f"/api/datasets/{dataset.pk}{part}")
        assert answer.status_code == 200
        assert "@example.org" not in answer.content.decode()
    assert str(alice) == "alice"
