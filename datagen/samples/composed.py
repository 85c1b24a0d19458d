"""Documents composed of real sentences in the forms that few packages have: papers, reports, magazines, exams, letters, slides.

They teach the network what stands beside running text: figures with their captions, tables with captions and notes, numbered
formulas, footnotes, references, contents, forms, laws, listings, and items whose signs are typed. The text is real, code is of
Python's library; what stands next to what is drawn.
"""

import functools
import html
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from sysconfig import get_path

from datagen.samples.drawn_charts import chart

WORDS = {  # for a figure, a table, references, the abstract, a chapter
    "en": ("Figure", "Table", "References", "Abstract", "Chapter"),
    "de": ("Abbildung", "Tabelle", "Literatur", "Zusammenfassung", "Kapitel"),
    "fr": ("Figure", "Tableau", "Références", "Résumé", "Chapitre"),
    "es": ("Figura", "Tabla", "Referencias", "Resumen", "Capítulo"),
    "it": ("Figura", "Tabella", "Bibliografia", "Sommario", "Capitolo"),
    "pt": ("Figura", "Tabela", "Referências", "Resumo", "Capítulo"),
    "pl": ("Rysunek", "Tabela", "Bibliografia", "Streszczenie", "Rozdział"),
    "cs": ("Obrázek", "Tabulka", "Literatura", "Abstrakt", "Kapitola"),
    "tr": ("Şekil", "Tablo", "Kaynakça", "Özet", "Bölüm"),
    "vi": ("Hình", "Bảng", "Tài liệu tham khảo", "Tóm tắt", "Chương"),
    "ru": ("Рис.", "Таблица", "Литература", "Аннотация", "Глава"),
    "uk": ("Рис.", "Таблиця", "Література", "Анотація", "Розділ"),
    "el": ("Σχήμα", "Πίνακας", "Βιβλιογραφία", "Περίληψη", "Κεφάλαιο"),
    "ar": ("الشكل", "جدول", "المراجع", "ملخص", "الفصل"),
    "fa": ("شکل", "جدول", "مراجع", "چکیده", "فصل"),
    "he": ("איור", "טבלה", "מקורות", "תקציר", "פרק"),
    "hi": ("चित्र", "तालिका", "सन्दर्भ", "सारांश", "अध्याय"),
    "zh": ("图", "表", "参考文献", "摘要", "第"),
    "ja": ("図", "表", "参考文献", "概要", "第"),
    "ko": ("그림", "표", "참고문헌", "초록", "장"),
}
_FORMULAS = (
    r"A = B + N C",
    r"\frac{\partial A}{\partial t} = N \nabla^2 A",
    r"\sum_{i=1}^{n} A_i^2 \le B",
    r"\int_0^\infty e^{-A x^2}\,dx = \frac{1}{2}\sqrt{\frac{\pi}{A}}",
    r"A(B) = \max_{C} \left( B^T C - \log N \right)",
    r"P(A \mid B) = \frac{P(B \mid A) P(A)}{P(B)}",
    r"\mathbf{A} = \begin{pmatrix} N & B \\ 0 & C \end{pmatrix}",
    r"\hat{A} = \arg\min_{\theta} \frac{1}{N} \sum_{j} \| B_j - C_\theta \|^2",
    r"A^{N} + B^{N} \neq C^{N}",
    r"\begin{aligned} A &= B + C \\ &= N B - 1 \end{aligned}",
    r"\lim_{A \to \infty} \left(1 + \frac{N}{A}\right)^{A} = e^{N}",
)
"""A, B and C stand for symbols, N for a number."""
_SYMBOLS = ("x", "y", "z", "u", "v", "w", "f", "g", r"\alpha", r"\beta", r"\lambda", r"\mu", r"\sigma", r"\phi")


