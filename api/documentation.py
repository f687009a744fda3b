"""Shows the API to people: a page to read and to try, served by ourselves alone.

It must never load anything from another host, nor run a script that is written into the page.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@require_safe
def show_api(request: HttpRequest) -> HttpResponse:
    """Show the description of the API, where every operation can be tried with a key."""
    page = render(request, "api/documentation.html")
    page["Content-Security-Policy"] = POLICY
    page["Referrer-Policy"] = "no-referrer"
    return page
