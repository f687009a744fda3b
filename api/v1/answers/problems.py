"""What a refusal looks like, for the description: api.errors writes it."""

from rest_framework import serializers

from api.v1.answers.fields import Answer, text, whole


class FieldErrorAnswer(Answer):
    pointer = text("JSON pointer (RFC 6901) into the body, such as #/lines/0/amount_minor.")
    code = text("What is wrong with it, for machines.")
    detail = text("What is wrong with it, for people.")


class ProblemAnswer(Answer):
    """Why a request was refused: a problem document (RFC 9457)."""

    type = serializers.URLField(
        read_only=True, help_text="Address that explains the code; open it in a browser."
    )
    title = text("The code in words.")
    status = whole("HTTP status of this answer.")
    code = text("What went wrong, for machines: it stays the same for ever.")
    detail = text("What went wrong this time, and what to do, for people.")
    instance = text("Path of the request.")
    request_id = text("Name of the request, req_…; the header Request-Id says it too.")
    errors = FieldErrorAnswer(many=True, help_text="The fields of the body that are to blame.")
    facts = serializers.DictField(
        required=False, help_text="What the refusal is about, by name; left out when empty."
    )


class MeaningAnswer(Answer):
    """What a code of a problem document means."""

    code = text("The code.")
    status = whole("HTTP status it comes with.")
    title = text("The code in words.")
    meaning = text("What it means, and what to do.")
