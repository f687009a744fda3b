"""The one shape of a refusal. Doors map `code` to an answer; nobody parses the sentence."""

from typing import Any, ClassVar


class DomainError(Exception):
    """Say no, with a stable `code` for machines and a sentence that tells a person what to do.

    Subclasses live beside the function that raises them and set `code` and `status`.
    `status` is the HTTP status a door answers with; `facts` are safe to show to the caller.
    """

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 409

    def __init__(self, sentence: str, **facts: Any) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.facts = facts
