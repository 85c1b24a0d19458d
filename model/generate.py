"""Reading: greedy generation with a cache, a batch of images under one prompt at a time.

B samples still going · L positions · S side in pixels · D width
"""

from collections import defaultdict

import torch
from torch import Tensor

from datagen.target import Prompt
from model.decoder import Cache
from model.deepseek_ocr import DeepseekOcr
from model.image import num_tokens
from model.tokenizer import TextTokenizer

NO_REPEAT_NGRAM = 20


@torch.no_grad()
def generate(
    net: DeepseekOcr,
    tokenizer: TextTokenizer,
    x_B3SS: Tensor,
    prompt: Prompt,
    mode: str,
    max_new_tokens: int,
    ngram: int = NO_REPEAT_NGRAM,
) -> list[str]:
    """What the network reads in each image: up to its [eos], or to `max_new_tokens`. No `ngram` tokens come twice in a text.

    The text is as the tokens say it: `datagen.target` takes it apart (`decode`, `restore`).
    """
    head = tokenizer.prompt(prompt.value, num_tokens(mode))
    num_rows = len(x_B3SS)
    ids_BL = torch.tensor([head] * num_rows, device=x_B3SS.device)
    said: list[list[int]] = [[] for _ in range(num_rows)]
    followers: list[dict] = [defaultdict(set) for _ in range(num_rows)]
    going = list(range(num_rows))
    cache = Cache(net.config.decoder.depth)
    max_new_tokens = min(max_new_tokens, net.config.decoder.max_positions - len(head))
    was_training = net.training
    net.eval()
    h_BLD = net.model(ids_BL, x_B3SS, ids_BL == tokenizer.image, cache)
    for _ in range(max_new_tokens):
        logits_BV = net.logits(h_BLD[:, -1])
        for b, row in enumerate(going):
            banned = followers[row].get(tuple(said[row][-(ngram - 1) :])) if len(said[row]) >= ngram - 1 else None
            if banned:
                logits_BV[b, list(banned)] = -torch.inf
        next_B = logits_BV.argmax(-1)
        keep = []
        for b, (row, token) in enumerate(zip(going, next_B.tolist(), strict=True)):
            if token == tokenizer.eos:
                continue
            if len(said[row]) >= ngram - 1:
                followers[row][tuple(said[row][-(ngram - 1) :])].add(token)
            said[row].append(token)
            keep.append(b)
        if not keep:
            break
        if len(keep) < len(going):
            going = [going[b] for b in keep]
            rows = torch.tensor(keep, device=next_B.device)
            next_B = next_B[rows]
            cache.keep(rows)
        h_BLD = net.model(next_B[:, None], cache=cache)
    net.train(was_training)
    return [tokenizer.decode(ids) for ids in said]
