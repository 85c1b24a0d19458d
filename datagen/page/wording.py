"""How captions, sections and items of lists begin, in many languages, and how fonts are called."""

import re

from datagen.record import Region

OF_SECTION = re.compile(r"(?:§\s*)?(?:\d{1,3}|[A-Z](?=\.))(?:\. ?\d{1,3})*\.?(?=\s|$)")
FIGURE = re.compile(
    r"(?:fig(?:ure|ura|uur|\.)|abb(?:ildung|\.)|rys(?:unek|\.)|obr(?:ázek|\.)|рис(?:унок|\.)|мал(?:юнок|\.)|фиг(?:ура|\.)|фигура"
    r"|[šş]ekil|εικόνα|σχήμα|الشكل|شكل|תרשים|איור|चित्र|图|圖|図|그림|hình|kuva|ábra|slika|joonis|նկար|ნახატი)"
    r"(?:\s*(?:č|nr|no|n)[.°º]?(?=\s))?\s*[\dA-Z一二三四五六七八九]|\d+(?:\.\d+)*\.?\s(?:pav|att|ábra|irudia)\b",
    re.IGNORECASE,
)
_TABLE = (
    r"(?:tab(?:le|elle|leau|ella|ela|la|ulka|el|\.)|таб(?:лица|лиця|л\.|\.)|tablo|πίνακας|جدول|טבלה|तालिका|कोष्टक|表|표|bảng|taulukko"
    r"|táblázat|tabuľka|tabelul|աղյուսակ|ცხრილი)"
)
TABLE = re.compile(
    _TABLE + r"\s*[\dA-Z一二三四五六七八九]|\d+(?:\.\d+)*\.?\s(?:lentelė|tabula|táblázat|taula)\b",
    re.IGNORECASE,
)
MARK = re.compile(r"(?:<sup>[^<]{1,4}</sup>|\d{1,3}(?![\d.,:)]|\s?[%/–-])|[*†‡§]{1,3}(?=[^*\s])|\[\d{1,2}\])\s*\S")
"""What a footnote begins with."""
NAMED = re.compile(r"\D{1,20}\d+(?:[.-]\d+)*\s?(?:[:.։：]\s|[—–-]\s)")
"""A caption's word and number, and a sign behind them."""
ITEM = re.compile(r"[(（\[]?(?:\d{1,3}|\w|[ivx]{2,5}|[一二三四五六七八九十]{1,3})(?:\./|[.)）、．\]])(?:\s|\b|$)")
ITALIC = re.compile(r"italic|oblique|slanted|kursiv|CMTI|CMSL|CMBXTI|SFTI|SFSL", re.IGNORECASE)
"""In the name of a font in italics."""
HASHES = re.compile(r"#{1,6} ")
"""What a heading's Markdown begins with."""


def plain(region: Region) -> str:
    """The text of a region's lines, without Markdown."""
    return " ".join(line.text for line in region.lines)
