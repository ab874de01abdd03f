"""Mutants of a source file: each is the file with one small fault, of the kinds that people make.

Boundaries (`<` for `<=`), negated conditions, `and` for `or`, arithmetic, constants one up and one down, `True` for
`False`, words, `min` for `max`, a statement left out, nothing given back, a sign lost. What is only said or only for
the type checker is left alone: sentences (f-strings, texts with a space), docstrings, annotations, decorators,
`__slots__`, and what runs under `__name__ == "__main__"`.
"""

import ast
from collections.abc import Callable, Iterator
from typing import NamedTuple

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], type[ast.cmpop]]] = {
    # operator: (its boundary moved, its negation)
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq, ast.NotEq),
    ast.NotEq: (ast.Eq, ast.Eq),
    ast.Is: (ast.IsNot, ast.IsNot),
    ast.IsNot: (ast.Is, ast.Is),
    ast.In: (ast.NotIn, ast.NotIn),
    ast.NotIn: (ast.In, ast.In),
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.Div: ast.Mult,
}
SWAPPED = {"min": "max", "max": "min", "any": "all", "all": "any", "least": "most", "most": "least"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Mutant(NamedTuple):
    """One fault: where it is, what it is, and the lines of the statement that it is in.

    `where` is the outermost function ("Guard.admit"), "" outside of functions. `id` survives a change of other lines.
    """

    id: str
    file: str
    number: int
    where: str
    first_line: int
    last_line: int


class Site(NamedTuple):
    """A place that can be made wrong in place: in which function and statement, how it is called, and how."""

    where: str
    statement: ast.stmt
    what: str
    apply: Callable[[], None]


def mutants(file: str, source: str) -> list[Mutant]:
    """All mutants of a file, in the order of their places."""
    found: list[Mutant] = []
    seen: dict[str, int] = {}
    lines = source.splitlines()
    for number, site in enumerate(sites(ast.parse(source))):
        node = site.statement
        first, last = node.lineno, _head_end(node)
        key = f"{file}:{site.where or '-'}: {lines[first - 1].strip()} | {site.what}"
        seen[key] = seen.get(key, 0) + 1
        again = f" #{seen[key]}" if seen[key] > 1 else ""
        found.append(Mutant(key + again, file, number, site.where, first, last))
    return found


def mutated(source: str, number: int) -> ast.Module:
    """The syntax tree of the file with its fault of that number."""
    tree = ast.parse(source)
    for at, site in enumerate(sites(tree)):
        if at == number:
            site.apply()
            return ast.fix_missing_locations(tree)
    raise IndexError(number)


def sites(tree: ast.Module) -> Iterator[Site]:
    """Every place of the file that can be made wrong, in a fixed order. Apply at most one of a tree."""
    for statement in tree.body:
        yield from _statement(statement, tree.body, "")


def _head_end(node: ast.stmt) -> int:
    """The last line of a statement without the block that hangs on it."""
    body = getattr(node, "body", None)
    if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
        return max(node.lineno, body[0].lineno - 1)
    return node.end_lineno or node.lineno


def _statement(node: ast.stmt, block: list[ast.stmt], where: str) -> Iterator[Site]:
    if isinstance(node, ast.Import | ast.ImportFrom) or _is_main(node) or _is_slots(node):
        return
    if isinstance(node, FUNCTIONS):
        inside = where if where and not where.endswith(".") else where + node.name
        for default in (*node.args.defaults, *[default for default in node.args.kw_defaults if default]):
            yield from _expression(default, node, node, where.rstrip("."))
        yield from _block(node.body, inside)
        return
    if isinstance(node, ast.ClassDef):
        inside = where if where and not where.endswith(".") else f"{where}{node.name}."
        yield from _block(node.body, inside)
        return
    here = "" if where.endswith(".") else where
    if here and _can_be_left_out(node):
        yield Site(here, node, "left out", _put(block, block.index(node), ast.copy_location(ast.Pass(), node)))
    if isinstance(node, ast.Return) and node.value is not None and not _is_falsy(node.value):
        yield Site(here, node, "return None", _set(node, "value", ast.Constant(None)))
    if isinstance(node, ast.If | ast.While):
        yield Site(here, node, "condition negated", _set(node, "test", ast.UnaryOp(ast.Not(), node.test)))
    for name, value in ast.iter_fields(node):
        if name == "annotation":
            continue
        parts = value if isinstance(value, list) else [value]
        if parts and isinstance(parts[0], ast.stmt):
            yield from _block(value, where)
            continue
        for part in parts:
            if isinstance(part, ast.expr):
                yield from _expression(part, node, node, here)
            elif isinstance(part, ast.ExceptHandler | ast.match_case):
                yield from _block(part.body, where)
            elif isinstance(part, ast.withitem):
                yield from _expression(part.context_expr, part, node, here)


def _block(block: list[ast.stmt], where: str) -> Iterator[Site]:
    for node in list(block):
        yield from _statement(node, block, where)


def _expression(node: ast.expr, parent: ast.AST, statement: ast.stmt, where: str) -> Iterator[Site]:
    said = isinstance(parent, ast.Expr) and isinstance(node, ast.Constant)
    if said or isinstance(node, ast.JoinedStr):
        return
    for what, apply in _changes(node, parent):
        yield Site(where, statement, what, apply)
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.comprehension):
            for number, condition in enumerate(child.ifs):
                apply = _put(child.ifs, number, ast.UnaryOp(ast.Not(), condition))
                yield Site(where, statement, f"condition negated: {ast.unparse(condition)}", apply)
                yield from _expression(condition, child, statement, where)
            yield from _expression(child.iter, child, statement, where)
        elif isinstance(child, ast.keyword):
            yield from _expression(child.value, child, statement, where)
        elif isinstance(child, ast.expr):
            yield from _expression(child, node, statement, where)


