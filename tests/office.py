"""LibreOffice in tests: the mark of those that need it."""

import shutil

import pytest

needs_office = pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed: make setup-word")