@dataclass
class Composer:
    """Writes one document. `paragraphs` are real texts in `lang`, used in turn; `pictures` are addresses of image files."""

    lang: str
    paragraphs: Sequence[str]
    pictures: Sequence[str]
    random: Random

    def __post_init__(self) -> None:
        self.words = WORDS.get(self.lang.split("-")[0], WORDS["en"])
        self.at = self.random.randrange(len(self.paragraphs))
        self.counts = dict.fromkeys(("figure", "table", "formula", "note", "section"), 0)
        self.notes: list[str] = []
        self.gives_numbers = self.random.random() < 0.8
        self.separator = self.random.choice((": ", ". ", " ", " – "))
        self.has_formulas, self.has_notes = self.random.random() < 0.5, self.random.random() < 0.5

    def document(self) -> str:
        """The document as HTML."""
        kinds: tuple[Callable[[], Iterator[str]], ...] = (
            self._paper,
            self._report,
            self._magazine,
            self._exam,
            self._letter,
            self._slides,
            self._book,
            self._law,
            self._handout,
        )
        (kind,) = self.random.choices(kinds, (6, 4, 3, 3, 2, 2, 2, 2, 4))
        body = "\n".join(kind())
        notes = "".join(f'<aside role="doc-footnote" id="n{n}"><p>{text}</p></aside>' for n, text in enumerate(self.notes, 1))
        direction = "rtl" if self.lang.split("-")[0] in ("ar", "fa", "he", "ur", "yi", "ug", "ps", "ckb") else "ltr"
        title = html.escape(self._phrase(3, 7))
        head = f'<!DOCTYPE html><html lang="{self.lang}" dir="{direction}"><head><title>{title}</title></head>'
        return f"{head}<body>{body}{notes}</body></html>"

    def _text(self) -> str:
        self.at = (self.at + 1) % len(self.paragraphs)
        return self.paragraphs[self.at]

    def _phrase(self, least: int, most: int) -> str:
        """Some words of the text, without the sign that ends a sentence."""
        text = self._text()
        words = text.split() if " " in text[:60] else [text[i : i + 2] for i in range(0, min(len(text), 60), 2)]
        glue = " " if " " in text[:60] else ""
        num = self.random.randint(least, most)
        start = self.random.randrange(max(1, len(words) - num))
        return glue.join(words[start : start + num]).strip(" .,;:!?。、，،।։") or "Text"

    def _sentences(self, most_chars: int) -> str:
        text = self._text()
        while len(text) < most_chars / 2:
            text = f"{text} {self._text()}"
        return text[:most_chars].rsplit(" ", 1)[0] if len(text) > most_chars else text

    def _paragraph(self, most_chars: int = 0) -> str:
        text = html.escape(self._sentences(most_chars or self.random.choice((250, 500, 900, 1400))))
        words = text.split(" ")
        if len(words) > 12:
            for share, made in ((0.25, self._cited), (0.12, self._emphasised), (0.2, self._inline)):
                if self.random.random() < share:
                    i = self.random.randrange(4, len(words) - 4)
                    words[i] = made(words[i])
            if self.has_notes and self.random.random() < 0.25:
                self.notes.append(html.escape(self._sentences(self.random.choice((60, 120, 250)))))
                n = len(self.notes)
                words[-2] += f'<sup><a role="doc-noteref" href="#n{n}">{n}</a></sup>'
        return f"<p>{' '.join(words)}</p>"

    def _cited(self, word: str) -> str:
        return f"{word} [{self.random.randint(1, 40)}]"

    def _emphasised(self, word: str) -> str:
        tag = self.random.choice(("b", "i", "em", "strong", "code"))
        return f"<{tag}>{word}</{tag}>"

    def _inline(self, word: str) -> str:
        return f'{word} <span class="math">\\({self._formula()}\\)</span>' if self.has_formulas else word

    def _formula(self) -> str:
        names = dict(zip("ABC", self.random.sample(_SYMBOLS, 3), strict=True)) | {"N": str(self.random.randint(2, 9))}
        return re.sub(r"(?<![a-zA-Z\\])[ABCN](?![a-zA-Z])", lambda found: names[found[0]], self.random.choice(_FORMULAS))

    def _display(self) -> str:
        self.counts["formula"] += 1
        number = f"<span>({self.counts['formula']})</span>" if self.gives_numbers else ""
        formula = f'<div class="math">\\[{self._formula()}\\]</div>'
        return f'<div style="display: flex; justify-content: space-between"><span></span>{formula}{number}</div>'

    def _heading(self, level: int) -> str:
        number = ""
        if level == 2:
            self.counts["section"] += 1
            number = f"{self.counts['section']}. " if self.gives_numbers else ""
        elif level == 3 and self.gives_numbers:
            number = f"{self.counts['section']}.{self.random.randint(1, 5)} "
        near = ' style="margin-block-end: 0"' if self.random.random() < 0.2 else ""
        return f"<h{level}{near}>{number}{html.escape(self._phrase(1, 6))}</h{level}>"

    def _label(self, kind: str) -> str:
        self.counts[kind] += 1
        word = self.words[0 if kind == "figure" else 1]
        number = f"{word} {self.counts[kind]}{self.separator}" if self.random.random() < 0.85 else ""
        return number + html.escape(self._sentences(self.random.choice((30, 60, 120, 220))))

    def _figure(self) -> str:
        is_drawn = self.random.random() < 0.6 or not self.pictures
        inside = chart(self._phrase, self.random) if is_drawn else self._picture()
        caption = f"<figcaption>{self._label('figure')}</figcaption>" if self.random.random() < 0.85 else ""
        return f"<figure>{caption}{inside}</figure>" if self.random.random() < 0.15 else f"<figure>{inside}{caption}</figure>"

    def _picture(self) -> str:
        return (
            f'<img src="{html.escape(self.random.choice(self.pictures))}" style="max-width:{self.random.choice((40, 60, 90))}%">'
        )

    def _table(self) -> str:
        random = self.random
        columns, rows = random.randint(2, 6), random.randint(2, 9)
        are_numbers = [i > 0 and random.random() < 0.7 for i in range(columns)]

        def cell(i: int) -> str:
            if not are_numbers[i]:
                return html.escape(self._phrase(1, random.choice((1, 2, 4)))[:60])
            return random.choice(
                (f"{random.uniform(0, 99):.2f}", f"{random.randint(1, 9999):,}", f"{random.randint(0, 100)}%", "–")
            )

        rows_of = [[cell(i) for i in range(columns)] for _ in range(rows)]
        if random.random() < 0.4:  # terms and what they mean, without a head
            rows_of = [
                [html.escape(self._phrase(1, 3)), html.escape(self._sentences(random.choice((40, 90, 160))))] for _ in rows_of
            ]
        num = len(rows_of[0])
        titles = "".join(f"<th>{html.escape(self._phrase(1, 2)[:30])}</th>" for _ in range(num))
        head = f"<thead><tr>{titles}</tr></thead>" if num > 2 or random.random() < 0.3 else ""
        if random.random() < 0.15:  # heads within, over all columns
            at = random.randrange(1, len(rows_of))
            rows_of[at : at + 1] = [[f'<td colspan="{num}">{html.escape(self._phrase(1, 4))}</td>']]
        cells = ("".join(one if one.startswith("<td") else f"<td>{one}</td>" for one in row) for row in rows_of)
        body = "".join(f"<tr>{row}</tr>" for row in cells)
        caption = f"<caption>{self._label('table')}</caption>" if random.random() < (0.8 if head else 0.2) else ""
        return f"<table>{caption}{head}<tbody>{body}</tbody></table>"

    def _list(self, tag: str = "") -> str:
        """A list, some of whose items have a second paragraph or a list of their own; or terms with definitions."""
        tag = tag or self.random.choice(("ul", "ul", "ol", "ol", "dl"))
        long, share = self.random.choice((20, 40, 100, 300)), self.random.choice((0.0, 0.0, 0.1, 0.3))

        def text() -> str:
            return html.escape(self._sentences(self.random.randint(long // 2, long)))

        if tag == "dl":
            terms = (f"<dt>{html.escape(self._phrase(1, 3))}</dt><dd>{text()}</dd>" for _ in range(self.random.randint(2, 5)))
            return f"<dl>{''.join(terms)}</dl>"
        items = []
        for _ in range(self.random.randint(2, 8)):
            more = f"<p>{text()}</p>" if self.random.random() < share else ""
            inner = self.random.choice(("ul", "ol"))
            more += f"<{inner}>{f'<li>{text()}</li>' * 2}</{inner}>" if self.random.random() < share / 2 else ""
            items.append(f"<li><p>{text()}</p>{more}</li>" if more else f"<li>{text()}</li>")
        return f"<{tag}>{''.join(items)}</{tag}>"

    def _typed_list(self) -> str:
        """Items whose signs are typed, as in most files of word processors: hanging, indented, or set as paragraphs."""
        random = self.random
        first, long = random.choice((1, 1, 1, random.randint(2, 30))), random.choice((20, 60, 150, 400))
        sign = random.choice(("{n}. ", "{n}) ", "({n}) ", "{a}. ", "{a}) ", "({a}) ", "• ", "– ", "- ", "☐ ", "✓ ", "{s}.{n} "))
        style = random.choice(("", "", "padding-inline-start: 2em", "padding-inline-start: 2em; text-indent: -1.5em"))
        items = []
        for n in range(first, first + random.randint(1, 7)):
            head = f"<b>{html.escape(self._phrase(1, 4))}{random.choice('.:')}</b> " if random.random() < 0.15 else ""
            mark = sign.format(n=n, a=chr(97 + (n - 1) % 26), s=first)
            text = html.escape(self._sentences(random.randint(long // 2, long)))
            items.append(f'<p role="listitem" style="{style}">{mark}{head}{text}</p>')
        return "".join(items)

    def _lines(self, least: int, most: int) -> str:
        """Short lines that belong together: a stanza, an address, names and values, a form's blanks."""
        random, num = self.random, self.random.randint(least, most)
        end = random.choice(("", "", "named", "blank"))
        texts = [html.escape(self._phrase(1, random.choice((3, 6)))) for _ in range(num)]
        if end:
            texts = [f"<b>{text}:</b> {html.escape(self._phrase(1, 4)) if end == 'named' else '_' * 20}" for text in texts]
        return f'<p style="text-align: {random.choice(("start", "start", "center", "end"))}">{"<br>".join(texts)}</p>'

    def _contents(self) -> Iterator[str]:
        yield self._heading(2)
        page, leads = 1, self.random.choice((", ", " ", " . . . . . . . . . . . . . . . . . . "))
        align = "start" if leads == ", " else "justify"
        for n in range(self.random.randint(4, 25)):
            page += self.random.randint(0, 12)
            number = f"{n // 3 + 1}.{n % 3} " if self.gives_numbers else ""
            title = html.escape(f"{number}{self._phrase(1, 6)}").replace(" ", "&nbsp;")
            style = f"padding-inline-start: {1.5 * (n % 3 > 0)}em; text-indent: 0; text-align-last: {align}"
            yield f'<p role="doc-toc" style="{style}">{title}{leads}{page}</p>'

    def _code(self) -> str:
        lines = self.random.choice(_programs()).read_text(encoding="utf-8", errors="replace").split("\n")
        num = self.random.choice((1, 3, 6, 12, 25))
        start = self.random.randrange(max(1, len(lines) - num))
        own = textwrap.dedent("\n".join(line[:90] for line in lines[start : start + num])).strip("\n") or "$ make test"
        if self.random.random() < 0.15:
            own = "\n".join(f"{n:3} {line}" for n, line in enumerate(own.split("\n"), 1))
        return f"<pre>{html.escape(own)}</pre>"

    def _references(self, num: int) -> Iterator[str]:
        yield f"<h2>{self.words[2]}</h2>"
        brackets = self.random.choice(("[{}] ", "{}. ", ""))
        for n in range(1, num + 1):
            year, pages = self.random.randint(1950, 2025), self.random.randint(1, 900)
            title = self._phrase(4, 10)
            name, journal = f"{self._phrase(1, 1)[:20]}, {chr(65 + n % 26)}.", f"{self._phrase(2, 4)}, {n}({n % 4 + 1})"
            entry = f"{name} ({year}). {title}. {journal}, {pages}–{pages + 9}."
            yield f'<p role="doc-biblioentry">{brackets.format(n)}{html.escape(entry)}</p>'

    def _block(self, figures: float = 0.18, tables: float = 0.12) -> str:
        chance = self.random.random()
        if chance < figures:
            return self._figure()
        if chance < figures + tables:
            return self._table()
        if self.has_formulas and chance < figures + tables + 0.15:
            return self._display()
        if chance > 0.79:
            return self._list() if chance > 0.88 else self._typed_list()
        if chance > 0.77:
            return f"<blockquote>{self._paragraph()}</blockquote>"
        if chance > 0.75:
            return self._lines(1, 5)
        return self._code() if chance > 0.71 else self._paragraph()

    def _sections(self, num: int, blocks: int) -> Iterator[str]:
        for _ in range(num):
            yield self._heading(2)
            yield self._paragraph()
            for _ in range(self.random.randint(1, blocks)):
                if self.random.random() < 0.2:
                    yield self._heading(self.random.choice((3, 3, 4, 5)))
                yield self._block()

    def _paper(self) -> Iterator[str]:
        yield f"<h1>{html.escape(self._phrase(4, 12))}</h1>"
        yield f"<p>{html.escape(', '.join(self._phrase(2, 2) for _ in range(self.random.randint(1, 4))))}</p>"
        if self.random.random() < 0.6:
            yield f"<p>{html.escape(self._phrase(3, 8))}</p>"
        if self.random.random() < 0.7:
            yield self.random.choice((f"<h2>{self.words[3]}</h2>", f"<p><b>{self.words[3]}</b></p>", ""))
            yield self._paragraph(900)
        yield from self._sections(self.random.randint(2, 4), 5)
        yield from self._references(self.random.randint(4, 14))

    def _report(self) -> Iterator[str]:
        yield f"<h1>{html.escape(self._phrase(3, 8))}</h1>"
        if self.random.random() < 0.4:
            yield self._lines(1, 4)
        if self.random.random() < 0.25:
            yield from self._contents()
        for _ in range(self.random.randint(6, 14)):
            yield self._heading(self.random.choice((2, 2, 3, 4, 5))) if self.random.random() < 0.35 else self._block(0.2, 0.3)

    def _magazine(self) -> Iterator[str]:
        for _ in range(self.random.randint(2, 5)):
            yield f"<h2>{html.escape(self._phrase(3, 9))}</h2>"
            if self.random.random() < 0.5:
                yield f"<p><i>{html.escape(self._phrase(2, 4))}</i></p>"
            for _ in range(self.random.randint(1, 5)):
                yield self._figure() if self.random.random() < 0.2 else self._paragraph()

    def _exam(self) -> Iterator[str]:
        yield f"<h1>{html.escape(self._phrase(2, 6))}</h1>"
        for n in range(1, self.random.randint(5, 12)):
            yield f'<p role="listitem">{n}. {html.escape(self._sentences(self.random.choice((80, 200))))}</p>'
            if self.random.random() < 0.6:
                yield "".join(f'<p role="listitem">{chr(65 + i)}. {html.escape(self._phrase(1, 6))}</p>' for i in range(4))
            elif self.random.random() < 0.3:
                yield self._display()

    def _letter(self) -> Iterator[str]:
        yield f"<p>{'<br>'.join(html.escape(self._phrase(2, 4)) for _ in range(self.random.randint(2, 4)))}</p>"
        yield f"<p>{self.random.randint(1, 28)}.{self.random.randint(1, 12)}.{self.random.randint(1990, 2026)}</p>"
        for _ in range(self.random.randint(2, 6)):
            yield self._paragraph()
        yield f"<p>{html.escape(self._phrase(2, 3))}</p>"
        if self.random.random() < 0.6:
            yield self._lines(1, 3)

    def _law(self) -> Iterator[str]:
        """Articles whose heads are as large as the text, centred, bold or spaced, with numbered paragraphs."""
        yield f"<h1>{html.escape(self._phrase(3, 9))}</h1>"
        word, level = self.random.choice(("§ {}", f"{self.words[4]} {{}}", "{}.", "Art. {}")), self.random.choice((3, 4, 5))
        place = self.random.choice(("start", "center"))
        for n in range(1, self.random.randint(4, 10)):
            title = f" {html.escape(self._phrase(1, 6))}" if self.random.random() < 0.7 else ""
            yield f'<h{level} style="text-align: {place}">{word.format(n)}{title}</h{level}>'
            for _ in range(self.random.randint(1, 3)):
                yield self._typed_list() if self.random.random() < 0.5 else self._paragraph(400)
        yield self._lines(2, 3)

    def _handout(self) -> Iterator[str]:
        """A sheet of short parts: facts, steps, listings, forms, with heads no larger than the text."""
        yield f"<h1>{html.escape(self._phrase(2, 8))}</h1>"
        makers = (self._typed_list, self._list, self._code, lambda: self._lines(1, 6), lambda: self._paragraph(250), self._table)
        weights = [self.random.random() for _ in makers]
        level = self.random.choice((2, 3, 4, 5))
        for _ in range(self.random.randint(5, 14)):
            if self.random.random() < 0.5:
                yield self._heading(level)
            (maker,) = self.random.choices(makers, weights)
            yield maker()

    def _slides(self) -> Iterator[str]:
        for _ in range(self.random.randint(2, 5)):
            yield f"<h2>{html.escape(self._phrase(2, 6))}</h2>"
            yield self._list("ul") if self.random.random() < 0.7 else self._block(0.5, 0.2)

    def _book(self) -> Iterator[str]:
        yield f"<h1>{self.words[4]} {self.random.randint(1, 20)}</h1>"
        yield f"<h2>{html.escape(self._phrase(2, 6))}</h2>"
        for _ in range(self.random.randint(8, 16)):
            chance = self.random.random()
            yield self._figure() if chance < 0.06 else self._lines(2, 8) if chance < 0.14 else self._paragraph()


@functools.cache
def _programs() -> list[Path]:
    """Files of Python's own library."""
    return sorted(Path(get_path("stdlib")).glob("*.py"))


def write(folder: Path, num: int, texts: Sequence[tuple[str, Sequence[str]]], pictures: Sequence[str], seed: int) -> None:
    """Write `num` documents, named by their number. `texts` are languages with paragraphs, `pictures` addresses of
    images from the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for n in range(num):
        random = Random(f"{seed} {n}")
        lang, paragraphs = random.choice(texts)
        composer = Composer(lang, paragraphs, list(pictures), random)
        (folder / f"{seed:03d}-{n:05d}.html").write_text(composer.document(), encoding="utf-8")
