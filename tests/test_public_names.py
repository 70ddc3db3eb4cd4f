"""`import llmlens` is light; every public name is there, explained, and stays what it is."""

from __future__ import annotations

import inspect
import pydoc
import subprocess
import sys

import pytest

import llmlens as ll

HEAVY = (
    "pandas",
    "numpy",
    "duckdb",
    "ibis",
    "pyarrow",
    "sklearn",
    "umap",
    "langfuse",
    "plotly",
    "anywidget",
    "genai_prices",
)


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def test_importing_loads_nothing_heavy() -> None:
    program = f"import sys, llmlens; print([m for m in {HEAVY} if m in sys.modules])"
    assert run(program) == "[]"


def test_the_schema_the_errors_and_the_names_load_nothing_heavy() -> None:
    program = f"""
import sys, llmlens
repr(llmlens.schema("spans")), llmlens.ReadError, dir(llmlens), llmlens.__version__
print([m for m in {HEAVY} if m in sys.modules])"""
    assert run(program) == "[]"


def test_reading_and_selecting_load_no_machine_learning_and_no_client() -> None:
    program = """
import sys, llmlens, pandas
traces = llmlens.read_frame(pandas.DataFrame({"model": ["m"], "input_tokens": [1], "name": ["n"]}))
repr(traces.where(kind="llm")), llmlens.cost(traces)
print([m for m in ("sklearn", "umap", "langfuse", "anywidget", "plotly") if m in sys.modules])"""
    assert run(program) == "[]"


@pytest.mark.parametrize("name", ll.__all__)
def test_every_public_name_is_there_and_says_what_it_is(name: str) -> None:
    value = getattr(ll, name)
    assert inspect.getdoc(value)
    assert name in dir(ll)
    assert callable(value)


def test_public_names_are_sorted_and_once() -> None:
    assert ll.__all__ == sorted(set(ll.__all__))


def test_a_star_import_gives_the_public_names() -> None:
    assert (
        run("from llmlens import *; import llmlens; print([n for n in llmlens.__all__ if n not in globals()])") == "[]"
    )


def test_public_functions_stay_functions_after_everything_was_imported() -> None:
    program = """
import importlib, pkgutil, llmlens
before = {n: getattr(llmlens, n) for n in llmlens.__all__}
for module in pkgutil.walk_packages(llmlens.__path__, "llmlens."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print([n for n in llmlens.__all__ if getattr(llmlens, n) is not before[n] or not callable(getattr(llmlens, n))])"""
    assert run(program) == "[]"


def test_public_functions_are_functions_whatever_was_imported_first() -> None:
    program = """
import importlib, pkgutil, llmlens
for module in pkgutil.walk_packages(llmlens.__path__, "llmlens."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print([n for n in llmlens.__all__ if not callable(getattr(llmlens, n))])"""
    assert run(program) == "[]"


@pytest.mark.parametrize(("name", "right"), [("reed", "read"), ("costs", "cost"), ("read_otpl", "read_otlp")])
def test_an_unknown_name_names_the_nearest(name: str, right: str) -> None:
    with pytest.raises(AttributeError, match=f"llmlens has no '{name}'. Did you mean '{right}'"):
        getattr(ll, name)


def test_modules_that_are_called_explain_themselves() -> None:
    assert "Read anything that holds traces" in pydoc.render_doc(ll.read)
    assert "Describe a tidy table" in pydoc.render_doc(ll.schema)
    assert next(iter(inspect.signature(ll.read).parameters)) == "source"
    assert list(inspect.signature(ll.schema).parameters) == ["table"]
