"""A training step and generation, ours and transformers' `unlimited_ocr`: one configuration, one precision, the same threads.

    python -m tests.bench.network.model [--modes tiny small base] [--dtypes bfloat16 float32] [--rounds 3] [--texts 500 500]

Each contender runs in a process of its own, in turn with the others, `rounds` times; its best step counts. transformers' class is
measured with each of its expert and attention implementations, and the best is what ours is divided by. A step is forward, loss
and backward of some samples: an image in the mode, and as many tokens that are learned as `texts` says of each; without `--texts`
two of 500, then four as unlike as pages are. Ours takes them in one row, as `model/train/` does; theirs both so, with positions
that begin anew, and in rows that are padded at the end, without a mask. Peak memory is the process's, less what it took before
its first step. Experts as batched products of copied weights ("batched_mm") are tried in generation alone: in training they would
copy gigabytes a layer.

"ours, in bf16" stands beside fp32 on a processor without bf16: weights and what lies between layers are in bf16, products in
fp32. transformers' class in bf16 (`--dtypes bfloat16`) takes such a processor minutes a step, and what takes long is tried less
often.

With a CUDA device the released sizes are measured there, with model FLOPs utilisation by `model/costs/pieces.py`; else
`small_moe`, and with `--released` reading alone at the released sizes, in fp32, for which a processor needs 20 GB, and ours in
bf16.
"""

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import torch
import torch.nn.functional as F
from torch.nn.utils.rnn import pad_sequence

from datagen.disk.storage import Folder
from datagen.target import Prompt
from model.costs.pieces import Load, forward_operations
from model.costs.plan import PEAKS
from model.files import weights
from model.generate import NoRepeat, tokens
from model.net.config import full, small_moe
from model.net.cpu import native_dtype
from model.net.deepseek_ocr import build
from model.net.image import Views
from model.net.image_modes import MODES
from model.net.loss import IGNORED
from model.net.tokenizer import TextTokenizer, train_tokenizer
from tests.bench.measuring import options, seconds
from tests.model.lines import EIGHT
from tests.parity.reference import as_theirs, loaded, saved

OURS = "ours"
OURS_IN_BF16 = "ours, in bf16"
TRAINED = [f"{experts}, {attention}" for experts in ("grouped_mm", "eager") for attention in ("sdpa", "eager")]
TRAINED += [f"grouped_mm, {attention}, one row" for attention in ("sdpa", "eager")]
GENERATED = [f"{experts}, sdpa" for experts in ("grouped_mm", "batched_mm", "eager")]
IMAGE = 50  # the placeholder's id
# Of 500 tokens each; and as long as pages are: an eighth, three, five and seven eighths of 972 trusted pages of the default run
# are no longer, in tokens of a vocabulary as large as `small_moe`'s.
TEXTS = [(500, 500), (367, 744, 951, 1270)]
NEW_TOKENS = 512
LONG = 120.0  # seconds, after which nothing is tried again


def main() -> None:
    parser = options(__doc__, rounds=3, released=False)
    parser.add_argument("--modes", nargs="*", default=["tiny", "small", "base"], choices=MODES)
    parser.add_argument("--dtypes", nargs="+", default=["bfloat16", "float32"])
    parser.add_argument("--texts", nargs="+", type=int, help="learned tokens of each sample of a step")
    parser.add_argument("--batches", nargs="*", type=int, default=[1, 4])
    parser.add_argument("--run", nargs="+", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.run:
        print(json.dumps(run(*args.run)))
        return
    config = full() if args.released or torch.cuda.is_available() else small_moe()
    if args.released and not torch.cuda.is_available():
        args.modes, args.dtypes = [], ["float32"]
    with tempfile.TemporaryDirectory(prefix="pagewheel-model-") as folder:
        torch.set_default_dtype(torch.bfloat16)  # as it is released
        saved(build(config), Path(folder), IMAGE)
        print(f"{config.decoder.depth} decoder layers of {config.decoder.width}, {torch.get_num_threads()} threads")
        lacking = not torch.cuda.is_available() and native_dtype() is torch.float32
        for dtype in args.dtypes:
            ours = [OURS, OURS_IN_BF16] if dtype == "float32" and lacking else [OURS]
            for mode, texts in itertools.product(args.modes, [args.texts] if args.texts else TEXTS):
                results = contend(args.rounds, [*ours, *TRAINED], "train", folder, dtype, mode, *map(str, texts))
                show(f"training step, {mode}, texts of {', '.join(map(str, texts))} tokens, {dtype}", results)
            for batch in args.batches:
                results = contend(args.rounds, [*ours, *GENERATED], "generate", folder, dtype, "small", str(batch))
                show(f"{NEW_TOKENS} tokens of each of {batch} images, {dtype}", results)


def contend(rounds: int, contenders: list[str], what: str, folder: str, *more: str) -> dict[str, dict[str, Any]]:
    """Each contender's best of `rounds` processes, by turns. One that took twice as long as the best of theirs has no further
    turn."""
    results: dict[str, dict[str, Any]] = {}
    for _ in range(rounds):
        for contender in contenders:
            done = {c: result["seconds"] for c, result in results.items() if "failed" not in result}
            best = min((took for c, took in done.items() if not c.startswith(OURS)), default=float("inf"))
            if contender not in results or done.get(contender, float("inf")) < 2 * best:
                before = results.get(contender)
                result = once(what, folder, contender, *more)
                print(f"  {contender}:", result.get("failed") or f"{result['seconds']:.3f} s", file=sys.stderr)
                if before is None or result.get("seconds", float("inf")) < before["seconds"]:
                    results[contender] = result
    return results


def once(*what: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-m", "tests.bench.network.model", "--run", *what], capture_output=True, text=True)
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1][:100] if done.stderr.strip() else f"exit {done.returncode}"}
    return json.loads(done.stdout.splitlines()[-1])


