"""Lists that were flattened into attributes (`llm.input_messages.0.message.role`) -> lists again."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from .rows import Keys, SpanContent

#: Families of indexed attributes; each key continues with `.<index>.`.
FAMILIES = (
    "llm.input_messages", "llm.output_messages", "llm.prompts", "llm.choices", "gen_ai.prompt", "gen_ai.completion",
    "retrieval.documents", "reranker.output_documents", "reranker.input_documents",
    "annotations", "trace.annotations", "session.annotations",
    "evaluations", "trace.evaluations", "session.evaluations",
)  # fmt: skip

# OpenInference repeats what an item is after its index: `tool_calls.0.tool_call.id`.
_WRAPPERS = frozenset(
    {"message", "message_content", "tool_call", "document", "annotation", "evaluation", "prompt", "completion"}
)
_DEEPEST = 16
_FIRST = tuple({family.split(".", 1)[0] + "." for family in FAMILIES})


#: A list as the keys of a family write it: lists and dicts, with keys where their values belong.
Form: TypeAlias = "list[Any] | dict[Any, Any] | str"


@lru_cache(maxsize=1 << 15)
def _path(key: str) -> tuple[str, tuple[int | str, ...]] | None:
    """Split a key into its family and the way to the value; the same few keys come with every span."""
    if not key.startswith(_FIRST):
        return None
    for family in FAMILIES:
        if key.startswith(family + "."):
            steps = _steps(key[len(family) + 1 :].split("."))
            if 0 < len(steps) <= _DEEPEST and isinstance(steps[0], int):
                return family, tuple(steps)
    return None


def _steps(tokens: list[str]) -> list[int | str]:
    steps: list[int | str] = []
    for token in tokens:
        if token.isascii() and token.isdecimal() and len(token) < 10:
            steps.append(int(token))
        elif not (token in _WRAPPERS and steps and isinstance(steps[-1], int)):
            steps.append(token)
    return steps


@lru_cache(maxsize=1 << 10)
def layout(keys: Keys) -> dict[str, list[Form]]:
    """Tell what is indexed among the keys of a span.

    The items of each family are in order of index; gaps close up.
    """
    families: dict[str, _Branch] = {}
    for key in keys.names:
        found = _path(key)
        if found is not None:
            _put(families.setdefault(found[0], _Branch()), found[1], key)
    return {family: [_closed(tree[position]) for position in sorted(tree)] for family, tree in families.items()}


def indexed(span: SpanContent, *families: str) -> dict[str, list[Any]]:
    """Give the list of each of `families` that a span has.

    A family that came as one nested attribute (`[{"message.role": ...}]`) is read the same way.
    """
    attributes, there = span.attributes, layout(span.keys)
    lists: dict[str, list[Any]] = {}
    for family in families:
        forms = there.get(family)
        if forms is not None:
            lists[family] = filled(forms, attributes)
        elif family in attributes:
            lists[family] = nested(attributes[family])
    return lists


def filled(form: Form, attributes: dict[str, Any]) -> Any:
    """Put the values of attributes in the places of their keys."""
    if isinstance(form, str):
        return attributes[form]
    if isinstance(form, list):
        return [filled(below, attributes) for below in form]
    return {
        name: attributes[below] if isinstance(below, str) else filled(below, attributes) for name, below in form.items()
    }


def nested(value: Any) -> list[Any]:
    """Give the list in a family that came as one attribute; none when it is no list."""
    return [_unfolded(item) for item in value] if isinstance(value, list) else []


class _Branch(dict[Any, Any]):
    """A dict that was made here, not one that is a value: values are never opened nor changed."""


def _put(tree: _Branch, path: tuple[int | str, ...], value: Any) -> None:
    for step in path[:-1]:
        below = tree.get(step)
        if below is None:
            below = tree[step] = _Branch()
        elif not isinstance(below, _Branch):
            return  # both a value and a branch: the value came first
        tree = below
    tree.setdefault(path[-1], value)


def _closed(tree: Any) -> Any:
    """Turn branches whose keys are all indices into lists."""
    if not isinstance(tree, _Branch):
        return tree
    if isinstance(next(iter(tree)), int) and all(isinstance(key, int) for key in tree):
        return [_closed(tree[key]) for key in sorted(tree)]
    for key, below in tree.items():
        if isinstance(below, _Branch):
            tree[key] = _closed(below)
    return tree


def _unfolded(item: Any, depth: int = 0) -> Any:
    """Give a nested item without dots in its keys and without wrappers."""
    if depth > 8:
        return item
    if isinstance(item, list):
        return [_unfolded(one, depth + 1) for one in item]
    if not isinstance(item, dict):
        return item
    if len(item) == 1:
        (key, inner), *_ = item.items()
        if key in _WRAPPERS and isinstance(inner, dict):
            return _unfolded(inner, depth + 1)
    tree = _Branch()
    for key, inner in item.items():
        steps = str(key).split(".", _DEEPEST)
        if steps[0] in _WRAPPERS and len(steps) > 1:
            steps = steps[1:]
        _put(tree, tuple(steps), _unfolded(inner, depth + 1))
    return tree
