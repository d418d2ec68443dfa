"""The package is a stack: each module imports only from the layers below it."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = [
    {"errors"},
    {"figures", "namespaces", "ports", "resources", "vega", "writing"},
    {"records", "sandbox"},
    {"shapes", "syntax"},
    {"mapping", "mistakes"},
    {"curated", "ontology", "registers"},
    {"bulk", "known", "near", "words"},
    {"classify", "vocabularies"},
    {"evaluate", "matching"},
    {"corroborate", "enrich", "labelled", "terms"},
    {"check", "confined", "describe", "reason", "store"},
    {"changes", "limited", "query"},
    {"lookup", "registered", "report", "strangers"},
    {"charts", "cited", "feed", "guide", "network", "output", "trust", "workbook"},
    {"build"},
    {"door", "export", "neighbours", "pictures", "terminal"},
    {"web"},
    {"cli"},
]
WEB = [
    {"files", "hosts", "kept", "negotiation", "refusal", "settings"},
    {"connection", "opened", "pool"},
    {"answers", "served"},
    {"endpoint", "pages"},
    {"networks"},
    {"app", "site"},
    {"publish", "server"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
WEB_LEVEL = {name: level for level, names in enumerate(WEB) for name in names}
HOMES = {
    "click": {"cli"},
    "httpx": {"registers"},
    "igraph": {"network"},
    "jinja2": {"report"},
    "mcp": {"door"},
    "networkx": {"network", "pictures", "export"},
    "orjson": {"registers", "web"},
    "owlready2": {"reason"},
    "oxrdflib": {"store"},
    "pydantic": {"door"},
    "pyld": {"export"},
    "pyshacl": {"check"},
    "python_calamine": {"registers"},
    "pyvis": {"pictures"},
    "rapidfuzz": {"check", "lookup", "matching", "near", "query"},
    "rdflib": {"check", "store"},
    "rich": {"cli", "output", "terminal"},
    "selectolax": {"web"},
    "starlette": {"web"},
    "uvicorn": {"web"},
    "uvloop": {"web"},
    "vl_convert": {"vega"},
    "xlsxwriter": {"workbook"},
    "yaml": {"classify", "query"},
}
MODULES = sorted(p for p in (ROOT / "kg").rglob("*.py") if p.name != "__main__.py" and p != ROOT / "kg" / "__init__.py")


def part(path: Path) -> str:
    return path.relative_to(ROOT / "kg").parts[0].removesuffix(".py")


def imports(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found += [f"{node.module}.{alias.name}" for alias in node.names] if node.module == "kg" else [node.module]
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
    return found


def test_every_module_has_a_layer() -> None:
    assert {part(path) for path in MODULES} == set(LEVEL)


def test_every_module_has_its_place_on_the_map() -> None:
    table = re.search(r"\| for \| modules \|.*?\n\n", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL)
    assert table is not None
    assert set(LEVEL) <= set(re.findall(r"`(\w+)/?`", table[0]))


@pytest.mark.parametrize("path", MODULES, ids=part)
def test_imports_point_down(path: Path) -> None:
    for name in imports(path):
        if name.startswith("kg."):
            other = name.split(".")[1]
            if other in LEVEL:
                assert other == part(path) or LEVEL[other] < LEVEL[part(path)], name


def test_the_web_is_a_stack_too() -> None:
    rooms = [path for path in MODULES if part(path) == "web" and path.parent.name + path.name != "web__init__.py"]
    inside = {path: path.relative_to(ROOT / "kg" / "web").parts[0].removesuffix(".py") for path in rooms}
    assert set(inside.values()) == set(WEB_LEVEL)
    upward = [
        (room, name)
        for path, room in inside.items()
        for name in imports(path)
        if name.startswith("kg.web.") and (other := name.split(".")[2]) != room and WEB_LEVEL[other] >= WEB_LEVEL[room]
    ]
    assert not upward


@pytest.mark.parametrize("path", MODULES, ids=part)
def test_a_library_has_its_home(path: Path) -> None:
    for name in imports(path):
        home = HOMES.get(name.split(".")[0])
        assert home is None or part(path) in home, name


@pytest.mark.parametrize("path", MODULES, ids=part)
def test_http_is_spoken_in_one_module(path: Path) -> None:
    assert path.name == "fetching.py" or not {"httpx", "http.client", "urllib.request"} & set(imports(path))


@pytest.mark.parametrize("path", MODULES, ids=part)
def test_iris_are_spelled_in_namespaces_only(path: Path) -> None:
    # A register's own addresses stand with its connector.
    if path.name == "namespaces.py" or part(path) == "registers":
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = {
        ast.get_docstring(node, clean=False)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
    }
    texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    assert not [t for t in texts if re.search(r"\w://", t) and t not in docs]


@pytest.mark.parametrize("path", MODULES, ids=part)
def test_modules_stay_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_importing_opens_no_socket_and_writes_no_file() -> None:
    names = ", ".join(f"kg.{part(path)}" for path in MODULES)
    code = (
        "import sys, socket, pathlib\n"
        "def stop(*a, **k): sys.exit('work at import')\n"
        "socket.socket.connect = pathlib.Path.write_text = pathlib.Path.write_bytes = pathlib.Path.mkdir = stop\n"
        f"import {names}\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
