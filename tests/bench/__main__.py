"""`make bench`: runs the benchmarks of this folder and prints their figures.

A benchmark is a module ``bench_*.py`` with ``NAME: str`` and ``run() -> list[Figure]``; it may have
``curves() -> list[Curve]``, which PLOT=1 measures and draws, too.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench import curve
from tests.bench.curve import Curve
from tests.bench.figure import Figure
from tests.environment import ROOT

Benchmark = Callable[[], Sequence[Figure]]


def benchmarks() -> dict[str, Benchmark]:
    """Every benchmark of this folder, by its NAME, in alphabetical order."""
    stems = (path.stem for path in Path(__file__).parent.glob("bench_*.py"))
    modules = (importlib.import_module(f"tests.bench.{stem}") for stem in stems)
    return dict(sorted((module.NAME, module.run) for module in modules))


def growth(name: str) -> Sequence[Curve]:
    """The curves of one benchmark; none when it has none."""
    modules = (importlib.import_module(f"tests.bench.{path.stem}") for path in Path(__file__).parent.glob("bench_*.py"))
    found = [one for one in modules if name == one.NAME and hasattr(one, "curves")]
    return found[0].curves() if found else ()


def machine() -> str:
    """What the figures were measured on: processor, cores, memory, system, Python."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = platform.freedesktop_os_release()["PRETTY_NAME"]
    model = models[0] if models else platform.machine()
    return (
        f"{model}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB, {system}, Python {platform.python_version()}"
    )


def show(name: str, figures: Sequence[Figure], console: Console) -> None:
    """Print one benchmark as a table."""
    table = Table(title=name, title_justify="left")
    for heading in ("figure", "value", "unit", "target", "rival", "ratio", "met"):
        table.add_column(heading, justify="left" if heading in ("figure", "unit") else "right")
    for figure in figures:
        met = {True: "[green]yes", False: "[red]no", None: ""}[figure.met]
        numbers = [_number(n) for n in (figure.value, figure.target, figure.rival, figure.ratio)]
        table.add_row(figure.figure, numbers[0], figure.unit, *numbers[1:], met)
    console.print(table)


def plot(figures: Sequence[Figure], console: Console) -> None:
    """Draw each figure as bars: the value, its target and its rival on one scale."""
    for figure in figures:
        rows = [("value", figure.value), ("target", figure.target), ("rival", figure.rival)]
        bars = [(label, number) for label, number in rows if number is not None]
        scale = max(abs(number) for _, number in bars) or 1
        console.print(f"[bold]{figure.figure}[/] ({figure.unit})")
        for label, number in bars:
            console.print(f"  {label:<7}{'█' * round(50 * abs(number) / scale)} {_number(number)}", highlight=False)


def _draw(name: str, console: Console) -> None:
    """Measure how the figures grow, and draw it on the terminal and into ``build/bench/NAME.svg``."""
    found = growth(name)
    for one in found:
        curve.show(one, console)
    if found:
        path = ROOT / "build" / "bench" / f"{name}.svg"
        curve.save(found, path)
        console.print(f"drawn: {path.relative_to(ROOT)}")


def _number(number: float | None) -> str:
    return "" if number is None else f"{number:,.4g}" if abs(number) < 1000 else f"{number:,.0f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the exit code says whether the benchmarks ran, not whether targets were met."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("name", nargs="?")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--plot", action="store_true")
    options = parser.parse_args(arguments)
    known = benchmarks()
    if options.name and options.name not in known:
        parser.error(f"no benchmark {options.name!r}; there is: {', '.join(known) or 'none yet'}")
    chosen = [options.name] if options.name else list(known)
    # Figures go to stdout alone, so that JSON=1 can be piped.
    console, progress = Console(), Console(stderr=True)
    figures: list[Figure] = []
    for name in chosen:
        progress.print(f"measuring {name} …", style="dim")
        measured = known[name]()
        figures += measured
        if not options.json:
            show(name, measured, console)
        if options.plot:
            plot(measured, progress if options.json else console)
            _draw(name, progress if options.json else console)
    if options.json:
        body = {"name": options.name or "all", "machine": machine(), "figures": [one.as_json() for one in figures]}
        json.dump(body, sys.stdout, indent=2, ensure_ascii=False)
        print()
    else:
        console.print(machine(), style="dim")
    return 0


if __name__ == "__main__":
    sys.exit(main())
