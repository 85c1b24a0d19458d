"""Lines joined as a person would type them."""

import pytest

from datagen.writing.join_lines import as_drawn, joined, words_of


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (("of inter-", "national law"), "of international law"),
        (("Меж-", "дународное право"), "Международное право"),
        (("հռչակա\u058a", "գիր"), "հռչակագիր"),
        (("INTER\u00ad", "NATIONAL"), "INTERNATIONAL"),
        (("the North-", "South line"), "the North-South line"),
        (("pages 10-", "12 and on"), "pages 10-12 and on"),
        (("pages 10\u2013", "12 and on"), "pages 10\u201312 and on"),
        (("a self-", "contained guide"), "a self-contained guide"),
        (("one -", "two"), "one - two"),
        (("a word \u2014", "and another"), "a word \u2014 and another"),
        (("and/", "or"), "and/or"),
        (("בית\u05be", "ספר"), "בית\u05beספר"),
        (("ሰላም\u1361", "ለዓለም"), "ሰላም\u1361ለዓለም"),
        (("Docu-", "mentation"), "Documentation"),  # a text's first word has a capital
        (("it is un-", "like them"), "it is unlike them"),
        (("kekurangan masing-", "masing jenis"), "kekurangan masing-masing jenis"),
        (("the pro-", "mise"), "the promise"),
    ],
)
def test_hyphens_and_dashes(lines, text):
    assert joined(lines) == text


HAN_WITH_CUT = ("本文使用SpringMVC框架，CRM系统基于C", "RM的数据。Spring的MVC。")
HAN_WITH_BOTH = ("视图Spring和MVC，以及SpringMVC，见 Spring", "MVC的文档")


@pytest.mark.parametrize(
    ("lines", "page", "text"),
    [
        (("a user-", "friendly one"), ("A user-friendly program. The co-",), "a user-friendly one"),
        (("the co-", "operation"), ("The whole. The co-",), "the cooperation"),
        (
            ("да објектно-", "оријентисаног језика"),
            ("Објектно-оријентисано се разликује.", "Један објектно-"),
            "да објектно-оријентисаног језика",
        ),
        (("de preconfiguratie-", "instellingen"), ("configuratie-instellingen a-",), "de preconfiguratie-instellingen"),
        # A conjunction is one where the page has it as a word.
        (("обратна-", "та цел"), ("с обратна-", "та цел"), "обратната цел"),
        # Korean words that the page has whole, with an ending, too.
        (("중요한 파티", "션) 공간이"), ("디스크 파티션을 만들고 있으면",), "중요한 파티션) 공간이"),
        (("만들고", "있으면"), ("디스크 파티션을 만들고 있으면",), "만들고 있으면"),
        # Latin words that Chinese cuts without a hyphen.
        (HAN_WITH_CUT, HAN_WITH_CUT, "本文使用SpringMVC框架，CRM系统基于CRM的数据。Spring的MVC。"),
        (HAN_WITH_BOTH, HAN_WITH_BOTH, "视图Spring和MVC，以及SpringMVC，见 Spring MVC的文档"),
        (("使用Sp", "ringMVC框架"), ("使用Sp", "ringMVC框架"), "使用Sp ringMVC框架"),
    ],
)
def test_the_pages_other_words_tell_a_compound_from_a_cut_word(lines, page, text):
    assert joined(lines, words=words_of(page)) == text


def test_what_stands_around_a_cut_is_no_word():
    assert words_of(["one encoding-", "independent way"]) == {"one", "way"}
    assert "co" not in words_of(["A re-form. The co-"])


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (("see https://www.debian.org/", "doc/manuals.html for more"), "see https://www.debian.org/doc/manuals.html for more"),
        (("see https://www.debian.org/debian-", "policy/ for more"), "see https://www.debian.org/debian-policy/ for more"),
        (("write to debian-", "boot@lists.debian.org"), "write to debian-boot@lists.debian.org"),
        (("at https:", "//www.debian.org/doc/."), "at https://www.debian.org/doc/."),
        (("at http://www.ohloh.net/languages/", "compare."), "at http://www.ohloh.net/languages/compare."),
        (("at http://pcweek.ru/detail.php?", "ID=72606&id=2."), "at http://pcweek.ru/detail.php?ID=72606&id=2."),
        (("in /usr/share/", "doc/apt and"), "in /usr/share/doc/apt and"),
        (("in netboot/amd64/-", "linux itself"), "in netboot/amd64/linux itself"),
        (("with --no-", "install-recommends"), "with --no-install-recommends"),
        (("in version 1.", "install it"), "in version 1. install it"),
        (("https://bugs.debian.", "org/package-name/, once"), "https://bugs.debian.org/package-name/, once"),
        (("dpkg-query -W --showformat=", "format"), "dpkg-query -W --showformat=format"),
        (("scp file user@host:", "path"), "scp file user@host:path"),
        (("Използвайте update-", "alternatives --all"), "Използвайте update-alternatives --all"),
        (("the end.", "functional"), "the end. functional"),
        (("https://a.example/b", "c/d.html and"), "https://a.example/bc/d.html and"),
        (("https://a.example/b", "and"), "https://a.example/b and"),
    ],
)
def test_addresses_paths_and_options_stay_whole(lines, text):
    assert joined(lines) == text


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (("人人生而", "自由"), "人人生而自由"),
        (("我们用Debian系统", "GNU内核"), "我们用Debian系统GNU内核"),
        (("มนุษย์ทั้ง", "หลาย"), "มนุษย์ทั้งหลาย"),
        (("មនុស្ស", "ទាំងអស់"), "មនុស្សទាំងអស់"),
        (("လူတိုင်းသည်", "တူညီ"), "လူတိုင်းသည်တူညီ"),
        (("ရှိသည်။", "ထိုသူ"), "ရှိသည်။ ထိုသူ"),
        (("འགྲོ་བ་", "མིའི་"), "འགྲོ་བ་མིའི་"),
        (("모든 인간은", "태어날"), "모든 인간은 태어날"),
        (("सभी मनुष्यों को", "गौरव"), "सभी मनुष्यों को गौरव"),
        (("우리 집", "에 갔다"), "우리 집에 갔다"),  # particles
        (("사용자@호스", "트 이름"), "사용자@호스트 이름"),
        (("이것", "이 책"), "이것 이 책"),
        (("처리 없\u2060", "이 행(row)과 열\u2060", "(column)로", "매칭"), "처리 없이 행(row)과 열(column)로 매칭"),
        (("처리 없\u2060",), "처리 없"),
        (("สินทรัพย์ต่าง ๆ", "ในรายปี"), "สินทรัพย์ต่าง ๆ ในรายปี"),
        (("เว็ลธ์\u2063", "แมเนจ\u2063"), "เว็ลธ์ แมเนจ"),
    ],
)
def test_scripts_join_with_a_space_where_they_write_one(lines, text):
    assert joined(lines) == text


def test_a_hard_break_stays():
    assert joined(("To be, or not", "to be:", "that is"), (True, False)) == "To be, or not to be:\nthat is"
    assert joined(("a long op\u00ad", "b"), (False,)) == "a long op-\nb"
    assert joined(("처리 없\u2060", "이 행\u2060"), soft=(False,)) == "처리 없\n이 행"
    assert as_drawn("처리 없\u2060") == "처리 없"
