"""The rules, as pure functions from source text to findings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from tests.house.source import Finding

CLOCKS = {
    "clock.now",
    "datetime.now",
    "datetime.today",
    "datetime.utcnow",
    "date.today",
    "time.time",
    "time.time_ns",
    "time.localtime",
    "time.gmtime",
}
NAMELESS = frozenset({"Invalid", "Refused", "NotFound"})
BORDER = re.compile(r"#\s*border:\s*\S")
"""`except Exception:  # border: why everything is caught here`."""

_PATH_LIKE = re.compile(r"(^|_)(path|folder|directory|root|here|home|file)s?$", re.IGNORECASE)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
# Put together from parts, so that this file does not break its own rules.
_UNWANTED = re.compile("|".join(("dona" + "tions?", "spon" + "sor(s|ed|ing|ship|ships)?", "gif" + "ts?", "ti" + "ps?")))
_UNFINISHED = re.compile(r"\b(TO" + "DO|FIX" + r"ME)\b")
_MACHINE_PATH = re.compile(r"(?<![\w.:/~}-])/(wo" + "rk|ro" + "ot|ho" + r"me)/")
_ADDRESS = re.compile(r"://|--(extra-)?index|--find-links|--trusted-host", re.IGNORECASE)


def inexact_arithmetic(source: str) -> Iterator[Finding]:
    """float(), round(), float literals and true division; `/` between paths is told by its operands."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id="float" | "round" as name)):
                yield node.lineno, f"{name}() near money: stay with integers and `Money.split`"
            case ast.Constant(value=float()):
                yield node.lineno, f"the float {node.value} near money"
            case ast.BinOp(op=ast.Div(), left=left, right=right) if not (_is_path(left) or _is_path(right)):
                yield node.lineno, "true division near money: use `//` or `Money.split`"
            case ast.AugAssign(op=ast.Div()):
                yield node.lineno, "true division near money: use `//` or `Money.split`"


def clock_readings(source: str) -> Iterator[Finding]:
    """Calls that ask what time it is; `time.monotonic` and `time.perf_counter` measure and are no clocks."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and _dotted(node.func) in CLOCKS:
            yield node.lineno, f"{_dotted(node.func)}() outside api: take `now` as an argument"


def broad_excepts(source: str) -> Iterator[Finding]:
    """Handlers that swallow everything, unless marked as a border; ending in `raise` swallows nothing."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ExceptHandler) or not _catches_everything(node):
            continue
        if not _raises_again(node) and not BORDER.search(lines[node.lineno - 1]):
            yield node.lineno, "catches everything: name the errors, or say why with `# border: ...`"


def nameless_errors(source: str) -> Iterator[Finding]:
    """Errors of a kind alone: a program could not tell one situation from another by the type of the problem."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Raise) or node.exc is None:
            continue
        name = _dotted(node.exc.func if isinstance(node.exc, ast.Call) else node.exc).rpartition(".")[2]
        if name in NAMELESS:
            yield node.lineno, f"a bare {name}: name the situation by a class beside the function that raises it"


def more_than_a_docstring(source: str) -> Iterator[Finding]:
    """What a package's `__init__.py` may not hold, or a missing docstring."""
    tree = ast.parse(source)
    if ast.get_docstring(tree) is None:
        yield 1, "the package has no docstring that says what its words mean"
    for node in tree.body:
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            yield node.lineno, "`__init__.py` holds a docstring and nothing else"


def endings_of_borrowed_sessions(source: str) -> Iterator[Finding]:
    """commit() and rollback() in a function that was handed its session."""
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)) and "session" in _parameters(function):
            for line, ending in _endings(function):
                yield line, f"`{function.name}` takes a session and calls {ending}()"


def unwanted_words(source: str) -> Iterator[Finding]:
    """Words that domain.md bans, whole or as part of a name in snake or camel case."""
    for number, line in enumerate(source.splitlines(), 1):
        for word in _WORD.findall(line):
            if _UNWANTED.fullmatch(word.lower()):
                yield number, f"the word {word!r} is none of ours"


def unfinished_marks(source: str) -> Iterator[Finding]:
    """Notes to oneself, which belong into an issue."""
    return _matches(source, _UNFINISHED, "an unfinished mark: finish it, or file an issue")


def machine_paths(source: str) -> Iterator[Finding]:
    """Absolute paths that exist on one machine only."""
    return _matches(source, _MACHINE_PATH, "an absolute path of one machine")


def addresses(source: str) -> Iterator[Finding]:
    """Addresses and options that tie a lock file to one package index."""
    return _matches(source, _ADDRESS, "a lock file names hashes, never where packages come from")


def _matches(source: str, pattern: re.Pattern[str], what: str) -> Iterator[Finding]:
    return ((number, what) for number, line in enumerate(source.splitlines(), 1) if pattern.search(line))


def _is_path(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=str()) | ast.JoinedStr():
            return True
        case ast.Call(func=function):
            return _is_path(function) or _dotted(function).rpartition(".")[2] == "Path"
        case ast.BinOp(op=ast.Div(), left=left, right=right):
            return _is_path(left) or _is_path(right)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name == "parent" or _PATH_LIKE.search(name) is not None
        case ast.Subscript(value=value):
            return isinstance(value, ast.Attribute) and value.attr == "parents"
    return False


def _dotted(node: ast.expr) -> str:
    """The last two names of `datetime.datetime.now`; that is enough to recognize it."""
    match node:
        case ast.Attribute(value=ast.Name(id=owner) | ast.Attribute(attr=owner), attr=name):
            return f"{owner}.{name}"
        case ast.Name(id=name):
            return name
    return ""


def _catches_everything(handler: ast.ExceptHandler) -> bool:
    caught: Iterable[ast.expr] = (
        handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type or ast.Name("BaseException")]
    )
    return any(_dotted(kind).rpartition(".")[2] in ("Exception", "BaseException") for kind in caught)


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    arguments = function.args
    return {each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}


def _endings(function: ast.AST) -> Iterator[Finding]:
    for node in ast.walk(function):
        match node:
            case ast.Call(func=ast.Attribute(attr="commit" | "rollback" as ending)):
                yield node.lineno, ending
