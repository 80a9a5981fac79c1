"""Reads what a pytest run wrote as JUnit XML. Pure."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass
class Outcome:
    """The tests of one lab: how many, how they went, how many seconds they took.

    `failed` counts those too that could not be set up or collected. `error` says why there are no
    tests where there should be.
    """

    lab: str
    tests: int = 0
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    error: str = ""


def outcomes(xml: str, modules: Mapping[str, str]) -> list[Outcome]:
    """Return the outcome of each lab. `modules` gives the module name of each lab's tests.

    A test that fails and whose lab then does not come down has two entries in pytest's
    report (the second is an error); it is one test here, and failed.
    """
    found = {module: Outcome(lab) for lab, module in modules.items()}
    failed: dict[tuple[str, str], bool] = {}
    for case in ET.fromstring(xml).iter("testcase"):
        where, name = case.get("classname") or "", case.get("name") or ""
        # A module that cannot be collected has no class; its own name stands as the test's.
        outcome = _of(found, where) or _of(found, name)
        if outcome is None:
            continue
        outcome.seconds += float(case.get("time") or 0)
        wrong = case.find("failure") is not None or case.find("error") is not None
        if (where, name) in failed:
            if wrong and not failed[where, name]:
                outcome.passed, outcome.failed = outcome.passed - 1, outcome.failed + 1
            failed[where, name] |= wrong
            continue
        failed[where, name] = wrong
        outcome.tests += 1
        skipped = case.find("skipped") is not None
        outcome.failed += wrong
        outcome.skipped += skipped and not wrong
        outcome.passed += not wrong and not skipped
    return list(found.values())


def _of(found: Mapping[str, Outcome], dotted: str) -> Outcome | None:
    return next((found[part] for part in dotted.split(".") if part in found), None)
