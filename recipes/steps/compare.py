"""Comparing the arms of an ablation, as a step: their readings of the same samples, with intervals."""

import json
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy

from datagen.work.specification import fingerprint
from model.train.data_config import MEASURE
from model.train.lines import read_lines
from model.train.step import Train, flat
from recipes.ablate import Arm, Compare
from recipes.ablation.comparison import HARDLY_READS, compared, unlike
from recipes.recipe import Report
from recipes.steps import OK, Gone, StepRunner

if TYPE_CHECKING:
    from recipes.report import Section

log = logging.getLogger(__name__)

TABLE, WORST = "table.json", "worst.json"
VERSION = 2  # goes up whenever the same readings would give another table
_METRICS, _READBACK, _LOSS = "metrics.json", "readback.json", "loss.jsonl"

Row = dict[str, Any]
Key = tuple[str, str]
"""A sample and its prompt."""


class CompareRunner(StepRunner[Compare]):
    def plan(self) -> str:
        arms = ", ".join(f"{arm.name} ({', '.join(arm.trainings)})" for arm in self.step.arms)
        return f"compares {arms} on {', '.join(self.step.truths)}"

    def run(self) -> int:
        """Raises `ValueError` if an arm isn't trained yet, or has no reading of a truth."""
        from model.train.data import open_all

        step = self.step
        trainings = [name for arm in step.arms for name in arm.trainings]
        if missing := [name for name in trainings if not self.out.exists(f"{name}/{_METRICS}")]:
            raise ValueError(f"{', '.join(missing)}: not trained yet, so there is nothing to compare: run the same command again")
        mark = self._mark(trainings)
        made = self.kept(TABLE)
        if not self.place.overwrite and made and made["made_of"] == mark:
            log.info("%s: nothing new", step.name)
            return OK
        # A truth's name depends on its path beside the arm's, so it may differ from arm to arm.
        names = {
            name: {
                one.where: {dataset.name for dataset in datasets}
                for one, datasets in open_all(self._training(name), self.out).places
            }
            for name in trainings
        }
        arms = {arm.name: self._counts(arm) | {"differs": self._differs(arm)} for arm in step.arms}
        blind = {name for name, counts in arms.items() if False in counts["looks"]}
        warnings = unlike(arms)
        truths, worst = {}, {}
        for truth in step.truths:
            readings, left_out = self._readings(truth, names)
            if left_out:
                warnings.append(f"{left_out} samples of {truth} were read by some arms alone, and are left out")
            truths[truth], worst[truth] = self._of_truth(readings, blind), self._worst(readings)
            if min(one["error"] for one in truths[truth]["arms"].values()) >= HARDLY_READS:
                warnings.append(f"no arm reads {truth} yet: give more steps=N, or another start")
            truths[truth]["curve"] = {arm.name: self._curve(arm, truth, names) for arm in step.arms}
        table = {"made_of": mark, "arms": arms, "unlike": warnings, "truths": truths}
        self.folder.write(WORST, _json(worst))
        self.folder.write(TABLE, _json(table))
        for line in self.status():
            log.info("%s", line)
        return OK

    def status(self) -> list[str]:
        if (table := self.kept(TABLE)) is None:
            left = [name for arm in self.step.arms for name in arm.trainings if not self.out.exists(f"{name}/{_METRICS}")]
            return [f"{self.step.name}: waits for {', '.join(left)}"] if left else []
        lines = [f"{self.step.name}: {warning}" for warning in table["unlike"]]
        for truth, of_truth in table["truths"].items():
            errors = [f"{arm} {100 * one['error']:.1f}%" for arm, one in of_truth["arms"].items()]
            lines.append(f"{self.step.name}: character error on {of_truth['num']} of {truth}: {', '.join(errors)}")
            for one in of_truth["differences"]:
                verdict = f"{one['verdict']} is better" if one["verdict"] else "not told apart"
                verdict += "" if one["seeds"] else ", by one seed"
                apart = f"{100 * one['value']:+.1f} points, {_interval(one['samples'])} over samples"
                apart += f", {_interval(one['documents'])} over documents" if one["documents"] else ""
                apart += f", {_interval(one['seeds'])} over {len(one['by_seed'])} seeds" if one["seeds"] else ""
                lines.append(f"{self.step.name}: {one['b']} less {one['a']} on {truth}: {apart}: {verdict}")
        return lines

    def shown(self) -> Any:
        table = self.kept(TABLE)
        return table and fingerprint(table)

    def sections(self, report: Report, max_bytes: int) -> "list[Section]":
        from recipes.report.ablation import ablation_sections

        return ablation_sections(self.step.name, self.folder)

    def forget(self, gone: Gone) -> None:
        """Remove the pictures and readings of the sources. Measurements stay, as with trainings."""
        worst = self.kept(WORST) or {}
        left = {truth: [one for one in rows if not gone.sources.holds_key(one["key"])] for truth, rows in worst.items()}
        if left != worst:
            self.folder.write(WORST, _json(left))

    def _training(self, name: str) -> Train:
        return next(step for step in self.recipe.steps if step.name == name and isinstance(step, Train))

    def _mark(self, trainings: Sequence[str]) -> str:
        """The identity of the table's inputs."""
        read = {name: self.out.read(f"{name}/{_READBACK}").decode("utf-8", "replace") for name in trainings}
        return fingerprint([VERSION, repr(self.step), read])

    def _counts(self, arm: Arm) -> dict[str, Any]:
        """The counts of the arm's data, by its first training, and whether each training looks."""
        every = [json.loads(self.out.read(f"{name}/{_METRICS}")) for name in arm.trainings]
        first = every[0]
        datasets = {name for name, num in first["num_train"].items() if num}
        left_out = {name: reasons for name, reasons in first["num_skipped"].items() if name in datasets and reasons}
        too_long = sum(num for name, num in first["counts"].items() if name.startswith("too_long "))
        return {
            "num_train": sum(first["num_train"][name] for name in datasets),
            "num_seen": first["counts"]["samples"],
            "num_tokens": first["num_tokens"],
            "num_left_out": sum(sum(reasons.values()) for reasons in left_out.values()),
            "num_too_long": too_long,
            "left_out": left_out,
            "steps": first["step"],
            "seconds": [metrics["seconds"] for metrics in every],
            "looks": [metrics["looks"] for metrics in every],
        }

    def _differs(self, arm: Arm) -> dict[str, Any]:
        """The values of the arm's training that differ between arms."""
        every = [flat(asdict(self._training(one.trainings[0]))) for one in self.step.arms]
        training = self._training(arm.trainings[0])
        own = flat(asdict(training))
        fields = [f for f in own if f not in ("name", "seed") and any(values[f] != own[f] for values in every)]
        values = {name: own[name] for name in fields if name != "datasets"}
        learned = [one.where for one in training.data if one.only != MEASURE]
        return values | ({"learns from": ", ".join(learned)} if "datasets" in fields else {})

    def _readings(self, truth: str, names: Mapping[str, Mapping[str, set[str]]]) -> tuple[dict[str, list[dict[Key, Row]]], int]:
        """Each arm's readings of a truth, by seed and sample, of the samples that all arms have read; and the number of other
        samples. Raises `ValueError` if there is no common sample."""
        readings_of: dict[str, list[dict[Key, Row]]] = {}
        for arm in self.step.arms:
            readings_of[arm.name] = []
            for name in arm.trainings:
                rows = json.loads(self.out.read(f"{name}/{_READBACK}"))
                own = names[name][truth]
                readings_of[arm.name].append({(row["key"], row["prompt"]): row for row in rows if row["dataset"] in own})
        every = [readings for of_arm in readings_of.values() for readings in of_arm]
        common = set.intersection(*map(set, every))
        if not common:
            raise ValueError(f"no sample of {truth} was read by all arms: it needs samples with an image, and text")
        left_out = len(set.union(*map(set, every)) - common)
        return {
            arm: [{key: row for key, row in readings.items() if key in common} for readings in of_arm]
            for arm, of_arm in readings_of.items()
        }, left_out

    def _of_truth(self, readings: Mapping[str, Sequence[Mapping[Key, Row]]], blind: set[str]) -> dict[str, Any]:
        first = next(iter(readings.values()))[0]
        keys = list(first)
        edits = {arm: _edits(of_arm, keys) for arm, of_arm in readings.items()}
        chars = [len(first[key]["truth"]) for key in keys]
        documents = [key.partition("-")[0] for key, _ in keys]
        table = compared(edits, chars, documents, self.step.num_draws, self.step.seed, blind)
        for arm, of_arm in readings.items():
            table["arms"][arm]["loops"] = float(numpy.mean([row["loops"] for one in of_arm for row in one.values()]))
        by_lang = defaultdict(list)
        for at, key in enumerate(keys):
            by_lang[first[key]["lang"]].append(at)
        table["langs"] = {
            lang: {"num": len(at), "num_characters": (num := sum(chars[n] for n in at))}
            | {arm: float(edits[arm][:, at].mean(0).sum() / max(1, num)) for arm in edits}
            for lang, at in sorted(by_lang.items())
        }
        return table

    def _worst(self, readings: Mapping[str, Sequence[Mapping[Key, Row]]]) -> list[Row]:
        """For each pair of arms the samples whose errors differ most: those that the second reads better, and the first."""
        arms, first = list(readings), next(iter(readings.values()))[0]
        keys, differing = list(first), []
        means = {arm: _edits(of_arm, keys).mean(0) for arm, of_arm in readings.items()}
        for at, a in enumerate(arms):
            for b in arms[at + 1 :]:
                apart_N = means[b] - means[a]
                order = numpy.argsort(apart_N, kind="stable").tolist()
                chosen = [n for n in order[: self.step.num_worst] if apart_N[n] < 0]
                chosen += [n for n in order[::-1][: self.step.num_worst] if apart_N[n] > 0]
                for n in chosen:
                    row = first[keys[n]]
                    differing.append(
                        {name: row[name] for name in ("key", "lang", "truth", "image")}
                        | {"a": a, "b": b, "edits": round(float(apart_N[n]), 2)}
                        | {"readings": {arm: [one[keys[n]]["reading"] for one in readings[arm]] for arm in (a, b)}}
                    )
        return differing

    def _curve(self, arm: Arm, truth: str, names: Mapping[str, Mapping[str, set[str]]]) -> list[list[tuple[int, float]]]:
        """The held-out loss on the truth by step, for each seed, in nats a token."""
        return [
            [
                (line["step"], line["held_out_by"][dataset])
                for line in read_lines(self.out.sub(name), _LOSS)
                for dataset in sorted(names[name][truth] & line.get("held_out_by", {}).keys())
            ]
            for name in arm.trainings
        ]


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False).encode("utf-8", "replace")


def _edits(of_arm: Sequence[Mapping[Key, Row]], keys: Sequence[Key]) -> numpy.ndarray:
    """(S, N): the edits of each seed's readings."""
    return numpy.array([[readings[key]["num_errors"] for key in keys] for readings in of_arm], float)


def _interval(bounds: Sequence[float]) -> str:
    return f"{100 * bounds[0]:+.1f} to {100 * bounds[1]:+.1f}"
