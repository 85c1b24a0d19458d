"""Which licences let anybody pass a sample on: those of our own sources, of lists of pictures, and words that mean nothing."""

import pytest

from datagen.publishing.licences import is_free, on_the_hub

FREE = {
    "GPL-2.0-or-later": ["gpl-2.0"],
    "GPL-3.0-or-later OR LPPL-1.3c": ["gpl-3.0", "lppl-1.3c"],
    "GPL-3.0-or-later WITH Font-exception-2.0": ["gpl-3.0"],
    "Apache-2.0 and BSD-3-Clause": ["apache-2.0", "bsd-3-clause"],
    "Apache License, Version 2.0": ["apache-2.0"],
    "GUST-Font-License": ["other"],
    "CC-BY-4.0 AND CC-BY-SA-4.0": ["cc-by-4.0", "cc-by-sa-4.0"],
    "Creative Commons Attribution 4.0 International": ["cc-by-4.0"],
    "https://creativecommons.org/publicdomain/zero/1.0/": ["cc0-1.0"],
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
    "cc-by-4.0, not for models": ["cc-by-4.0", "other"],
    "CC-BY-NC-SA-4.0": ["cc-by-nc-sa-4.0"],
    "Attribution-NonCommercial-NoDerivs License": ["other"],
    "مجاني": ["other"],
}


@pytest.mark.parametrize(("licence", "hub"), [*FREE.items(), *NOT_FREE.items()])
def test_what_may_be_passed_on_and_what_the_hub_calls_it(licence, hub):
    assert is_free(licence) is (licence in FREE)
    assert on_the_hub(licence) == hub
