"""A training from its data to an exported network. It can be stopped or killed at any time, and repeats exactly.

out/NAME/run.json         the step's values, its datasets, the versions, and the fingerprint over them
out/NAME/tokenizer.json   the tokenizer of the training
out/NAME/loss.jsonl       a line a step: loss, that of each dataset, rate; held-out loss every few steps
out/NAME/speed.jsonl      the time of a step's parts, rates, memory, the use of experts
out/NAME/flight-N         rank N's calls of NCCL before one that waited for too long, for torchfrtrace
out/NAME/checkpoint/      exists only during the training
out/NAME/adapter/         the adapters, if any were trained, in peft's format
out/NAME/model/           the network as a released folder, adapters merged
out/NAME/told.safetensors  the head that teaches SAM, if there is one: only a training that goes on needs it
out/NAME/readback.json    held-out samples: image, truth, and the network's reading, from the last evaluation with readings
out/NAME/metrics.json     the measurements. It is written last, and marks the training as done
"""

import contextlib
import json
import logging
import math
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, cast

import torch

from datagen.disk.storage import Folder
from datagen.work.progress import OnState, State, ignore
from model.costs.plan import SetUp
from model.data.degrade import Degradations
from model.data.loader import Loader
from model.data.mixture import Segment, shares
from model.data.order import key
from model.data.plan import Plan
from model.data.split import Corpus
from model.files.network_folder import TOKENIZER
from model.net.activation_checkpointing import set_checkpointing
from model.net.batch import Batch
from model.net.cpu import native_dtype
from model.net.deepseek_ocr import DeepseekOcr
from model.net.frame_head import TOLD
from model.net.tokenizer import TextTokenizer
from model.train.checkpoint import Checkpoints, tensors
from model.train.data import Opened, corpus_of, open_all, sources
from model.train.evaluate import Measure, about_looking
from model.train.export import bare, export
from model.train.forecast import checkpointed, set_up
from model.train.journal import Journal, Speed
from model.train.layout import filled
from model.train.log import Clock, ExpertUse, counted, memory
from model.train.optim import adamw, freeze, rate_at, update
from model.train.process import STOPPED, Stopped, computing, garbage_frozen, terminated, until
from model.train.ranks import Ranks, joined
from model.train.readings import Readings
from model.train.run import begun, begun_rows, finished
from model.train.spread import Spread
from model.train.start import frame_head, network, tokenizer_of, within
from model.train.step import Train, Weights

log = logging.getLogger(__name__)

STATE_EVERY_S = 5.0
SPEED_EVERY = 10
MAX_NOT_FINITE = 20  # steps in turn without a finite gradient, after which a training ends


class NothingToLearn(ValueError):
    """The datasets have nothing to train on, or nothing to test with."""


def train(step: Train, out: Folder, held_out: frozenset[str] = frozenset(), on_state: OnState = ignore) -> bool:
    """Train by `step`, into `out/NAME`. Returns False, and changes nothing, if that is done.

    `held_out` names groups, or documents by their sha256, that never train, beside those that the split holds out. `on_state`
    gets a state every few seconds. After a kill the same call goes on from the last checkpoint. With the same number of threads
    it ends in the same bytes; if the step is `deterministic`, torch is asked for that on a GPU, too. At SIGTERM it writes a
    checkpoint and raises `SystemExit`. Raises `NothingToLearn`; `ValueError` if the folder has the results of another training,
    or if a dataset has changed since the checkpoint; `OSError` if a checkpoint can't be written.
    """
    folder = out.sub(step.name)
    step = filled(step, int(os.environ.get("WORLD_SIZE", 1)), begun_rows(folder))
    with computing(step.compute), joined(step) as ranks:
        on_state = on_state if ranks.is_first else ignore
        data = ranks.after_first(lambda: open_all(step, out, held_out))
        if ranks.from_first(lambda: finished(step, out, data, held_out, on_state)):
            return False
        started = within(step, out)
        tokenizer = ranks.from_first(lambda: tokenizer_of(started, folder, data.whole, on_state))
        corpus = ranks.after_first(lambda: corpus_of(data, tokenizer, step.evaluation.held_out_share))
        num_samples = sum(map(len, corpus.train))
        if not num_samples or not any(map(len, corpus.held_out)):
            names = ", ".join(one.where for one in step.data)
            raise NothingToLearn(f"{step.name}: {names} hold no two samples to learn from{_left_out(corpus)}")
        if ranks.is_first:
            begun(step, out, data, held_out)
            folder.write(TOKENIZER, tokenizer.to_json())
        training = _Training(started.worth(num_samples), folder, data, corpus, tokenizer, on_state, ranks)
        training.given = step.weights
        training.run()
    return True


