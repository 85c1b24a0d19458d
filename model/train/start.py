"""The start of a training: a folder of weights with its tokenizer, an encoder and a decoder from several, or nothing."""

import contextlib
import dataclasses
import hashlib
import logging
import posixpath
from collections.abc import Iterator, Sequence
from typing import Any

import safetensors.torch
import torch
from torch import nn

from datagen.disk.storage import Folder
from datagen.drawing.endless_lines import ScriptLines
from datagen.record import SampleError
from datagen.work.progress import OnState, State
from model.data.loader import read
from model.data.rows import NO_ANSWER, Dataset, Draw
from model.data.split import Corpus, chosen, opened
from model.files import hub, packaged, weights
from model.files.adapters import CONFIG, merge_adapter
from model.files.network_folder import TOKENIZER, check_vocabulary
from model.files.pretrained import start_clip, start_sam
from model.net.config import ModelConfig
from model.net.deepseek_ocr import DeepseekOcr, build, narrow
from model.net.frame_head import FrameHead
from model.net.tokenizer import TextTokenizer, byte_tokenizer, train_tokenizer
from model.train.optim import train_beside
from model.train.step import PACKAGED, RANDOM, Train

log = logging.getLogger(__name__)

_HEAD = 1 << 20
TOLD_FILE = "told.safetensors"


def within(step: Train, out: Folder) -> Train:
    """`step` with folders in place of names: the model's folder for another training in `out`, and the local folder for weights
    of the hub. Raises `ValueError` if no finished training and no repository has the name; `OSError` if the hub fails."""
    folders: dict[str, Any] = {}
    for name in ("start", "adapter", "start_encoder", "start_decoder"):
        given = getattr(step.weights, name)
        if "/" in given:
            folders[name] = ",".join(map(hub.place, given.split(",")))
        elif given == PACKAGED:
            folders[name] = str(packaged.LINES)
        elif given and given != RANDOM:
            if not out.exists(f"{given}/metrics.json"):
                raise ValueError(f"{name} is {given}: {out.url} has no training of that name that has finished")
            folders[name] = out.sub(f"{given}/{'adapter' if name == 'adapter' else 'model'}").url
    return step.but(**folders)


def tokenizer_folder(step: Train) -> Folder | None:
    """The folder of the tokenizer; None for a fresh one."""
    given = step.weights
    for folder in (given.start, given.start_decoder if given.start_decoder != RANDOM else "", given.encoder_folder):
        if folder and (folder != given.start_encoder or Folder(folder).exists(TOKENIZER)):
            return Folder(folder)
    return None


def tokenizer_at(folder: Folder) -> TextTokenizer:
    """Raises `ValueError` if the folder has no tokenizer, or one that can't be read."""
    if not folder.exists(TOKENIZER):
        raise ValueError(f"{folder.url} has no {TOKENIZER}: a training takes its tokenizer from where it starts")
    return TextTokenizer.from_json(folder.read(TOKENIZER))


def tokenizer_of(step: Train, folder: Folder, datasets: Sequence[Dataset], on_state: OnState) -> TextTokenizer:
    """The present or future tokenizer of the training in `folder`: that of its start, one of bytes, or one that learns from the
    datasets' answers. Raises `ValueError` if the start has none."""
    if folder.exists(TOKENIZER):
        return tokenizer_at(folder)
    if (start := tokenizer_folder(step)) is not None:
        return tokenizer_at(start)
    if not step.batches.tokenizer_samples:
        return byte_tokenizer()
    on_state(State(note="training the tokenizer"))
    corpus = opened(datasets, byte_tokenizer(), step.evaluation.held_out_share)
    return train_tokenizer(_texts(corpus, step.batches.tokenizer_samples), step.model.decoder.vocab_size)


