"""Why a Word file, a page of it, a formula or a table gave no sample, in plain words: the one table of reasons."""

REASONS = {
    # The file.
    "empty": "The file has no bytes.",
    "empty_file": "The file has no bytes.",
    "other_format": "The file’s first bytes are those of no kind of Word file.",
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
    "not_rendered": "LibreOffice made no PDF of the file.",
    "timeout": "The file, or a page of it, took longer than its deadline.",
    "memory": "The file, or a page of it, took more memory than it may.",
    "crash": "The file, or a page of it, ended the process that read it.",
    # A formula.
    "formula_unlike": "The formula’s LaTeX, drawn again, isn’t what its image shows.",
}
"""Each reason with its sentence."""
