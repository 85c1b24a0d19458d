"""Who is one voter."""

import pytest

from datagen.agreement import families
from tests.inputs.agreement import page, region


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ppocr", "PP-OCRv6"),
        ("script", "flywheel/round-2"),
        ("deepseek-ai/DeepSeek-OCR", "Unlimited-OCR"),
    ],
)
def test_readers_of_one_network_or_training_set_are_one_family(one, other):
    assert families.family(one) == families.family(other) != ""


def test_the_order_is_a_models_or_the_files_or_the_rules():
    assert families.order_voter(page([region("a")], stage="coarse")) == "text layer"
    assert families.order_voter(page([region("a")], stage="fine")) == "rules"
    made = page([region("a")], stage="agreed")
    assert families.order_voter(made) == "model-a"
