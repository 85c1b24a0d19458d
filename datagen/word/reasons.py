"""The reasons why a Word file, a page of it, a formula or a table gave no sample, in plain words: the only table of reasons.

Other sources share some of these reasons, and the report shows the same sentences there.
"""

REASONS = {
    # The file.
    "empty": "The file has no bytes.",
    "empty_file": "The file has no bytes.",
    "other_format": "The file’s first bytes are those of no kind of file that is read here.",
    "not_a_word_document": "The file is called like a Word document, and is none.",
    "encrypted": "The file is encrypted, and needs a password.",
    "too_big": "The file is larger than any that is read.",
    "too_large": "The file is larger than any that is read.",
    "zip_bomb": "The file would unpack to far more than it is.",
    "image_bomb": "The file has an image of more pixels than any that is drawn.",
    "broken_zip": "The file is a zip that can’t be unpacked.",
    "broken_file": "The file is damaged.",
    "broken_xml": "The file’s XML is damaged.",
    "entities": "The file’s XML declares entities, as attacks do.",
    "unsafe_path": "The file has a part whose name leads out of it.",
    "not_contained": "The kernel has no Landlock, which keeps LibreOffice from your files: .doc, .rtf and .odt stay closed.",
    "not_rendered": "LibreOffice made no PDF of the file.",
    "timeout": "The file, or a page of it, took longer than its deadline.",
    "memory": "The file, or a page of it, took more memory than it may.",
    "crash": "The file, or a page of it, ended the process that read it.",
    "not_found": "There is no such file.",
    "unreadable": "The file, or the server that has it, lets nobody read it.",
    # A page.
    "page_text_differs": "The page’s label is further from the page’s own text than it may be.",
    "page_letters_differ": "The page shows letters that its label lacks, or the label has some that the page doesn’t show.",
    "text_place_unsure": "Nobody can tell at which word the page cuts a text, or where in it a sign of a note stands.",
    "unknown_sign": "A sign of a symbol font, of which nobody knows the character, is in the label.",
    "no_text": "Nothing is written on the page.",
    "equation_is_picture": "The page has an equation of which the file has a picture alone.",
    "page_not_read": "It stands on a page that wasn’t asked for.",
    "page_too_large": "The page is larger than any that is drawn.",
    "empty_page_box": "The page has no size.",
    "broken_page": "The page can’t be drawn.",
    "broken": "The PDF, or that which LibreOffice made of the file, can’t be opened.",
    "no_pages": "The PDF, or that which LibreOffice made of the file, has no pages.",
    # A table.
    "table_not_placed": "The table wasn’t found on any page.",
    "table_text_differs": "The table’s label is further from the page’s own text than it may be.",
    "table_spans_differ": "The table’s rows and columns on the page aren’t those of the file.",
    "table_in_table": "A cell holds a table of several columns, of which the label has the words alone.",
    "table_too_large": "The table has more cells than any that is read.",
    # A formula.
    "formula_not_converted": "The formula has something that LaTeX wasn’t made of.",
    "formula_not_katex": "The formula’s LaTeX can’t be parsed by KaTeX.",
    "formula_tokens_differ": "The formula’s LaTeX lacks some of its letters and signs, or has them in another order.",
    "formula_not_placed": "The formula wasn’t found on any page.",
    "formula_off_page": "The formula runs over an edge of its page, which cuts it off.",
    "formula_not_apart": "The formula’s ink can’t be told from what stands around it.",
    "formula_unlike": "What the image shows isn’t the formula: LibreOffice says so, or its LaTeX, drawn again, is unlike it.",
}
