"""Lines joined as a person would type them."""

import pytest

from datagen.writing.join_lines import as_drawn, joined, words_of


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (("of inter-", "national law"), "of international law"),
        (("of inter\u00ad", "national law"), "of international law"),
        (("of inter\u2010", "national law"), "of international law"),
        (("Меж-", "дународное право"), "Международное право"),
        (("հռչակա\u058a", "գիր"), "հռչակագիր"),
        (("INTER\u00ad", "NATIONAL"), "INTERNATIONAL"),
        (("the North-", "South line"), "the North-South line"),
        (("pages 10-", "12 and on"), "pages 10-12 and on"),
        (("pages 10\u2013", "12 and on"), "pages 10\u201312 and on"),
        (("Ein-", "und Ausgabe"), "Ein- und Ausgabe"),
        (("a self-", "contained guide"), "a self-contained guide"),
        (("one -", "two"), "one - two"),
        (("a word\u2014", "and another"), "a word\u2014and another"),
        (("a word \u2014", "and another"), "a word \u2014 and another"),
        (("and/", "or"), "and/or"),
        (("בית\u05be", "ספר"), "בית\u05beספר"),
        (("ሰላም\u1361", "ለዓለም"), "ሰላም\u1361ለዓለም"),
        (("joka suuntaa-", "antavana"), "joka suuntaa-antavana"),
        (("vaa-", "lea"), "vaalea"),
        (("the English-", "speaking world"), "the English-speaking world"),
        (("English-", "speaking world"), "English-speaking world"),
        (("Over-", "based"), "Over-based"),
        (("Docu-", "mentation"), "Documentation"),  # a text's first word has a capital
        (("all of docu-", "mentation"), "all of documentation"),
        (("it is un-", "like them"), "it is unlike them"),
        (("kekurangan masing-", "masing jenis"), "kekurangan masing-masing jenis"),
        (("the cup-of-", "ramen you"), "the cup-of-ramen you"),  # a compound's small word, and what is no syllable
        (("von XML-Dokumen-", "ten"), "von XML-Dokumenten"),
        (("með pg-", "promise pakkanum"), "með pg-promise pakkanum"),
        (("the pro-", "mise"), "the promise"),
        (("ve smr-", "ti je"), "ve smrti je"),
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
        (("no re-", "form"), ("A reform of the whole, and re-form it. The co-",), "no reform"),
        (("the co-", "operation"), ("The whole. The co-",), "the cooperation"),
        (
            ("да објектно-", "оријентисаног језика"),
            ("Објектно-оријентисано се разликује.", "Један објектно-"),
            "да објектно-оријентисаног језика",
        ),
        (("it is kernel-", "specific"), ("the kernel of a-",), "it is kernel-specific"),
        (("in an encoding-", "independent way"), ("an encoding of it-",), "in an encoding-independent way"),
        (("de preconfiguratie-", "instellingen"), ("configuratie-instellingen a-",), "de preconfiguratie-instellingen"),
        # A conjunction is one where the page has it as a word.
        (("обратна-", "та цел"), ("с обратна-", "та цел"), "обратната цел"),
        (("вхідні-", "та вихідні"), ("та обратна-", "та цел"), "вхідні- та вихідні"),
        # A first half that ends as another one does.
        (("rzeczowo-", "finansowej"), ("pomocy finansowo-księgowej a-",), "rzeczowo-finansowej"),
        (("rzeczowo-", "finansowej"), ("pomocy a-",), "rzeczowofinansowej"),
        (("ustawo-", "dawczej"), ("polsko-niemiecki a-",), "ustawodawczej"),
        # Korean words that the page has whole, with an ending, too.
        (("광학 드라이", "브에 넣고"), ("이 드라이브에 있는",), "광학 드라이브에 넣고"),
        (("중요한 파티", "션) 공간이"), ("디스크 파티션을 만들고 있으면",), "중요한 파티션) 공간이"),
        (("볼륨을 선택합니", "다."), ("디스크 파티션을 만들고",), "볼륨을 선택합니다."),
        (("만들고", "있으면"), ("디스크 파티션을 만들고 있으면",), "만들고 있으면"),
        (("이 하드웨", "어에 설치"), ("하드웨어 설치 그",), "이 하드웨어에 설치"),
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
        (("see https://www.debian.org/", "for more"), "see https://www.debian.org/ for more"),
        (("see http://www.", "gnu.de/documents/gpl.html."), "see http://www.gnu.de/documents/gpl.html."),
        (("write to debian-", "boot@lists.debian.org"), "write to debian-boot@lists.debian.org"),
        (("at https:", "//www.debian.org/doc/."), "at https://www.debian.org/doc/."),
        (("at https://www.debian.org.", "doc/ holds"), "at https://www.debian.org. doc/ holds"),
        (("(<https://lists.debian.org/a", "b>)"), "(<https://lists.debian.org/ab>)"),
        (("at http://www.ohloh.net/languages/", "compare."), "at http://www.ohloh.net/languages/compare."),
        (("at http://www.ohloh.net/", "today."), "at http://www.ohloh.net/ today."),
        (("at http://pcweek.ru/detail.php?", "ID=72606&id=2."), "at http://pcweek.ru/detail.php?ID=72606&id=2."),
        (("did you see http://pcweek.ru/detail.php?", "No, I"), "did you see http://pcweek.ru/detail.php? No, I"),
        (("in /usr/share/", "doc/apt and"), "in /usr/share/doc/apt and"),
        (("in netboot/amd64/-", "linux itself"), "in netboot/amd64/linux itself"),
        (("with --no-", "install-recommends"), "with --no-install-recommends"),
        (("see /etc/X11/xorg.", "conf."), "see /etc/X11/xorg.conf."),
        (("see https://www.debian.org/ch02.en.", "html#_life is"), "see https://www.debian.org/ch02.en.html#_life is"),
        (("see doi:10.", "1371/journal"), "see doi:10.1371/journal"),
        (("edit debian/libfoo1.", "symbols now"), "edit debian/libfoo1.symbols now"),
        (("in version 1.", "install it"), "in version 1. install it"),
        (("https://bugs.debian.", "org/package-name/, once"), "https://bugs.debian.org/package-name/, once"),
        (("方法请见https://www.debian.", "org/Bugs/Reporting"), "方法请见https://www.debian.org/Bugs/Reporting"),
        (("see https://www.debian.org.", "And then"), "see https://www.debian.org. And then"),
        (("dpkg-query -W --showformat=", "format"), "dpkg-query -W --showformat=format"),
        (("scp file user@host:", "path"), "scp file user@host:path"),
        (("by user:", "a name"), "by user: a name"),
        (("Използвайте update-", "alternatives --all"), "Използвайте update-alternatives --all"),
        (("iz java.util.", "functional in"), "iz java.util.functional in"),
        (("uses java.util.", "The rest"), "uses java.util. The rest"),
        (("bl.a. t.d.", "functional"), "bl.a. t.d. functional"),
        (("the end.", "functional"), "the end. functional"),
        (("Criteria. //", "https://www.a.org/b"), "Criteria. // https://www.a.org/b"),
        (("时间：/", "/ 元"), "时间：/ / 元"),
        (("see http://a.org/", "b/c.html"), "see http://a.org/b/c.html"),
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
        (("すべての人間は、", "生れながら"), "すべての人間は、生れながら"),
        (("我们用Debian系统", "GNU内核"), "我们用Debian系统GNU内核"),
        (("我们用 Debian 系统", "GNU 内核"), "我们用 Debian 系统 GNU 内核"),
        (("มนุษย์ทั้ง", "หลาย"), "มนุษย์ทั้งหลาย"),
        (("មនុស្ស", "ទាំងអស់"), "មនុស្សទាំងអស់"),
        (("ທຸກຄົນ", "ເກີດມາ"), "ທຸກຄົນເກີດມາ"),
        (("လူတိုင်းသည်", "တူညီ"), "လူတိုင်းသည်တူညီ"),
        (("ရှိသည်။", "ထိုသူ"), "ရှိသည်။ ထိုသူ"),
        (("འགྲོ་བ་", "མིའི་"), "འགྲོ་བ་མིའི་"),
        (("ཡིན།", "དེ་དག"), "ཡིན། དེ་དག"),
        (("모든 인간은", "태어날"), "모든 인간은 태어날"),
        (("सभी मनुष्यों को", "गौरव"), "सभी मनुष्यों को गौरव"),
        (("يولد جميع الناس", "أحرارا"), "يولد جميع الناس أحرارا"),
        (("ሰላም ለዓለም", "ሁሉ"), "ሰላም ለዓለም ሁሉ"),
        (("우리 집", "에 갔다"), "우리 집에 갔다"),  # particles
        (("나", "보다 크다"), "나보다 크다"),
        (("사용자@호스", "트 이름"), "사용자@호스트 이름"),
        (("이것", "이 책"), "이것 이 책"),
        (("처리 없\u2060", "이 행(row)과 열\u2060", "(column)로", "매칭"), "처리 없이 행(row)과 열(column)로 매칭"),
        (("처리 없\u2060",), "처리 없"),
        (("สินทรัพย์ต่าง ๆ", "ในรายปี"), "สินทรัพย์ต่าง ๆ ในรายปี"),
        (("เว็ลธ์\u2063", "แมเนจ\u2063"), "เว็ลธ์ แมเนจ"),
        (("การค้า", "มีการ"), "การค้ามีการ"),
    ],
)
def test_scripts_join_with_a_space_where_they_write_one(lines, text):
    assert joined(lines) == text


def test_a_hard_break_stays():
    assert joined(("To be, or not", "to be:", "that is"), (True, False)) == "To be, or not to be:\nthat is"
    assert joined(("a long op\u00ad", "b"), (False,)) == "a long op-\nb"
    assert joined(("처리 없\u2060", "이 행\u2060"), soft=(False,)) == "처리 없\n이 행"
    assert as_drawn("처리 없\u2060") == "처리 없"
