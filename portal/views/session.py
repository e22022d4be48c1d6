"""Signing in and out."""

from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse

from organization.middleware import PHONE, STARTED
from organization.permissions import public
from portal.forms import SignInForm


class SignInView(LoginView):
    """The sign-in page; a partial request of an expired session is sent there as a whole page."""

    authentication_form = SignInForm
    redirect_authenticated_user = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.headers.get("HX-Request") and not request.user.is_authenticated:
            here = urlsplit(request.headers.get("HX-Current-URL", "/"))
            query = urlencode({"idle": 1, "next": here._replace(scheme="", netloc="").geturl()})
            return HttpResponse(headers={"HX-Redirect": f"{reverse('login')}?{query}"})
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        # the session of a phone may be days old; whoever signs in here begins one at a desk
        for key in (PHONE, STARTED):
            self.request.session.pop(key, None)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, idle_minutes=settings.IDLE_MINUTES)


sign_in = public(SignInView.as_view())
# open to everyone: an account without any role yet must be able to leave again
sign_out = public(LogoutView.as_view())
