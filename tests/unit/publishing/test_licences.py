"""Which licences let anybody pass a sample on: those of our own sources, of lists of pictures, and words that mean nothing."""

import pytest

from datagen.publishing.licences import is_free, on_the_hub, simple

FREE = {
    "GPL-2.0-or-later": ["gpl-2.0"],
    "GPL-2+": ["gpl-2.0"],
    "GPL-3.0-or-later OR LPPL-1.3c": ["gpl-3.0", "lppl-1.3c"],
    "GPL-3.0-or-later WITH Font-exception-2.0": ["gpl-3.0"],
    "OFL-1.1-RFN": ["ofl-1.1"],
    "Apache-2.0 and BSD-3-Clause": ["apache-2.0", "bsd-3-clause"],
    "Apache License, Version 2.0": ["apache-2.0"],
    "The MIT License": ["mit"],
    "GUST-Font-License": ["other"],
    "CC-BY-4.0 AND CC-BY-SA-4.0": ["cc-by-4.0", "cc-by-sa-4.0"],
    "CC BY-SA 3.0 DE": ["other"],
    "Attribution-ShareAlike License": ["other"],
    "Creative Commons Attribution 4.0 International": ["cc-by-4.0"],
    "https://creativecommons.org/publicdomain/zero/1.0/": ["cc0-1.0"],
    "CC0": ["cc0-1.0"],
    "public domain": ["other"],
    "No known copyright restrictions": ["other"],
    "Proprietary OR MIT": ["other", "mit"],
}
NOT_FREE = {
    "": ["unknown"],
    "?": ["unknown"],
    "All rights reserved": ["other"],
    "MIT AND Proprietary": ["mit", "other"],
    "(MIT OR Proprietary) AND CC-BY-NC-4.0": ["mit", "other", "cc-by-nc-4.0"],
    "MIT internal use only": ["other"],
    "gpl non-commercial": ["other"],
    "cc-by-4.0, not for models": ["cc-by-4.0", "other"],
    "CC-BY-NC-SA-4.0": ["cc-by-nc-sa-4.0"],
    "http://creativecommons.org/licenses/by-nd/2.0/": ["other"],
    "Attribution-NonCommercial-NoDerivs License": ["other"],
    "Mitsubishi": ["other"],
    "BUSL-1.1": ["other"],
    "مجاني": ["other"],
}


@pytest.mark.parametrize(("licence", "hub"), [*FREE.items(), *NOT_FREE.items()])
def test_what_may_be_passed_on_and_what_the_hub_calls_it(licence, hub):
    assert is_free(licence) is (licence in FREE)
    assert on_the_hub(licence) == hub


def test_a_licence_has_one_name_however_it_is_written():
    written = ("CC-BY-NC-4.0", "cc by-nc 4.0", "https://creativecommons.org/licenses/by-nc/4.0/legalcode")
    assert {simple(licence) for licence in written} == {"cc-by-nc-4.0"}
