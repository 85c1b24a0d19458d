"""The programs of `make setup-word` in tests: the marks of those that need them."""

import importlib.util
import shutil

import pytest

needs_office = pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed: make setup-word")
needs_pandoc = pytest.mark.skipif(
    importlib.util.find_spec("pypandoc") is None and shutil.which("pandoc") is None,
    reason="pandoc is not installed: make setup-word",
)