def _texts(corpus: Corpus, count: int) -> Iterator[str]:
    """The answers of `count` samples to all prompts, from each dataset in proportion to its training samples."""
    num_all = max(1, sum(map(len, corpus.train)))
    for number, (columns, rows) in enumerate(zip(corpus.columns, corpus.train, strict=True)):
        for row in chosen(rows, columns, -(-count * len(rows) // num_all)).tolist():
            for prompt, length in enumerate(columns.answer_NP[row].tolist()):
                with contextlib.suppress(SampleError):  # the training counts and names these
                    if length != NO_ANSWER:
                        parts = read(corpus, Draw(0, number, row, prompt, "", length, 0)).parts
                        yield from (part.text for part in parts if part.learned)


def starts(step: Train, out: Folder, fetches: bool = True) -> dict[str, str]:
    """The hashes of the starting weights, by their folders' names. Without `fetches` the hub isn't asked."""
    given = step.weights
    named = [name for name in (given.start, *given.start_encoder.split(","), given.start_decoder) if name not in ("", RANDOM)]
    folders = {name: hub.folder(name, fetches=fetches) if "/" in name else out.sub(f"{name}/model") for name in named}
    if PACKAGED in folders:
        folders[PACKAGED] = Folder(str(packaged.LINES))
    if given.adapter:
        own = out.sub(f"{given.adapter}/adapter")
        folders[f"adapter {given.adapter}"] = hub.folder(given.adapter, fetches=fetches) if "/" in given.adapter else own
    return {name: known_as(folder) for name, folder in folders.items()}


def known_as(folder: Folder) -> str:
    """A hash that changes with the weights in a folder: of the files' names, sizes, first and last megabyte, and of an adapter's
    config, which has its factor."""
    digest = hashlib.sha256()
    for name in (*folder.names(".safetensors"), *folder.names(CONFIG)):
        size = folder.fs.size(folder.path(name))
        digest.update(
            f"{name} {size} ".encode() + folder.read(name, 0, min(size, _HEAD)) + folder.read(name, max(0, size - _HEAD), size)
        )
    return digest.hexdigest()


def network(step: Train, tokenizer: TextTokenizer, autocast: bool = False) -> DeepseekOcr:
    """The network at the training's start, with the step's adapters. `autocast`: it only runs under autocast. Raises
    `FileNotFoundError`, and `ValueError` if weights are missing, fit neither their sizes nor the tokenizer, or can't have
    adapters."""
    net = _plain(step, tokenizer, autocast)
    if step.optim.is_narrow:
        narrow(net)
    if (given := step.weights).lora:
        from model.files.lora import adapt  # peft: only adapters need it

        if given.packed:
            from model.files.four_bit import pack

            pack(net)

        rank = given.lora
        adapt(net, rank, given.lora_alpha or 2 * rank, given.lora_targets, given.lora_dropout, step.seed, autocast)
        train_beside(net, given.beside)
    if given.train_adapter:
        from model.files.continued_adapters import continue_adapter

        continue_adapter(net, Folder(given.adapter), autocast)
    return net


def frame_head(step: Train, config: ModelConfig) -> FrameHead:
    """The head that teaches SAM: that of the training whose encoder this one starts with; a fresh one if there is none, or if it
    has other alphabets. Raises `ValueError` for a pipeline, whose stages don't pass on a head's input."""
    if step.parallel.pipeline > 1:
        raise ValueError("told: a pipeline can't be told; leave told out, or train without stages")
    letters = any(one.drawn is not None and isinstance(one.drawn.lines, ScriptLines) for one in step.data)
    head = FrameHead(config.sam, step.seed, letters)
    folder = step.weights.start or step.weights.encoder_folder
    before = Folder(posixpath.dirname(folder)) if folder else None
    if before is not None and before.exists(TOLD_FILE):
        state = safetensors.torch.load(before.read(TOLD_FILE))
        if state["head.bias"].shape == head.head.bias.shape:
            head.load_state_dict(state)
    return head


def _plain(step: Train, tokenizer: TextTokenizer, autocast: bool) -> DeepseekOcr:
    """The network in fp32; beneath adapters in the folder's precision, because those weights stay, unless others are trained
    beside them and no autocast narrows these. Weights without a folder are drawn by `seed`."""
    given = step.weights
    if given.start:
        as_it_is = given.adapts and (autocast or not given.beside)
        net = weights.load(given.start, dtype=None if as_it_is else torch.float32)
        check_vocabulary(tokenizer, net.config, given.start)
        if given.adapter and not given.train_adapter:
            merge_adapter(net, Folder(given.adapter))
        return net.train()
    decoder = weights.load(given.start_decoder, dtype=torch.float32) if given.start_decoder not in ("", RANDOM) else None
    folder = given.encoder_folder
    encoder = weights.load(folder, dtype=torch.float32) if folder else None
    config = step.model.with_vocab(len(tokenizer))
    if decoder is not None:
        check_vocabulary(tokenizer, decoder.config, given.start_decoder)
        config = dataclasses.replace(config, decoder=decoder.config.decoder)
    if encoder is not None:
        config = dataclasses.replace(config, sam=encoder.config.sam, clip=encoder.config.clip)
    net = build(config, step.seed)
    if encoder is not None:
        _copied(encoder.encoder, net.encoder, "encoder")
    elif given.start_encoder:
        sam, clip = given.start_encoder.split(",")
        start_sam(net, sam)
        start_clip(net, clip)
    if decoder is not None:
        _copied(decoder.decoder, net.decoder, "decoder")
        _copied(decoder.lm_head, net.lm_head, "lm_head")
    return net.train()


@torch.no_grad()
def _copied(source: nn.Module, target: nn.Module, name: str) -> None:
    """Give `target` the weights of `source`. Weights of another shape, such as those between an encoder and a wider decoder, stay
    fresh."""
    state = target.state_dict()
    fresh = []
    for key, value in source.state_dict().items():
        if state[key].shape == value.shape:
            state[key].copy_(value)
        else:
            fresh.append(f"{name}.{key}")
    if fresh:
        log.info("%s start afresh: they have other sizes where they come from", ", ".join(fresh))
