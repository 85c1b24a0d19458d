"""How each family of models is asked, and in which form it answers: a `Profile` a family.

    profile_of("deepseek-ai/DeepSeek-OCR")          by the model's name
    profile_of("my-finetune", "deepseek-ocr")       by the family's

A profile says what decides an answer, and nothing of where the server is. `recipe` says where its words are from. What decides
how an answer is read (`form`, `ends`) is no part of what an answer is filed under, so that a newer parser reads old answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from datagen import target

LOOP, TRUNCATED, BLANK, TURNED, REFUSED = "loop", "truncated", "blank", "turned", "refused"
OTHER_SCRIPT, UNPARSABLE, FAILED, LABELLED = "other_script", "unparsable", "failed", "labelled"
FATES = (LABELLED, LOOP, TRUNCATED, BLANK, TURNED, REFUSED, OTHER_SCRIPT, UNPARSABLE, FAILED)
"""What becomes of a page, one of them each. It is `labelled` if there is an answer that can be read: what that is worth is its
verdict. Of the others `datagen.labelling.reasons` says what each means."""
GROUNDED, MARKDOWN, FRONT_MATTER, MATHPIX, REGIONS = "grounded", "markdown", "front_matter", "mathpix", "regions"
"""Forms of an answer about a page. With `regions` the page has none: each of its regions is asked about."""
PAGES, PLAIN, TEXT, TABLES, FORMULAS, LAYOUT, CAPTIONS = "pages", "plain", "text", "tables", "formulas", "layout", "captions"
"""What is asked: a page, a page in another mode, text alone, regions of a kind, where a page's regions are, what a picture
shows."""


class Try(NamedTuple):
    """Asking about a page once more, `after` one of these fates; the first try is after none. `kind` is another prompt of the
    profile's, "" for the usual one. `turned`: the image is shown as it should lie. It may write a `share` of the tokens."""

    after: tuple[str, ...] = ()
    temperature: float = 0.0
    kind: str = ""
    turned: bool = False
    share: float = 1.0


FIRST = Try()
_AMISS = (LOOP, BLANK, OTHER_SCRIPT, UNPARSABLE)
TRIES = (
    FIRST,
    Try((TURNED,), turned=True),
    Try(_AMISS, temperature=0.2),
    Try((LOOP,), temperature=0.6, share=0.5),
    Try((TRUNCATED, *_AMISS), kind=PLAIN),
    Try((TRUNCATED, *_AMISS), temperature=0.8, share=0.5),
)
"""A loop mostly breaks off at a higher temperature, and needs no room; a page that is too long for a grounded answer may be
short enough for plain text. olmOCR's pipeline goes up to 1.0 in eight steps; Chandra's, by 0.2 to 0.8."""
REGION_TRIES = (FIRST, Try(_AMISS, temperature=0.2), Try(_AMISS, temperature=0.6, share=0.5))


_SERVE = ("--no-enable-prefix-caching", "--mm-processor-cache-gb", "0")
_PROCESSOR = ("--logits_processors", "vllm.model_executor.models.deepseek_ocr:NGramPerReqLogitsProcessor")


@dataclass(frozen=True)
class Profile:
    """A family of models that are asked in the same words; `named` is in the names of all of them, in small letters. `prompts`
    are by kind, `system` is said before; `sampling` is sent besides, by kind where it has one of that name. An image has at most
    `long_side` pixels along its longer side; that of a layout is squeezed into `layout_size`. `text_first`: the prompt stands
    before the image. `serve` are the flags that vLLM serves it with."""

    named: str
    prompts: Mapping[str, str]
    recipe: str = field(metadata={"secret": True})
    form: str = MARKDOWN
    system: str = ""
    sampling: Mapping[str, Any] = field(default_factory=dict)
    long_side: int = 1540
    layout_size: tuple[int, int] = (0, 0)
    text_first: bool = False
    max_tokens: int = 8192
    ends: tuple[str, ...] = ("<|im_end|>", "<|endoftext|>", "</s>", target.EOS)
    tries: tuple[Try, ...] = TRIES
    serve: tuple[str, ...] = field(default=_SERVE, metadata={"secret": True})

    def kind(self, one: Try) -> str:
        """What is asked of a page at a try: a mode that the profile doesn't have is the usual one."""
        return one.kind if one.kind in self.prompts else PAGES if PAGES in self.prompts else TEXT

    def sent(self, kind: str) -> dict[str, Any]:
        """What is sent besides OpenAI's own parameters for this kind of question."""
        own = {name: value for name, value in self.sampling.items() if name not in _KINDS}
        return own | dict(self.sampling.get(kind, {}))


