"""Documents of markup are read as clean HTML: what stays, what goes, and what strangers' files try."""

import base64
import io
import random
import re
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from datagen.markup.documents.clean import with_one_title
from datagen.markup.documents.page import Markup
from datagen.markup.documents.parse import MAX_NODES
from datagen.markup.documents.read import kind_of, read
from datagen.markup.documents.resources import drawn_svg
from datagen.record import SampleError


def png(width: int = 3, height: int = 2) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(out, "PNG")
    return out.getvalue()


def of(folder: Path, text: str | bytes, kind: str = "html", name: str = "page.html") -> Markup:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(str(path), kind, str(folder), random.Random(0))


def reason(folder: Path, text: str | bytes, kind: str = "html") -> str:
    with pytest.raises(SampleError) as error:
        of(folder, text, kind)
    return error.value.reason


def test_main_content_and_what_the_page_declares(tmp_path):
    page = of(
        tmp_path,
        """<!doctype html><html lang="fa_IR" dir="rtl"><body><header>site</header><nav>menu</nav>
        <main><h1 id=a onclick="x()">Title</h1><nav role="doc-toc"><a href="#a">1</a></nav><nav>more</nav>
        <p class=c data-x=1 align=center>Text <a href="http://x.example/">away</a> <custom>tag</custom></p></main>
        <footer>end</footer></body></html>""",
    )
    assert (page.lang, page.direction) == ("fa-IR", "rtl")
    assert '<h1 id="a">Title</h1><nav role="doc-toc"><a href="#a">1</a></nav>' in page.html
    assert '<p class="c" style="text-align:center;">Text <a href="#">away</a> <span>tag</span></p>' in page.html
    assert not any(word in page.html for word in ("site", "menu", "more", "end", "onclick", "data-x"))
    assert page.left_out == {"navigation": 1}


def test_without_main_the_body_loses_its_navigation(tmp_path):
    for text, tag in (("", "nav"), ("Much text, and more of it", "div")):
        assert f'<{tag} class="contents"' in of(tmp_path, f"<p>x<div class=contents>{text}<a href=#>Part 1</a></div>").html
    titled = "<header id=h><h1>Title</h1></header>"
    assert titled.replace("=h", '="h"') in of(tmp_path, f"<body>{titled}<p>text").html  # as Pandoc begins a page
    page = of(
        tmp_path,
        "<body><header>head</header><div class=navheader>up</div><article>1</article><article>2 <header>own</header></article>"
        "<footer>foot</footer></body>",
    )
    assert page.html == "<article>1</article><article>2 <header>own</header></article>"
    assert page.left_out == {"navigation": 3}


def test_nothing_that_runs_or_loads_stays(tmp_path):
    (tmp_path / "outside.png").write_bytes(png())
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "link.png").symlink_to(tmp_path / "outside.png")
    page = of(
        folder,
        """<base href="http://x.example/"><meta http-equiv=refresh content="9"><link rel=stylesheet href="//x.example/a.css">
        <style>@import "http://x.example/b.css"; @font-face{src:url(f.woff)} p{background:u\\72l(http://x.example/c.png)}
        q{background:-webkit-image-set("http://x.example/d.png" 1x)} s{background:url(http://x.example/e.png</style>
        <iframe src=x><p>in</p></iframe><script>alert(1)</script><object data=x>o</object><form>kept<input value=v></form>
        <template><p>t</p></template><video src=v>v</video><noscript>n</noscript><svg onload=x><image href="http://x/i.png"/></svg>
        <img src="http://x.example/1.png"><img src="file:///etc/hostname"><img src="../outside.png"><img src="/../outside.png">
        <img src="link.png"><img src="%2e%2e/outside.png"><img src="none.png">
        <p style="background:url('http://x.example/f.png')" hidden>h</p><p style="background:url(//x.example)">text</p>""",
    )
    assert page.html.split() == '<div>kept</div> <p style="background:none">text</p>'.split()
    assert "x.example" not in page.css
    assert "url(" not in page.css
    assert page.left_out["image_remote"] == 5
    assert page.left_out["image_outside"] == 3
    assert page.left_out["image_missing"] == 2
    assert page.left_out["script"] == page.left_out["frame"] == page.left_out["object"] == page.left_out["media"] == 1
    assert page.left_out["css_remote"] == 2


def test_a_sign_of_a_list_is_drawn_before_text_alone(tmp_path):
    items = ["a", "<p> <b>a", "<math><mi>x", "", " <p><img src=a>a", "<table><tr><td>a</table>a", "<ul><li><svg></svg>a</ul>"]
    page = of(tmp_path, "".join(f"<ol><li>{item}</ol>" for item in items))
    assert [part.startswith(' class="no-sign"') for part in page.html.split("<ol><li")[1:]] == 3 * [False] + 4 * [True]


