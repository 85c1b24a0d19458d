"""PDFs that the tests make: known text in known places, and each of the ways in which a file can be bad."""

import re
import zlib
from pathlib import Path

import pymupdf
import pytest

LATIN = "All human beings are born free and equal in dignity and rights. They are endowed with reason and conscience."
RUSSIAN = "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и совестью."
CHINESE = "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。"


def write(path: Path, *pages: str, font: str = "helv", rotation: int = 0, **save: object) -> Path:
    """A PDF with a page a text, a line a line of text; an empty text is a blank page."""
    with pymupdf.open() as doc:
        for text in pages:
            page = doc.new_page(width=595, height=842)
            writer = pymupdf.TextWriter(page.rect)
            for i, line in enumerate(text.splitlines()):
                writer.append((72, 100 + 24 * i), line, font=pymupdf.Font(font), fontsize=12)
            if text:
                writer.write_text(page)
            page.set_rotation(rotation)
        path.parent.mkdir(parents=True, exist_ok=True)
        doc.save(path, no_new_id=True, **save)
    return path


def noto(name: str) -> pymupdf.Font:
    """A typeface of the Debian package fonts-noto-core, without which the test is skipped."""
    path = Path(f"/usr/share/fonts/truetype/noto/{name}-Regular.ttf")
    if not path.exists():
        pytest.skip(f"{path} isn't there (fonts-noto-core)")
    return pymupdf.Font(fontfile=str(path))


def lines(text: str, width: int = 60) -> str:
    """`text` cut into lines of at most `width` characters, at spaces."""
    out = [""]
    for word in text.split(" "):
        out[-1:] = [f"{out[-1]} {word}".strip()] if len(out[-1]) + len(word) < width else [out[-1], word]
    return "\n".join(out)


def write_corpus(folder: Path) -> Path:
    """Small good documents in three languages, nine pages in all, one of them blank and first by name."""
    write(folder / "a-blank.pdf", "")
    write(folder / "english.pdf", *[lines(f"Page {i}. {LATIN}") for i in range(4)])
    write(folder / "russian.pdf", *[lines(f"Страница {i}. {RUSSIAN}") for i in range(3)])
    write(folder / "sub" / "chinese.pdf", CHINESE, font="china-s")
    return folder


def encrypted(path: Path) -> Path:
    return write(path, LATIN, encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="secret", owner_pw="owner")


def truncated(path: Path) -> Path:
    """Cut off in the middle of its first page's content: nothing survives repair."""
    data = write(path, LATIN).read_bytes()
    path.write_bytes(data[: len(data) // 10])
    return path


def zero_pages(path: Path) -> Path:
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 0>>"]
    return assemble(path, objects)


def huge_page(path: Path) -> Path:
    with pymupdf.open() as doc:
        doc.new_page(width=36_000, height=18_000)
        doc.save(path)
    return path


def hang(path: Path, num_good_pages: int = 2) -> Path:
    """Good pages, then one whose forms draw each other ten times over, ten deep, and paint nothing; then one more good page.
    No parser gets through the one before last."""
    forms = 12
    first_form = 4
    kids = []
    objects: list[bytes] = [b"<</Type/Catalog/Pages 2 0 R>>", b"", b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]
    for i in range(forms):
        inner = f"<</XObject<</F {first_form + i + 1} 0 R>>>>" if i < forms - 1 else "<<>>"
        content = b"/F Do " * 10 if i < forms - 1 else b"q Q"
        objects.append(stream(content, f"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources{inner}"))
    for number in range(num_good_pages + 2):
        content = (
            b"/F Do" if number == num_good_pages else f"BT /T 12 Tf 72 700 Td (good page {number} {LATIN[:60]}) Tj ET".encode()
        )
        objects.append(stream(content))
        kids.append(len(objects) + 1)
        resources = f"<</Font<</T 3 0 R>>/XObject<</F {first_form} 0 R>>>>"
        page = f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents {len(objects)} 0 R/Resources{resources}>>"
        objects.append(page.encode())
    objects[1] = f"<</Type/Pages/Kids[{' '.join(f'{k} 0 R' for k in kids)}]/Count {len(kids)}>>".encode()
    return assemble(path, objects)


def cyclic_page_tree(path: Path) -> Path:
    """Two nodes of the page tree that are each other's children, and one that is its own."""
    return assemble(
        path,
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R 2 0 R]/Count 9>>",
            b"<</Type/Pages/Parent 2 0 R/Kids[2 0 R 3 0 R]/Count 9>>",
        ],
    )


