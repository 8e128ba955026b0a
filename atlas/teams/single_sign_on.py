"""On the way to the provider of OpenID Connect."""

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.providers.openid_connect import views
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from requests import RequestException


def login(request: HttpRequest, provider_id: str) -> HttpResponse:
    """allauth's view, except that its way out is a page, not a redirect: browsers hold the redirects of a
    form to the form-action of our policy, and nobody knows all the hosts that a provider sends people on to.
    """
    try:
        response: HttpResponse = views.login(request, provider_id)
    except RequestException as error:
        provider = get_adapter().get_provider(request, provider_id)
        failed: HttpResponse = render_authentication_error(request, provider, exception=error)
        failed.status_code = 502
        return failed
    if not isinstance(response, HttpResponseRedirect):
        return response
    name = get_adapter().get_provider(request, provider_id).name
    return render(request, "socialaccount/going.html", {"address": response.url, "name": name})