def test_images_and_css_of_the_folder(tmp_path):
    (tmp_path / "css").mkdir()
    (tmp_path / "css" / "a.css").write_text("@import 'b.css'; h1::before{content:'§'} </style>")
    (tmp_path / "css" / "b.css").write_text("p{background:url(../red.png)}")
    (tmp_path / "red.png").write_bytes(png())
    Image.new("RGB", (2500, 10)).save(tmp_path / "wide.bmp")
    (tmp_path / "bad.png").write_bytes(png()[:-30])
    inline = base64.b64encode(png()).decode()
    page = of(
        tmp_path,
        f"<link rel=stylesheet href=css/a.css><link rel=stylesheet media=print href=none.css><img src=red.png width=40 alt=Red>"
        f"<img src=wide.bmp><img src=bad.png><img src='data:image/png;base64,{inline}'><p>x",
    )
    uri = f"data:image/png;base64,{inline}"
    assert f'<img src="{uri}" alt="Red" style="width:40px">' in page.html
    assert page.html.count("<img") == 3
    assert 'style="width:2500px"' in page.html
    assert f'p{{background:url("{uri}")}}' in page.css
    assert "content:'§'" in page.css
    assert "</style" not in page.css
    assert page.left_out == {"image_broken": 1}


def test_svg_becomes_an_image(tmp_path):
    pytest.importorskip("resvg_py")
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">{}</svg>'
    (tmp_path / "good.svg").write_text(svg.format('<rect width="9" height="9" fill="red"/>'))
    texts = [drawn_svg(svg.format(f'<text y="9" font-family="None">{text}</text>').encode()) for text in ("", "x")]
    assert texts[0] != texts[1]
    (tmp_path / "bad.svg").write_text(svg.format('<image href="file:///etc/a.png"/>'))
    inline = (
        '<svg viewBox="0 0 90 60" class=c><defs><linearGradient id=g><stop stop-color=red /></linearGradient></defs>'
        "<rect fill='url(#g)' width=90 height=60 /><text y=9>in it</text></svg>"
    )
    drawing = svg.format('<path d="M0 0h9v9"/>')
    page = of(tmp_path, f"<p>x<img src=good.svg><img src=bad.svg><svg><path/></svg><svg><use href=#g /></svg>{inline}")
    _, second = re.findall('<img src="data:image/png;base64,([^"]*)"', page.html)
    with Image.open(io.BytesIO(base64.b64decode(second))) as image:
        assert image.size == (90, 60) and image.getpixel((80, 50)) == (255, 0, 0, 255)
    assert page.html.endswith('class="c" style="width:90px"></p>')
    assert page.left_out == {"svg": 3}
    assert (
        of(tmp_path, f'<html xmlns="http://www.w3.org/1999/xhtml"><body><p>x</p>{drawing}</body></html>').html.count("<img") == 1
    )


LATEX = '<annotation encoding="application/x-tex">x^2</annotation>'


@pytest.mark.parametrize(
    ("text", "display"),
    [
        (f"<math><semantics><msup><mi>x</mi><mn>2</mn></msup>{LATEX}</semantics></math>", "inline"),
        ('<math alttext="x^2" display="block"><mi>x</mi></math>', "block"),
        (r'<script src="MathJax.js"></script><p>a \(x^2\) b <code>\(y\)</code></p>', "inline"),
        (r'<script src="MathJax.js"></script><p>$$x^2$$</p>', "block"),
        ('<span class="MathJax_Preview">p</span><script type="math/tex; mode=display">x^2</script>', "block"),
        (r'<span class="math notranslate">\(x^2\)</span>', "inline"),
        (r'<div class="math">\[x^2\]</div>', "block"),
        (
            f'<span class="katex"><span class="katex-mathml"><math>{LATEX}</math></span><b class="katex-html">x2</b></span>',
            "inline",
        ),
        (
            r'<span class="mwe-math-element"><math alttext="{\displaystyle x^2}"></math><img alt="x" src="http://w/i.svg"></span>',
            "inline",
        ),
        ('<img class="formulaInl" alt="$ x^2 $" src="form_0.png">', "inline"),
    ],
)
def test_formulas_get_their_latex(tmp_path, text, display):
    page = of(tmp_path, f"<p>text</p>{text}")
    assert page.html.count("<math") == page.html.count(LATEX) == 1
    assert f'display="{display}"' in page.html
    assert not any(word in page.html for word in ("Preview", "katex-html", "<img"))


