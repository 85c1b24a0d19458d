"""Signs by what they do in a text, the one vocabulary of them: what begins items of lists, and what ends sentences.

The names hold what stands between the brackets of a pattern. Those with `\\p` are for `regex`, the others also for `re`.
"""

import regex

DASHES = "-–—−*+"
"""Typed in place of bullets, and elsewhere, too. A class begins with them, since the first is a hyphen."""
BULLETS = "•‣◦▪▫■□●◆◇➢➤►▶⁃∙"
CHECKS = "○✓✔"
"""Bullets, and answers in a table's cell."""
BOXES = "✗✘☐☑☒⊠"
"""These say something of their item, so Markdown keeps them."""
DOTS = "·・"
"""Bullets, and dots between words."""
SURE_SIGNS = BULLETS + CHECKS + BOXES
"""A line that begins with one of these begins an item."""
ITEM_SIGNS = DASHES + SURE_SIGNS + DOTS

COLONS, SEMICOLONS = ":：", ";；؛"
CLOSING = r"[)\]\"'’”»）」』】]*"
"""Brackets and quotes that may stand behind a stop, as a pattern."""
STOPS = r"\p{Sentence_Terminal}…།༎"
"""Ends of sentences in all scripts; Unicode leaves out the ellipsis and Tibetan's shad."""

_CLOSED = regex.compile(rf"[{STOPS}{COLONS}{SEMICOLONS}]{CLOSING}$")


def is_closed(text: str) -> bool:
    """Whether a text ends as a sentence does, or with a colon or a semicolon: the next line may begin a paragraph."""
    return _CLOSED.search(text) is not None


def leads_on(text: str) -> bool:
    """Whether a text ends in a colon."""
    return text.endswith(tuple(COLONS))
