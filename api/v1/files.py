"""Answering with a file a stranger handed in: never as anything a browser would show."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes

from escrow import filetypes
from escrow.models import Evidence

MEDIA_TYPE = "application/octet-stream"
DESCRIBED: Any = {(200, MEDIA_TYPE): OpenApiTypes.BINARY}


def answer_with(evidence: Evidence) -> HttpResponse:
    """Answer with the bytes under a name of ours; what its owner calls it is never a file's name.

    Its type is not told here: a browser that is told nothing shows nothing.
    """
    ending = filetypes.ENDINGS[evidence.media_type]
    answer = HttpResponse(bytes(evidence.content), content_type=MEDIA_TYPE)
    answer["Content-Disposition"] = f'attachment; filename="{evidence.id}.{ending}"'
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer
