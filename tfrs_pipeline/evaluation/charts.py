"""The report's charts as inline SVG: no script, no font and no image from elsewhere.

Colours come from the page's style sheet by class, so that a chart follows light and dark mode and print.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

_WIDTH = 420.0
_NARROW = 330.0
"""Of a chart in its own units; on the page it takes the width that there is, three narrow ones beside each other."""


@dataclass(frozen=True)
class Dot:
    """One system's value with its interval; `css` is the class that colours it."""

    label: str
    css: str
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Line:
    """One curve; `points` are (x, y)."""

    label: str
    css: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Point:
    """One mark of a scatter plot; `note` is written beside it, `hint` is shown when it is pointed at."""

    x: float
    y: float
    css: str
    hint: str
    note: str = ""


def dot_plot(title: str, dots: Sequence[Dot]) -> Markup:
    """A row for each system: the interval as a bar, the value as a dot and a number."""
    left, right, top, row = 106.0, 46.0, 10.0, 28.0
    bottom = top + row * len(dots)
    # A difference may lie below zero, a share does not.
    lowest = min([0.0] + [dot.value if dot.low is None else dot.low for dot in dots])
    ticks = _ticks(lowest, max([dot.high or dot.value for dot in dots] + [1e-9]), 4)
    scale = _linear(ticks[0], ticks[-1], left, _NARROW - right)
    parts = [_vertical_grid(ticks, scale, top, bottom)]
    if lowest < 0:
        parts.append(_line(scale(0.0), top, scale(0.0), bottom, "marked"))
    for place, dot in enumerate(dots):
        y = top + row * (place + 0.5)
        x = scale(dot.value)
        hint = f"{dot.label}: {dot.value:.4f}"
        parts.append(_text(left - 10, y, dot.label, "label end"))
        interval = Markup("")
        if dot.low is not None and dot.high is not None:
            hint += f", 95 % interval {dot.low:.4f} to {dot.high:.4f}"
            interval = _line(scale(dot.low), y, scale(dot.high), y, f"interval {dot.css}")
        mark = Markup('<circle class="dot {}" cx="{:.1f}" cy="{:.1f}" r="5.5"/>').format(dot.css, x, y)
        parts.append(Markup("<g><title>{}</title>{}{}</g>").format(hint, interval, mark))
        parts.append(_text(_NARROW - right + 10, y, f"{dot.value:.3f}", "value"))
    return _svg(title, parts, bottom + 22, _NARROW)


def line_chart(
    title: str, lines: Sequence[Line], marked: float | None = None, note: str = "", each: str = "epoch"
) -> Markup:
    """Curves over whole numbers, of what `each` says; `marked` is the x of a dashed line, with `note` beside it."""
    left, right, top, bottom = 48.0, 14.0, 18.0, 190.0
    xs = [x for line in lines for x, _ in line.points]
    ys = [y for line in lines for _, y in line.points]
    y_ticks = _ticks(min(ys), max(ys), 5)
    across = _linear(min(xs), max(xs) if max(xs) > min(xs) else min(xs) + 1, left, _WIDTH - right)
    up = _linear(y_ticks[0], y_ticks[-1], bottom, top)
    parts = [_horizontal_grid(y_ticks, up, left, _WIDTH - right)]
    parts += [_text(across(x), bottom + 16, f"{x:g}", "tick middle") for x in _whole_ticks(min(xs), max(xs))]
    if marked is not None:
        x = across(marked)
        side = "end" if x > _WIDTH / 2 else ""
        parts.append(_line(x, top - 6, x, bottom, "marked"))
        parts.append(_text(x - 6 if side else x + 6, top - 4, note, f"note {side}"))
    for line in lines:
        path = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in line.points)
        parts.append(Markup('<polyline class="curve {}" points="{}"/>').format(line.css, path))
        for x, y in line.points:
            chosen = " chosen" if x == marked else ""
            hint = f"{line.label}, {each} {x:g}: {y:.4f}"
            parts.append(
                Markup('<circle class="mark {}{}" cx="{:.1f}" cy="{:.1f}" r="{}"><title>{}</title></circle>').format(
                    line.css, chosen, across(x), up(y), 5 if chosen else 2.5, hint
                )
            )
    return _svg(title, parts, bottom + 26)


