"""Charts and diagrams as SVG, with words in them, for composed documents. Nothing but their place on the page is a label."""

import html
from collections.abc import Callable
from random import Random

_COLOURS = ("#4472c4", "#c0504d", "#70ad47", "#ffc000", "#7f7f7f", "#222222", "#9b59b6")
_SIZES = ((420, 260), (320, 320), (560, 240), (260, 200))


def chart(phrase: Callable[[int, int], str], random: Random) -> str:
    """A chart, or boxes with arrows. `phrase(least, most)` gives so many words."""
    wide, high = random.choice(_SIZES)
    size = random.choice((9, 11, 13))

    def word(x: float, y: float, text: str) -> str:
        return f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}">{html.escape(text)}</text>'

    def box(x: float, y: float, w: float, h: float, style: str) -> str:
        return f'<rect x="{x:.0f}" y="{y:.0f}" width="{w:.0f}" height="{h:.0f}" {style}/>'

    marks = [box(40, 10, wide - 50, high - 50, 'fill="none" stroke="#888"')]
    if random.random() < 0.35:
        for i in range(random.randint(2, 4)):
            x, y = 50 + i * (wide - 100) / 4, random.randint(20, high - 100)
            marks.append(box(x, y, wide / 5, 40, f'fill="none" stroke="{random.choice(_COLOURS)}"'))
            marks.append(word(x + 4, y + 24, phrase(1, 2)[:12]))
            marks.append(f'<line x1="{x + wide / 5:.0f}" y1="{y + 20}" x2="{x + wide / 4:.0f}" y2="{y + 20}" stroke="#333"/>')
    else:
        num = random.randint(3, 9)
        step, colour = (wide - 60) / num, random.choice(_COLOURS)
        points = [(45 + (i + 0.5) * step, high - 40 - random.uniform(0.1, 0.95) * (high - 60)) for i in range(num)]
        if random.random() < 0.5:
            joined = " ".join(f"{x:.0f},{y:.0f}" for x, y in points)
            marks.append(f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="2"/>')
        else:
            marks += [box(x - step / 3, y, step / 1.5, high - 40 - y, f'fill="{colour}"') for x, y in points]
        marks += [word(x - 8, high - 24, str(random.randint(1, 2030))) for x, _ in points]
        marks += [word(8, high - 40 - i * (high - 60) / 4, str(i * random.choice((5, 10, 25)))) for i in range(5)]
        marks.append(word(wide / 2 - 30, high - 6, phrase(1, 3)[:24]))
    size_of = f'width="{wide}" height="{high}" viewBox="0 0 {wide} {high}"'
    return f'<svg {size_of} xmlns="http://www.w3.org/2000/svg">{"".join(marks)}</svg>'
