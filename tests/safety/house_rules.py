"""House rules of the guard's files, by their syntax trees: what the gate of last resort may be written with.

Each rule is one small function in `RULES`, by its id; it gives the lines where it is broken. The guard's files hold
integers only, never divide, never raise or catch, never loop without an end, never call themselves, know nobody
outside of `safety/`, and can be read function by function.
"""

import ast
from collections.abc import Callable, Iterator
from typing import NamedTuple

GUARD_FILES = (
    "body_rules",
    "guard",
    "interlocks",
    "joint",
    "joint_guard",
    "joint_limits",
    "joint_memory",
    "joint_prescribing",
    "joint_rules",
    "lately",
    "limits",
    "memory",
    "orders",
    "position",
    "prescribing",
    "pulse_rules",
    "rules",
    "screening",
    "stimulus",
    "today",
    "vetting",
)
IMPORTS = {"collections.abc": None, "dataclasses": None, "enum": None, "math": {"isqrt"}, "typing": None}
"""Module > the names that may be taken from it (None: any)."""
LINES_MAX = 70
INEXACT = ("float", "complex", "Decimal", "Fraction", "round", "divmod", "truediv", "__truediv__", "nan", "inf")
OUTSIDE = ("eval", "exec", "compile", "open", "print", "input", "globals", "locals", "setattr", "delattr", "__import__")
ENDLESS = ("iter", "next")
"""They walk on by hand: where the end is cannot be seen. (`itertools` cannot be imported at all.)"""
LOOPED = ("enumerate", "items", "phases", "tuple", "values")
"""Calls whose result a loop may walk: each is as long as something that already exists."""
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
WAITING = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await, ast.Yield, ast.YieldFrom)
BEHIND = ("__class__", "__code__", "__dict__", "__new__", "__setattr__")
LOOPS = (ast.For, ast.comprehension)


class Broken(NamedTuple):
    """A rule that does not hold, and on which line."""

    rule: str
    line: int


def broken(text: str) -> list[Broken]:
    """All rules that a guard's file breaks, in the order of its lines."""
    tree = ast.parse(text)
    found = {Broken(name, line) for name, rule in RULES.items() for line in rule(tree)}
    return sorted(found, key=lambda one: (one.line, one.rule))


# -- what numbers are --------------------------------------------------------------------------------------------------


def no_float(tree: ast.Module) -> Iterator[int]:
    """No number with a point, no name of an inexact type: not as a value, an annotation or a call."""
    for node in ast.walk(tree):
        written = isinstance(node, ast.Constant) and isinstance(node.value, float | complex)
        if written or _last_name(node) in INEXACT or _is_text_of_a_type(node):
            yield node.lineno


def no_division(tree: ast.Module) -> Iterator[int]:
    """No true division, and no power that may have an exponent below 0: both make floats of integers."""
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp | ast.AugAssign):
            power = isinstance(node.op, ast.Pow) and not _is_natural(node)
            if power or isinstance(node.op, ast.Div):
                yield node.lineno


def closed_bounds(tree: ast.Module) -> Iterator[int]:
    """A bound says what is allowed (`lo <= x <= hi`), never what is not (`x < lo or x > hi`): NaN is neither."""
    for node in ast.walk(tree):
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
            single = [one for one in node.values if isinstance(one, ast.Compare) and len(one.ops) == 1]
            asked = [(ast.unparse(one.left), way) for one in single for way in one.ops]
            below = {left for left, way in asked if isinstance(way, ast.Lt | ast.LtE)}
            above = {left for left, way in asked if isinstance(way, ast.Gt | ast.GtE)}
            if below & above:
                yield node.lineno


# -- how it goes on ----------------------------------------------------------------------------------------------------


def no_exception(tree: ast.Module) -> Iterator[int]:
    """Nothing is tried, caught, raised or asserted: a rule holds or gives its reason."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Try | ast.TryStar | ast.Raise | ast.Assert | ast.With):
            yield node.lineno


def bounded_loops(tree: ast.Module) -> Iterator[int]:
    """No `while`; a `for` (or a comprehension) walks something that is there already, and that it does not lengthen.

    That is a name or an attribute, a tuple written out, a piece of one of these, or a call of `LOOPED`.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.While) or _last_name(node) in ENDLESS:
            yield node.lineno
        elif isinstance(node, LOOPS) and (not _is_there(node.iter) or _lengthens(node)):
            yield node.iter.lineno


def no_recursion(tree: ast.Module) -> Iterator[int]:
    """No function of a file calls itself, by itself or by way of others of the file."""
    functions = [node for node in ast.walk(tree) if isinstance(node, FUNCTIONS)]
    calls = {one.name: _called(one) for one in functions}
    for one in functions:
        reached, before = set(calls[one.name]), set()
        for _ in calls:
            reached |= {name for caller in reached - before for name in calls.get(caller, ())}
        if one.name in reached or one.name in _called(one, any_owner=True):
            yield one.lineno


