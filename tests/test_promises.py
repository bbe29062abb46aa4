"""Every test checks something, or says why it needs no assertion."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
FILES = sorted(TESTS.rglob("*.py"))

# Calls that fail by themselves: pytest's, anyio's and a browser's.
CHECKS = {"AssertionError", "raises", "warns", "fail", "fail_after", "expect", "wait_for"}
# How the docstring of a test begins that can only fail by an exception.
EXCUSE = "Without an assertion: "

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(file: Path) -> Iterator[Function]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def uses(function: Function) -> set[str]:
    """The names of what a function calls, and of the fixtures it takes."""
    arguments = [*function.args.args, *function.args.kwonlyargs]
    called = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    return (
        {argument.arg for argument in arguments}
        | {name.id for name in called if isinstance(name, ast.Name)}
        | {name.attr for name in called if isinstance(name, ast.Attribute)}
    )


def asserts(function: Function) -> bool:
    return bool(uses(function) & CHECKS) or any(
        isinstance(node, ast.Assert) for node in ast.walk(function)
    )


def unchecked(everything: Mapping[Path, list[Function]]) -> list[str]:
    """The tests that neither assert, nor use a helper or a fixture that does, nor say why."""
    checks = {each.name for found in everything.values() for each in found if asserts(each)}
    return [
        f"{file.name}::{function.name}"
        for file, found in everything.items()
        for function in found
        if function.name.startswith("test_")
        and not asserts(function)
        and not uses(function) & checks
        and not (ast.get_docstring(function) or "").startswith(EXCUSE)
    ]


def test_every_test_asserts_or_says_why_it_does_not() -> None:
    assert unchecked({file: list(functions(file)) for file in FILES}) == []


@pytest.mark.parametrize(
    ("body", "is_unchecked"),
    [
        ("def test_it():\n    run()", True),
        ("def test_it():\n    'Runs.'\n    run()", True),
        ("def test_it():\n    'Without an assertion: it would hang.'\n    run()", False),
        ("def test_it():\n    assert run()", False),
        ("def test_it():\n    with pytest.raises(ValueError):\n        run()", False),
        ("def check(it):\n    assert it\ndef test_it():\n    check(run())", False),
        ("def scanner():\n    assert run()\ndef test_it(scanner):\n    run()", False),
    ],
)
def test_a_test_without_an_assertion_is_found(
    body: str, is_unchecked: bool, tmp_path: Path
) -> None:
    file = tmp_path / "test_it.py"
    file.write_text(body, encoding="utf-8")
    assert bool(unchecked({file: list(functions(file))})) is is_unchecked
