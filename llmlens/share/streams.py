"""What one stream printed in several pieces -> one output: a secret may go over two of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


def joined(outputs: Iterable[Any]) -> list[Any]:
    """Join neighbouring outputs of the same stream."""
    done: list[Any] = []
    for output in outputs:
        before = done[-1] if done else {}
        same = output.get("name") == before.get("name")
        if same and output.get("output_type") == "stream" == before.get("output_type"):
            before["text"] = whole(before.get("text")) + whole(output.get("text"))
        else:
            done.append(output)
    return done


def whole(value: Any) -> str:
    """Give the text of a notebook's field: older ones keep lists of lines."""
    return "".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value or "")
