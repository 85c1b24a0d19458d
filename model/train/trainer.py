"""A training from its data to an exported network. It can be stopped or killed at any time, and repeats exactly.

out/NAME/run.json         the step's values, its datasets, the versions, and the fingerprint over them
out/NAME/tokenizer.json   the tokenizer of the training
out/NAME/loss.jsonl       a line a step: loss, that of each dataset, rate; held-out loss every few steps
out/NAME/speed.jsonl      where a step's time goes, rates, memory
out/NAME/checkpoint/      exists only during the training
out/NAME/adapter/         the adapters, if such were trained, in peft's format
out/NAME/model/           the network as a released folder, adapters merged
out/NAME/readback.json    held-out samples: image, truth, and the network's reading
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
from model.batch import Batch
from model.checkpoint import TOKENIZER
from model.checkpointing import set_checkpointing
from model.cpu import native_dtype
from model.data.degrade import Degradations
from model.data.loader import Loader
from model.data.mixture import Segment, shares
from model.data.plan import Plan
from model.data.split import Corpus, opened
from model.deepseek_ocr import Losses
from model.plan import SetUp
from model.tokenizer import TextTokenizer
from model.train import evaluate
from model.train.checkpoint import Checkpoints, tensors
from model.train.data import Opened, open_all, sources
from model.train.export import export
from model.train.log import Board, Clock, ExpertLoad, Lines, boards, by_source, memory, operations, peak
from model.train.optim import Average, adamw, freeze, rate_at, update
from model.train.planned import set_up
from model.train.run import begun, finished
from model.train.start import network, tokenizer_of, within
from model.train.step import Train
from model.train.stop import STOPPED, terminated

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
        self.counts: Counter[str] = Counter()
        self.not_finite_in_turn = 0
        self.started = time.monotonic()

    def run(self) -> None:
        self._resume()
        first, step = self.progress["step"], self.step
        self.lines = Lines(self.folder, "loss.jsonl", first)
        self.speeds = Lines(self.folder, "speed.jsonl")
        self.boards: list[Board] = boards(self.folder, step.name, first)
        self.held_out = evaluate.held_out(
            self.corpus, self.tokenizer, tuple(self.modes), step.length, step.micro_rows, step.loss_samples
        )
        if not self.held_out.batches:
            raise NothingToLearn(f"{step.name}: no held-out sample has at most {step.length} tokens")
        if not self.lines.lines:
            self.lines.add(step=0, num_tokens=0, **self._losses())
        if step.read_first and not first:
            self.on_state(State(note="reading held-out samples, before the first step"))
            self.progress["read_before"] = evaluate.summary(self._read())
        with terminated() as asked:
            degrade = Degradations(step.scans, step.photos) if step.scans or step.photos else None
            loader = Loader(self.plan, self.tokenizer, degrade, step.micro_rows, workers=step.workers)
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
        self.progress = {name: saved[name] for name in self.progress}
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
            if last or (number + 1) % step.loss_every == 0 or number + 1 == step.looks_after:
                line |= self._losses()
                self._look(line)
            if step.read_every and (number + 1) % step.read_every == 0 and not last:
                line["read"] = evaluate.summary(self._read())
            self.lines.add(**line)
            if last or (number + 1 - first) % SPEED_EVERY == 0:
                self._tell_speed(number + 1, clock, since, since_s)
                since, since_s = Counter(), 0.0
            for board in self.boards:
                board.add(number + 1, {name: value for name, value in line.items() if isinstance(value, float)})
            if last or asked.is_set() or (number + 1) % step.checkpoint_every == 0:
                self._save()
            if time.monotonic() - last_state > STATE_EVERY_S or "held_out_loss" in line:
                last_state = time.monotonic()
                self.on_state(self._state(line))
            if asked.is_set() and not last:
                self.checkpoints.wait()
                log.warning("stopped at step %d, with a checkpoint: the same command goes on from there", number + 1)
                raise SystemExit(STOPPED)
        self.checkpoints.wait()

    def _update(self, number: int, micros: Sequence[Batch], clock: Clock) -> dict[str, Any]:
        """The line of a step, once the weights have moved: its mean loss, in nats a token, that of each dataset, and its rate."""
        # Counted before the first forward pass, so that the gradients of all batches add up to those of the step.
        scale, balance_scale = (1 / max(1, sum(getattr(one, name) for one in micros)) for name in ("num_tokens", "num_samples"))
        total = torch.zeros((), device=self.device)
        sums_S2 = torch.zeros(len(self.names), 2, dtype=torch.float64, device=self.device)
        for one in micros:
            with clock.part("forward"), self._autocast():
                batch = one.to(self.device)
                found: Losses = self.net(
                    batch.ids_BL,
                    batch.images,
                    batch.image_BL,
                    batch.samples_BL,
                    labels_BL=batch.labels_BL,
                    scale=scale,
                    balance_scale=balance_scale,
                )
            with clock.part("backward"):
                found.total.backward()
            total += found.total.detach()
            sums_S2 += by_source(found.each_T, batch.sources_T, len(self.names))
        loss, rate = float(total), rate_at(self.step, number)
        with clock.part("optimizer"):
            norm = update(self.optimizer, rate, self.step.max_norm, loss)
            if self.average is not None:
                self.average.update(self.net)
        line: dict[str, Any] = {"step": number + 1, "loss": _finite(loss), "lr": round(rate, 10), "norm": _finite(norm)}
        line["by"] = {name: _finite(nats / num) for name, (nats, num) in zip(self.names, sums_S2.tolist(), strict=True) if num}
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

    def _losses(self) -> dict[str, Any]:
        """Measured on held-out samples, with the averaged weights if there are such."""
        with self._averaged():
            return evaluate.losses(self.net, self.held_out, self._autocast())

    def _look(self, line: dict[str, Any]) -> None:
        if "looks" not in line:
            return
        self.progress["looks"] = line["looks"]
        if line["step"] >= self.step.looks_after and not line["looks"]:
            note = (
                f"step {line['step']}: it doesn't look. The held-out loss is {line['own_image_loss']:.3f} with a sample's own "
                f"image, and {line['other_image_loss']:.3f} with another's: what it says doesn't follow from what it sees"
            )
            log.warning("%s", note)
            self.on_state(State(note=note))

    def _save(self) -> None:
        self.progress["seconds"] = self._seconds()
        self.lines.flush()
        state = tensors(self.net, self.optimizer, self.average)
        saved = self.progress | {
            "plan": self.plan.to_json(),
            "counts": self.counts,
            "not_finite_in_turn": self.not_finite_in_turn,
        }
        self.checkpoints.save(self.progress["step"], state, saved)

    def _read(self) -> list[dict[str, Any]]:
        draws = evaluate.held_out_draws(self.corpus, tuple(self.modes), self.step.length, self.step.read_samples)
        threads = torch.get_num_threads()
        # One token is too little work to share: with another process on the second core, two threads took 100 times as long.
        torch.set_num_threads(1)
        try:
            with self._averaged(), self._autocast():
                return evaluate.readings(
                    self.net, self.tokenizer, self.corpus, draws, tuple(self.modes), self.step.max_new_tokens
                )
        finally:
            torch.set_num_threads(threads)

    def _finish(self) -> None:
        step = self.step
        if self.average is not None:
            self.average.swap(self.net)
            self.average = None
        start = step.start or (step.start_decoder if step.start_decoder != "random" else "")
        self._merge(start)
        export(self.folder.sub("model"), self.net, self.tokenizer, Folder(start) if start else None)
        self.on_state(State(note="reading held-out samples"))
        rows = self._read()
        measured = [line for line in self.lines.lines if "held_out_loss" in line]
        total, active = self.net.num_parameters()
        self.progress["seconds"] = self._seconds()
        metrics = self.progress | {
            "counts": dict(sorted(self.counts.items())),
            "num_tokens": self.counts["tokens"],
            "fill": round(self.counts["positions"] / max(1, self.counts["room"]), 4),
            "tokens_per_s": round(self.counts["positions"] / max(self.progress["seconds_training"], 1e-9), 1),
            "speed": (self.speeds.lines or [{"data_wait": 0.0}])[-1],
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
            "read": evaluate.summary(rows),
        }
        shown = evaluate.shown(rows, step.shown_samples)
        self.folder.write("readback.json", json.dumps(shown, indent=1, ensure_ascii=False).encode("utf-8", "replace"))
        for board in self.boards:
            board.close()
        self.lines.flush()
        self.speeds.flush()
        self.folder.write("metrics.json", json.dumps(metrics, indent=1, ensure_ascii=False).encode())
        self.folder.remove("checkpoint")

    @contextlib.contextmanager
    def _averaged(self) -> Iterator[None]:
        if self.average is not None:
            self.average.swap(self.net)
        try:
            yield
        finally:
            if self.average is not None:
                self.average.swap(self.net)

    def _autocast(self) -> contextlib.AbstractContextManager:
        is_half = self.dtype is not torch.float32
        return torch.autocast(self.device.type, self.dtype) if is_half else contextlib.nullcontext()

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

    def _tell_speed(self, done: int, clock: Clock, counts: Counter[str], seconds: float) -> None:
        parts = clock.take()
        values = {name: round(part, 4) for name, part in parts.items()}
        values |= {f"{name}_per_s": round(counts[name] / seconds, 2) for name in ("tokens", "positions", "images")}
        values |= {"data_wait": round(parts.get("data", 0.0) / seconds, 4), "memory": memory(self.device)}
        values["tflops"] = round(counts["operations"] / seconds / 1e12, 4)
        if best := peak(self.device):
            values["mfu"] = round(counts["operations"] / seconds / best, 4)
        load = self.experts.take()
        self.speeds.add(step=done, seconds=round(seconds, 4), **values, expert_load=load)
        for board in self.boards:
            board.add(done, {f"speed/{name}": float(value) for name, value in values.items()})
            board.add(done, {f"experts/layer {n}": value for n, value in enumerate(load)})

    def _state(self, line: dict[str, Any]) -> State:
        progress = self.progress
        rate = self.counts["positions"] / max(progress["seconds_training"], 1e-9)
        left = (self.step.steps - progress["step"]) * progress["seconds_training"] / progress["step"]
        held_out = [earlier["held_out_loss"] for earlier in self.lines.lines if "held_out_loss" in earlier][-1:]
        shown = [f"loss {line['loss']:.3f}"] if line["loss"] is not None else ["loss not finite"]
        notes = [*shown, *[f"held out {loss:.3f}" for loss in held_out], f"{rate:,.0f} tokens/s"]
        return State(line["step"], self.step.steps, "steps", ", ".join(notes), left)


def _finite(value: float) -> float | None:
    """JSON has no number for others."""
    return round(value, 5) if math.isfinite(value) else None
