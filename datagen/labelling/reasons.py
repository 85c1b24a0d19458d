"""What the fates of pages that got no label mean, and the reasons why a label is doubted, for the report."""

FATES = {
    "loop": "The model’s answer repeats itself, at every try.",
    "truncated": "The model’s answer came to no end within the tokens that it may have.",
    "turned": "The page lies on its side or upside down, and wasn’t read however it was turned.",
    "refused": "The server, or the model, takes no such image: the detail is what it says.",
    "other_script": "The answer is in another script than the page.",
    "unparsable": "The answer isn’t of the form that the model was asked for.",
    "failed": "No answer came, though the server answers others. make retry reason=failed asks again.",
    "blank": "Nothing is written on the page, or the model sees nothing there: the detail says which.",
}
DOUBTS = {
    "text_without_ink": ("A region with text lies where the page has no ink.", ("regions_without_ink",)),
    "length_disputed": ("The answer is far longer or shorter than what is written on the page.", ("letters_per_sign",)),
    "boxes_amiss": ("Boxes leave the page, or blocks of the answer aren’t whole.", ("odd_boxes", "lost_blocks")),
    "markup_broken": ("A table’s HTML or a formula’s LaTeX doesn’t parse.", ("broken_markup",)),
    "language_differs": ("The answer is in another language than the page’s own text.", ()),
    "text_missing": ("The page’s own text says more than the answer.", ("layer_missing",)),
    "text_added": ("The answer says more than the page’s own text.", ("layer_extra",)),
    "text_differs": ("The page’s own text has other words or digits.", ("layer_altered", "layer_digits")),
    "cells_misplaced": ("Cells of a table stand where their lines don’t.", ("layer_cells",)),
}
"""A sentence, and the signals that it rests on."""
