"""The pytest plugin: a lab is up while a module's tests run. See docs/pytest.md.

It is loaded in every run of pytest where labctl is installed, so whatever takes time to
load is loaded in the fixtures.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

if TYPE_CHECKING:
    from labctl.engine.client import Engine
    from labctl.lab.lab import Lab
    from labctl.observe.steps.model import Film
    from labctl.play.crossing import Crossed
    from labctl.play.seen import SeenTimeline
    from labctl.play.under_test import LabUnderTest

T = TypeVar("T")

_MARK = (
    "lab(lab, scale=None, timeout=None): on a module: the lab that its tests need, by name, "
    "folder or file; how many of which host; seconds for all to become ready. Without it the "
    "compose.yaml beside the module."
)
_SCENARIO_MARK = (
    "scenario(name, tracer='auto'): the scenario that the fixtures `timeline`, `crossings` and "
    "`film` play; without it the lab's only one."
)
_COMPOSE_FILES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_LOG_LINES = 40
_UP: pytest.StashKey[LabUnderTest] = pytest.StashKey()
_LOOKED_AT: pytest.StashKey[bool] = pytest.StashKey()
_SEEN: pytest.StashKey[dict[tuple[str, str], SeenTimeline]] = pytest.StashKey()
_CROSSED: pytest.StashKey[dict[tuple[str, str], Crossed]] = pytest.StashKey()
_FILMS: pytest.StashKey[dict[tuple[str, str], Film]] = pytest.StashKey()
_KEPT: pytest.StashKey[list[str]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the plugin."""
    group = parser.getgroup("labctl", "labs (labctl)")
    group.addoption(
        "--lab-keep", action="store_true", help="leave labs up after their tests, for a look"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marks."""
    config.addinivalue_line("markers", _MARK)
    config.addinivalue_line("markers", _SCENARIO_MARK)
    config.stash[_KEPT] = []


@pytest.fixture(scope="session")
def _labctl_engine() -> Engine:
    from labctl.engine.client import connect  # noqa: PLC0415

    with _two_lines():
        return connect()


@pytest.fixture(scope="session")
def engine(_labctl_engine: Engine) -> Engine:
    """The Docker engine that `docker` itself would use; where none answers the test fails."""
    return _labctl_engine


@pytest.fixture(scope="module")
def lab(request: pytest.FixtureRequest, _labctl_engine: Engine) -> Iterator[LabUnderTest]:
    """The module's lab, up under a random name until the module's last test is over."""
    from labctl.engine.shield import term_interrupts  # noqa: PLC0415
    from labctl.engine.up import Reporter  # noqa: PLC0415
    from labctl.play.fresh import fresh  # noqa: PLC0415
    from labctl.play.under_test import LabUnderTest  # noqa: PLC0415

    keep = bool(request.config.getoption("lab_keep"))
    with _two_lines(), ExitStack() as stack:
        stack.enter_context(term_interrupts())
        model, scale, timeout = _wanted(request, request.node)
        live = stack.enter_context(fresh(_labctl_engine, model, Reporter(), scale, timeout, keep))
        if keep:
            request.config.stash[_KEPT].append(live.name)
        request.node.stash[_UP] = LabUnderTest(_labctl_engine, model, live)
        yield request.node.stash[_UP]
        del request.node.stash[_UP]


@pytest.fixture
def timeline(request: pytest.FixtureRequest, _labctl_engine: Engine) -> SeenTimeline:
    """Every call and packet of a scenario, played on a copy of the module's lab of its own.

    Tests of a module that name the same scenario share one play.
    """
    from labctl.play.seen import see  # noqa: PLC0415

    return _shared(request, _SEEN, lambda lab, name, by: see(_labctl_engine, lab, name, by))


@pytest.fixture
def crossings(request: pytest.FixtureRequest, _labctl_engine: Engine) -> Crossed:
    """How each process of a scenario crossed into the kernel, played on a copy of its own.

    Tests of a module that name the same scenario share one play.
    """
    from labctl.play.crossing import see_crossings as see  # noqa: PLC0415

    return _shared(request, _CROSSED, lambda lab, name, by: see(_labctl_engine, lab, name, by))


@pytest.fixture
def film(request: pytest.FixtureRequest, _labctl_engine: Engine) -> Film:
    """What the programs of a scenario hold after each call, on a copy of the module's lab.

    Tests of a module that name the same scenario share one play.
    """
    from labctl.play.stepping import shoot  # noqa: PLC0415

    return _shared(request, _FILMS, lambda lab, name, _: shoot(_labctl_engine, lab, name))


def _shared(
    request: pytest.FixtureRequest,
    stash: pytest.StashKey[dict[tuple[str, str], T]],
    play: Callable[[Lab, str, str], T],
) -> T:
    """Return what `play` gave of the lab, the scenario and the tracer that a test asks for; it
    is called once for all tests of a module that ask for the same."""
    from labctl.engine.shield import term_interrupts  # noqa: PLC0415
    from labctl.play.choose import scenario_of  # noqa: PLC0415

    module = request.node.getparent(pytest.Module)
    assert module is not None
    with _two_lines(), term_interrupts():
        model, _, _ = _wanted(request, module)
        wanted, tracer = _scenario(request)
        name, _ = scenario_of(model, wanted)
        seen: dict[tuple[str, str], T] = module.stash.setdefault(stash, {})
        if (name, tracer) not in seen:
            seen[name, tracer] = play(model, name, tracer)
        return seen[name, tracer]


def _scenario(request: pytest.FixtureRequest) -> tuple[str | None, str]:
    """Return the scenario and the tracer that a test's mark names. Raises UsageError."""
    from labctl.errors import UsageError  # noqa: PLC0415
    from labctl.observe.tracers import NAMES  # noqa: PLC0415

    mark = request.node.get_closest_marker("scenario")
    if mark is None:
        return None, "auto"
    told = {"tracer": "auto", **dict(zip(("name",), mark.args, strict=False)), **mark.kwargs}
    name, tracer = told.get("name"), told["tracer"]
    words = {*told} <= {"name", "tracer"} and len(mark.args) <= 1
    if not words or not isinstance(name, str | None) or tracer not in NAMES:
        raise UsageError(
            f"{request.path}: the mark `scenario` is not as it must be: {mark}",
            f'Write pytest.mark.scenario("name", tracer="auto"); tracers: {", ".join(NAMES)}.',
        )
    return name, str(tracer)


def _host(lab: LabUnderTest) -> Callable[..., Any]:
    """`host("server")` is a host of the module's lab as pytest-testinfra sees it."""
    return lab.testinfra


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Module | pytest.Class) -> None:
    """Put `host` in the place of testinfra's own fixture, in modules that have a lab only.

    testinfra's `host` is one fixed host, ours chooses among those of a lab. It is
    registered on the module, not for the whole run, so testinfra's works everywhere else.
    A `host` that the module or a conftest.py defines itself wins over ours.
    """
    module = collector.getparent(pytest.Module)
    if module is None or _LOOKED_AT in module.stash:
        return
    module.stash[_LOOKED_AT] = True
    if _has_lab(module) and not _has_own_host(module):
        _register_host(module)


