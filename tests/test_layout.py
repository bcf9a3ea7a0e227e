"""The layout: imports run one way, without a circle, and what is dangerous or about to change is behind one door."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS: Mapping[str, frozenset[str]] = {
    "matrices": frozenset(),
    "adapters_zoo": frozenset({"matrices"}),
    "workers": frozenset({"matrices", "adapters_zoo"}),
    "service": frozenset({"matrices"}),
    "sprachbund": frozenset({"matrices", "adapters_zoo", "workers", "service"}),
}
"""Each room, and the rooms it may see."""
FLOORS: Mapping[str, frozenset[str]] = {
    "matrices.published": frozenset(),
    "matrices.uncertainty": frozenset(),
    "matrices.likeness": frozenset(),
    "matrices.measures": frozenset({"matrices.likeness", "matrices.uncertainty"}),
    "matrices.plots": frozenset({"matrices.measures", "matrices.uncertainty"}),
    "matrices.recommend": frozenset({"matrices.likeness", "matrices.measures", "matrices.uncertainty"}),
    "matrices.backtest": frozenset({"matrices.likeness", "matrices.recommend", "matrices.uncertainty"}),
}
"""Each floor of ``matrices``, and the floors it may see; modules beside them belong to all."""


@cache
def modules() -> dict[str, Path]:
    """Every module of every room by its dotted name."""
    files = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in files}


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(modules()[module].read_text(encoding="utf-8"))


def imported(nodes: Iterator[ast.AST]) -> Iterator[str]:
    """Dotted names that import statements name; ``from a import b`` names a module b of a as ``a.b``."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide which room is meant"
            assert node.module is not None
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in modules() else node.module


def run_on_import(statements: list[ast.stmt]) -> Iterator[ast.AST]:
    """The import statements that importing a module runs: not those in functions, nor those for type checkers only."""
    for statement in statements:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            yield statement
        elif isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING":
            yield from run_on_import(statement.orelse)
        elif not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            for block in ("body", "orelse", "finalbody"):
                yield from run_on_import(getattr(statement, block, []))


def imports(module: str) -> set[str]:
    """What a module imports anywhere in it."""
    return set(imported(ast.walk(tree(module))))


def importers(*names: str) -> set[str]:
    """The modules that import any of the given top-level packages."""
    return {module for module in modules() if any(name.partition(".")[0] in names for name in imports(module))}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_sees_only_the_rooms_below_it(room: str) -> None:
    allowed = ROOMS[room] | {room}
    seen = {
        f"{module} imports {name}"
        for module in modules()
        if module.partition(".")[0] == room
        for name in imports(module)
        if name.partition(".")[0] in ROOMS.keys() - allowed
    }
    assert not seen


@pytest.mark.parametrize("floor", FLOORS)
def test_a_floor_of_matrices_sees_only_the_floors_below_it(floor: str) -> None:
    assert any(module.startswith(f"{floor}.") for module in modules())
    above = FLOORS.keys() - FLOORS[floor] - {floor}
    seen = {
        f"{module} imports {name}"
        for module in modules()
        if module.startswith(floor)
        for name in imports(module)
        if name.startswith(tuple(above))
    }
    assert not seen


def test_importing_any_module_runs_into_no_circle() -> None:
    graph = {module: set(imported(run_on_import(tree(module).body))) & modules().keys() for module in modules()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' -> '.join(error.args[1])}")


def test_one_package_touches_transformers_and_adapters() -> None:
    assert {module.rpartition(".")[0] for module in importers("transformers", "adapters")} == {"adapters_zoo.backbone"}


def test_one_module_touches_lightgbm_and_it_is_never_run_into_by_an_answer() -> None:
    assert importers("lightgbm") == {"matrices.backtest.learned"}
    reached = {"service.app", "matrices.recommend"}
    while (
        further := {name for one in reached for name in imported(run_on_import(tree(one).body))}
        & modules().keys() - reached
    ):
        reached |= further
    assert "matrices.backtest.learned" not in reached


@pytest.mark.parametrize("heavy", ["torch", "ray", "transformers", "adapters"])
def test_rooms_that_answer_never_train(heavy: str) -> None:
    assert not {module for module in importers(heavy) if module.startswith(("matrices", "service"))}


def test_nothing_is_pickled() -> None:
    assert not importers("pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal")
    calls = {
        f"{module}: {ast.unparse(node)}"
        for module in modules()
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("torch.load", "torch.save")
    }
    assert not calls
    # numpy unpickles object arrays only where it is asked to.
    assert not {module for module in modules() if "allow_pickle=True" in modules()[module].read_text(encoding="utf-8")}