def test_formulas_that_do_not_parse_stay_as_they_are(tmp_path):
    page = of(
        tmp_path,
        r'<p>t</p><span class="math">\(\frac{\)</span><math alttext="\bad{"><mi>x</mi><mfenced><mi>y</mi></mfenced></math>',
    )
    assert r'<span class="math">\(\frac{\)</span>' in page.html
    assert '<math display="inline"><mtext>xy</mtext></math>' in page.html
    assert page.left_out == {"formula_unparsed": 2}
    assert r"<p>costs \(5\)</p>" in of(tmp_path, r"<div><p>costs \(5\)</p></div>").html  # no script makes formulas there


@pytest.mark.parametrize(
    "text",
    [
        '<p>a<a epub:type="noteref" href="#n">1</a></p><aside epub:type="footnote" id="n"><p>note</p></aside>',
        '<p>a<a class="footnote-ref" href="#n" role="doc-noteref"><sup>1</sup></a></p><section class="footnotes"><ol>'
        '<li id="n"><p>note<a href="#r" class="footnote-back" role="doc-backlink">↩︎</a></p></li></ol></section>',
        '<p>a<a class="footnote-reference" href="#n">1</a></p><dl class="footnote"><dt class="label" id="n">'
        '<a class="fn-backref">1</a></dt><dd><p>note</p></dd></dl>',
        '<p>a<sup class="reference"><a href="#n">1</a></sup></p><ol class="references"><li id="n"><span class="mw-cite-backlink">'
        "<a href=#r>^</a></span><span>note</span></li></ol>",
        '<p>a<a href="#n" class="footnote"><sup>1</sup></a></p><div class="footnotes"><div id="n" class="footnote"><p>'
        '<a href="#r" class="para"><sup>1 </sup></a>note</p></div></div>',
    ],
)
def test_notes(tmp_path, text):
    html = of(tmp_path, f"<html><body>{text}</body></html>").html
    link, _, note = html.partition("</p>")
    assert 'role="doc-noteref"' in link
    assert 'href="#n"' in link
    note = note[note.index("<aside") : note.index("</aside>")]
    assert 'role="doc-footnote"' in note
    assert 'id="n"' in note
    assert note.count("1") == 1
    assert note.index("1") < note.index("note</" if "note</" in note else "note")
    assert "↩" not in note
    assert "^" not in note


def test_charsets(tmp_path):
    def word(data: bytes) -> str:
        return of(tmp_path, data).html

    assert "Привет" in word('<meta charset="koi8-r"><p>Привет'.encode("koi8-r"))
    assert "日本" in word('<?xml version="1.0" encoding="EUC-JP"?><html><body><p>日本</p></body></html>'.encode("euc-jp"))
    assert "été" in word("<p>été un texte assez long pour être lu</p>".encode("cp1252"))
    assert "“q”" in word('<meta charset="iso-8859-1"><p>“q”'.encode("cp1252"))
    assert "שלום" in word("<p>שלום".encode("utf-16"))
    assert "été" in word('<meta charset="ascii"><p>été'.encode())  # a false declaration
    assert reason(tmp_path, "<p>Привет мир".encode("cp1251")) == "broken_charset"
    assert reason(tmp_path, b'<meta charset="utf-8"><p>\xff\xfe\xfd\xff') == "broken_charset"
    assert "x" in word(b'<meta charset="unicode_escape"><p>x\0\x01')


def test_entities_and_xhtml(tmp_path):
    bomb = '<!DOCTYPE html [<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY f SYSTEM "file:///etc/hostname">]>'
    xhtml = '<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="de"><body><p>a&nbsp;b<a id="e"/>c</p><pre/>{}</body></html>'
    page = of(tmp_path, '<?xml version="1.0"?>' + xhtml.format(""))
    assert page.html == '<p>a\xa0b<a id="e"></a>c</p><pre></pre>'
    assert page.lang == "de"
    html = of(tmp_path, bomb + xhtml.format("<p>&b;&f;</p>")).html
    assert "haha" not in html
    assert Path("/etc/hostname").read_text().strip() not in html


