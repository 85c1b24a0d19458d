import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread():
    """The same sums on any machine, and no waiting for a second core that another process has."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
