"""The page on which a user chooses how pages show times."""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from argo.preferences.zones import choose, chosen, names
from signals.clock import utc_now


class PreferenceForm(forms.Form):
    """Takes a time zone; empty means the browser's."""

    time_zone = forms.ChoiceField(
        choices=lambda: [("", "The browser's"), *((name, name) for name in names())],
        required=False,
        help_text="Without JavaScript the browser's zone is not known, and times are in UTC.",
    )


@never_cache
@staff_member_required
def preferences(request: HttpRequest) -> HttpResponse:
    """Show the form, or store what it brings."""
    key = request.user.pk
    form = PreferenceForm(request.POST or None, initial={"time_zone": chosen(key)})
    if request.method == "POST" and form.is_valid():
        choose(key, form.cleaned_data["time_zone"])
        messages.success(request, "Stored.")
        return HttpResponseRedirect(request.path)
    context = {"title": "Times", "form": form, "now": utc_now()}
    return render(
        request, "preferences/preferences.html", admin.site.each_context(request) | context
    )
