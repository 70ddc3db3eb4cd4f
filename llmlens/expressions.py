"""Expressions such as `"duration_s > 10 and model == 'gpt-4o'"` -> Ibis.

Parsed as Python, never evaluated: names are columns, and only the operators and functions listed here exist.
"""

from __future__ import annotations

import ast
import inspect
import math
import operator
from typing import TYPE_CHECKING, Any

from .errors import SelectionError, nearest
from .json_values import text_at

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import ibis.expr.types as ir

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}

_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
}


def _contains(column: Any, text: Any) -> Any:
    return column.contains(text) if column.type().is_array() else column.lower().contains(text.lower())


#: Functions of a column; the first argument is the column.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "contains": _contains,
    "startswith": lambda column, text: column.startswith(text),
    "endswith": lambda column, text: column.endswith(text),
    "matches": lambda column, pattern: column.re_search(pattern),
    "isna": lambda column: column.isnull(),
    "notna": lambda column: column.notnull(),
    "length": lambda column: column.length(),
    "lower": lambda column: column.lower(),
}


def columns_of(text: str) -> set[str]:
    """Name the columns that an expression speaks of; `trace.cost_usd` comes as it is written."""
    tree = _parse(text)
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    functions = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    found = set()
    for node in ast.walk(tree):
        if id(node) in functions or id(node) in inner:
            continue
        if isinstance(node, ast.Attribute):
            found.add(ast.unparse(node))
        elif isinstance(node, ast.Name):
            found.add(node.id)
    return found


def compile_expression(text: str, columns: Mapping[str, ir.Column]) -> ir.BooleanValue:
    """Turn an expression into an Ibis predicate over `columns` (name as written -> Ibis column).

    Raises `SelectionError` naming the place when it is not a predicate.
    """
    try:
        value = _Compiler(text, columns).visit(_parse(text).body)
    except RecursionError:
        raise SelectionError(f"The expression {text[:80]!r}... is nested too deeply.") from None
    if not _is_boolean(value):
        raise SelectionError(f"{text!r} is not a condition: it gives no true or false. Compare it with something.")
    return value


def _parse(text: str) -> ast.Expression:
    try:
        return ast.parse(text.strip().replace("\n", " "), mode="eval")
    except SyntaxError as error:
        hint = " Write == to compare, and / or / not in lower case, texts in quotes."
        raise SelectionError(f"Cannot read the expression {text!r}: {error.msg}.{hint}") from None
    except (RecursionError, MemoryError):
        raise SelectionError(f"Cannot read the expression {text[:80]!r}...: it is nested too deeply.") from None
    except ValueError as error:
        raise SelectionError(f"Cannot read the expression {text!r}: {error}.") from None


def _is_boolean(value: Any) -> bool:
    return hasattr(value, "type") and bool(value.type().is_boolean())


