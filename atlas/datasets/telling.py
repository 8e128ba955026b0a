"""What the team and its owners are told of a dataset, wherever it happened."""

from django.http import HttpRequest

from atlas.datasets.activity import record_event
from atlas.datasets.models import Dataset
from atlas.teams.asker import asker_of
from atlas.teams.audit import record_audit
from atlas.teams.models import AuditVerb


def tell_visibility(request: HttpRequest, dataset: Dataset) -> None:
    record_event(dataset, "shared", asker_of(request), f"made it {dataset.visibility}")
    text = f"“{dataset}”: {dataset.visibility}"
    record_audit(request, AuditVerb.VISIBILITY_CHANGED, text, team=dataset.team)
