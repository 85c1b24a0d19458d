"""`make export`: an output's datasets as rows that other trainers read."""

from collections import Counter
from typing import Annotated

from datagen.disk.storage import Folder
from datagen.publishing import messages
from datagen.publishing.selection import LeftOut
from datagen.work import dataset as datasets_of
from model.data.words import MIN_WORTH
from recipes.run.progress import shown
from recipes.verbs import publish
from recipes.verbs.status import by_name


def export(
    out: str,
    to: Annotated[str, "FOLDER", "a folder to write"],
    format: Annotated[str, "FORM", "messages: a .jsonl a dataset, with images as files beside"] = "messages",
    dataset: str = "",
    verdict: Annotated[str, "A,B,…", "only samples of these verdicts"] = "trusted",
    licences: str = "",
    grounded: Annotated[bool, "0|1", "also answers with boxes, in DeepSeek-OCR's tokens, where they are the usual ones"] = False,
) -> str:
    """An output's datasets as messages and images, which ms-swift, LLaMA-Factory, TRL, Unsloth and finetune read.

    Left out, and counted, is what `publish` leaves out, and pages that a training here would pass over. Returns what there is to
    say, for people. Raises `ValueError` and `OSError` as `publish` does."""
    if format not in messages.FORMATS:
        raise ValueError(f"format={format}: allowed is {', '.join(messages.FORMATS)}")
    folder, target = Folder(out), Folder(to)
    if target.local is None:
        raise ValueError(f"to={target.url}: a folder on a local disk is needed")
    wanted = publish.wanted(out, folder, verdict, licences)
    folders = by_name(out, dataset)
    with datasets_of.lock(target), shown("export") as on_state:
        made, is_new, removed = messages.make(folders, wanted, messages.Form(grounded, MIN_WORTH), target, on_state)
    if not any(one.rows for one in made.values()):
        raise ValueError(f"nothing to export{''.join(map(_left_out, made.values()))}")
    lines = [f"{name}: {one.rows:,} rows, {one.images:,} images{_left_out(one)}" for name, one in made.items()]
    lines += [f"{name}: its rows of an earlier export were removed" for name in removed]
    return "\n".join([*lines, f"{'written' if is_new else 'unchanged'}: {target.local}"])


def _left_out(made: messages.Made) -> str:
    left_out = Counter({LeftOut(reason, which): n for reason, which, n in made.left_out})
    return f"; left out: {publish.counted(left_out)}{publish.what_to_do(left_out)}" if left_out else ""
