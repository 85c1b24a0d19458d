"""The command line: `python -m recipes NAME …` runs a recipe, `python -m recipes VERB DIR` looks at an output.

The only place that configures logging.
"""

import argparse
import inspect
import logging
import os
import pkgutil
import sys
from typing import NoReturn

from recipes import RECIPES, VERBS

USAGE = 2


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line that says what is wrong and what is allowed."""
        allowed = [o for a in self._actions for o in a.option_strings if o.startswith("--")] or ["an output folder"]
        self.exit(USAGE, f"{self.prog}: {message}; allowed: {', '.join(allowed)}\n")


def main(argv: list[str] | None = None) -> int:
    """Returns the exit code: 0 done, 1 a shard failed (or verify found faults), 2 usage, 3 too many documents gave nothing."""
    argv = sys.argv[1:] if argv is None else argv
    word, rest = (argv[0], argv[1:]) if argv else ("list", [])
    try:
        if word in ("list", "-h", "--help"):
            print(listing())
            return 0
        if word in RECIPES:
            return run_recipe(word, rest)
        if word in VERBS:
            return run_verb(word, rest)
        raise ValueError(f"no recipe or verb {word!r}: recipes are {', '.join(RECIPES)}; verbs are {', '.join(VERBS)}")
    except ValueError as error:
        return complain(error, USAGE)
    except ImportError as error:
        return complain(f"{error} (in the environment of pagewheel: .venv/bin/pip install …)", USAGE)
    except OSError as error:
        return complain(error, 1)
    except KeyboardInterrupt:
        print("pagewheel: interrupted; the same command goes on where this one stopped", file=sys.stderr)
        return 130


def complain(what: object, code: int) -> int:
    """Say it in one line, whatever characters a file's name brought into it."""
    print("pagewheel:", " ".join(str(what).split()).encode(errors="replace").decode(), file=sys.stderr)
    return code


def listing() -> str:
    """The recipes and verbs, a line each."""
    words = "[input=DIR] [out=DIR] [on=inline|local|slurm|tcp://…] [workers=N] [limit=N] [rounds=N] [plan=1]"
    lines = [f"recipes   make recipe=NAME {words}"]
    lines += [f"  {name:<14}{does}" for name, (_, does) in RECIPES.items()]
    lines += ["verbs     make VERB out=DIR"]
    lines += [f"  {name:<14}{does}" for name, does in VERBS.items()]
    return "\n".join(lines)


def run_recipe(name: str, argv: list[str]) -> int:
    parser = Parser(prog=f"pagewheel {name}", description=RECIPES[name][1], allow_abbrev=False)
    parser.add_argument(
        "--input",
        default="",
        metavar="WHERE",
        help="a folder, a glob, a PDF, or a list (.parquet, .jsonl) with a uri column",
    )
    parser.add_argument(
        "--out",
        default=os.path.join("out", name),
        metavar="DIR",
        help="default out/NAME; a local folder or an fsspec URL",
    )
    add_place(parser)
    parser.add_argument(
        "--limit",
        type=count,
        default=0,
        metavar="N",
        help="at most N documents, chosen by seed, round-robin over languages",
    )
    parser.add_argument(
        "--rounds",
        type=rounds,
        default=None,
        metavar="N",
        help="how many rounds of the flywheel should exist; 0: none; fewer than exist changes nothing",
    )
    parser.add_argument("--passwords", default="", metavar="FILE", help="a text file, a password a line, for what is encrypted")
    parser.add_argument("--benchmarks", default="", metavar="DIR", help="a folder of pages to mark what is like them")
    parser.add_argument("--deep", action="store_true", help="look inside every document before sharding: pages, sha256, language")
    parser.add_argument("--overwrite", action="store_true", help="replace what an earlier run left in DIR")
    parser.add_argument("--plan", action="store_true", help="say what would run, and run nothing")
    parser.add_argument("--verbose", action="store_true", help="a line a shard")
    args = parser.parse_args(argv)

    from recipes.called import build
    from recipes.run import plan, run
    from recipes.steps import Place

    configure_logging(args.verbose)
    function = pkgutil.resolve_name(RECIPES[name][0])
    values = {
        "input": args.input,
        "limit": args.limit,
        "deep": args.deep,
        "passwords": args.passwords,
        "benchmarks": args.benchmarks,
    }
    if args.rounds is not None:
        if "rounds" not in inspect.signature(function).parameters:
            raise ValueError(f"rounds={args.rounds}: {name} has no flywheel")
        values["rounds"] = args.rounds
    recipe = build(name, values)
    place = Place(args.out, args.on, args.workers, args.overwrite)
    if args.plan:
        print(plan(recipe, place))
        return 0
    return run(recipe, place, values)


def run_verb(verb: str, argv: list[str]) -> int:
    parser = Parser(prog=f"pagewheel {verb}", description=VERBS[verb])
    parser.add_argument("out", metavar="DIR")
    if verb == "forget":
        parser.add_argument("--uri", default="", help="where the source lies, as its samples' records say")
        parser.add_argument("--sha256", default="", help="the source's content, wherever it lies")
    if verb == "retry":
        parser.add_argument("--reason", default="", help="as drops.jsonl has it, such as timeout or not_found")
        parser.add_argument(
            "--passwords", default="", metavar="FILE", help="for reason=encrypted: a text file, a password a line"
        )
        add_place(parser)
    args = parser.parse_args(argv)
    if verb in ("forget", "retry"):
        configure_logging(verbose=False)

    from recipes import forget, retry, status
    from recipes.steps import Place

    if verb == "status":
        print(status.status(args.out))
        return 0
    if verb == "forget":
        message, done = forget.forget(args.out, args.uri, args.sha256)
        print(message)
        return 0 if done else 1
    if verb == "retry":
        return retry.retry(Place(args.out, args.on, args.workers), args.reason, args.passwords)
    message, clean = status.verify(args.out)
    print(message)
    return 0 if clean else 1


def add_place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--on",
        default="local",
        metavar="WHERE",
        help="inline, local (default), slurm, or a dask scheduler's tcp://HOST:PORT",
    )
    parser.add_argument("--workers", type=count, default=0, metavar="N", help="default: one a core")


def count(word: str) -> int:
    n = int(word)
    if n < 0:
        raise ValueError
    return n


def rounds(word: str) -> int:
    if word == "auto":
        raise argparse.ArgumentTypeError("auto: the rule that stops by itself is not there yet; say how many rounds should exist")
    return count(word)


count.__name__ = rounds.__name__ = "whole number"


def configure_logging(verbose: bool) -> None:
    from rich.logging import RichHandler

    from recipes.progress import console

    os.environ.setdefault("DASK_LOGGING__DISTRIBUTED", "critical")  # what fails comes back from the tasks themselves
    plain = logging.StreamHandler()
    rich = RichHandler(console=console, show_time=False, show_level=False, show_path=False, markup=False)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[rich if console.is_terminal else plain])
    for name in ("recipes", "datagen", "flywheel", "model"):
        logging.getLogger(name).setLevel(logging.INFO)
    logging.getLogger("datagen.pipeline").setLevel(logging.INFO if verbose else logging.WARNING)


if __name__ == "__main__":
    sys.exit(main())
