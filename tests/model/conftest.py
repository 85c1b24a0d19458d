import pytest
import torch

from model.net.tokenizer import train_tokenizer
from tests.model.lines import EIGHT


@pytest.fixture(scope="session")
def tokenizer():
    return train_tokenizer(EIGHT, 400)


@pytest.fixture(autouse=True)
def one_thread():
    """The same sums on any machine, and no waiting for a second core that another process has."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
