"""Lines joined as a person would type them."""

import pytest

from datagen.writing.join_lines import as_drawn, is_cut_literal, joined, words_of


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
    ],
)
def test_hyphens_and_dashes(lines, text):
    assert joined(lines) == text


def test_the_pages_other_words_tell_a_compound_from_a_cut_word():
    page = ["A user-friendly program is well documented.", "A reform of the whole, and re-form it. The co-"]
    assert joined(("a user-", "friendly one"), words=words_of(page)) == "a user-friendly one"
    assert joined(("no re-", "form"), words=words_of(page)) == "no reform"
    assert joined(("the co-", "operation"), words=words_of(page)) == "the cooperation"
    assert "co" not in words_of(page)
    forms = words_of(["Објектно-оријентисано се разликује.", "Један објектно-"])
    assert joined(("да објектно-", "оријентисаног језика"), words=forms) == "да објектно-оријентисаног језика"
    assert joined(("joka suuntaa-", "antavana")) == "joka suuntaa-antavana" and joined(("vaa-", "lea")) == "vaalea"


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
    ],
)
def test_scripts_join_with_a_space_where_they_write_one(lines, text):
    assert joined(lines) == text


def test_a_hard_break_stays():
    assert joined(("To be, or not", "to be:", "that is"), (True, False)) == "To be, or not to be:\nthat is"
    assert joined(("a long op\u00ad", "b"), (False,)) == "a long op-\nb"


def test_korean_words_that_the_page_has_whole_are_whole_again():
    assert joined(("광학 드라이", "브에 넣고"), words=words_of(["이 드라이브에 있는"])) == "광학 드라이브에 넣고"
    page = words_of(["디스크 파티션을 만들고 있으면"])
    assert joined(("중요한 파티", "션) 공간이"), words=page) == "중요한 파티션) 공간이"
    assert joined(("볼륨을 선택합니", "다."), words=page) == "볼륨을 선택합니다."
    assert joined(("만들고", "있으면"), words=page) == "만들고 있으면"


def test_an_address_is_cut_if_its_rest_looks_like_one():
    assert is_cut_literal("https://a.example/b", "c/d.html and")
    assert not is_cut_literal("https://a.example/b", "and")
    assert not is_cut_literal("either/", "or")


def test_korean_particles_and_addresses_are_joined_to_the_word_before():
    assert joined(("우리 집", "에 갔다")) == "우리 집에 갔다"
    assert joined(("나", "보다 크다")) == "나보다 크다"
    assert joined(("사용자@호스", "트 이름")) == "사용자@호스트 이름"
    assert joined(("이것", "이 책")) == "이것 이 책"


def test_an_english_compound_keeps_its_hyphen_and_a_cut_word_loses_it():
    assert joined(("the English-", "speaking world")) == "the English-speaking world"
    assert joined(("English-", "speaking world")) == "English-speaking world" and joined(("Over-", "based")) == "Over-based"
    assert joined(("Docu-", "mentation")) == "Documentation"  # a text's first word has a capital
    assert joined(("it is kernel-", "specific"), words={"kernel"}) == "it is kernel-specific"
    assert joined(("it is un-", "like them")) == "it is unlike them"
    assert joined(("all of docu-", "mentation")) == "all of documentation"


def test_the_number_of_a_paper_and_a_file_go_on_behind_their_dot():
    assert joined(("see doi:10.", "1371/journal")) == "see doi:10.1371/journal"
    assert joined(("edit debian/libfoo1.", "symbols now")) == "edit debian/libfoo1.symbols now"
    assert joined(("in version 1.", "install it")) == "in version 1. install it"


def test_hosts_values_and_commands_that_a_line_cuts_go_on():
    assert joined(("https://bugs.debian.", "org/package-name/, once")) == "https://bugs.debian.org/package-name/, once"
    assert joined(("方法请见https://www.debian.", "org/Bugs/Reporting")) == "方法请见https://www.debian.org/Bugs/Reporting"
    assert joined(("see https://www.debian.org.", "And then")) == "see https://www.debian.org. And then"
    assert joined(("dpkg-query -W --showformat=", "format")) == "dpkg-query -W --showformat=format"
    assert (
        joined(("scp file user@host:", "path")) == "scp file user@host:path"
        and joined(("by user:", "a name")) == "by user: a name"
    )
    assert joined(("Използвайте update-", "alternatives --all")) == "Използвайте update-alternatives --all"


def test_a_conjunction_is_one_where_the_page_has_it_as_a_word():
    words = words_of(["та обратна-", "та цел"])
    assert joined(["обратна-", "та цел"], words=words_of(["с обратна-", "та цел"])) == "обратната цел"
    assert joined(["вхідні-", "та вихідні"], words=words) == "вхідні- та вихідні"


