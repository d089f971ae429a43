import pytest


@pytest.fixture(autouse=True)
def elsewhere(tmp_path_factory, monkeypatch):
    """An empty working directory: where somebody ran `make demo`, the repository has a store of that name."""
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
