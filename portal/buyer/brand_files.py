"""Stylesheets of colors, and logos, as buyers' browsers ask for them: anybody may, and keeps them.

It must never hand out a byte that was not written by us, nor anything a browser would run.
"""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from merchants import logos
from merchants.models import Branding
from portal.buyer.branding import digest_of, style_of

FOR_EVER = "public, max-age=31536000, immutable"  # another color or logo has another address


@require_safe
def show_style(request: HttpRequest, color: str, digest: str) -> HttpResponse:
    """Hand out the stylesheet of a color."""
    accent = f"#{color}"
    if digest != digest_of(accent):
        raise Http404
    return _kept(HttpResponse(style_of(accent), content_type="text/css; charset=utf-8"))


@require_safe
def show_logo(request: HttpRequest, logo_hash: str, ending: str) -> HttpResponse:
    """Hand out the logo a platform shows now."""
    row = Branding.objects.filter(logo_hash=logo_hash).only("logo", "logo_type").first()
    if row is None or row.logo is None or logos.ENDINGS[row.logo_type] != ending:
        raise Http404
    answer = _kept(HttpResponse(bytes(row.logo), content_type=row.logo_type))
    answer["Content-Disposition"] = "inline"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


def _kept(answer: HttpResponse) -> HttpResponse:
    answer["Cache-Control"] = FOR_EVER
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
