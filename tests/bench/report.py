"""The figures as a table."""

import statistics

from scenarios import Scenario


def tables(scenarios: list[Scenario], peers: list[str], figures: dict) -> str:
    """Medians with their ranges: a row for each scenario, a column for each peer."""
    lines = ["| scenario | " + " | ".join(peers) + " |", "|---|" + "---|" * len(peers)]
    for scenario in scenarios:
        unit = scenario.unit + (f"; {scenario.also[0]}" if scenario.also else "")
        cells = [cell(figures[scenario.name].get(peer)) for peer in peers]
        lines.append(f"| {scenario.title} ({unit}) | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def cell(values: dict | None) -> str:
    if not values:
        return "–"
    if not values["main"]:
        return "failed"
    text = spread(values["main"])
    return text + ("; " + spread(values["also"]) if values["also"] else "")


def spread(values: list[float]) -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{number(middle)} ({number(low)}–{number(high)})"


def number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
