"""Expressions such as `"duration_s > 10 and model == 'gpt-4o'"` -> Ibis.

Parsed as Python, never evaluated: names are columns, and only the operators and functions listed here exist.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .errors import SelectionError, nearest

if TYPE_CHECKING:
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

#: Functions of a column; the first argument is the column.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "contains": lambda column, text: column.lower().contains(text.lower()),
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
    value = _Compiler(text, columns).visit(_parse(text).body)
    if not getattr(value, "type", None) or not value.type().is_boolean():
        raise SelectionError(f"{text!r} is not a condition: it gives no true or false. Compare it with something.")
    return value


def _parse(text: str) -> ast.Expression:
    try:
        return ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        hint = " Write == to compare, and / or / not in lower case, texts in quotes."
        raise SelectionError(f"Cannot read the expression {text!r}: {error.msg}.{hint}") from None
    except (RecursionError, MemoryError, ValueError):
        raise SelectionError(f"Cannot read the expression {text[:80]!r}...: it is nested too deeply.") from None


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
        if isinstance(node.value, ast.Name) and node.value.id == "metadata":
            return self._metadata(node.attr)
        raise SelectionError(f"There is no column {name!r} in {self.text!r}.{nearest(name, self.columns)}")

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        if isinstance(node.value, ast.Name) and node.value.id == "metadata" and isinstance(node.slice, ast.Constant):
            return self._metadata(str(node.slice.value))
        return self.generic_visit(node)

    def _metadata(self, key: str) -> Any:
        return self.columns["metadata"].cast("json")[key].unwrap_as("string")

    def visit_Constant(self, node: ast.Constant) -> Any:
        import ibis

        return ibis.literal(node.value)

    def visit_List(self, node: ast.List) -> Any:
        return [self.visit(item) for item in node.elts]

    visit_Tuple = visit_List
    visit_Set = visit_List

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        value = self.visit(node.operand)
        if isinstance(node.op, ast.Not):
            return ~value
        if isinstance(node.op, ast.USub):
            return -value
        return self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> Any:
        join = operator.and_ if isinstance(node.op, ast.And) else operator.or_
        values = [self.visit(value) for value in node.values]
        result = values[0]
        for value in values[1:]:
            result = self._apply(join, result, value, node)
        return result

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
        for op, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.visit(right_node)
            step = self._compare(op, left, right, node)
            result = step if result is None else result & step
            left = right
        return result

    def _compare(self, op: ast.cmpop, left: Any, right: Any, node: ast.AST) -> Any:
        if isinstance(op, ast.In | ast.NotIn):
            if isinstance(right, list):
                inside = left.isin(right)
            elif right.type().is_array():
                inside = right.contains(left)
            else:
                inside = right.contains(left)
            return ~inside if isinstance(op, ast.NotIn) else inside
        if isinstance(op, ast.Is | ast.IsNot):
            return left.isnull() if isinstance(op, ast.Is) else left.notnull()
        return self._apply(_COMPARE[type(op)], left, right, node)

    def visit_Call(self, node: ast.Call) -> Any:
        if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS or node.keywords:
            name = ast.unparse(node.func)
            raise SelectionError(f"There is no function {name!r} in {self.text!r}.{nearest(name, FUNCTIONS)}")
        arguments = [self.visit(argument) for argument in node.args]
        try:
            return FUNCTIONS[node.func.id](*arguments)
        except (TypeError, AttributeError) as error:
            raise SelectionError(f"{ast.unparse(node)!r} does not fit: {error}.") from None

    def _apply(self, function: Callable[[Any, Any], Any], left: Any, right: Any, node: ast.AST) -> Any:
        import ibis

        try:
            result = function(left, right)
        except (TypeError, ibis.common.exceptions.IbisError) as error:
            reason = str(error).splitlines()[0]
            raise SelectionError(f"{ast.unparse(node)!r} in {self.text!r} does not fit together: {reason}.") from None
        if result is NotImplemented:
            raise SelectionError(f"{ast.unparse(node)!r} in {self.text!r} does not fit together.")
        return result