def deep_nesting(path: Path, depth: int = 200_000) -> Path:
    """A page whose resources are an array in an array in an array, and whose content nests as deep."""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources " + b"[" * depth + b"]" * depth + b">>"
    pages = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    return assemble(path, [b"<</Type/Catalog/Pages 2 0 R>>", pages, page, stream(b"q " * depth + b"[" * depth)])


def bad_xref(path: Path) -> Path:
    """Good pages, but every object is said to lie somewhere else, the table itself too."""
    data = write(path, LATIN, LATIN).read_bytes()
    path.write_bytes(re.sub(rb"\d{10} 00000 n|startxref\s+\d+", lambda m: re.sub(rb"\d", b"7", m.group()), data))
    return path


def bomb_in_streams(path: Path) -> Path:
    """A page whose content is a hundred million operators, deflated twice."""
    content = zlib.compress(zlib.compress(b"q Q " * (1 << 26)), 9)
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<<>>>>"
    pages = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    twice = "/Filter[/FlateDecode/FlateDecode]"
    return assemble(path, [b"<</Type/Catalog/Pages 2 0 R>>", pages, page, stream(content, twice)])


def beckoning(path: Path, address: str, file: Path) -> Path:
    """A page that asks a reader to run scripts and programs, to fetch from `address`, and to show what `file` says."""
    elsewhere = b"<</FS/URL/F(%b/stream)>>" % address.encode()
    script = b"<</S/JavaScript/JS(app.launchURL\\('%b/script'\\))>>" % address.encode()
    launch = b"<</S/Launch/F(/bin/sh)/Unix<</F(/bin/sh)/P(-c 'echo > %b.ran')>>>>" % str(file).encode()
    link = b"<</Type/Annot/Subtype/Link/Rect[0 0 595 842]/A<</S/URI/URI(%b/link)>>>>" % address.encode()
    form = f"/Type/XObject/Subtype/Form/BBox[0 0 595 842]/Ref<</F({address}/form.pdf)/Page 0>>"
    page = (
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents[4 0 R 5 0 R 6 0 R]/Annots[%b]/AA<</O %b>>"
        b"/Resources<</Font<</F0<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>/XObject<</X0 7 0 R>>>>>>" % (link, launch)
    )
    objects = [
        b"<</Type/Catalog/Pages 2 0 R/OpenAction %b/AcroForm<</Fields[]/XFA(%b/xfa)>>>>" % (script, address.encode()),
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        page,
        stream(b"BT /F0 24 Tf 72 700 Td (nothing but this) Tj ET /X0 Do"),
        stream(b"", f"/F {elsewhere.decode()}"),
        stream(b"", f"/F({file})"),
        stream(b"", form),
    ]
    return assemble(path, objects)


def memory_bomb(path: Path) -> Path:
    """A page with an image of a hundred gigapixels, compressed to nothing."""
    pixels = stream(
        zlib.compress(bytes(1 << 20)),
        "/Type/XObject/Subtype/Image/Width 320000/Height 320000/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/FlateDecode",
    )
    return assemble(path, one_page(b"595 0 0 842 0 0 cm /I Do", "/XObject<</I 5 0 R>>", pixels))


def one_page(content: bytes, resources: str, *objects: bytes) -> list[bytes]:
    """The objects of a PDF of one page; its resources name those that are given, from 5 on."""
    return [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<<{resources}>>>>".encode(),
        stream(content),
        *objects,
    ]


def stream(content: bytes, entries: str = "") -> bytes:
    return f"<<{entries}/Length {len(content)}>>stream\n".encode() + content + b"\nendstream"


def assemble(path: Path, objects: list[bytes]) -> Path:
    """A PDF of these objects, numbered from 1; the first is the catalogue."""
    data, offsets = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    xref = len(data)
    data += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    data += b"".join(f"{offset:010d} 00000 n \n".encode() for offset in offsets)
    data += f"trailer<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{xref}\n%%EOF\n".encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
