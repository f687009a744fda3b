"""A file a stranger handed in, as any door answers with it: to be saved, never to be shown."""

from django.http import HttpResponse

from escrow import filetypes
from escrow.models import Evidence

MEDIA_TYPE = "application/octet-stream"


def attachment(evidence: Evidence) -> HttpResponse:
    """Answer with the bytes under a name of ours; what its owner calls it is never a file's name.

    Its type is not told here: a browser that is told nothing shows nothing.
    """
    ending = filetypes.ENDINGS[evidence.media_type]
    answer = HttpResponse(bytes(evidence.content), content_type=MEDIA_TYPE)
    answer["Content-Disposition"] = f'attachment; filename="{evidence.id}.{ending}"'
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer["Cache-Control"] = "no-store"
    return answer
