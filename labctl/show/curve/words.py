"""Curves as lines of text and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from labctl.play.curve import Curve, Point


def heading(of: str = "asked") -> str:
    """Return the heading of `row`s."""
    return f"{of + ' a second':>22} {'answered':>10} {'median':>10} {'p99':>10} {'unanswered':>11}"


def row(point: Point) -> str:
    """Return one load as a line."""
    wrong = f"  {point.wrong} wrong" if point.wrong else ""
    return (
        f"{point.load:>22g} {point.per_second:>10.1f} {seconds(point.p50):>10}"
        f" {seconds(point.p99):>10} {point.asked - point.answered:>11}{wrong}"
    )


def seconds(value: float) -> str:
    """Return a time with its unit."""
    return f"{value:.2f} s" if value >= 1 else f"{1000 * value:.1f} ms"


def summary(curve: Curve) -> str:
    """Return what a curve comes to, in one sentence."""
    kept = [point.load for point in curve.points if point.per_second >= 0.9 * point.load]
    lost = [point.load for point in curve.points if point.per_second < 0.9 * point.load]
    most = f"{curve.title}: {curve.most:,.0f} {curve.of} a second at the most"
    if not lost:
        return f"{most}; it answered all that was asked"
    upto = f"with {max(kept):g}, " if kept else ""
    return f"{most}; it kept up {upto}not with {min(lost):g}"


def missing(curve: Curve) -> str:
    """Return what a curve lacks that was cut short, in one line."""
    last = curve.points[-1].load
    return f"missing: what would have come after {last:g} {curve.of} a second"


def as_json(curve: Curve) -> dict[str, Any]:
    """Return a curve as its parts."""
    return {"title": curve.title, "of": curve.of, "points": [asdict(p) for p in curve.points]}


def as_lines(told: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the parts of a curve in the order in which a program tells them."""
    return [{"title": told["title"], "of": told["of"]}, *told["points"]]
