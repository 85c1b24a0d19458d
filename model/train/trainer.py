"""A training from its data to an exported network. It can be stopped or killed at any time, and repeats exactly.

out/NAME/run.json         the step's values, its datasets, the versions, and the fingerprint over them
out/NAME/tokenizer.json   the tokenizer of the training
out/NAME/loss.jsonl       a line a step: loss, that of each dataset, rate; held-out loss every few steps
out/NAME/speed.jsonl      where a step's time goes, rates, memory
out/NAME/checkpoint/      exists only during the training
out/NAME/adapter/         the adapters, if such were trained, in peft's format
out/NAME/model/           the network as a released folder, adapters merged
out/NAME/readback.json    held-out samples: image, truth, and the network's reading, as of the last evaluation that read
out/NAME/metrics.json     the measurements. It is written last, and marks the training as done
"""

import contextlib
import json
import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from datagen.progress import OnState, State, ignore
from datagen.storage import Folder
from model.batch import Batch, through
from model.checkpoint import TOKENIZER
from model.checkpointing import set_checkpointing
from model.cpu import native_dtype
from model.data.degrade import Degradations
from model.data.loader import Loader
from model.data.mixture import Segment, shares
from model.data.plan import Plan
from model.data.split import Corpus, opened
from model.plan import SetUp
from model.tokenizer import TextTokenizer
from model.train.boards import run_id
from model.train.checkpoint import Checkpoints, tensors
from model.train.data import Opened, open_all, sources
from model.train.export import export
from model.train.log import Clock, ExpertLoad, by_source, operations
from model.train.measure import Measure, about_looking
from model.train.optim import Average, adamw, freeze, rate_at, update
from model.train.planned import set_up
from model.train.run import begun, finished
from model.train.start import network, tokenizer_of, within
from model.train.step import Train
from model.train.stop import STOPPED, Stopped, terminated, until
from model.train.told import Told

log = logging.getLogger(__name__)

STATE_EVERY_S = 5.0
SPEED_EVERY = 10
MAX_NOT_FINITE = 20  # steps in turn whose gradients weren't finite, after which a training ends


class NothingToLearn(ValueError):
    """The datasets hold nothing to train on, or nothing to test with."""


def train(step: Train, out: Folder, held_out: frozenset[str] = frozenset(), on_state: OnState = ignore) -> bool:
    """Train as `step` says, into `out/NAME`. Returns False, and touches nothing, if it is done.

    `held_out` names groups, or documents by their sha256, that are never trained on, beside those that the split holds out.
    `on_state` gets a state every few seconds. After a kill the same call goes on from the last checkpoint. On as many threads it
    ends in the same bytes. At SIGTERM it writes a checkpoint and raises `SystemExit`. Raises `NothingToLearn`; `ValueError` if
    the folder has the results of another training, or if a dataset has changed since the checkpoint; `OSError` if a checkpoint
    can't be written.
    """
    folder, data = out.sub(step.name), open_all(step, out, held_out)
    if finished(step, out, data, held_out, on_state):
        return False
    threads = torch.get_num_threads()
    torch.set_num_threads(step.threads)
    try:
        started = within(step, out)
        tokenizer = tokenizer_of(started, folder, data.datasets, on_state)
        corpus = opened(data.datasets, tokenizer, step.held_out_share)
        num_samples = sum(map(len, corpus.train))
        if not num_samples or not any(map(len, corpus.held_out)):
            raise NothingToLearn(f"{step.name}: {', '.join(one.where for one in step.data)} hold no two samples to learn from")
        begun(step, out, data, held_out)
        folder.write(TOKENIZER, tokenizer.to_json())
        _Training(started.worth(num_samples), folder, data, corpus, tokenizer, on_state).run()
    finally:
        torch.set_num_threads(threads)
    return True


