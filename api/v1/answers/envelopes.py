"""What lists are answered in, for the description: pages write the same from `api.pages`."""

from functools import cache

from rest_framework import serializers

from api.v1.answers.fields import Answer, code, truth


@cache
def page_of(answer: type[serializers.Serializer]) -> type[Answer]:
    """One page of a list, newest first."""
    members = {
        "__doc__": "One page of a list, newest first.",
        "data": answer(many=True, help_text="The rows of this page."),
        "has_more": truth("Whether there are older rows."),
        "next_cursor": code("Send it as `cursor` for the next page."),
    }
    return type(f"{_noun(answer)}Page", (Answer,), members)


@cache
def list_of(answer: type[serializers.Serializer]) -> type[Answer]:
    """A list that is answered whole."""
    members = {
        "__doc__": "A list, whole.",
        "data": answer(many=True, help_text="All of them."),
    }
    return type(f"{_noun(answer)}List", (Answer,), members)


def _noun(answer: type[serializers.Serializer]) -> str:
    name = answer.__name__.removesuffix("Answer")
    return name.removesuffix("Summary").removesuffix("Detail")