def _has_lab(module: pytest.Module) -> bool:
    if module.get_closest_marker("lab") is not None:
        return True
    beside = (module.path.parent / name for name in _COMPOSE_FILES)
    file = next((path for path in beside if path.is_file()), None)
    return file is not None and b"x-lab" in file.read_bytes()


def _has_own_host(module: pytest.Module) -> bool:
    found = module.session._fixturemanager.getfixturedefs("host", module) or ()
    return any(one.func.__module__ != "testinfra.plugin" for one in found)


def _register_host(module: pytest.Module) -> None:
    if hasattr(pytest, "register_fixture"):  # since pytest 9.1
        pytest.register_fixture(name="host", func=_host, node=module, scope="module")
        return
    holder = types.ModuleType("labctl_host")
    vars(holder)["host"] = pytest.fixture(scope="module")(_host)
    module.session._fixturemanager.parsefactories(holder, module.nodeid)


def _wanted(
    request: pytest.FixtureRequest, module: pytest.Module
) -> tuple[Lab, Mapping[str, int], float | None]:
    """Return the lab that the module's mark or folder names, with the mark's other wishes."""
    from labctl.errors import UsageError  # noqa: PLC0415
    from labctl.lab.discover import find  # noqa: PLC0415
    from labctl.lab.load import load  # noqa: PLC0415

    mark = module.get_closest_marker("lab")
    told = dict(mark.kwargs) if mark else {}
    names = list(mark.args) if mark else []
    scale, timeout = told.pop("scale", None) or {}, told.pop("timeout", None)
    names += [told.pop("lab")] if "lab" in told else []
    if told or len(names) > 1 or not all(isinstance(name, str | Path) for name in names):
        raise UsageError(
            f"{request.path}: the mark `lab` is not as it must be: {mark}",
            'Write pytest.mark.lab("name or path", scale={"peer": 3}, timeout=60).',
        )
    folder = request.path.parent
    if mark is None and any(
        item.get_closest_marker("lab")
        for item in request.session.items
        if item.getparent(pytest.Module) is module
    ):
        raise UsageError(
            f"{request.path}: the mark `lab` is on a test, but a lab is the whole module's",
            "Write it on the module: pytestmark = pytest.mark.lab(...).",
        )
    if not names and not any((folder / name).is_file() for name in _COMPOSE_FILES):
        raise UsageError(
            f"{request.path}: there is no compose.yaml beside it, and it names no lab",
            'Name one: pytestmark = pytest.mark.lab("name or path").',
        )
    return load(find(str(names[0]) if names else None, folder)), scale, timeout


