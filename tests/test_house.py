"""The habits of CONTRIBUTING.md that a machine can check."""

import ast
import importlib
import io
import json
import re
import subprocess
import tokenize
import tomllib
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import ssmlab

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ssmlab"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

# The table of modules in CONTRIBUTING.md: a module, or a package as a whole, imports only what stands above it.
ORDER = [
    name
    for row in re.findall(r"^\|(.+?)\|", (ROOT / "CONTRIBUTING.md").read_text(), re.M)
    for name in re.findall(r"`(\w+)`", row)
]


def imported(file: Path, package: Path) -> set[str]:
    """The package's own modules that a file imports, dotted, without the package's name: `a`, `a.b`, `__init__`."""
    here = file.relative_to(package.parent).parts[:-1]
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = [*here[: len(here) + 1 - node.level]] if node.level else []
            base += node.module.split(".") if node.module else []
            names |= {_module([*base, alias.name], package) for alias in node.names}
    return {name.partition(".")[2] or "__init__" for name in names if name.partition(".")[0] == package.name}


def _module(parts: list[str], package: Path) -> str:
    """`a.b.name` where that is a module, else `a.b`: the module that holds the name."""
    path = package.parent.joinpath(*parts)
    return ".".join(parts if path.with_suffix(".py").exists() or path.is_dir() else parts[:-1])


def upward_imports(package: Path, order: list[str]) -> list[str]:
    """What is wrong with the imports of a package, in words."""
    place = {name: number for number, name in enumerate(order)}
    wrong, inside = [], {}
    for file in sorted(package.rglob("*.py")):
        module = file.relative_to(package).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
        names = {name: name.partition(".")[0] for name in sorted(imported(file, package) - {module})}
        own = module.partition(".")[0]
        inside[module] = {name for name, top in names.items() if top == own}
        if own in place:
            below = [name for name, top in names.items() if place.get(top, 0) > place[own]]
            wrong += [f"`{module}` imports `{name}`, which stands below it" for name in below]
        else:
            wrong.append(f"`{module}` has no place: add `{own}` to the table in CONTRIBUTING.md")
    try:
        TopologicalSorter(inside).prepare()
    except CycleError as error:
        wrong.append(f"modules of one package import each other: {', '.join(sorted({*error.args[1]}))}")
    return wrong


def tracked(*suffixes: str) -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone: which files are the repository's is not known")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return [ROOT / name for name in names if name.endswith(suffixes or "") and (ROOT / name).is_file()]


def lines(*patterns: str) -> dict[str, int]:
    files = [file for pattern in patterns for file in PACKAGE.rglob(pattern)]
    return {file.relative_to(ROOT).as_posix(): len(file.read_text().splitlines()) for file in files}


def code_lines(source: str) -> int:
    """Lines with code on them: docstrings, comments and blank lines are not counted."""
    quiet = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    tokens = [t for t in tokenize.generate_tokens(io.StringIO(source).readline) if t.type not in quiet]
    code = {line for t in tokens for line in range(t.start[0], t.end[0] + 1)}
    owners = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Module | ast.ClassDef | ast.FunctionDef)]
    texts = [owner.body[0] for owner in owners if ast.get_docstring(owner, clean=False) is not None]
    return len(code - {line for text in texts for line in range(text.lineno, text.end_lineno + 1)})


def cells(notebook: Path) -> list[dict]:
    return [cell for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == "code"]


def bounds(requirements: list[str]) -> dict[str, str]:
    """Name → lower bound, refusing all that is not `name>=version`."""
    found = {}
    for text in requirements:
        assert re.fullmatch(r"[a-z][a-z0-9-]*>=\d+(\.\d+)*", text), f"expected `name>=version`, got `{text}`"
        found[Requirement(text).name] = str(Requirement(text).specifier)
    assert list(found) == sorted(found), "names are not in order"
    return found


def pins() -> dict[str, str]:
    return dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines())


def test_a_module_imports_only_what_stands_above_it():
    assert upward_imports(PACKAGE, ORDER) == []