def show(title: str, results: dict[str, dict[str, Any]]) -> None:
    done = {contender: result for contender, result in results.items() if "failed" not in result}
    best = min((c for c in done if not c.startswith(OURS)), key=lambda c: done[c]["seconds"])
    print(f"\n{title}")
    for contender, result in results.items():
        if contender not in done:
            print(f"  {contender:<24} failed: {result['failed']}")
            continue
        mfu = f", {result['mfu']:.0%} of peak" if "mfu" in result else ""
        rate = f"{result['seconds']:7.3f} s {result['tokens'] / result['seconds']:9,.0f} tokens/s"
        print(
            f"  {contender:<24} {rate} {result['memory'] / 1e6:7,.0f} MB{mfu}{'  <- best of theirs' if contender == best else ''}"
        )
    for contender in (c for c in done if c.startswith(OURS)):
        ratio = done[best]["seconds"] / done[contender]["seconds"]
        memory = done[contender]["memory"] / done[best]["memory"]
        print(f"  {contender}: {ratio:.2f} times as fast as the best of theirs, {memory:.2f} times its memory", flush=True)


def run(what: str, folder: str, contender: str, dtype_name: str, mode: str, *numbers: str) -> dict[str, Any]:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = torch.bfloat16 if contender == OURS_IN_BF16 else getattr(torch, dtype_name)
    work: Callable[[], Any]
    num_views = len(numbers) if what == "train" else int(numbers[0])
    side = MODES[mode].side
    images = [
        Views(torch.randn(3, side, side, generator=torch.Generator().manual_seed(n)).to(device, dtype)) for n in range(num_views)
    ]
    if what == "train":
        work, num_tokens, operations = training(folder, contender, dtype, device, images, list(map(int, numbers)))
    else:
        work, num_tokens, operations = generation(folder, contender, dtype, device, images)
    with Peak(device) as peak:
        tries: list[float] = []
        while len(tries) < (5 if what == "train" else 2) and sum(tries) < LONG:
            tries.append(seconds(work))
    fewest_s = min(tries)
    measured = {"seconds": fewest_s, "tokens": num_tokens, "memory": peak.bytes}
    peaks = [peak for card, peak in PEAKS.items() if device == "cuda" and card in torch.cuda.get_device_name()]
    if peaks and dtype is torch.bfloat16:
        measured["mfu"] = operations / fewest_s / peaks[0]
    return measured


class Peak:
    """The most memory that was in use beyond what was at the start: the device's, or this process's resident memory, of which
    the kernel keeps the peak (proc(5): `VmHWM`, and 5 in `clear_refs` to set it back)."""

    def __init__(self, device: str):
        self.device, self.bytes = device, 0

    def __enter__(self) -> "Peak":
        if self.device == "cuda":
            torch.cuda.reset_peak_memory_stats()
            self.start = torch.cuda.memory_allocated()
        else:
            Path("/proc/self/clear_refs").write_text("5")
            self.start = psutil.Process().memory_info().rss
        return self

    def __exit__(self, *_: object) -> None:
        if self.device == "cuda":
            self.bytes = torch.cuda.max_memory_allocated() - self.start
        else:
            lines = Path("/proc/self/status").read_text().splitlines()
            peak = next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))
            self.bytes = peak - self.start


