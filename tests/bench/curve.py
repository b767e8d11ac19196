"""How a figure grows: points drawn on the terminal, and as a picture beside the checkout's other results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from rich.console import Console

WIDTH, HEIGHT, LEFT, TOP = 640, 320, 70, 40
COLOURS = ("#0b6fb8", "#b8500b", "#2b8a3e", "#7b3fb5")


@dataclass(frozen=True, slots=True)
class Curve:
    """One picture.

    :param lines: by name, the points (x, y) of each line, by x.
    """

    title: str
    x: str
    y: str
    lines: dict[str, list[tuple[float, float]]]


def show(curve: Curve, console: Console) -> None:
    """Draw the curve as bars, a line of text for each point."""
    console.print(f"[bold]{curve.title}[/] ({curve.y})")
    highest = max((y for points in curve.lines.values() for _, y in points), default=0) or 1
    for name, points in curve.lines.items():
        for x, y in points:
            label = f"{name} {curve.x} {x:,g}" if len(curve.lines) > 1 else f"{curve.x} {x:,g}"
            console.print(f"  {label:<24}{'█' * max(1, round(38 * y / highest))} {y:,.4g}", highlight=False)


def save(curves: Sequence[Curve], path: Path) -> None:
    """Draw the curves one below the other as SVG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    body = "".join(
        f'<g transform="translate(0 {number * (HEIGHT + 90)})">{_drawn(one)}</g>' for number, one in enumerate(curves)
    )
    height = len(curves) * (HEIGHT + 90)
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH + 120}" height="{height}" '
        f'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/>{body}</svg>\n',
        encoding="utf-8",
    )


def _drawn(curve: Curve) -> str:
    points = [point for line in curve.lines.values() for point in line]
    right, top = max(x for x, _ in points) or 1, max(y for _, y in points) or 1
    low = min(0.0, *(x for x, _ in points)) if min(x for x, _ in points) < right / 3 else min(x for x, _ in points)

    def at(x: float, y: float) -> str:
        across = (x - low) / ((right - low) or 1)
        return f"{LEFT + WIDTH * across:.1f},{TOP + HEIGHT * (1 - y / top):.1f}"

    parts = [f'<text x="{LEFT}" y="22" font-size="15" font-weight="bold">{escape(curve.title)}</text>']
    for step in range(5):
        y = top * step / 4
        level = TOP + HEIGHT * (1 - step / 4)
        parts.append(f'<path d="M{LEFT} {level:.1f}h{WIDTH}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{level + 4:.1f}" text-anchor="end">{y:,.4g}</text>')
    last = -100.0
    for x in sorted({x for x, _ in points}):
        place = float(at(x, 0).split(",")[0])
        if place - last < 34:
            continue
        last = place
        parts.append(f'<text x="{place:.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{x:,g}</text>')
    parts.append(f'<text x="{LEFT + WIDTH / 2}" y="{TOP + HEIGHT + 36}" text-anchor="middle">{escape(curve.x)}</text>')
    parts.append(f'<text x="{LEFT}" y="{TOP - 5}" font-size="11" fill="#555">{escape(curve.y)}</text>')
    for number, (name, line) in enumerate(curve.lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(at(x, y) for x, y in line)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{p.split(",")[0]}" cy="{p.split(",")[1]}" r="3" fill="{colour}"/>' for p in path.split()
        ]
        parts.append(f'<text x="{LEFT + 10}" y="{TOP + 16 + 16 * number}" fill="{colour}">{escape(name)}</text>')
    return "".join(parts)
