"""A bar chart: an SVG picture of our own, with its text as text, in the colours of the theme."""

from collections.abc import Sequence
from dataclasses import dataclass

from pages.parts.shared.widgets.component import load_component


@dataclass(frozen=True, slots=True)
class BarSeries:
    """One kind of what is counted, with its colour.

    Attributes:
        name: What the legend calls it; empty where other text names the colours.
        colour: Its colour: blue, green, gray, orange or red, which the theme decides.
    """

    name: str
    colour: str


@dataclass(frozen=True, slots=True)
class ChartBar:
    """One bar, made of a part of each series.

    Attributes:
        label: What stands above a horizontal bar, or below a vertical one.
        figure: What is said when the bar is pointed at, and at the end of a horizontal one.
        counts: The size of each part, in the order of the series.
    """

    label: str
    figure: str
    counts: tuple[int, ...]


def show_bar_chart(
    title: str,
    description: str,
    series: Sequence[BarSeries],
    bars: Sequence[ChartBar],
    *,
    horizontal: bool = False,
    total: int = 0,
    top: str = "",
    key: str,
) -> None:
    """Show bars; ``title`` and ``description`` are what a screen reader reads.

    ``total`` is what a whole bar stands for, where that is more than the largest; ``top`` says what the height of
    vertical bars stands for.
    """
    data = {
        "title": title,
        "description": description,
        "horizontal": horizontal,
        "total": total,
        "top": top,
        "series": [{"name": one.name, "colour": one.colour} for one in series],
        "bars": [{"label": bar.label, "figure": bar.figure, "counts": list(bar.counts)} for bar in bars],
    }
    load_component("bar_chart")(key=key, data=data)
