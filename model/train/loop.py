"""The training step of a recipe: tokenizer, training, reading of held-out samples. It can be resumed, and repeats exactly.

    out/NAME/run.json       the step's values, its shards, the versions, and the fingerprint over them
    out/NAME/model/         model.safetensors, config.json, tokenizer.json
    out/NAME/loss.jsonl     a line a step: `step` counts the steps done, `num_tokens` the answers' tokens learned so far
    out/NAME/readback.json  held-out samples: their truth, and the network's reading
    out/NAME/metrics.json   the measurements. It is written last, and marks the training as done
    out/NAME/checkpoint/    exists only during the training

It runs on a processor, in one process; GPUs are not used yet.
"""

import contextlib
import dataclasses
import hashlib
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import tokenizers
import torch

from datagen.marks import digest
from datagen.progress import OnState, State, ignore
from datagen.storage import Folder
from datagen.target import PROMPTS, Prompt, can_answer, encode, restore
from model.batch import Batch, collate
from model.checkpoint import TOKENIZER, load_state, save_model, save_state
from model.cpu import native_dtype
from model.deepseek_ocr import build
from model.evaluate import answer_loss, edit_distance, mean_loss
from model.generate import generate
from model.image import load
from model.loader import (
    Corpus,
    Place,
    Schedule,
    drawn,
    find_datasets,
    index,
    reports,
    texts,
)
from model.step import Train
from model.tokenizer import TextTokenizer, train_tokenizer

VERSION = 3  # goes up whenever the same values would train other weights
STATE_EVERY_S = 5.0
_LATER = {"held_out": "documents to hold out", "marks": "marks"}  # earlier steps may add to these, and to the shards


class NothingToLearn(ValueError):
    """The datasets hold nothing to train on, or nothing to test with."""


def train(step: Train, out: Folder, held_out: frozenset[str] = frozenset(), on_state: OnState = ignore) -> bool:
    """Train as `step` says on the datasets in `out`, into `out/NAME`. Returns False, and touches nothing, if it is done.

    `held_out` names groups, or documents by their sha256, that are never trained on, beside those that the split holds out.
    `on_state` gets a state every few seconds. After a kill the same call goes on from the last checkpoint. On as many threads
    it ends in the same bytes. If shards, documents to hold out, or marks are added later, a finished training stays, and says
    so; one that was killed begins again with them. Raises `NothingToLearn`, and `ValueError` if the folder has the results of
    another step, or of shards that are gone.
    """
    folder = out.sub(step.name)
    run = describe(step, out, held_out)
    if folder.exists("run.json"):
        earlier = json.loads(folder.read("run.json"))
        # Another processor would train other bytes, but what one has finished is good on any.
        later = ("shards", *_LATER, "precision", "fingerprint")
        ours, theirs = ({k: v for k, v in r.items() if k not in later} for r in (run, earlier))
        if ours != theirs or not earlier["shards"].items() <= run["shards"].items():
            changed = sorted(key for key in run if run[key] != earlier.get(key) and key != "fingerprint")
            raise ValueError(
                f"{folder.url} holds the results of another training (different: {', '.join(changed)}): "
                "say overwrite=1 to replace them, or out=… for another folder"
            )
        stale = run["fingerprint"] != earlier["fingerprint"]
        if folder.exists("metrics.json"):
            num_new = len(run["shards"]) - len(earlier["shards"])
            news = [f"{num_new} shards"] if num_new else []
            news += [what for name, what in _LATER.items() if run[name] != earlier.get(name)]
            if news:
                note = f"the model is older than the corpus, by {', '.join(news)}, and stays; overwrite=1 trains it anew"
                on_state(State(note=note))
            return False
        if stale:
            clear(folder)
    corpus = index(out, find_datasets(out, step.datasets), step.held_out_share, held_out)
    if not any(corpus.train.values()) or not any(corpus.held_out.values()):
        raise NothingToLearn(f"{step.name}: {', '.join(step.datasets)} hold no two trusted pages or crops with text")
    folder.write("run.json", json.dumps(run, indent=1, ensure_ascii=False).encode())
    threads = torch.get_num_threads()
    torch.set_num_threads(step.threads)
    try:
        num_samples = sum(map(len, corpus.train.values()))
        _Training(step.worth(num_samples), out, corpus, on_state).run()
    finally:
        torch.set_num_threads(threads)
    return True


