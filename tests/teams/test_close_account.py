from uuid import UUID

import pytest
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from atlas.datasets.closing import ClosingRefusedError, close_account, estates_of
from atlas.datasets.delete import remove_dataset
from atlas.datasets.models import Dataset, Import, ImportState
from atlas.datasets.uploads import create_upload
from atlas.teams.invitations import invite
from atlas.teams.models import AuditEvent, AuditVerb, Invitation, Membership, Role, Team, User
from tests.maps.records import make_dataset
from tests.people import PASSWORD, Cast


@pytest.fixture(autouse=True)
def home(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> None:
    settings.ATLAS_HOME = tmp_path_factory.mktemp("home")
    settings.MEDIA_ROOT = settings.ATLAS_HOME / "media"


@pytest.fixture
def alice() -> Client:
    """Signed in with her password a moment ago."""
    client = Client()
    client.post("/accounts/login/", {"login": "alice@example.org", "password": PASSWORD})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client


def role_of(cast: Cast, user: User) -> str | None:
    return Membership.objects.filter(team=cast.team, user=user).values_list("role", flat=True).first()


def close(client: Client, email: str, **heirs: str) -> int:
    return int(client.post("/account/delete", {"confirmation": email, **heirs}).status_code)


def test_the_page_lists_first_what_goes(cast: Cast, alice: Client) -> None:
    make_dataset(cast.team, row_count=1200)
    page = alice.get("/account/delete").content.decode()
    assert "1 dataset, 1,200 records" in page
    assert "Who owns it from now on?" in page
    assert page.index("Bob") < page.index("Victor"), "editors first"


def test_it_asks_for_the_password_once_more(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.alice)
    assert "/accounts/reauthenticate/" in client.get("/account/delete")["Location"]
    client.post("/account/delete", {"confirmation": cast.alice.email})
    assert User.objects.filter(pk=cast.alice.pk).exists()


def test_without_the_typed_address_nothing_happens(cast: Cast, alice: Client) -> None:
    assert close(alice, "bob@example.org") == 422
    assert User.objects.filter(pk=cast.alice.pk).exists()


def test_a_team_is_handed_over(cast: Cast, alice: Client) -> None:
    dataset = make_dataset(cast.team)
    assert close(alice, cast.alice.email, **{f"heir-{cast.team.pk}": str(cast.bob.pk)}) == 302
    assert not User.objects.filter(pk=cast.alice.pk).exists()
    assert role_of(cast, cast.bob) == Role.OWNER
    assert Dataset.objects.filter(pk=dataset.pk, deleting=False).exists()
    assert AuditEvent.objects.get(verb=AuditVerb.ACCOUNT_DELETED).who == "alice@example.org"
    assert alice.get("/account").status_code == 302, "signed out"


def test_nobody_is_named_then_nothing_happens(cast: Cast, alice: Client) -> None:
    assert close(alice, cast.alice.email) == 422
    assert role_of(cast, cast.alice) == Role.OWNER


def test_an_outsider_inherits_nothing(cast: Cast, alice: Client) -> None:
    assert close(alice, cast.alice.email, **{f"heir-{cast.team.pk}": str(cast.charlie.pk)}) == 422
    assert role_of(cast, cast.charlie) is None


def test_a_number_without_end_names_nobody(cast: Cast, alice: Client) -> None:
    assert close(alice, cast.alice.email, **{f"heir-{cast.team.pk}": "9" * 5000}) == 422


def test_a_team_with_another_owner_stays_as_it_is(cast: Cast) -> None:
    Membership.objects.filter(team=cast.team, user=cast.bob).update(role=Role.OWNER)
    close_account(cast.alice, {})
    assert role_of(cast, cast.bob) == Role.OWNER
    assert role_of(cast, cast.victor) == Role.VIEWER


def test_what_nobody_else_is_in_goes_with_its_datasets(cast: Cast) -> None:
    team = cast.charlie.teams.get()
    dataset = make_dataset(team)
    invite(team, "ina@example.org", Role.OWNER, cast.charlie)
    assert [estate.last for estate in estates_of(cast.charlie)] == [True]

    close_account(cast.charlie, {})

    assert Dataset.objects.get(pk=dataset.pk).deleting
    assert not Invitation.objects.open().exists(), "nobody joins a team that is going"
    remove_dataset(dataset.pk)
    assert not Team.objects.filter(pk=team.pk).exists()


def test_a_team_is_deleted_where_one_says_so(cast: Cast) -> None:
    close_account(cast.alice, {cast.team.pk: None})
    assert not Team.objects.filter(pk=cast.team.pk).exists()
    assert User.objects.filter(pk=cast.bob.pk).exists()


def test_unfinished_uploads_leave_no_file_once_it_is_certain(
    cast: Cast, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    path = create_upload(cast.charlie, "half.zip", 100).path
    with django_capture_on_commit_callbacks(execute=True):
        close_account(cast.charlie, {})
        assert path.exists()
    assert not path.exists()


def test_an_import_that_still_reads_keeps_the_account(cast: Cast) -> None:
    job = Import.objects.create(dataset=make_dataset(cast.team), state=ImportState.RUNNING)
    job.uploads.add(create_upload(cast.bob, "half.zip", 100))
    with pytest.raises(ClosingRefusedError, match="still reads"):
        close_account(cast.bob, {})
    assert User.objects.filter(pk=cast.bob.pk).exists()


def test_a_refusal_undoes_all(cast: Cast) -> None:
    """The second team's heir is missing: the first one is not handed over either."""
    second = Team.objects.create(name="Zoo", slug="zoo")
    for user, role in ((cast.alice, Role.OWNER), (cast.bob, Role.VIEWER)):
        Membership.objects.create(team=second, user=user, role=role)
    heirs: dict[UUID, int | None] = {cast.team.pk: cast.bob.pk}
    with pytest.raises(ClosingRefusedError, match="Zoo"):
        close_account(cast.alice, heirs)
    assert role_of(cast, cast.bob) == Role.EDITOR