@contextmanager
def _two_lines() -> Iterator[None]:
    """Let a test fail with what is wrong and what to do, not with a traceback."""
    from labctl.errors import LabctlError  # noqa: PLC0415

    try:
        yield
    except LabctlError as error:
        hint = f"\nhint: {error.hint}" if error.hint else ""
        raise pytest.fail.Exception(f"{error.message}{hint}", pytrace=False) from None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the last lines that each host logged into the report of a failed test."""
    report = yield
    module = item.getparent(pytest.Module)
    up = module.stash.get(_UP, None) if module is not None else None
    if up is not None and report.failed:
        for of, text in _sections(up):
            report.sections.append((f"Captured log of {of}", text))
            # pytest writes JUnit's output from the report of the tear-down.
            item.add_report_section("", f"log of {of}", text)
    if up is not None and call.when == "teardown":
        up.played.clear()
    for seen in (module.stash.get(_SEEN, {}) if module is not None else {}).values():
        for verdict in seen.failed if report.failed else ():
            report.sections.append(("what was wanted, and what happened", str(verdict)))
        if call.when == "teardown":
            seen.failed.clear()
    return report


def _sections(up: LabUnderTest) -> Iterator[tuple[str, str]]:
    from labctl.errors import LabctlError  # noqa: PLC0415
    from labctl.show import scenario  # noqa: PLC0415

    for result in up.played:
        if not result.passed:
            yield f"scenario {result.name}", scenario.text(result)
    for host in up.hosts:
        try:
            yield f"host {host}", up.logs(host, _LOG_LINES) or "it has logged nothing\n"
        except LabctlError as error:
            yield f"host {host}", f"{error.message}\n"


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say which labs were left up."""
    for name in config.stash.get(_KEPT, []):
        terminalreporter.write_line(f"lab {name} is still up; `labctl down {name}` takes it down")