def clear(folder: Folder) -> None:
    """Delete a training's files in `folder`, `metrics.json` first, which marks it as done."""
    for name in ("metrics.json", "checkpoint", "model", "loss.jsonl", "readback.json", "run.json"):
        folder.remove(name)


def describe(step: Train, out: Folder, held_out: frozenset[str]) -> dict[str, Any]:
    """The values of `run.json`: all that the weights' bytes follow from, and the fingerprint over them."""
    datasets = find_datasets(out, step.datasets)
    run: dict[str, Any] = {
        "version": VERSION,
        "step": dataclasses.asdict(step),
        "shards": {report.shard: report.known_as for _, report in reports(out, datasets)},
        "held_out": hashlib.sha256(" ".join(sorted(held_out)).encode()).hexdigest(),
        "marks": digest(map(out.sub, datasets)),
        "versions": {"torch": torch.__version__, "tokenizers": tokenizers.__version__},
        "precision": str(native_dtype()).removeprefix("torch."),
    }
    run = json.loads(json.dumps(run))  # as it reads back: tuples are lists
    return run | {"fingerprint": hashlib.sha256(json.dumps(run, sort_keys=True).encode()).hexdigest()}


class _Training:
    def __init__(self, step: Train, out: Folder, corpus: Corpus, on_state: OnState):
        self.step, self.out, self.on_state = step, out, on_state
        self.folder = out.sub(step.name)
        self.model, self.checkpoint = self.folder.sub("model"), self.folder.sub("checkpoint")
        self.started = time.monotonic()
        self.dtype = native_dtype()
        self.corpus = corpus
        self.schedule = Schedule(corpus.train, step)
        self.tokenizer = self._tokenizer()
        self.net = build(step.model.with_vocab(len(self.tokenizer)), step.seed)
        # Matrices and tables decay. Scales and biases don't.
        matrices = [p for p in self.net.parameters() if p.ndim > 1]
        others = [p for p in self.net.parameters() if p.ndim <= 1]
        groups = [{"params": matrices, "weight_decay": step.weight_decay}, {"params": others, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=step.learning_rate, betas=(0.9, 0.95), fused=True)
        self.progress: dict[str, Any] = {
            "step": 0,
            "seconds": 0.0,
            "seconds_training": 0.0,
            "num_samples": 0,
            "num_tokens": 0,
            "num_positions": 0,
            "num_truncated": 0,
            "num_upsampled": 0,
        }
        self.lines: list[dict] = []

    def run(self) -> None:
        if saved := load_state(self.checkpoint, self.net, self.optimizer):
            self.lines = saved.pop("lines")
            self.progress = saved
            self.on_state(State(note=f"resumed from step {saved['step']}"))
        self.seconds_before = self.progress["seconds"]
        evaluation = {task: self._held_out_batches(task) for task in PROMPTS if self.corpus.held_out[task]}
        if not self.lines:
            self.lines.append({"step": 0, "num_tokens": 0} | self._held_out_loss(evaluation))
        self._train(evaluation)
        save_model(self.model, self.net, self.tokenizer)
        self.folder.write("loss.jsonl", "".join(json.dumps(line) + "\n" for line in self.lines).encode())
        self.on_state(State(note="reading held-out samples"))
        self._finish()
        self.folder.remove("checkpoint")

    def _tokenizer(self) -> TextTokenizer:
        if self.model.exists(TOKENIZER):
            return TextTokenizer.from_json(self.model.read(TOKENIZER))
        self.on_state(State(note="training the tokenizer"))
        places = [place for task in PROMPTS for place in self.corpus.train[task]]
        corpus = texts(self.out, places, self.step.tokenizer_samples, self.step.seed)
        tokenizer = train_tokenizer(corpus, self.step.model.decoder.vocab_size)
        self.model.write(TOKENIZER, tokenizer.to_json())
        return tokenizer

    def _train(self, evaluation: dict[str, list[Batch]]) -> None:
        step, progress, last_state = self.step, self.progress, 0.0
        self.net.train()
        for batch in self._batches(progress["step"]):
            began = time.monotonic()
            loss, rate = self._update(batch)
            progress["step"] += 1
            progress["seconds_training"] += time.monotonic() - began
            progress["num_samples"] += batch.num_samples
            progress["num_tokens"] += batch.num_tokens
            progress["num_positions"] += batch.num_positions
            progress["num_truncated"] += batch.num_truncated
            progress["num_upsampled"] += batch.num_upsampled
            line = {"step": progress["step"], "num_tokens": progress["num_tokens"], "loss": round(loss, 5), "lr": round(rate, 8)}
            last = progress["step"] == step.steps
            if last or progress["step"] % step.loss_every == 0:
                line |= self._held_out_loss(evaluation)
            self.lines.append(line)
            if last or progress["step"] % step.checkpoint_every == 0:
                progress["seconds"] = self._seconds()
                save_state(self.checkpoint, self.net, self.optimizer, progress | {"lines": self.lines})
            if time.monotonic() - last_state > STATE_EVERY_S or "held_out_loss" in line:
                last_state = time.monotonic()
                self.on_state(self._state(line))

    def _update(self, batch: Batch) -> tuple[float, float]:
        """(loss before the step, learning rate), after one step of the optimizer."""
        rate = self.step.learning_rate_at(self.progress["step"])
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        with self._autocast():
            loss = answer_loss(self.net, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), self.step.max_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()
        value = loss.item()
        if value != value:
            raise FloatingPointError(f"the loss is not a number at step {self.progress['step']}")
        return value, rate

    def _batches(self, start: int) -> Iterator[Batch]:
        """The batches of the steps from `start` on. Each is made while the one before is learned."""
        with ThreadPoolExecutor(1) as pool:
            ahead = None
            for number in range(start, self.step.steps):
                batch = ahead or pool.submit(self._batch, self.schedule.at(number))
                ahead = pool.submit(self._batch, self.schedule.at(number + 1)) if number + 1 < self.step.steps else None
                yield batch.result()

    def _batch(self, samples: list[tuple[Place, Prompt]]) -> Batch:
        read = [(place.read(self.out), prompt) for place, prompt in samples]
        return collate(read, self.tokenizer, self.step.mode, self.step.length)

    def _held_out_batches(self, task: str) -> list[Batch]:
        places = drawn(self.corpus.held_out[task], self.step.loss_samples)
        size = self.step.page_batch if task == "page" else self.step.crop_batch
        return [self._batch([(p, Prompt.FREE) for p in places[at : at + size]]) for at in range(0, len(places), size)]

    def _held_out_loss(self, evaluation: dict[str, list[Batch]]) -> dict[str, Any]:
        """The loss over all held-out tokens, and over those of each task."""
        with self._autocast():
            losses = {task: mean_loss(self.net, batches) for task, batches in evaluation.items()}
        weights = {task: sum(batch.num_tokens for batch in batches) for task, batches in evaluation.items()}
        overall = sum(losses[task] * weights[task] for task in losses) / sum(weights.values())
        return {"held_out_loss": round(overall, 5)} | {f"held_out_loss_{task}": round(loss, 5) for task, loss in losses.items()}

    def _finish(self) -> None:
        step = self.step
        shown: list[dict] = []
        distances: dict[str, list[float]] = {}
        for task in PROMPTS:
            places = drawn(self.corpus.held_out[task], step.read_samples)
            rows = self._read(places, Prompt.FREE)
            if rows:
                distances[task] = [row["edit_distance"] for row in rows]
            shown += _one_a_language(rows)[: step.shown_samples]
            for prompt, _ in PROMPTS[task][1:]:
                shown += self._read(places[: step.shown_samples // 2], prompt)
        everything = [value for values in distances.values() for value in values]
        measured = [line for line in self.lines if "held_out_loss" in line]
        total, active = self.net.num_parameters()
        self.progress["seconds"] = self._seconds()
        metrics = self.progress | {
            "tokens_per_s": round(self.progress["num_positions"] / max(self.progress["seconds_training"], 1e-9), 1),
            "precision": str(self.dtype).removeprefix("torch."),
            "threads": step.threads,
            "num_parameters": total,
            "num_active_parameters": active,
            "vocab_size": len(self.tokenizer),
            "num_train": {task: len(places) for task, places in self.corpus.train.items()},
            "num_held_out": {task: len(places) for task, places in self.corpus.held_out.items()},
            "num_skipped": dict(sorted(self.corpus.skipped.items())),
            "held_out_loss_first": measured[0]["held_out_loss"],
            "held_out_loss_last": measured[-1]["held_out_loss"],
            "edit_distance": {"all": _mean(everything)} | {task: _mean(values) for task, values in distances.items()},
            "num_read": {"all": len(everything)} | {task: len(values) for task, values in distances.items()},
        }
        self.folder.write("readback.json", json.dumps(shown, indent=1, ensure_ascii=False).encode("utf-8", "replace"))
        self.folder.write("metrics.json", json.dumps(metrics, indent=1).encode())

    def _read(self, places: list[Place], prompt: Prompt) -> list[dict]:
        """The network's readings of the samples at `places`. `max_new_tokens` cuts a reading, and never the truth."""
        samples = [(place, place.read(self.out)) for place in places]
        samples = [(place, sample) for place, sample in samples if can_answer(sample, prompt)]
        if not samples:
            return []
        images = [load(sample.image or b"", self.step.mode) for _, sample in samples]
        # One token is too little work to share: with another process on the second core, two threads took 100 times as long.
        torch.set_num_threads(1)
        with self._autocast():
            readings = generate(self.net, self.tokenizer, images, prompt, self.step.max_new_tokens)
        rows = []
        for (place, sample), reading in zip(samples, readings, strict=True):
            truth = encode(sample, prompt)[1]
            if not prompt.is_grounded:
                truth, reading = restore(truth), restore(reading)
            rows.append(
                {
                    "dataset": place.dataset,
                    "shard": place.shard,
                    "offset": place.offset,
                    "bytes": place.num_bytes,
                    "key": place.key,
                    "task": place.task,
                    "lang": place.lang,
                    "prompt": prompt.value,
                    "truth": truth,
                    "reading": reading,
                    "edit_distance": round(edit_distance(truth, reading), 4),
                }
            )
        return rows

    def _autocast(self) -> contextlib.AbstractContextManager:
        return torch.autocast("cpu", self.dtype) if self.dtype is torch.bfloat16 else contextlib.nullcontext()

    def _seconds(self) -> float:
        return round(self.seconds_before + time.monotonic() - self.started, 1)

    def _state(self, line: dict) -> State:
        progress = self.progress
        rate = progress["num_positions"] / max(progress["seconds_training"], 1e-9)
        left = (self.step.steps - progress["step"]) * progress["seconds_training"] / progress["step"]
        held_out = [earlier["held_out_loss"] for earlier in self.lines if "held_out_loss" in earlier][-1:]
        losses = [f"loss {line['loss']:.3f}", *[f"held out {loss:.3f}" for loss in held_out]]
        return State(line["step"], self.step.steps, "steps", ", ".join([*losses, f"{rate:,.0f} tokens/s"]), left)


def _one_a_language(rows: list[dict]) -> list[dict]:
    """`rows` with the first of each language in front. So the choice of what is shown doesn't depend on how well it was read."""
    firsts = {row["lang"]: row for row in reversed(rows)}
    return sorted(rows, key=lambda row: firsts[row["lang"]] is not row)


def _mean(values: list[float]) -> float:
    return round(sum(values) / len(values), 4)