def test_the_reader_of_imports_finds_each_kind_of_wrong_import(tmp_path):
    files = {
        "__init__.py": "from .low import x",
        "high.py": "def f():\n    from kit.low import x",
        "low.py": "import json\nfrom kit import high\nfrom kit.packed.one import a",
        "packed/__init__.py": "from .one import a",
        "packed/one.py": "from . import two",
        "packed/two.py": "from .one import a\nfrom ..high import f\nfrom .. import low\nimport kit",
        "stray.py": "",
    }
    for name, text in files.items():
        path = tmp_path / "kit" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert upward_imports(tmp_path / "kit", ["high", "packed", "low", "__init__"]) == [
        "`high` imports `low`, which stands below it",
        "`packed.two` imports `__init__`, which stands below it",
        "`packed.two` imports `low`, which stands below it",
        "`stray` has no place: add `stray` to the table in CONTRIBUTING.md",
        "modules of one package import each other: packed.one, packed.two",
    ]


def test_the_public_names_are_those_that_mypy_reads_and_come_from_their_modules():
    imports = [
        node for node in ast.walk(ast.parse((PACKAGE / "__init__.py").read_text())) if isinstance(node, ast.ImportFrom)
    ]
    own = [(node.module, alias.name) for node in imports if node.module.startswith("ssmlab") for alias in node.names]
    assert sorted(name for _, name in own) == sorted(ssmlab.__all__)
    for module, name in own:
        home = importlib.import_module(f"ssmlab.{name}" if module == "ssmlab" else module)
        assert getattr(ssmlab, name) is (home if module == "ssmlab" else getattr(home, name))
    assert dir(ssmlab) == sorted([*ssmlab.__all__, "__version__"])
    with pytest.raises(AttributeError, match="module `ssmlab` has no attribute `lode`"):
        _ = ssmlab.lode


def test_the_package_stays_small():
    python = lines("*.py")
    assert {name: count for name, count in python.items() if count > 300} == {}
    assert sum(code_lines(file.read_text()) for file in PACKAGE.rglob("*.py")) <= 15_500
    assert sum(lines("*.js").values()) <= 800


def test_notebooks_are_committed_without_outputs():
    for notebook in tracked(".ipynb"):
        assert [cell for cell in cells(notebook) if cell["outputs"] or cell["execution_count"]] == [], notebook.name
        assert "widgets" not in json.loads(notebook.read_text())["metadata"], notebook.name


def test_a_notebook_cell_is_at_most_five_lines_and_defines_no_function():
    for notebook in tracked(".ipynb"):
        shown = [cell for cell in cells(notebook) if "solution" not in cell["metadata"].get("tags", ())]
        for source in ("".join(cell["source"]) for cell in shown):  # an answer, such as a policy, takes its lines
            assert len(source.splitlines()) <= 5, f"{notebook.name}: {source}"
            assert not re.search(r"^\s*def ", source, re.M), f"{notebook.name}: {source}"


def test_conda_users_get_the_same_names_and_lower_bounds():
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, pip, *specs = conda["dependencies"]
    assert (conda["name"], conda["channels"]) == (PROJECT["name"], ["conda-forge"])
    assert (python, pip) == (f"python{PROJECT['requires-python']}", "pip")
    assert bounds(specs) == bounds(PROJECT["dependencies"])


def test_every_dependency_is_pinned_at_or_above_its_lower_bound():
    pinned = pins()
    for text in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["test"]:
        requirement = Requirement(text)
        assert pinned[canonicalize_name(requirement.name)] in requirement.specifier, text


def test_pins_are_plain_names_and_versions_in_order():
    text = (ROOT / "constraints.txt").read_text()
    assert [line for line in text.splitlines() if not re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", line)] == []
    assert list(pins()) == sorted(pins())
    assert len(pins()) == len(text.splitlines())


# Written so that this file does not match itself.
FOREIGN = re.compile(
    r"(?<![\w.$}])/(?:work|tmp|root|home|Users)/|(?<!\w)[s]hared/"  # paths of one machine
    r"|\b(?:pypi|pythonhosted|npmjs|anaconda|debian)\.(?:org|com)\b"  # package registries
)


def test_no_file_names_a_machine_or_a_package_registry():
    texts = {file: file.read_text(errors="replace") for file in tracked()}
    found = {str(file.relative_to(ROOT)): FOREIGN.findall(text) for file, text in texts.items()}
    assert {name: hits for name, hits in found.items() if hits} == {}


@pytest.mark.parametrize(
    ("text", "is_foreign"),
    [
        ("see /" + "work/main", True),
        ("a sh" + "ared/contract.md", True),
        ("https://py" + "pi.org/simple", True),
        ("documents that were shared", False),
        ("arn:aws:iam::123456789012:user/home/ops", False),
    ],
)
def test_the_search_for_machine_names_finds_them_and_nothing_else(text, is_foreign):
    assert bool(FOREIGN.search(text)) == is_foreign