def scatter(title: str, points: Sequence[Point], floor: float | None, across_label: str) -> Markup:
    """Share (up) against a rate on a logarithmic scale (across); `floor` is the share that was asked for."""
    left, right, top, bottom = 48.0, 20.0, 18.0, 230.0
    lowest = min([point.y for point in points] + ([floor] if floor is not None else []))
    y_ticks = [tick for tick in _ticks(lowest, 1.0, 5) if tick <= 1.0 + 1e-9]
    up = _linear(min(y_ticks[0], lowest), 1.0, bottom, top)
    x_ticks = _log_ticks(min(point.x for point in points), max(point.x for point in points))
    along = _linear(math.log(x_ticks[0]), math.log(x_ticks[-1]), left, _WIDTH - right)
    parts = [_horizontal_grid(y_ticks, up, left, _WIDTH - right)]
    parts += [_text(along(math.log(x)), bottom + 16, f"{x:,.0f}", "tick middle") for x in x_ticks]
    parts.append(_text(_WIDTH - right, bottom + 34, across_label, "tick end"))
    if floor is not None:
        parts.append(_line(left, up(floor), _WIDTH - right, up(floor), "marked"))
        parts.append(_text(left + 6, up(floor) + 11, f"asked for: {floor:g}", "note"))
    for point in points:
        x, y = along(math.log(point.x)), up(point.y)
        radius = 7 if point.note else 3.5
        parts.append(
            Markup('<circle class="mark {}" cx="{:.1f}" cy="{:.1f}" r="{}"><title>{}</title></circle>').format(
                point.css, x, y, radius, point.hint
            )
        )
    noted = sorted((point for point in points if point.note), key=lambda point: point.x)
    for place, point in enumerate(noted):
        x, y = along(math.log(point.x)), up(point.y)
        # The rightmost note goes to the right and the others to the left, so that marks may be close to each other.
        leftwards = x > _WIDTH - 80 or (place < len(noted) - 1 and x > left + 60)
        dy = -13 if y < top + 12 else 14  # Over the highest marks there is room, beside them there are other marks.
        parts.append(_text(x - 8 if leftwards else x + 8, y + dy, point.note, "strong end" if leftwards else "strong"))
    return _svg(title, parts, bottom + 44)


def range_bar(value: float, low: float | None, high: float | None, largest: float, css: str) -> Markup:
    """A value and its interval as a bar small enough for a table's cell; `largest` is the end of the scale."""
    width, y = 90.0, 6.0
    scale = _linear(0.0, largest or 1.0, 3.0, width - 3.0)
    parts = [_line(3, y, width - 3, y, "track")]
    if low is not None and high is not None:
        parts.append(_line(scale(low), y, scale(high), y, f"interval {css}"))
    parts.append(Markup('<circle class="dot {}" cx="{:.1f}" cy="{}" r="4"/>').format(css, scale(value), y))
    return Markup('<svg class="range" viewBox="0 0 {:g} 12" aria-hidden="true">{}</svg>').format(
        width, Markup("").join(parts)
    )


def _svg(title: str, parts: Sequence[Markup], height: float, width: float = _WIDTH) -> Markup:
    return Markup('<svg viewBox="0 0 {:g} {:g}" role="img" aria-label="{}">{}</svg>').format(
        width, height, title, Markup("").join(parts)
    )


def _text(x: float, y: float, text: str, css: str) -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}" dy="0.32em">{}</text>').format(css, x, y, escape(text))


def _line(x1: float, y1: float, x2: float, y2: float, css: str) -> Markup:
    return Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(css, x1, y1, x2, y2)


def _vertical_grid(ticks: Sequence[float], scale: "_Scale", top: float, bottom: float) -> Markup:
    lines = [_line(scale(tick), top, scale(tick), bottom, "grid") for tick in ticks]
    return Markup("").join(lines + [_text(scale(tick), bottom + 12, f"{tick:g}", "tick middle") for tick in ticks])


def _horizontal_grid(ticks: Sequence[float], scale: "_Scale", left: float, right: float) -> Markup:
    lines = [_line(left, scale(tick), right, scale(tick), "grid") for tick in ticks]
    return Markup("").join(lines + [_text(left - 8, scale(tick), f"{tick:g}", "tick end") for tick in ticks])


@dataclass(frozen=True)
class _Scale:
    """From numbers to places on the chart."""

    first: float
    span: float
    start: float
    length: float

    def __call__(self, number: float) -> float:
        return self.start + self.length * (number - self.first) / self.span


def _linear(first: float, last: float, start: float, end: float) -> _Scale:
    return _Scale(first, (last - first) or 1.0, start, end - start)


def _ticks(low: float, high: float, about: int) -> list[float]:
    """Round numbers that hold `low` and `high` between them."""
    span = (high - low) or abs(high) or 1.0
    size = 10.0 ** math.floor(math.log10(span / about))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if span / (size * factor) <= about)
    first = math.floor(low / step + 1e-9)
    last = max(first + 1, math.ceil(high / step - 1e-9))
    return [round(step * number, 12) for number in range(first, last + 1)]


def _whole_ticks(low: float, high: float) -> list[int]:
    step = max(1, math.ceil((high - low) / 8))
    return list(range(math.ceil(low), math.floor(high) + 1, step))


def _log_ticks(low: float, high: float) -> list[float]:
    """Numbers of 1, 2 and 5 times powers of ten that hold `low` and `high` between them; only the powers if many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    marks = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
    first = max(mark for mark in marks if mark <= low * (1 + 1e-9))
    last = min(mark for mark in [*marks, 10.0 ** (powers[-1] + 1)] if mark >= high * (1 - 1e-9))
    between = [mark for mark in marks if first <= mark <= last] + ([last] if last not in marks else [])
    if len(between) > 7:
        between = [mark for mark in between if math.log10(mark).is_integer() or mark in (first, last)]
    return between if len(between) > 1 else [first, 2 * first]
