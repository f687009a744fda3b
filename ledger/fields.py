"""The column of a prefixed id, as every app above the books uses it."""

from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from common.ids import MAX_LENGTH, new_id

if TYPE_CHECKING:
    _TextField = models.CharField[str, str]
else:
    _TextField = models.CharField


class IdField(_TextField):
    """A `common.ids` id with its prefix: `id = IdField(prefix="ord", primary_key=True)`.

    Its type is spelled so that Django adds no second index for LIKE, to it or to foreign keys
    that point to it (nobody searches ids by prefix, and every row would pay for the index); in
    collation C, ids sort as they were made.
    """

    def __init__(self, *, prefix: str, **options: Any) -> None:
        self.prefix = prefix
        options |= {"max_length": MAX_LENGTH, "editable": False, "default": partial(new_id, prefix)}
        super().__init__(**options)

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        for ours in ("max_length", "editable", "default"):
            options.pop(ours, None)
        return name, path, args, {**options, "prefix": self.prefix}

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return f'character varying({self.max_length}) COLLATE "C"'

    def cast_db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "character varying"