def test_hostile_sizes_are_reasons(tmp_path):
    assert reason(tmp_path, "<i>" * (3 * MAX_NODES)) == "too_many_nodes"
    assert reason(tmp_path, "<p>x" * (MAX_NODES + 1)) == "too_many_nodes"
    assert reason(tmp_path, "<div>" * 1000 + "x") == "too_deep"
    assert reason(tmp_path, f"<p {' '.join(f'a{n}=1' for n in range(2000))}>x") == "too_many_attributes"
    assert reason(tmp_path, b"<p>" + b"x" * (17 << 20)) == "too_large"
    assert reason(tmp_path, "<frameset><frame src=a><frame src=b></frameset>") == "no_text"
    assert reason(tmp_path, '<meta http-equiv="refresh" content="0; URL=http://x.example/"><p>Moved') == "redirect"
    assert reason(tmp_path, "<p>…</p><img src=x>") == "no_text"
    assert reason(tmp_path, "no markup") == "not_html"
    assert of(tmp_path, f"<p style='{'x' * 20_000}' id='{'i' * 200}'>x").left_out == {"attribute": 2}
    (tmp_path / "red.png").write_bytes(png(300, 300) + b"\0" * 1_500_000)
    page = of(tmp_path, "<p>x" + "<img src=red.png>" * 100)
    assert page.left_out["image_too_many"] > 70
    assert len(page.html) < 50 << 20


def test_markdown(tmp_path):
    text = (
        "---\ntitle: Name\nlang: hi\n---\n\nA $x^2$, $5 and $6.[^1]\n\n|a|b|\n|-|-|\n|1|2|\n\n<script>x</script>\n\n$$\nx^2\n$$\n"
    )
    text += "\n```math\nx^2\n```\n\n[^1]: Note\n"
    page = of(tmp_path, text, "markdown", "a.md")
    assert page.lang == "hi"
    assert page.html.startswith("<h1>Name</h1>")
    assert page.html.count(LATEX) == 3
    assert "$5 and $6." in page.html
    assert "<td>1</td>" in page.html
    assert 'role="doc-footnote"' in page.html
    assert page.left_out["script"] == 1
    assert kind_of("a/B.HTML", "markdown") == "html"
    assert kind_of("a/b.md", "markdown") == "markdown"


def epub(folder: Path, extra: dict[str, bytes] | None = None, spine: str = "ab") -> str:
    head = '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><head/><body>'
    files = {
        "META-INF/container.xml": b'<container><rootfiles><rootfile full-path="O/p.opf"/></rootfiles></container>',
        "O/p.opf": (
            '<package xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:language>th</dc:language></metadata><manifest>'
            + "".join(f'<item id="{i}" href="t/{i}.xhtml" media-type="application/xhtml+xml"/>' for i in "ab")
            + f"</manifest><spine>{''.join(f'<itemref idref={chr(34)}{i}{chr(34)}/>' for i in spine)}</spine></package>"
        ).encode(),
        "O/t/a.xhtml": f'{head}<p id="x">one<a epub:type="noteref" href="b.xhtml#n">7</a></p></body></html>'.encode(),
        "O/t/b.xhtml": f'{head}<p id="x"><img src="../i.png" alt=""/></p><div id="n">note</div></body></html>'.encode(),
        "O/i.png": png(),
    }
    path = folder / "book.epub"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (files | (extra or {})).items():
            archive.writestr(name, data)
    return str(path)


def test_epub(tmp_path):
    page = read(epub(tmp_path, spine="ba"), "epub", "")
    assert page.lang == "th"
    assert page.html.index("note") < page.html.index("one")
    assert '<aside id="p0-n" role="doc-footnote"><sup>7</sup> note</aside>' in page.html
    assert '<p id="p1-x">one<a href="#p0-n" role="doc-noteref">7</a></p>' in page.html
    assert '<img src="data:image/png' in page.html


def test_hostile_epubs(tmp_path):
    def why(extra: dict[str, bytes], spine: str = "ab") -> str:
        with pytest.raises(SampleError) as error:
            read(epub(tmp_path, extra, spine), "epub", "")
        return error.value.reason

    encryption = (
        b'<e><EncryptedData><EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/></EncryptedData></e>'
    )
    assert why({"META-INF/encryption.xml": encryption}) == "encrypted"
    assert why({"META-INF/container.xml": b"<x"}) == "broken_epub"
    assert why({"META-INF/container.xml": b" " * (9 << 20)}) == "broken_epub"
    assert why({}, spine="z") == "broken_epub"
    bomb = read(epub(tmp_path, {"O/t/a.xhtml": b"<p>" + b" " * (80 << 20)}), "epub", "")
    assert bomb.left_out["page_missing"] == 1
    (tmp_path / "no.epub").write_bytes(b"PK\3\4 broken")
    with pytest.raises(SampleError, match="broken_epub"):
        read(str(tmp_path / "no.epub"), "epub", "")


def test_a_book_of_chapters_has_no_title_for_each_of_them():
    alone = '<h1 id="a">A</h1><h2>B</h2>'
    assert with_one_title(alone) == alone
    assert with_one_title(alone + "<h6>C</h6><hr><h1>D</h1>") == '<h2 id="a">A</h2><h3>B</h3><h6>C</h6><hr><h2>D</h2>'