_KINDS = (PAGES, PLAIN, TEXT, TABLES, FORMULAS, LAYOUT, CAPTIONS)
_WITH_SPECIAL = {"skip_special_tokens": False}  # tokens of tables and boxes are special ones, which vLLM leaves out by itself


def _no_repeat(ngram: int, window: int, *let_through: int) -> dict[str, Any]:
    """What vLLM's `NGramPerReqLogitsProcessor` takes of a request."""
    xargs = {"ngram_size": ngram, "window_size": window} | ({"whitelist_token_ids": [*let_through]} if let_through else {})
    return _WITH_SPECIAL | {"vllm_xargs": xargs}


_MINERU = {
    "top_p": 0.01, "top_k": 1, "repetition_penalty": 1.0, "vllm_xargs": {"no_repeat_ngram_size": 100},
    TEXT: {"presence_penalty": 1.0, "frequency_penalty": 0.05},
    TABLES: {"presence_penalty": 1.0, "frequency_penalty": 0.005},
    FORMULAS: {"presence_penalty": 1.0, "frequency_penalty": 0.05},
}  # fmt: skip
DEEPSEEK_OCR = Profile(
    "deepseek-ocr",
    {
        PAGES: f"{target.GROUNDING}Convert the document to markdown.",
        PLAIN: "Free OCR.",
        TEXT: "Free OCR.",
        TABLES: f"{target.GROUNDING}Convert the document to markdown.",
        FORMULAS: f"{target.GROUNDING}Convert the document to markdown.",
        CAPTIONS: "Describe this image in detail.",
    },
    "vLLM's recipe DeepSeek/DeepSeek-OCR.md: the processor's arguments let <td> and </td> through; 144 dpi, the authors'",
    form=GROUNDED,
    sampling=_no_repeat(30, 90, 128821, 128822),
    long_side=1684,
    serve=(*_PROCESSOR, *_SERVE),
)
PROFILES = (
    replace(
        DEEPSEEK_OCR,
        named="deepseek-ocr-2",
        recipe="vLLM's recipe DeepSeek/DeepSeek-OCR-2.md: as DeepSeek-OCR's, with spaces behind its prompts",
        prompts={kind: f"{prompt} " for kind, prompt in DEEPSEEK_OCR.prompts.items()},
    ),
    DEEPSEEK_OCR,
    Profile(
        "unlimited-ocr",
        {PAGES: f"{target.IMAGE}\ndocument parsing.", TEXT: f"{target.IMAGE}\ndocument parsing."},
        "vLLM's recipe models/baidu/Unlimited-OCR.yaml: without the literal <image> its answer is empty",
        form=GROUNDED,
        sampling=_no_repeat(35, 128),
        long_side=1684,
        text_first=True,
        serve=("--trust-remote-code", _PROCESSOR[0], _PROCESSOR[1].replace("deepseek_ocr", "unlimited_ocr"), *_SERVE),
    ),
    Profile(
        "paddleocr-vl",
        {TEXT: "OCR:", TABLES: "Table Recognition:", FORMULAS: "Formula Recognition:"},
        "vLLM's recipe PaddlePaddle/PaddleOCR-VL.md, and the model's card; its layout is another model's, PP-DocLayout",
        form=REGIONS,
        sampling=_WITH_SPECIAL,
        long_side=2048,
        max_tokens=4096,
        tries=REGION_TRIES,
        serve=("--trust-remote-code", "--max-num-batched-tokens", "16384", *_SERVE),
    ),
    Profile(
        "mineru",
        {
            TEXT: "\nText Recognition:",
            TABLES: "\nTable Recognition:",
            FORMULAS: "\nFormula Recognition:",
            LAYOUT: "\nLayout Detection:",
        },
        "opendatalab/mineru-vl-utils: mineru_client.py (prompts, sampling, layout at 1036 x 1036), vlm_client/http_client.py",
        form=REGIONS,
        system="You are a helpful assistant.",
        sampling=_WITH_SPECIAL | _MINERU,
        long_side=2048,
        layout_size=(1036, 1036),
        max_tokens=4096,
        tries=REGION_TRIES,
        serve=("--logits-processors", "mineru_vl_utils:MinerULogitsProcessor"),
    ),
    Profile(
        "got-ocr",
        {PAGES: "OCR with format: ", PLAIN: "OCR: ", TEXT: "OCR: ", TABLES: "OCR with format: ", FORMULAS: "OCR with format: "},
        "transformers' processing_got_ocr2.py, and the card of stepfun-ai/GOT-OCR-2.0-hf",
        form=MATHPIX,
        long_side=1024,
        max_tokens=4096,
    ),
    Profile(
        "olmocr",
        {
            PAGES: "Attached is one page of a document that you must process. Just return the plain text representation of "
            "this document as if you were reading it naturally. Convert equations to LateX and tables to HTML.\n"
            "If there are any figures or charts, label them with the following markdown syntax "
            "![Alt text describing the contents of the figure](page_startx_starty_width_height.png)\n"
            "Return your output as markdown, with a front matter section on top specifying values for the primary_language, "
            "is_rotation_valid, rotation_correction, is_table, and is_diagram parameters."
        },
        "allenai/olmocr: prompts.py (build_no_anchoring_v4_yaml_prompt), pipeline.py (0.1, 8,000 tokens); the card: 1288 px",
        form=FRONT_MATTER,
        sampling={"temperature": 0.1},
        long_side=1288,
        text_first=True,
        max_tokens=8000,
    ),
    Profile(
        "lightonocr",
        {PAGES: ""},
        "the card of lightonai/LightOnOCR-1B-1025: an image of 1540 px and no words, temperature 0.2, top_p 0.9",
        sampling={"temperature": 0.2, "top_p": 0.9},
        max_tokens=4096,
    ),
    Profile(
        "glm-ocr",
        {TEXT: "Text Recognition:", TABLES: "Table Recognition:", FORMULAS: "Formula Recognition:"},
        "vLLM's recipe GLM/GLM-OCR.md, and the model's card",
        form=REGIONS,
        long_side=2048,
        max_tokens=4096,
        tries=REGION_TRIES,
    ),
    Profile(
        "",
        {
            PAGES: "Transcribe this page exactly, as Markdown, in reading order: tables as HTML, formulas as LaTeX between "
            "\\[ and \\]. Write nothing else.",
            PLAIN: "Transcribe the text of this image exactly, in reading order. Write nothing else.",
            TEXT: "Transcribe the text of this image exactly, as Markdown, in reading order. Write nothing else.",
            TABLES: "Transcribe the table of this image as an HTML table with rowspan and colspan. Write nothing else.",
            FORMULAS: "Transcribe the formula of this image as LaTeX. Write nothing else.",
            CAPTIONS: "Describe this image in detail, in plain sentences. Say only what is to be seen. Write nothing else.",
        },
        "our own words, for any other model",
    ),
)
"""Looked through in this order by a model's name. The last is for all others."""


def profile_of(model: str, family: str = "") -> Profile:
    """The profile of a model, by its name, or by that of its `family` where the name doesn't tell. Raises `ValueError` for a
    family that none has."""
    found = next(profile for profile in PROFILES if profile.named in (family or model).lower())
    if family and not found.named and family != MARKDOWN:
        raise ValueError(f"family={family}: allowed are {', '.join(p.named for p in PROFILES if p.named)}, {MARKDOWN}")
    return found
