"""Files of markup (HTML, EPUB, Markdown, ZIM articles) as clean HTML with its CSS and images within. See `read.py`."""
