"""Sample <-> training text: the only place that knows prompts, special tokens and the grounding format.

    prompts    the prompts of each kind of sample, and how often each is asked
    answers    from samples to answers, and from answers to regions
    grammar    tokens, boxes in bins, and text that looks like tokens

Other packages import names from here.
"""
# ruff: noqa: F401

from datagen.target.answers import can_answer, decode, decode_lines, decode_objects, encode, usual
from datagen.target.grammar import BOS, DET, EOS, GROUNDING, IMAGE, PAD, REF, SPECIAL_TOKENS, neutralise, restore
from datagen.target.prompts import ANSWERS, COARSE, FINE, PROMPTS, Prompt, is_fine, is_wordless