def test_what_stands_behind_a_cut_word_is_no_word():
    assert words_of(["one encoding-", "independent way"]) == {"one", "way"}
    assert joined(["in an encoding-", "independent way"], words={"encoding"}) == "in an encoding-independent way"


def test_a_korean_word_whose_ending_follows_is_whole_and_a_compound_like_others_keeps_its_hyphen():
    assert joined(["이 하드웨", "어에 설치"], words={"하드웨어", "설치"}) == "이 하드웨어에 설치"
    assert (
        joined(["de preconfiguratie-", "instellingen"], words={"configuratie-instellingen"}) == "de preconfiguratie-instellingen"
    )
    assert joined(["kekurangan masing-", "masing jenis"]) == "kekurangan masing-masing jenis"
    assert joined(["see /etc/X11/xorg.", "conf."]) == "see /etc/X11/xorg.conf."
    address = "https://www.debian.org/ch02.en."
    assert joined([f"see {address}", "html#_life is"]) == f"see {address}html#_life is"


def test_a_latin_word_that_chinese_cuts_without_a_hyphen_is_whole_where_the_page_has_it_whole():
    page = ["本文使用SpringMVC框架，CRM系统基于C", "RM的数据。Spring的MVC。"]
    assert joined(page, (), words_of(page)) == "本文使用SpringMVC框架，CRM系统基于CRM的数据。Spring的MVC。"
    page = ["视图Spring和MVC，以及SpringMVC，见 Spring", "MVC的文档"]
    assert joined(page, (), words_of(page)) == "视图Spring和MVC，以及SpringMVC，见 Spring MVC的文档"
    assert joined(["使用Sp", "ringMVC框架"], (), words_of(["使用Sp", "ringMVC框架"])) == "使用Sp ringMVC框架"


def test_a_line_that_ends_within_a_word_says_so():
    assert joined(("처리 없\u2060", "이 행(row)과 열\u2060", "(column)로", "매칭")) == "처리 없이 행(row)과 열(column)로 매칭"
    assert joined(("처리 없\u2060", "이 행\u2060"), soft=(False,)) == "처리 없\n이 행"
    assert joined(("처리 없\u2060",)) == as_drawn("처리 없\u2060") == "처리 없"


def test_names_of_programs_parts_go_on_behind_a_dot():
    assert joined(["iz java.util.", "functional in"]) == "iz java.util.functional in"
    assert joined(["uses java.util.", "The rest"]) == "uses java.util. The rest"
    assert joined(["bl.a. t.d.", "functional"]) == "bl.a. t.d. functional"
    assert joined(["the end.", "functional"]) == "the end. functional"


def test_a_hyphen_stays_behind_a_compounds_small_word_and_beside_what_is_no_syllable():
    assert joined(["the cup-of-", "ramen you"]) == "the cup-of-ramen you"
    assert joined(["von XML-Dokumen-", "ten"]) == "von XML-Dokumenten"
    assert joined(["með pg-", "promise pakkanum"]) == "með pg-promise pakkanum"
    assert joined(["the pro-", "mise"]) == "the promise"
    assert joined(["ve smr-", "ti je"]) == "ve smrti je"


def test_a_slash_at_a_lines_end_draws_no_whole_address_and_no_slash():
    assert joined(["Criteria. //", "https://www.a.org/b"]) == "Criteria. // https://www.a.org/b"
    assert joined(["时间：/", "/ 元"]) == "时间：/ / 元"
    assert joined(["see http://a.org/", "b/c.html"]) == "see http://a.org/b/c.html"
    assert joined(["and/", "or"]) == "and/or"


def test_a_compound_whose_first_half_ends_as_anothers_of_the_page_keeps_its_hyphen():
    words = words_of(["pomocy rzeczowo-", "finansowej i finansowo-księgowej"])
    assert joined(["pomocy rzeczowo-", "finansowej"], (), words) == "pomocy rzeczowo-finansowej"
    assert joined(["pomocy rzeczowo-", "finansowej"], (), {"pomocy"}) == "pomocy rzeczowofinansowej"
    assert joined(["ustawo-", "dawczej"], (), {"polsko-niemiecki"}) == "ustawodawczej"


def test_a_space_stands_behind_thais_sign_of_repetition_and_where_somebody_typed_one():
    assert joined(["สินทรัพย์ต่าง ๆ", "ในรายปี"]) == "สินทรัพย์ต่าง ๆ ในรายปี"
    assert joined(["เว็ลธ์\u2063", "แมเนจ\u2063"]) == "เว็ลธ์ แมเนจ"
    assert joined(["การค้า", "มีการ"]) == "การค้ามีการ"