def _changes(node: ast.expr, parent: ast.AST) -> Iterator[tuple[str, Callable[[], None]]]:
    """What can be made wrong at this very node."""
    text = ast.unparse(node)
    if isinstance(node, ast.Compare):
        asked = isinstance(parent, ast.If | ast.While | ast.IfExp | ast.comprehension) and len(node.ops) == 1
        for at, operator in enumerate(node.ops):
            moved, negated = COMPARISONS[type(operator)]
            for new in dict.fromkeys((moved, negated)):
                if not (asked and new is negated):
                    yield f"{text}: {_sign(operator)} as {_sign(new())}", _put(node.ops, at, new())
    elif isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield f"{text}: and for or", _set(node, "op", other)
    elif isinstance(node, ast.IfExp):
        yield f"{text}: condition negated", _set(node, "test", ast.UnaryOp(ast.Not(), node.test))
    elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        new_op = ARITHMETIC[type(node.op)]()
        yield f"{text}: {type(node.op).__name__} as {type(new_op).__name__}", _set(node, "op", new_op)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield f"{text}: sign lost", _set(node, "op", ast.UAdd())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield f"{text}: not lost", _becomes(node, node.operand)
    elif isinstance(node, ast.Name) and isinstance(parent, ast.Call) and parent.func is node and node.id in SWAPPED:
        yield f"{node.id} as {SWAPPED[node.id]}", _set(node, "id", SWAPPED[node.id])
    elif isinstance(node, ast.Constant):
        for value in _others(node.value):
            yield f"{node.value!r} as {value!r}", _set(node, "value", value)


def _others(value: object) -> tuple[object, ...]:
    """Wrong values for a constant. A sentence is left as it is: what is said is no limit."""
    if isinstance(value, bool):
        return (not value,)
    if isinstance(value, int):
        return (value + 1, value - 1)
    if isinstance(value, str) and " " not in value:
        return (f"X{value}X",)
    return ()


def _becomes(node: ast.UnaryOp, operand: ast.expr) -> Callable[[], None]:
    """`not x` as x: a double negation, so that no parent has to be touched."""

    def apply() -> None:
        node.operand = ast.UnaryOp(ast.Not(), operand)

    return apply


def _set(node: ast.AST, name: str, value: object) -> Callable[[], None]:
    def apply() -> None:
        setattr(node, name, value)

    return apply


def _put(items: list, at: int, value: object) -> Callable[[], None]:
    def apply() -> None:
        items[at] = value

    return apply


def _can_be_left_out(node: ast.stmt) -> bool:
    """Statements that do something to somebody else. A local name left out would only be a crash."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call)
    if isinstance(node, ast.Assign):
        parts = [target.elts if isinstance(target, ast.Tuple) else [target] for target in node.targets]
        targets = [target for part in parts for target in part]
        return all(isinstance(target, ast.Attribute | ast.Subscript) for target in targets)
    if isinstance(node, ast.AnnAssign):
        return isinstance(node.target, ast.Attribute) and node.value is not None
    return isinstance(node, ast.AugAssign | ast.Delete | ast.Continue | ast.Break | ast.Raise)


def _is_falsy(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and (node.value is None or node.value is False)


def _is_main(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)


def _is_slots(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__slots__"


def _sign(operator: ast.cmpop) -> str:
    return ast.unparse(ast.Compare(ast.Name("a"), [operator], [ast.Name("b")]))[2:-2]
