"""What the types of a stored table say of a column before a value is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polytask.tables.errors import TableError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["check_roles", "why_no_feature"]

TARGET = "must be numeric or have two classes; {name!r} {why}"


def check_roles(schema: pa.Schema, task: str, target: str) -> None:
    """Refuse a task or target whose type cannot serve, in the words of a table in memory."""
    import pyarrow.types as types

    for name, role in ((task, "task"), (target, "target")):
        if types.is_null(schema.field(name).type):
            raise TableError(f"must hold values; {name!r} is empty in every row.", role)
    if nested := _nested(schema.field(task).type):
        raise TableError(no_ids(task, nested), "task")
    kind = schema.field(target).type
    why = _nested(kind) and f"{_nested(kind)}: spread them over several columns."
    if types.is_temporal(kind):
        why = "holds dates: derive numbers from it first: year, month, days since …."
    if why:
        raise TableError(TARGET.format(name=target, why=why), "target")


def no_ids(task: str, why: str) -> str:
    """The message about a task column whose values name nothing."""
    return (
        f"must hold numbers or text; {task!r} {why}. Name a column that says what belongs together."
    )


def why_no_feature(kind: pa.DataType) -> str:
    """Why a column of this type cannot be learned from, or ""."""
    import pyarrow.types as types

    return "holds dates" if types.is_temporal(kind) else _nested(kind)


def _nested(kind: pa.DataType) -> str:
    import pyarrow.types as types

    inner = kind.value_type if types.is_dictionary(kind) else kind
    if types.is_nested(inner) or "binary" in str(inner):
        return f"holds values of type {inner}"
    return ""
