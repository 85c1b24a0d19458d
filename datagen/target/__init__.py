"""Sample <-> training text: the only place that knows prompts, special tokens and the grounding format.

    prompts    what is asked of which sample, and how often
    answers    what a sample answers, and what an answer says
    grammar    tokens, boxes in bins, and text that looks like tokens

Who is outside of this folder takes names from here.
"""
# ruff: noqa: F401

from datagen.target.answers import can_answer, decode, decode_lines, decode_objects, decode_plain, encode, usual
from datagen.target.grammar import BOS, DET, EOS, GROUNDING, IMAGE, PAD, REF, SPECIAL_TOKENS, neutralise, restore
from datagen.target.prompts import ANSWERS, COARSE, FINE, PROMPTS, Prompt, is_fine, is_wordless