class _Compiler(ast.NodeVisitor):
    def __init__(self, text: str, columns: Mapping[str, ir.Column]) -> None:
        self.text = text
        self.columns = columns

    def generic_visit(self, node: ast.AST) -> Any:
        raise SelectionError(
            f"{ast.unparse(node)!r} in {self.text!r} is not something a selection can do. It knows columns, constants, "
            f"comparisons, in, and, or, not, + - * / % and {', '.join(FUNCTIONS)}."
        )

    def visit_Name(self, node: ast.Name) -> Any:
        if node.id not in self.columns:
            raise SelectionError(f"There is no column {node.id!r} in {self.text!r}.{nearest(node.id, self.columns)}")
        return self.columns[node.id]

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        name = ast.unparse(node)
        if name in self.columns:
            return self.columns[name]
        if (keys := _metadata_keys(node)) is not None:
            return self._metadata(keys)
        raise SelectionError(f"There is no column {name!r} in {self.text!r}.{nearest(name, self.columns)}")

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        if (keys := _metadata_keys(node)) is not None:
            return self._metadata(keys)
        return self.generic_visit(node)

    def _metadata(self, keys: list[str]) -> Any:
        return text_at(self.columns["metadata"], keys)

    def visit_Constant(self, node: ast.Constant) -> Any:
        import ibis

        value = node.value
        if value is not None and not isinstance(value, str | int | float):
            return self.generic_visit(node)
        if isinstance(value, int) and abs(value) >= 2**63:
            value = float(value) if abs(value) < 10**300 else math.copysign(math.inf, value)
        return ibis.literal(value)

    def visit_List(self, node: ast.List | ast.Tuple | ast.Set) -> Any:
        return [self.visit(item) for item in node.elts]

    def visit_Tuple(self, node: ast.Tuple) -> Any:
        return self.visit_List(node)

    def visit_Set(self, node: ast.Set) -> Any:
        return self.visit_List(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        value = self.visit(node.operand)
        if isinstance(node.op, ast.Not | ast.Invert):
            if not _is_boolean(value):
                raise SelectionError(f"{ast.unparse(node)!r} in {self.text!r} does not fit: not takes a condition.")
            return ~value
        if not (hasattr(value, "type") and value.type().is_numeric()):
            raise SelectionError(f"{ast.unparse(node)!r} in {self.text!r} does not fit: a sign goes before a number.")
        return -value if isinstance(node.op, ast.USub) else value

    def visit_BoolOp(self, node: ast.BoolOp) -> Any:
        join = operator.and_ if isinstance(node.op, ast.And) else operator.or_
        values = [self.visit(value) for value in node.values]
        return balanced(lambda left, right: self._apply(join, left, right, node), values)

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        if type(node.op) is ast.BitAnd or type(node.op) is ast.BitOr:
            join = operator.and_ if isinstance(node.op, ast.BitAnd) else operator.or_
            return self._apply(join, self.visit(node.left), self.visit(node.right), node)
        if type(node.op) not in _ARITHMETIC:
            return self.generic_visit(node)
        return self._apply(_ARITHMETIC[type(node.op)], self.visit(node.left), self.visit(node.right), node)

    def visit_Compare(self, node: ast.Compare) -> Any:
        left = self.visit(node.left)
        result: Any = None
        left_node = node.left
        for op, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.visit(right_node)
            # What metadata holds is text; it is compared as what it is compared with.
            of_left = _like(left, right) if _metadata_keys(left_node) is not None else left
            of_right = _like(right, left) if _metadata_keys(right_node) is not None else right
            step = self._compare(op, of_left, of_right, node)
            result = step if result is None else result & step
            left, left_node = right, right_node
        return result

    def _compare(self, op: ast.cmpop, left: Any, right: Any, node: ast.AST) -> Any:
        if isinstance(op, ast.In | ast.NotIn):
            inside = self._inside(left, right, node)
            return ~inside if isinstance(op, ast.NotIn) else inside
        if isinstance(op, ast.Is | ast.IsNot) or _is_none(right) or _is_none(left):
            value = right if _is_none(left) else left
            if not (_is_none(left) or _is_none(right)) or not isinstance(op, ast.Is | ast.IsNot | ast.Eq | ast.NotEq):
                return self.generic_visit(node)
            return value.isnull() if isinstance(op, ast.Is | ast.Eq) else value.notnull()
        return self._apply(_COMPARE[type(op)], left, right, node)

    def _inside(self, value: Any, these: Any, node: ast.AST) -> Any:
        """Give `value in these`: a list of constants, where None is NA; a list of texts such as tags; or a text."""
        import ibis

        if not isinstance(these, list):
            inside = self._apply(lambda whole, part: whole.contains(part), these, value, node)
            # A span without tags has none of them: that is known, not NA.
            return inside.fill_null(False) if these.type().is_array() else inside
        present = [each for each in these if not _is_none(each)]
        for each in present:
            self._apply(operator.eq, value, each, node)
        inside = value.isin(present) if present else ibis.literal(False)
        return inside if len(present) == len(these) else inside.fill_null(False) | value.isnull()

    def visit_Call(self, node: ast.Call) -> Any:
        if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS or node.keywords:
            name = ast.unparse(node.func)
            raise SelectionError(f"There is no function {name!r} in {self.text!r}.{nearest(name, FUNCTIONS)}")
        arguments = [self.visit(argument) for argument in node.args]
        function = FUNCTIONS[node.func.id]
        try:
            return function(*arguments)
        except _misfits():
            usage = f"{node.func.id}({', '.join(inspect.signature(function).parameters)})"
            raise SelectionError(f"{ast.unparse(node)!r} in {self.text!r} does not fit: write {usage}.") from None

    def _apply(self, function: Callable[[Any, Any], Any], left: Any, right: Any, node: ast.AST) -> Any:
        try:
            result = function(left, right)
        except _misfits():
            result = None
        if not hasattr(result, "type"):
            kinds = f"{_kind(left)} and {_kind(right)}"
            raise SelectionError(f"{ast.unparse(node)!r} in {self.text!r} does not fit together: {kinds}.")
        return result


def balanced(join: Callable[[Any, Any], Any], parts: list[Any]) -> Any:
    """Join parts pair by pair, so that a thousand of them nest ten deep."""
    while len(parts) > 1:
        pairs = [join(left, right) for left, right in zip(parts[::2], parts[1::2], strict=False)]
        parts = pairs + parts[len(pairs) * 2 :]
    return parts[0]


def _misfits() -> tuple[type[Exception], ...]:
    """Give what Ibis raises when types do not go together."""
    from ibis.common.annotations import ValidationError
    from ibis.common.exceptions import IbisError

    return (TypeError, AttributeError, ValueError, ArithmeticError, ValidationError, IbisError)


def _metadata_keys(node: ast.AST) -> list[str] | None:
    """Give the keys of `metadata.a.b` or `metadata['a']['b']`, or None when it is something else."""
    keys: list[str] = []
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Attribute):
            keys.append(node.attr)
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            keys.append(str(node.slice.value))
        else:
            return None
        node = node.value
    return keys[::-1] if keys and node.id == "metadata" else None


def _like(text: Any, other: Any) -> Any:
    """Read a text as the kind of value that the other one is; what cannot be read so is NA."""
    kinds = [o.type() for o in (other if isinstance(other, list) else [other]) if hasattr(o, "type")]
    if any(kind.is_numeric() for kind in kinds):
        return text.try_cast("float64")
    return text.try_cast("boolean") if any(kind.is_boolean() for kind in kinds) else text


def _is_none(value: Any) -> bool:
    return hasattr(value, "type") and bool(value.type().is_null())


def _kind(value: Any) -> str:
    if not hasattr(value, "type"):
        return "a list" if isinstance(value, list) else "a number"
    kind = value.type()
    if kind.is_boolean():
        return "true or false"
    if kind.is_numeric():
        return "a number"
    return "a time" if kind.is_timestamp() else "a list of texts" if kind.is_array() else "text"