def theirs(folder: str, contender: str, dtype: torch.dtype, device: str) -> Any:
    experts, attention, *_ = contender.split(", ")
    return loaded(Path(folder), dtype, attention, experts_implementation=experts).to(device)


def training(
    folder: str, contender: str, dtype: torch.dtype, device: str, images: list[Views], texts: list[int]
) -> tuple[Callable[[], Any], int, int]:
    """The step, how many tokens it takes, padding left out, and its operations by formula."""
    config = weights.read_config(Folder(folder))
    head, source = 1 + images[0].num_tokens, torch.Generator().manual_seed(0)
    ids, labels = [], []
    for num_text in texts:
        ids_L = torch.randint(60, config.decoder.vocab_size, (head + num_text,), generator=source)
        ids_L[1:head] = IMAGE
        ids.append(ids_L)
        labels.append(ids_L.clone().index_fill_(0, torch.arange(head), -100))
    sides = [(image.whole_3HW.shape[-1],) * 2 for image in images]
    lengths = [len(ids_L) for ids_L in ids]
    operations = 3 * forward_operations(config, Load(tuple(sides), tuple(lengths), sum(texts))).total()
    if not contender.startswith(OURS):
        net = theirs(folder, contender, dtype, device).train()
        arguments = as_theirs(images)
        arguments["use_cache"] = False
        if contender.endswith("one row"):
            arguments["position_ids"] = torch.cat([torch.arange(length) for length in lengths])[None].to(device)
            ids_BL, labels_BL = (torch.cat(x)[None].to(device) for x in (ids, labels))
        else:
            ids_BL, labels_BL = (pad_sequence(x, True, fill).to(device) for x, fill in ((ids, 0), (labels, -100)))

        def step() -> None:
            net(input_ids=ids_BL, labels=labels_BL, **arguments).loss.backward()
            net.zero_grad()

        return step, sum(lengths), operations
    ours = weights.load(folder, device, dtype).train()
    ids_BL = torch.cat(ids)[None].to(device)
    samples_BL = torch.arange(len(ids)).repeat_interleave(torch.tensor(lengths))[None].to(device)
    # A label stands where it is foretold.
    labels_BL = torch.cat([F.pad(labels_L[1:], (0, 1), value=-100) for labels_L in labels])[None].to(device)
    scale = 1 / int((labels_BL != IGNORED).sum())

    def our_step() -> None:
        ours(ids_BL, images, ids_BL == IMAGE, samples_BL, labels_BL=labels_BL, scale=scale).total.backward()
        ours.zero_grad()

    return our_step, sum(lengths), operations


def generation(
    folder: str, contender: str, dtype: torch.dtype, device: str, images: list[Views]
) -> tuple[Callable[[], Any], int, int]:
    """Images read, `NEW_TOKENS` each whatever comes; the tokens said, and the operations by formula."""
    tokenizer, config = train_tokenizer(EIGHT, 400), weights.read_config(Folder(folder))
    head = tokenizer.prompt(Prompt.FREE.value, images[0].num_tokens)
    sides = [(image.whole_3HW.shape[-1],) * 2 for image in images]
    num_tokens = len(images) * NEW_TOKENS
    operations = forward_operations(config, Load(tuple(sides), (len(head),) * len(images), num_tokens)).total()
    seen = len(head) + NEW_TOKENS // 2
    operations += num_tokens * forward_operations(config, Load((), (seen,))).total() // seen
    if contender.startswith(OURS):
        net = weights.load(Folder(folder), device, dtype)
        never = _NeverEnds(tokenizer.inner)
        return lambda: list(tokens(net, never, images, Prompt.FREE, NEW_TOKENS, NoRepeat(20))), num_tokens, operations
    other = theirs(folder, contender, dtype, device).eval()
    other.config.image_token_id = tokenizer.image
    other.model.config.image_token_id = tokenizer.image
    ids_BL = torch.tensor([head] * len(images), device=device)
    arguments = as_theirs(images) | {"attention_mask": torch.ones_like(ids_BL), "do_sample": False, "no_repeat_ngram_size": 20}

    def generate() -> None:
        with torch.no_grad():
            out = other.generate(input_ids=ids_BL, max_new_tokens=NEW_TOKENS, min_new_tokens=NEW_TOKENS, **arguments)
        assert out.shape[1] == len(head) + NEW_TOKENS

    return generate, num_tokens, operations


class _NeverEnds(TextTokenizer):
    """A tokenizer whose [eos] is no token, so that a text ends at its length alone."""

    @property
    def eos(self) -> int:
        return -1


if __name__ == "__main__":
    main()