class _Training:
    def __init__(self, step: Train, folder: Folder, data: Opened, corpus: Corpus, tokenizer: TextTokenizer, on_state: OnState):
        self.step, self.folder, self.corpus, self.tokenizer, self.on_state = step, folder, corpus, tokenizer, on_state
        self.device = torch.device(step.device or ("cuda" if torch.cuda.is_available() else "cpu"))
        own = torch.bfloat16 if self.device.type == "cuda" else native_dtype()
        self.dtype = getattr(torch, step.precision) if step.precision else own
        self.names = tuple(dataset.name for dataset in corpus.datasets)
        self.modes = {mode: weight for mode, weight in step.modes if weight}
        self.sources = shares(corpus, sources(data, corpus), dict(step.groups))
        self.plan = Plan(corpus, (Segment(0, self.sources),), self.modes, step.length, step.rows_per_step, step.seed)
        if step.epochs:
            num_draws = round(step.epochs * sum(map(len, corpus.train)))
            self.step = step = step.lasting(max(1, min(step.steps, self.plan.num_steps(num_draws))))
        self.net = network(step, tokenizer, self.dtype is not torch.float32).to(self.device)
        self._check()
        freeze(self.net, step.frozen)
        self.set_up = set_up(step) or SetUp("nothing")
        set_checkpointing(self.net, step.checkpointing)
        self.optimizer = adamw(self.net, step)
        self.average = Average(self.net, step.average) if step.average else None
        self.checkpoints = Checkpoints(folder.sub("checkpoint"), step.keep)
        self.experts = ExpertLoad(self.net)
        self.progress: dict[str, Any] = {"step": 0, "seconds": 0.0, "seconds_training": 0.0, "looks": None, "read_before": None}
        self.progress["unmeasured"] = None  # the line of the last step, if the training was stopped before it was measured
        self.run_id = run_id(folder)
        self.counts: Counter[str] = Counter()
        self.not_finite_in_turn = 0
        self.started = time.monotonic()

    def run(self) -> None:
        self._resume()
        first, step = self.progress["step"], self.step
        self.told = Told(self.folder, first, self.run_id, self.device)
        self.measure = Measure(step, self.folder, self.net, self.average, self.corpus, self.tokenizer, self.dtype)
        if not self.measure.held_out:
            raise NothingToLearn(f"{step.name}: no held-out sample can be read that has at most {step.length} tokens")
        if not self.told.has_begun:
            self.told.line({"step": 0, "num_tokens": 0} | self.measure.losses())
        if step.read_first and not first:
            self.on_state(State(note="reading held-out samples, before the first step"))
            self.progress["read_before"] = self.measure.read().summary
            self.told.read(0, self.progress["read_before"])
        if line := self.progress["unmeasured"]:
            self.progress["unmeasured"] = None
            self._tell(line | self.measure.after(first))
        with terminated() as asked:
            degrade = Degradations(step.scans, step.photos) if step.scans or step.photos else None
            for_gpu = self.device.type == "cuda"
            loader = Loader(self.plan, self.tokenizer, degrade, step.micro_rows, workers=step.workers, for_gpu=for_gpu)
            with contextlib.closing(loader.steps(first, step.steps)) as batches:
                self._train(batches, first, asked)
        self._finish()

    def _resume(self) -> None:
        saved = self.checkpoints.load(self.net, self.optimizer, self.average)
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
        self.run_id = saved.get("run_id", self.run_id)
        self.progress = {name: saved.get(name) for name in self.progress}
        self.on_state(State(note=f"resumed from step {saved['step']}"))

    def _train(self, batches: Iterator[list[Batch]], first: int, asked: threading.Event) -> None:
        step, progress = self.step, self.progress
        clock, last_state, since, since_s = Clock(self.device), 0.0, Counter[str](), 0.0
        for number in range(first, step.steps):
            began = time.monotonic()
            with clock.part("data", waits=True):
                micros = next(batches)
            line = self._update(number, micros, clock)
            progress["step"], seconds = number + 1, time.monotonic() - began
            progress["seconds_training"] += seconds
            since_s += seconds
            done = self._count(number, micros)
            self.counts += done
            since += done
            last = number + 1 == step.steps
            line |= {"num_tokens": self.counts["tokens"]}
            try:
                line |= self.measure.after(number + 1, until(asked))
                self._tell(line)
            except Stopped:
                progress["unmeasured"] = line
            if last or (number + 1 - first) % SPEED_EVERY == 0:
                self.told.speed(number + 1, clock, self.experts, since, since_s)
                since, since_s = Counter(), 0.0
            if last or asked.is_set() or (number + 1) % step.checkpoint_every == 0:
                self._save()
            if asked.is_set() and (progress["unmeasured"] or not last):
                self.checkpoints.wait()
                log.warning("stopped at step %d, with a checkpoint: the same command goes on from there", number + 1)
                raise SystemExit(STOPPED)
            if time.monotonic() - last_state > STATE_EVERY_S or "held_out_loss" in line:
                last_state = time.monotonic()
                rate = self.counts["positions"] / max(progress["seconds_training"], 1e-9)
                left = (step.steps - number - 1) * progress["seconds_training"] / (number + 1)
                self.on_state(self.told.state(line, step.steps, rate, left))
        self.checkpoints.wait()

    def _tell(self, line: dict[str, Any]) -> None:
        self.told.line(line)
        if "looks" in line:
            self.progress["looks"] = line["looks"]
            if line["step"] >= self.step.looks_after and not line["looks"]:
                note = about_looking(line)
                log.warning("%s", note)
                self.on_state(State(note=note))

    def _update(self, number: int, micros: Sequence[Batch], clock: Clock) -> dict[str, Any]:
        """The line of a step, once the weights have moved: its mean loss, in nats a token, that of each dataset, and its rate."""
        # Counted before the first forward pass, so that the gradients of all batches add up to those of the step.
        scale, balance_scale = (1 / max(1, sum(getattr(one, name) for one in micros)) for name in ("num_tokens", "num_samples"))
        total = torch.zeros((), device=self.device)
        sums_S2 = torch.zeros(len(self.names), 2, dtype=torch.float64, device=self.device)
        for one in micros:
            with clock.part("forward"), self.measure.autocast():
                batch = one.to(self.device)
                found = through(self.net, batch, scale, balance_scale)
            with clock.part("backward"):
                found.total.backward()
            total += found.total.detach()
            sums_S2 += by_source(found.each_T, batch.sources_T, len(self.names))
        rate = rate_at(self.step, number)
        with clock.part("optimizer"):
            norm, loss, *sums = update(self.optimizer, rate, self.step.max_norm, torch.cat([total[None], sums_S2.flatten()]))
            if self.average is not None:
                self.average.update(self.net)
        line: dict[str, Any] = {"step": number + 1, "loss": _finite(loss), "lr": round(rate, 10), "norm": _finite(norm)}
        by = zip(self.names, sums[::2], sums[1::2], strict=True)
        line["by"] = {name: _finite(nats / num) for name, nats, num in by if num}
        self._guard(number, loss, norm)
        return line

    def _guard(self, number: int, loss: float, norm: float) -> None:
        if math.isfinite(loss) and math.isfinite(norm):
            self.not_finite_in_turn = 0
            return
        self.counts["not_finite"] += 1
        self.not_finite_in_turn += 1
        log.warning("step %d: the loss is %s, the gradients' norm %s: the weights stay as they are", number + 1, loss, norm)
        if self.not_finite_in_turn >= MAX_NOT_FINITE:
            raise ValueError(
                f"{MAX_NOT_FINITE} steps in turn, up to step {number + 1}, had no finite gradient: the last checkpoint is from "
                "before; a lower rate or a longer warm-up helps"
            )

    def _count(self, number: int, micros: Sequence[Batch]) -> Counter[str]:
        counts: Counter[str] = Counter()
        for one in micros:
            counts["samples"] += one.num_samples
            counts["tokens"] += one.num_tokens
            counts["positions"] += one.num_positions
            counts["room"] += self.step.length * len(one.ids_BL)
            counts["images"] += len(one.images)
            counts["upsampled"] += one.num_upsampled
            counts["operations"] += operations(self.net.config, one, self.set_up)
            for skipped in one.skipped:
                counts[f"skipped {skipped.source}: {skipped.reason}"] += 1
        for name, num in self.plan.dropped(number).items():
            counts[f"too_long {name}"] += num
        return counts

    def _save(self) -> None:
        self.progress["seconds"] = self._seconds()
        self.told.flush()
        state = tensors(self.net, self.optimizer, self.average)
        saved = self.progress | {
            "plan": self.plan.to_json(),
            "counts": self.counts,
            "not_finite_in_turn": self.not_finite_in_turn,
            "run_id": self.run_id,
        }
        self.checkpoints.save(self.progress["step"], state, saved)

    def _finish(self) -> None:
        step = self.step
        if self.average is not None:
            self.average.swap(self.net)
            self.average = self.measure.average = None
        start = step.start or (step.start_decoder if step.start_decoder != "random" else "")
        self._merge(start)
        export(self.folder.sub("model"), self.net, self.tokenizer, Folder(start) if start else None)
        self.on_state(State(note="reading held-out samples"))
        read, measured = self.measure.read(), self.told.measured
        total, active = self.net.num_parameters()
        self.progress["seconds"] = self._seconds()
        del self.progress["unmeasured"]
        metrics = self.progress | {
            "counts": dict(sorted(self.counts.items())),
            "num_tokens": self.counts["tokens"],
            "fill": round(self.counts["positions"] / max(1, self.counts["room"]), 4),
            "tokens_per_s": round(self.counts["positions"] / max(self.progress["seconds_training"], 1e-9), 1),
            "speed": self.told.speeds.last or {"data_wait": 0.0},
            "precision": str(self.dtype).removeprefix("torch."),
            "device": self.device.type,
            "threads": step.threads,
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
        self.told.read(step.steps, read.summary)
        self.told.close()
        self.folder.write("metrics.json", json.dumps(metrics, indent=1, ensure_ascii=False).encode())
        self.folder.remove("checkpoint")

    def _merge(self, start: str) -> None:
        if self.step.lora:
            from model.lora import merge, save_adapter

            save_adapter(self.folder.sub("adapter"), self.net, start)
            merge(self.net)

    def _check(self) -> None:
        if (most := self.net.config.decoder.max_positions) < self.step.length:
            raise ValueError(f"length is {self.step.length}: the network has {most} positions")

    def _seconds(self) -> float:
        before: float = self.progress["seconds"]
        now = time.monotonic()
        before, self.started = before + now - self.started, now
        return round(before, 1)


def _finite(value: float) -> float | None:
    """JSON has no number for others."""
    return round(value, 5) if math.isfinite(value) else None
