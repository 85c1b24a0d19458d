"""The parts of dataset cards about a round's readers, labels and pages."""

from collections.abc import Mapping
from typing import Any

from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from datagen.work import dataset

_HEAD = ("language", "character error", "Tesseract", "labels", "right", "characters let through")


def write(folder: Folder, name: str, metrics: Mapping[str, Any], of_pages: bool = False) -> None:
    """Put the round's `metrics` into the card of its dataset `name` in `folder`, if the dataset has a sample: about its labels,
    or (`of_pages`) about its labelled pages."""
    if shards := [report.shard for report in read_reports(folder)]:
        title = f"## What was measured of the pages of round {metrics['round']}"
        text = f"{title}\n\n{pages(metrics['pages'])}\n" if of_pages else measured(metrics)
        folder.write(dataset.MEASURED, text.encode())
        dataset.summarise(folder, name, shards)


def pages(measured: Mapping[str, Any]) -> str:
    """The metrics of a round's labelled pages, in a few sentences."""
    refused = ", ".join(f"{num:,} {reason}" for reason, num in measured["refused"].items()) or "none"
    sentences = [
        f"Of {measured['num_read']:,} pages that were read, {measured['num_pages']:,} are samples; not taken: {refused}.",
    ]
    if measured["num_pages"]:
        sentences += [
            f"By the text layers, which no reader saw, {measured['cer']:.2%} of their {measured['num_chars']:,} characters are "
            f"wrong, {measured['worst_cer']:.2%} of the worst page's.",
            f"Of the layers' characters {measured['missing_share']:.2%} lie under no label and under nothing painted over.",
        ]
    if measured["num_pages"] and measured["order_share"] is not None:
        sentences.append(f"Of lines that follow each other, {measured['order_share']:.1%} do so in the layers.")
    return " ".join(sentences)


def measured(metrics: Mapping[str, Any]) -> str:
    """The figures of a round, as Markdown: the quality of its labels and readers, by language."""
    rows = [_row(lang, row) for lang, row in sorted(metrics["languages"].items()) if row["cer"] is not None]
    labels = metrics["labels"]
    all_of_them = ("all together", "", "", f"{labels['num_accepted']:,}", _interval(labels, "precision", 1), _let_through(labels))
    table = [_HEAD, ("---", *["---:"] * (len(_HEAD) - 1)), *rows, all_of_them]
    return "\n".join(
        [
            f"## What was measured in round {metrics['round']}\n",
            "Labels are right if they agree, letter for letter, with the text layer of their pages, which no reader saw; shares "
            "have their 95% interval (Clopper and Pearson). Character errors are of lines of documents that no reader learned "
            "from, with the middle 95% of resampled lines, beside Tesseract's on the same lines.\n",
            *(f"| {' | '.join(cells)} |" for cells in table),
            "",
            *detected(metrics.get("detection", {})),
            *([f"{pages(metrics['pages'])}\n"] if metrics.get("pages", {}).get("num_read") else []),
        ]
    )


def detected(detection: Mapping[str, Mapping[str, Mapping[str, int]]]) -> list[str]:
    """The metrics of the detector: a sentence for each kind of pages."""
    sentences = []
    for kind, pages in (("pages of documents", "documents"), ("typeset pages", "typeset")):
        if of_kind := detection.get(pages):
            counts = ((script, row["num_detected"], row["num_lines"]) for script, row in of_kind.items())
            shares = (f"{script} {num_detected / num_lines:.1%} of {num_lines:,}" for script, num_detected, num_lines in counts)
            sentences.append(f"Of the lines on {kind} the detector found: {', '.join(shares)}.\n")
    return sentences


def _row(lang: str, row: Mapping[str, Any]) -> tuple[str, ...]:
    theirs = "" if row["tesseract_cer"] is None else f"{row['tesseract_cer']:.2%}"
    on = {"typeset": " (typeset lines)", "gold": " (people's lines)"}.get(row["tested_on"], "")
    return (
        lang,
        _interval(row, "cer", 2) + on,
        theirs,
        f"{row['num_accepted']:,}",
        _interval(row, "precision", 1),
        _let_through(row),
    )


def _let_through(row: Mapping[str, Any]) -> str:
    """The share of read characters that are in the labels; "" if none were read."""
    return f"{row['chars_accepted'] / row['chars_read']:.0%} of {row['chars_read']:,}" if row["chars_read"] else ""


def _interval(row: Mapping[str, Any], name: str, digits: int) -> str:
    """A share with its interval, in per cent; "" if it wasn't measured."""
    if row[name] is None:
        return ""
    share, low, high = (f"{100 * row[key]:.{digits}f}" for key in (name, f"{name}_low", f"{name}_high"))
    return f"{share}% ({low} to {high})"