def _left_out(corpus: Corpus) -> str:
    """How many samples of each dataset are left out, by the reason; "" if none are."""
    counts = {name: [f"{n} {why.replace('_', ' ')}" for why, n in by.items()] for name, by in corpus.skipped.items() if by}
    return "".join(f"; of {name} are left out: {', '.join(those)}" for name, those in counts.items())


class _Training:
    given: Weights  # in the user's names

    def __init__(
        self, step: Train, folder: Folder, data: Opened, corpus: Corpus, tokenizer: TextTokenizer, on_state: OnState, ranks: Ranks
    ):
        self.step, self.folder, self.corpus, self.tokenizer, self.on_state = step, folder, corpus, tokenizer, on_state
        self.ranks = ranks
        self.device = torch.device(step.compute.device or ("cuda" if torch.cuda.is_available() else "cpu"))
        if self.device.type == "cuda" and not ranks.is_alone:
            self.device = torch.device("cuda", torch.cuda.current_device())  # this rank's
        own = torch.bfloat16 if self.device.type == "cuda" or step.optim.is_narrow else native_dtype()
        self.dtype = getattr(torch, step.compute.precision) if step.compute.precision else own
        self.names = tuple(dataset.name for dataset in corpus.datasets)
        self.modes = {mode: weight for mode, weight in step.batches.modes if weight}
        self.sources = shares(corpus, sources(data, corpus), dict(step.groups))
        self.plan = Plan(
            corpus, (Segment(0, self.sources),), self.modes, step.batches.length, step.batches.rows_per_step, step.seed
        )
        if step.schedule.epochs:
            num_draws = round(step.schedule.epochs * sum(map(len, corpus.train)))
            self.step = step = step.lasting(max(1, min(step.schedule.steps, self.plan.num_steps(num_draws))))
        net = network(step, tokenizer, self.dtype is not torch.float32)
        self._check(net)
        freeze(net, step.weights.frozen)
        self.set_up = set_up(step) or SetUp("nothing")
        if step.guidance.told:
            net.add_module(TOLD, frame_head(step, net.config))
        towers = checkpointed(step, net.config, self.set_up, ranks, self.device)
        set_checkpointing(net, towers)
        self.spread = Spread(net, step, ranks, self.device, self.dtype, len(self.names), not towers)
        self.net = self.spread.net
        self.optimizer = adamw(self.net, step)
        self.checkpoints = Checkpoints(folder.sub("checkpoint"), step.checkpoint.keep, ranks)
        self.experts = ExpertUse(self.net)
        self.progress: dict[str, Any] = {"step": 0, "seconds": 0.0, "seconds_training": 0.0, "looks": None, "read_before": None}
        self.progress["unmeasured"] = None  # the line of the last step, if the training stopped before its measurement
        self.counts: Counter[str] = Counter()
        self.not_finite_in_turn = 0
        self.started = time.monotonic()

    def run(self) -> None:
        self._resume()
        first, step = self.progress["step"], self.step
        # One rank writes.
        self.journal = Journal(self.folder, first, self.device) if self.ranks.is_first else None
        self.measure = Measure(step, self.folder, self.spread, self.corpus, self.tokenizer)
        if not self.measure.held_out:
            raise NothingToLearn(f"{step.name}: no held-out sample can be read that has at most {step.batches.length} tokens")
        if self.ranks.any(self.journal is not None and not self.journal.has_begun):
            self._tell({"step": 0, "num_tokens": 0} | self.measure.losses())
        if step.evaluation.read_first and not first:
            self.on_state(State(note="reading held-out samples, before the first step"))
            self.progress["read_before"] = self.measure.read()
            if self.journal is not None:
                self.journal.read(0, self.progress["read_before"])
        if line := self.progress["unmeasured"]:
            self.progress["unmeasured"] = None
            self._tell(line | self.measure.after(first))
        with terminated() as asked:
            degrade = Degradations(step.batches.scans, step.batches.photos) if step.batches.scans or step.batches.photos else None
            places = self.ranks.layout
            loader = Loader(
                self.plan,
                self.tokenizer,
                degrade,
                step.batches.micro_rows,
                self.ranks.copy,
                places.copies,
                step.compute.workers,
                fills=self.device.type == "cuda" or places.pipeline > 1,
                pins=self.device.type == "cuda",
            )
            steps = loader.steps(first, step.schedule.steps)
            with contextlib.closing(steps) as batches, garbage_frozen():
                try:
                    self._train(batches, first, asked)
                except (OSError, KeyboardInterrupt):
                    if self.ranks.is_alone:  # this process may begin again, from the present checkpoint
                        with contextlib.suppress(OSError):
                            self.checkpoints.wait()
                    raise
        self._finish()

    def _resume(self) -> None:
        saved = self.checkpoints.load(self.net, self.optimizer)
        if saved is None:
            return
        try:
            plan = self.plan.resumed(saved["plan"])
        except ValueError as error:
            raise ValueError(f"{error} (delete {self.checkpoints.folder.url} to begin anew with what there is now)") from None
        now = {share.stream: share.weight for share in self.sources}
        if now != {share.stream: share.weight for share in plan.schedule[-1].shares}:
            plan = plan.changed(saved["step"], self.sources)
            self.on_state(State(note=f"other weights of datasets from window {plan.schedule[-1].window} on"))
        self.plan = plan
        self.counts = Counter(saved["counts"])
        self.not_finite_in_turn = saved["not_finite_in_turn"]
        self.progress = {name: saved.get(name) for name in self.progress}
        self.on_state(State(note=f"resumed from step {saved['step']}"))

    def _train(self, batches: Iterator[list[Batch]], first: int, asked: threading.Event) -> None:
        step, progress = self.step, self.progress
        clock, last_state, since, since_s = Clock(self.device), 0.0, Counter[str](), 0.0
        for number in range(first, step.schedule.steps):
            began = time.monotonic()
            with clock.part("data", waits=True):
                micros = next(batches)
            done = self.ranks.summed(counted(micros, step.batches.length, self.net.config, self.set_up))
            line = self._update(number, micros, done, clock)
            progress["step"], seconds = number + 1, time.monotonic() - began
            progress["seconds_training"] += seconds
            since_s += seconds
            self.counts += done + Counter({f"too_long {name}": num for name, num in self.plan.dropped(number).items()})
            since += done
            last = number + 1 == step.schedule.steps
            line |= {"num_tokens": self.counts["tokens"]}
            try:
                line |= self.measure.after(number + 1, until(asked))
                self._tell(line)
            except Stopped:
                progress["unmeasured"] = line
            if last or (number + 1 - first) % SPEED_EVERY == 0:
                of_ranks = self.ranks.gathered(Speed(clock.take(), memory(self.device), self.experts.take()), soon=True)
                if self.journal is not None:
                    self.journal.speed(number + 1, since_s, since, of_ranks)
                since, since_s = Counter(), 0.0
            stops = self.ranks.any(asked.is_set(), soon=True)
            if last or stops or (number + 1) % step.checkpoint.checkpoint_every == 0:
                self._save()
            if stops and (progress["unmeasured"] or not last):
                self.checkpoints.wait()
                if self.ranks.is_first:
                    log.warning("stopped at step %d, with a checkpoint: the same command goes on from there", number + 1)
                raise SystemExit(STOPPED)
            if self.journal is not None and (time.monotonic() - last_state > STATE_EVERY_S or "held_out_loss" in line):
                last_state = time.monotonic()
                rate = self.counts["positions"] / max(progress["seconds_training"], 1e-9)
                left = (step.schedule.steps - number - 1) * progress["seconds_training"] / (number + 1)
                self.on_state(self.journal.state(line, step.schedule.steps, rate, left))
        self.checkpoints.wait()

    def _tell(self, line: dict[str, Any]) -> None:
        if self.journal is not None:
            self.journal.line(line)
        if "looks" in line and line["step"]:
            self.progress["looks"] = line["looks"]
            if line["step"] >= self.step.evaluation.looks_after and not line["looks"]:
                note = about_looking(line)
                if self.ranks.is_first:
                    log.warning("%s", note)
                self.on_state(State(note=note))

    def _update(self, number: int, micros: Sequence[Batch], counts: Counter[str], clock: Clock) -> dict[str, Any]:
        """The line of a step, after the weights have moved: its mean loss, in nats a token, that of each dataset, and its rate.
        `counts` are those of the whole step."""
        # Counted before the first forward pass, so that all batches' gradients add up to the step's.
        scale, balance_scale = (1 / max(1, counts[name]) for name in ("tokens", "samples"))
        # Dropout depends on the step, so a resumed training repeats it.
        if self.step.weights.lora_dropout or self.step.weights.train_adapter:
            torch.manual_seed(key("dropout", self.step.seed, number, self.ranks.rank))
        weights = self.step.guidance.weights(number, self.step.schedule.steps)
        guides = (weights[0] / max(1, counts["told"]), weights[1] / max(1, counts["placed"]))
        total, sums_S2 = self.spread.through(micros, scale, balance_scale, clock, guides)
        rate = rate_at(self.step, number)
        with clock.part("optimizer"):
            numbers_N = torch.cat([total[None], sums_S2.flatten()])
            norm, (loss, *sums, of_frames, right_frames, of_places, right_places), by_part = update(
                self.optimizer, rate, self.step.optim.max_norm, numbers_N, self.ranks
            )
        line: dict[str, Any] = {"step": number + 1, "loss": _finite(loss), "lr": round(rate, 10), "norm": _finite(norm)}
        by = zip(self.names, sums[::2], sums[1::2], strict=True)
        line["by"] = {name: _finite(nats / num) for name, nats, num in by if num}
        guided = (("told", guides[0], of_frames, right_frames), ("placed", guides[1], of_places, right_places))
        for name, weight, nats, right in guided:
            if weight and (num := counts[name]):
                line |= {name: _finite(nats / num), f"{name}_right": round(right / num, 4)}
        line["norms"] = {part: _finite(length) for part, length in by_part.items()}
        self._guard(number, loss, norm)
        return line

    def _guard(self, number: int, loss: float, norm: float) -> None:
        if math.isfinite(loss) and math.isfinite(norm):
            self.not_finite_in_turn = 0
            return
        self.counts["not_finite"] += 1
        self.not_finite_in_turn += 1
        if self.ranks.is_first:
            log.warning("step %d: the loss is %s, the gradients' norm %s: the weights stay as they are", number + 1, loss, norm)
        if self.not_finite_in_turn >= MAX_NOT_FINITE:
            raise ValueError(
                f"{MAX_NOT_FINITE} steps in turn, up to step {number + 1}, had no finite gradient: the last checkpoint is from "
                "before; a lower rate or a longer warm-up helps"
            )

    def _save(self) -> None:
        self.progress["seconds"] = self._seconds()
        if self.journal is not None:
            self.journal.flush()
        state = tensors(self.net, self.optimizer)
        saved = self.progress | {
            "plan": self.plan.to_json(),
            "counts": self.counts,
            "not_finite_in_turn": self.not_finite_in_turn,
        }
        self.checkpoints.save(self.progress["step"], state, saved)

    def _finish(self) -> None:
        """The end of a training, which the first rank writes after it has the whole network."""
        whole = self.spread.gathered()
        if whole is not None:
            bare(whole, self.step.weights, self.given, self.folder if self.ranks.is_first else None)
        self.ranks.from_first(lambda: self._export(cast(DeepseekOcr, whole)))
        self.on_state(State(note="reading held-out samples"))
        read = self.measure.readings(whole)
        self.ranks.from_first(lambda: self._write(cast(DeepseekOcr, whole), read))

    def _export(self, net: DeepseekOcr) -> None:
        base = self.step.weights.base
        export(self.folder.sub("model"), net, self.tokenizer, Folder(base) if base else None)

    def _write(self, net: DeepseekOcr, read: Readings) -> None:
        step = self.step
        assert self.journal is not None
        measured = self.journal.measured
        total, active = net.num_parameters()
        self.progress["seconds"] = self._seconds()
        del self.progress["unmeasured"]
        metrics = self.progress | {
            "counts": dict(sorted(self.counts.items())),
            "num_tokens": self.counts["tokens"],
            "fill": round(self.counts["positions"] / max(1, self.counts["room"]), 4),
            "tokens_per_s": round(self.counts["positions"] / max(self.progress["seconds_training"], 1e-9), 1),
            "speed": self.journal.speeds.last or {"data_wait": 0.0},
            "precision": str(self.dtype).removeprefix("torch."),
            "device": self.device.type,
            "threads": step.compute.threads,
            "num_parameters": total,
            "num_active_parameters": active,
            "vocab_size": len(self.tokenizer),
            "num_train": dict(zip(self.names, map(len, self.corpus.train), strict=True)),
            "num_held_out": dict(zip(self.names, map(len, self.corpus.held_out), strict=True)),
            "num_skipped": self.corpus.skipped,
            "held_out_loss_first": measured[0]["held_out_loss"],
            "held_out_loss_last": measured[-1]["held_out_loss"],
            "own_image_loss": measured[-1].get("own_image_loss"),
            "other_image_loss": measured[-1].get("other_image_loss"),
            "read": read.summary,
            "not_read": dict(sorted(read.passed_over.items())),
            "not_measured": dict(sorted(self.measure.held_out.unreadable.items())),
        }
        self.journal.read(step.schedule.steps, read.summary)
        self.journal.close()
        self.folder.write("metrics.json", json.dumps(metrics, indent=1, ensure_ascii=False).encode())
        self.folder.remove("checkpoint")

    def _check(self, net: DeepseekOcr) -> None:
        if (most := net.config.decoder.max_positions) < self.step.batches.length:
            raise ValueError(f"length is {self.step.batches.length}: the network has {most} positions")

    def _seconds(self) -> float:
        before: float = self.progress["seconds"]
        now = time.monotonic()
        before, self.started = before + now - self.started, now
        return round(before, 1)


def _finite(value: float) -> float | None:
    """The value; None if JSON has no number for it."""
    return round(value, 5) if math.isfinite(value) else None
