"""What the team and its owners are told of a dataset, wherever it happened."""

from django.http import HttpRequest

from atlas.datasets.activity import record_event
from atlas.datasets.models import Dataset
from atlas.teams.asker import asker_of
from atlas.teams.audit import record_audit
from atlas.teams.models import AuditVerb, User


def tell_visibility(request: HttpRequest, dataset: Dataset) -> None:
    word = dataset.visibility
    tell_sharing(request, dataset, f"made it {word}", AuditVerb.VISIBILITY_CHANGED, f": {word}")


def tell_sharing(
    request: HttpRequest, dataset: Dataset, done: str, verb: AuditVerb, rest: str, about: User | None = None
) -> None:
    """`done`: as in the activity. `verb` and `rest`: for the audit log, about the person that it is about."""
    record_event(dataset, "shared", asker_of(request), done)
    record_audit(request, verb, f"“{dataset}”{rest}", about=about, team=dataset.team)
