"""Shows the manual. It is public, as the API's documentation is."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from argo.manual.pages import NAMES, pages
from argo.manual.rendering import INDEX


def index(request: HttpRequest) -> HttpResponse:
    """Show the first page, which lists the others."""
    return _shown(request, INDEX)


def page(request: HttpRequest, name: str) -> HttpResponse:
    """Show one page; 404 if there is none of that name."""
    if name == INDEX or name not in NAMES:
        raise Http404(f"The manual has no page {name}.")
    return _shown(request, name)


def _shown(request: HttpRequest, name: str) -> HttpResponse:
    at, every = NAMES.index(name), pages()
    context = {
        "page": every[at],
        "pages": every,
        "previous": every[at - 1] if at else None,
        "next": every[at + 1] if at + 1 < len(every) else None,
    }
    return render(request, "docs/page.html", context)
