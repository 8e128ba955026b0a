"""What the world sees of a public dataset: its pages, its picture beside a link, and it in a frame."""

import html
import io
import json
import re

import pytest
from django.test import Client
from PIL import Image

from atlas.datasets.models import Dataset, Visibility
from atlas.maps.models import MapVersion, Topic
from atlas.maps.renaming import rename_topic
from atlas.teams.asker import Asker
from tests.people import client_of
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def public(world: World) -> Dataset:
    Dataset.objects.filter(pk=world.dataset.pk).update(
        visibility=Visibility.PUBLIC, description="Sixteen & more"
    )
    return Dataset.objects.get(pk=world.dataset.pk)


def metadata(path: str) -> dict[str, str]:
    content = Client().get(path).content.decode()
    return dict(re.findall(r'<meta (?:property|name)="([\w:]+)" content="([^"]*)">', content))


@pytest.mark.parametrize("page", ["", "/map"])
def test_a_link_to_it_is_shown_with_title_words_and_picture(public: Dataset, page: str) -> None:
    address = f"{public.get_absolute_url()}{page}"

    told = metadata(address)

    assert told["og:title"] == public.name
    assert told["og:description"] == "Sixteen &amp; more"
    assert told["og:url"] == f"http://testserver{address}"
    assert told["og:image"] == f"http://testserver{public.get_absolute_url()}/preview.png"
    canonical = f'<link rel="canonical" href="http://testserver{address}">'
    assert canonical in Client().get(address).content.decode()


@pytest.mark.parametrize("embedded", [False, True])
def test_a_map_says_what_it_is_and_whose(public: Dataset, embedded: bool) -> None:
    place = f"{public.team.slug}/{public.slug}"

    content = Client().get(f"/embed/{place}" if embedded else f"/data/{place}/map").content.decode()

    config = json.loads(re.findall(r'<script id="config" type="application/json">(.*?)</script>', content)[0])
    assert config["dataset"]["description"] == "Sixteen & more"
    assert config["dataset"]["team"] == public.team.name
    assert config["embedded"] is embedded


def test_addresses_in_a_description_are_links(public: Dataset) -> None:
    Dataset.objects.filter(pk=public.pk).update(description="<i> see https://example.org/a")

    content = Client().get(public.get_absolute_url()).content.decode()

    assert '&lt;i&gt; see <a href="https://example.org/a" rel="nofollow">' in content


def test_what_is_not_public_tells_readers_of_links_nothing(world: World) -> None:
    content = client_of(world.cast.alice).get(world.dataset.get_absolute_url()).content.decode()

    assert "og:" not in content
    assert '<meta name="robots" content="noindex">' in content


def test_the_picture_is_one_of_the_map(public: Dataset, world: World) -> None:
    path = f"{public.get_absolute_url()}/preview.png"

    response = Client().get(path)

    assert response["Content-Type"] == "image/png"
    picture = Image.open(io.BytesIO(response.content))
    assert picture.size == (1200, 630)
    colours = picture.convert("RGB").getcolors(1 << 20) or []
    paper = max(colours)[1]
    assert sum(count for count, colour in colours if colour != paper) > 1000, "points are drawn on it"
    version = MapVersion.objects.get(map=world.map)
    assert (version.folder / "preview.png").read_bytes() == response.content, "it is drawn once"
    assert Client().get(path).content == response.content


def test_the_picture_has_the_names_that_topics_were_given(public: Dataset, world: World) -> None:
    path = f"{public.get_absolute_url()}/preview.png"
    before = Client().get(path).content
    version = MapVersion.objects.get(map=world.map)
    topic = Topic.objects.filter(version=version, level=0).order_by("-count")[0]

    rename_topic(version, topic.number, "Wonderful", Asker(world.cast.alice))

    assert Client().get(path).content != before
    rename_topic(version, topic.number, topic.name, Asker(world.cast.alice))
    assert Client().get(path).content == before
    assert [each.name for each in version.folder.glob("preview*")] == ["preview.png"]


def test_no_other_page_is_shown_in_a_frame(public: Dataset, world: World) -> None:
    for path in ("/", public.get_absolute_url(), f"{public.get_absolute_url()}/map"):
        response = Client().get(path)
        assert response["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in response["Content-Security-Policy"]


def test_only_the_sites_that_its_owner_names_show_it_in_a_frame(public: Dataset, world: World) -> None:
    embedded = f"/embed/{public.team.slug}/{public.slug}"
    assert "frame-ancestors 'none'" in Client().get(embedded)["Content-Security-Policy"]

    owner = client_of(world.cast.alice)
    owner.post(
        f"{public.get_absolute_url()}/sharing/embedding", {"hosts": "example.org\n*.Museum.example:8080/"}
    )

    response = Client().get(embedded)
    assert "frame-ancestors example.org *.museum.example:8080;" in response["Content-Security-Policy"] + ";"
    assert "X-Frame-Options" not in response
    assert f'<link rel="canonical" href="http://testserver{public.get_absolute_url()}/map">' in (
        response.content.decode()
    )


@pytest.mark.parametrize(
    "host", ["exa mple", "example.org;", "'self'", "*", "https://example.org/page", "-", "a:٨"]
)
def test_what_is_no_site_is_not_named(public: Dataset, world: World, host: str) -> None:
    owner = client_of(world.cast.alice)

    response = owner.post(
        f"{public.get_absolute_url()}/sharing/embedding", {"hosts": f"good.example\n{host}"}
    )

    public.refresh_from_db()
    if host == "exa mple":  # two lines, two sites
        assert public.embed_hosts == ["good.example", "exa", "mple"]
    else:
        assert response.status_code == 422
        assert public.embed_hosts == []


def test_a_frame_gives_its_owner_no_rights(public: Dataset, world: World) -> None:
    """A page around it could make a person press what it does not show."""
    content = client_of(world.cast.alice).get(f"/embed/{public.team.slug}/{public.slug}").content.decode()

    assert '"may_edit": false' in content
    assert '"may_share": false' in content


def test_a_visitor_without_a_session_searches_without_a_token(public: Dataset, worker_at_hand: None) -> None:
    """In a frame of another site there are no cookies of ours, so no token either."""
    client = Client(enforce_csrf_checks=True)
    body = {"parts": [{"row": 1}]}

    response = client.post(f"/api/datasets/{public.pk}/search", body, content_type="application/json")

    assert response.status_code == 200


def test_a_name_does_not_break_out_of_the_frames_code(public: Dataset, world: World) -> None:
    Dataset.objects.filter(pk=public.pk).update(name='" onload="alert(1)', embed_hosts=["example.org"])

    content = client_of(world.cast.alice).get(f"{public.get_absolute_url()}/sharing").content.decode()

    [shown] = re.findall(r'id="embed-code" value="([^"]*)"', content)
    assert 'title="&quot; onload=&quot;alert(1)"' in html.unescape(shown)
