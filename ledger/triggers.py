"""The state graph of a machine, held by the database too, as every app above the books uses it."""

from collections.abc import Sequence

import pgtrigger


class StateGraph(pgtrigger.FSM):
    """Refuse a move that is not in `transitions`, whoever makes it, raw SQL included.

    pgtrigger's own FSM calls a function for every updated row. Here the graph stands in the
    trigger's WHEN, so that an allowed move calls nothing: a release moves two machines.
    """

    def __init__(self, *, name: str, field: str, transitions: Sequence[tuple[str, str]]) -> None:
        allowed = ", ".join(f"('{source}', '{target}')" for source, target in transitions)
        moved = f'OLD."{field}" IS DISTINCT FROM NEW."{field}"'
        unknown = f'(OLD."{field}"::text, NEW."{field}"::text) NOT IN ({allowed})'
        super().__init__(
            name=name,
            field=field,
            transitions=list(transitions),
            condition=pgtrigger.Condition(f"{moved} AND {unknown}"),
        )
