"""The page on which a person deletes their account: what goes and what stays, before anything does."""

from typing import cast
from uuid import UUID

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from atlas.datasets.closing import ClosingRefusedError, Estate, close_account, estates_of, open_imports_of
from atlas.datasets.forms import ClosingForm
from atlas.teams.audit import record_audit
from atlas.teams.models import AuditVerb, User


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@reauthentication_required(app="allauth.account")  # type: ignore[untyped-decorator]
def close(request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)
    estates = estates_of(user)
    form = ClosingForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        person = User.objects.get(pk=user.pk)
        try:
            close_account(person, _heirs(request, estates))
        except ClosingRefusedError as error:
            form.add_error(None, str(error))
        else:
            record_audit(request, AuditVerb.ACCOUNT_DELETED, by=user)
            logout(request)
            messages.success(request, "Your account is deleted.")
            return redirect("datasets:list")
    context = {"form": form, "estates": estates, "open_imports": open_imports_of(user)}
    return render(request, "account/close.html", context, status=422 if form.errors else 200)


def _heirs(request: HttpRequest, estates: list[Estate]) -> dict[UUID, int | None]:
    """What the form says of each team: the number of a member, or "delete"."""
    answers = {each.team.pk: request.POST.get(f"heir-{each.team.pk}", "") for each in estates}
    # Python refuses to read numbers of thousands of digits.
    chosen = {
        team: int(answer) for team, answer in answers.items() if answer.isdecimal() and len(answer) < 19
    }
    return chosen | dict.fromkeys(team for team, answer in answers.items() if answer == "delete")
