"""Every mistake in the x-lab part, with its place and words."""

from __future__ import annotations

import pytest

from tests.unit.lab.conftest import ProblemsOf

REST = """
services:
  server: {networks: [lan]}
  client: {networks: [lan]}
  peer: {scale: 3, networks: [lan]}
  pattern: {scale: 0}
networks: {lan: {internal: true}}
"""
BACK = "{name: a, host: server, run: x, background: true}"


def x(text: str) -> str:
    return f"x-lab:\n  {text}{REST}"


def step(text: str, before: str = "") -> str:
    more = f"        - {before}\n" if before else ""
    return f"x-lab:\n  title: t\n  scenarios:\n    s:\n      steps:\n{more}        - {text}{REST}"


CASES = [
    (x("title: 5"), (2, 10), "x-lab.title: must be a text", 'put it in quotes: "5"'),
    (x('title: ""'), (2, 10), "x-lab.title: must not be empty", "write something"),
    (x("title: [a]"), (2, 10), "x-lab.title: must be a text", "labctl schema"),
    (x("{title: t, version: 2}"), (2, 23), "x-lab.version: must be 1, not 2", "no other"),
    (x("{title: t, figure: 6.30}"), (2, 22), "x-lab.figure: must be a text", 'quotes: "6.3"'),
    (x("{title: t, scenaros: {}}"), (2, 14), "unknown key `scenaros` in x-lab", "`scenarios`?"),
    (x("{title: t, scenarios: []}"), (2, 25), "x-lab.scenarios: must be a mapping", "schema"),
    (x("{title: t, open_networks: {lan: 3}}"), (2, 35), "x-lab.open_networks.lan: must be", "3"),
    (
        x("{title: t, scenarios: {My Own: {steps: [{host: server, run: x}]}}}"),
        (2, 26),
        'x-lab.scenarios: "My Own" is not a name',
        "small letters",
    ),
    (x("{title: t, scenarios: {s: }}"), (2, 28), "x-lab.scenarios.s: must be a mapping", "schema"),
    (
        x("{title: t, scenarios: {s: {steps: []}}}"),
        (2, 37),
        "x-lab.scenarios.s.steps: must not be empty",
        "write something",
    ),
    (
        x("{title: t, scenarios: {s: {title: x}}}"),
        (2, 26),
        "`steps` is missing in x-lab.scenarios.s",
        "`steps`: ",
    ),
    (
        x("{title: t, systems: [ports]}"),
        (2, 24),
        'x-lab.systems[0]: "ports" is no row of docs/systems.md',
        "as `A4`",
    ),
    (x("{title: t, course: -1}"), (2, 22), "course: -1 is not 0 to 9999", "a course"),
    (step("echo"), (6, 11), "x-lab.scenarios.s.steps[0]: must be a mapping", "schema"),
    (step("{host: server}"), (6, 11), "`run` is missing in x-lab.scenarios.s.steps[0]", "`run`: "),
    (step("{host: server, run: }"), (6, 30), "run: not a command", "write a text"),
    (step("{host: server, run: [1]}"), (6, 31), "run: not a command", "write a text"),
    (step("{host: server, run: [a, [b]]}"), (6, 31), "run: not a command", "write a text"),
    (
        step("{host: server, run: x, lisening: y}"),
        (6, 34),
        "unknown key `lisening` in x-lab.scenarios.s.steps[0]",
        "keys: name, host, run, when",
    ),
    (
        step("{host: server, run: x, when: {lisening: y}}"),
        (6, 41),
        "unknown key `lisening` in x-lab.scenarios.s.steps[0].when",
        "did you mean `listening`?",
    ),
    (
        step("{host: server, run: x, when: {output: {step: a, contains: x, containing: y}}}", BACK),
        (7, 72),
        "unknown key `containing` in x-lab.scenarios.s.steps[1].when.output",
        "did you mean `contains`?",
    ),
    (
        step("{host: server, run: x, when: {listening: server}}"),
        (6, 52),
        'when.listening: "server" is not HOST:PORT',
        "server:8080",
    ),
    (
        step("{host: server, run: x, when: {listening: 'server:70000'}}"),
        (6, 52),
        "when.listening: port 70000 is not 1 to 65535",
        "",
    ),
    (
        step("{host: server, run: x, when: {listening: 'server:0/udp'}}"),
        (6, 52),
        "when.listening: port 0 is not 1 to 65535",
        "",
    ),
    (
        step("{host: server, run: x, when: {file: 'server:relative'}}"),
        (6, 47),
        'when.file: "server:relative" is not HOST:PATH',
        "server:/srv/files/a",
    ),
    (
        step("{host: server, run: x, timeout: soon}"),
        (6, 43),
        "timeout: not a duration: 'soon'",
        "write it as 500ms, 30s or 2m",
    ),
    (step("{host: server, run: x, timeout: 0}"), (6, 43), "timeout: not a duration: 0", "30s"),
    (step("{host: server, run: x, background: 'yes'}"), (6, 46), "background: must be true", ""),
    (step("{host: server, run: x, expect: {exit: 300}}"), (6, 49), "exit: 300 is not 0", "255"),
    (step("{host: server, run: x, expect: {exit: '0'}}"), (6, 49), "must be a whole number", ""),
    (step("{host: server, run: echo $HOME}"), (6, 31), "Compose replaces `$HOME`", "`$$HOME`"),
    (step('{host: server, run: "${A:-b}"}'), (6, 31), "Compose replaces `${A:-b}`", "`$${A:-b}`"),
    (step("{host: Server, run: x}"), (6, 18), 'host: "Server" is not a name', "small letters"),
    (
        x(f"{{title: t, scenarios: {{{'a' * 41}: {{steps: [{{host: server, run: x}}]}}}}}}"),
        (2, 26),
        "is longer than 40 letters",
        "shorten",
    ),
    # hosts and steps that are named but not there
    (step("{host: clint, run: x}"), (6, 18), "an unknown host `clint`", "did you mean `client`?"),
    (step("{host: q-1, run: x}"), (6, 18), "an unknown host `q-1`", "hosts: server, client"),
    (step("{host: pattern, run: x}"), (6, 18), "`pattern` is a template", "name a host"),
    (step("{host: pattern-1, run: x}"), (6, 18), "an unknown host `pattern-1`", "`peer-1`?"),
    (step("{host: peer, run: x}"), (6, 18), "there are 3 hosts of `peer`", "peer-1 to peer-3"),
    (step("{host: peer-0, run: x}"), (6, 18), "an unknown host `peer-0`", "did you mean `peer-"),
    (
        step("{host: server, run: x, when: {listening: 'servr:80'}}"),
        (6, 52),
        "the scenario names an unknown host `servr`",
        "did you mean `server`?",
    ),
    (
        step("{host: server, run: x, when: {file: 'cliet:/a'}}"),
        (6, 47),
        "the scenario names an unknown host `cliet`",
        "did you mean `client`?",
    ),
    (
        step("{host: server, run: x, when: {succeeds: {host: servr, run: y}}}"),
        (6, 58),
        "the scenario names an unknown host `servr`",
        "did you mean `server`?",
    ),
    (
        step("{host: server, run: x, when: {ended: frst}}", "{name: first, host: server, run: y}"),
        (7, 48),
        "no earlier step is named `frst`",
        "did you mean `first`?",
    ),
    (
        step("{host: server, run: x, name: me, when: {ended: me}}"),
        (6, 58),
        "no earlier step is named `me`",
        "there are no earlier steps with a name",
    ),
    (
        step(
            "{host: server, run: x, when: {output: {step: first, contains: z}}}",
            "{name: first, host: server, run: y}",
        ),
        (7, 56),
        "step `first` does not run in the background",
        "add `background: true` to `first`",
    ),
    (
        step("{name: one, host: server, run: x}", "{name: one, host: server, run: y}"),
        (7, 18),
        "two steps are named `one`",
        "rename",
    ),
]


@pytest.mark.parametrize(("text", "place", "words", "hint"), CASES, ids=[c[2] for c in CASES])
def test_mistake_has_its_place_and_words(
    problems_of: ProblemsOf, text: str, place: tuple[int, int], words: str, hint: str
) -> None:
    (problem,) = problems_of(text)
    assert words in problem.message
    assert hint in problem.hint
    assert (problem.line, problem.column) == place
    assert "pydantic" not in problem.message + problem.hint
    assert "://" not in problem.message + problem.hint


def test_a_wrong_step_does_not_hide_what_else_is_wrong(problems_of: ProblemsOf) -> None:
    text = step("{host: clint, run: 3, when: {listening: 'servr:80'}}", "{host: x, run: y}")
    assert [p.message for p in problems_of(text)] == [
        "the scenario names an unknown host `x`",
        "the scenario names an unknown host `clint`",
        "run: not a command",
        "the scenario names an unknown host `servr`",
    ]
