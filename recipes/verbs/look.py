"""`make look`: a page for a browser that shows a dataset, worst first, and on which people correct it."""

from typing import Annotated


def look(
    out: str,
    dataset: str = "",
    limit: Annotated[int, "N", "the page shows the N worst samples"] = 1_000,
    audit: Annotated[int, "N", "a page for an audit instead: N regions at random, without their labels"] = 0,
    seed: int = 0,
    by: Annotated[str, "NAME", "the name of the person who corrects, which the page asks for otherwise"] = "",
) -> tuple[str, bool]:
    """A page for a browser, of every dataset, worst first: correct labels there and save a patch; or audit them, unseen. Writes
    OUT/look/NAME/index.html, or OUT/look/NAME-audit/index.html, and returns a line a dataset; and whether all datasets have their
    pages. Raises `ValueError`, one sentence, for an unknown dataset."""
    from datagen.disk.storage import Folder
    from datagen.patching.form import dataset_id
    from recipes.look.audit import write_audit
    from recipes.look.choose import census
    from recipes.look.page import write_page
    from recipes.verbs.status import by_name

    folders = by_name(out, dataset)
    if not limit:
        raise ValueError("limit=0: at least one sample is needed")
    lines: list[str] = []
    all_done = True
    for name, folder in folders.items():
        try:
            about = {"name": name, "id": dataset_id(folder), "by": by}
        except ValueError as error:  # its first run hasn't ended yet
            lines.append(f"{name}: {error}")
            all_done = False
            continue
        chosen = census(folder)
        total = len(chosen.entries)
        page = Folder(out).sub(f"look/{name}-audit" if audit else f"look/{name}")
        if audit:
            written = write_audit(page, folder, about, chosen, audit, seed)
            what = f"{written.num_shown} regions to audit"
        else:
            written = write_page(page, folder, about, chosen, limit)
            what = f"the {written.num_shown} worst of {total} samples" if written.num_shown < total else f"{total} samples"
        what += f", then {len(chosen.rejected)} rejected" if chosen.rejected and not audit else ""
        what += "".join(f", without {n} {mark}" for mark, n in chosen.marked.items())
        if chosen.damaged:
            what += f"; {chosen.damaged} can't be read"
        lines.append(f"{name}: {what}; {written.num_files} files written: {page.path('index.html')}")
    return "\n".join(lines), all_done