def no_waiting(tree: ast.Module) -> Iterator[int]:
    """Nothing asynchronous, nothing that yields: a rule is asked and answers."""
    for node in ast.walk(tree):
        if isinstance(node, WAITING):
            yield node.lineno


# -- who is known ------------------------------------------------------------------------------------------------------


def allowed_imports(tree: ast.Module) -> Iterator[int]:
    """Only names out of the guard's own files and of `IMPORTS`, at the top of the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield node.lineno
        if isinstance(node, ast.ImportFrom):
            inside = node not in tree.body
            if inside or not _may_be_imported(node):
                yield node.lineno


def nothing_outside(tree: ast.Module) -> Iterator[int]:
    """No call that runs text, touches files or screens, or changes names behind the reader's back."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Global | ast.Nonlocal) or _last_name(node) in OUTSIDE:
            yield node.lineno


def no_way_round(tree: ast.Module) -> Iterator[int]:
    """No state is set past the functions that are there for it: no `to_...()`, no `.state =`, no `object.__new__`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            jump = node.attr.startswith("to_")
            stored = isinstance(node.ctx, ast.Store) and node.attr == "state"
            if jump or stored or node.attr in BEHIND:
                yield node.lineno


# -- how it reads ------------------------------------------------------------------------------------------------------


def short_functions(tree: ast.Module) -> Iterator[int]:
    """A function has 70 lines at most."""
    for node in ast.walk(tree):
        if isinstance(node, FUNCTIONS) and (node.end_lineno or node.lineno) - node.lineno >= LINES_MAX:
            yield node.lineno


def typed(tree: ast.Module) -> Iterator[int]:
    """Every parameter and every answer has a type; only a method's own `self` or `cls` has none. Never `Any`."""
    methods = {inner for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for inner in node.body}
    for node in ast.walk(tree):
        if _last_name(node) == "Any":
            yield node.lineno
        if isinstance(node, ast.Lambda):
            yield node.lineno
        if not isinstance(node, FUNCTIONS):
            continue
        given = node.args
        parts = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
        unknown = [one.arg for one in parts if one is not None and one.annotation is None]
        if node.returns is None or (unknown and not (node in methods and unknown in (["self"], ["cls"]))):
            yield node.lineno


RULES: dict[str, Callable[[ast.Module], Iterator[int]]] = {
    "float": no_float,
    "division": no_division,
    "bounds": closed_bounds,
    "exception": no_exception,
    "endless": bounded_loops,
    "recursion": no_recursion,
    "waiting": no_waiting,
    "import": allowed_imports,
    "outside": nothing_outside,
    "bypass": no_way_round,
    "long": short_functions,
    "untyped": typed,
}


# -- inside ------------------------------------------------------------------------------------------------------------


def _last_name(node: ast.AST) -> str | None:
    """`f` of `f`, of `a.f`, and of `import a as f` nothing: that is another rule's."""
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else None


def _is_text_of_a_type(node: ast.AST) -> bool:
    """An annotation that is written as a text, such as `x: "float"`."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in INEXACT


def _is_natural(node: ast.BinOp | ast.AugAssign) -> bool:
    """Whether the exponent of a power is a whole number that is written out: no other keeps integers whole."""
    exponent = node.right if isinstance(node, ast.BinOp) else node.value
    return isinstance(exponent, ast.Constant) and type(exponent.value) is int


def _is_there(walked: ast.expr) -> bool:
    """Whether what a loop walks has an end before the loop begins."""
    if isinstance(walked, ast.Call):
        return _last_name(walked.func) in LOOPED
    if isinstance(walked, ast.Subscript):
        return _is_there(walked.value)
    return isinstance(walked, ast.Name | ast.Attribute | ast.Tuple)


def _lengthens(loop: ast.For | ast.comprehension) -> bool:
    """Whether the loop's body makes longer what the loop walks."""
    walked = ast.unparse(loop.iter)
    if not isinstance(loop, ast.For):
        return False
    for node in ast.walk(ast.Module(loop.body, [])):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            longer = node.func.attr in ("append", "extend", "insert", "add", "update", "setdefault")
            if longer and ast.unparse(node.func.value) == walked:
                return True
        if isinstance(node, ast.AugAssign) and ast.unparse(node.target) == walked:
            return True
    return False


def _called(function: ast.AST, any_owner: bool = False) -> set[str]:
    """Names that a function calls as its own or its object's; with `any_owner` those of other objects, too."""
    found = set()
    for node in ast.walk(function):
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Attribute):
            ours = any_owner or ast.unparse(called.value) in ("self", "cls")
            found |= {called.attr} if ours else set()
        elif isinstance(called, ast.Name):
            found.add(called.id)
    return found


def _may_be_imported(node: ast.ImportFrom) -> bool:
    """Whether every name of this line may be known here."""
    module = node.module
    if module is None or node.level or "*" in [alias.name for alias in node.names]:
        return False
    if module.startswith("safety."):
        return module.removeprefix("safety.") in GUARD_FILES
    if module not in IMPORTS:
        return False
    names = IMPORTS[module]
    return names is None or {alias.name for alias in node.names} <= names
