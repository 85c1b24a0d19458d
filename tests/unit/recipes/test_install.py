"""How the Makefile installs packages: by uv with pip's settings, or by pip."""

import subprocess
import sys

import pytest

from recipes import install


def test_pip_s_settings_as_uv_s_variables():
    listed = (
        "global.find-links='/wheels /more'\nglobal.constraint='/etc/constraints.txt'\nglobal.index-url='https://a.example/simple'\n"
        "user.index-url='https://b.example/simple'\n:env:.cert='/etc/ca.crt'\nglobal.quiet='1'\nfreeze.timeout='10'\n\n"
    )
    assert install.settings(listed) == {
        "UV_FIND_LINKS": "/wheels,/more",
        "UV_CONSTRAINT": "/etc/constraints.txt",
        "UV_DEFAULT_INDEX": "https://b.example/simple",
        "SSL_CERT_FILE": "/etc/ca.crt",
    }
    assert install.settings("user.cert='/a'\nglobal.cert='/b'\n") == {"SSL_CERT_FILE": "/a"}
    assert install.settings("") == {}


@pytest.mark.parametrize(("fails", "last"), [("", "uv"), ("pip install uv", "pip"), ("uv pip install", "pip")])
def test_pip_installs_where_uv_cannot(monkeypatch, fails, last):
    called = []

    def run(command, **how):
        called.append((" ".join(command[2:]).replace("--disable-pip-version-check ", "").replace("--quiet ", ""), how))
        is_failing = bool(fails) and called[-1][0].startswith(fails)
        return subprocess.CompletedProcess(command, int(is_failing), "global.cert='/a'\n")

    monkeypatch.setattr(subprocess, "run", run)
    assert install.install(["--editable", "."], {"UV_OFFLINE": "1"}) == 0
    command, how = called[-1]
    assert command.split()[0] == last and command.endswith("--editable .")
    if last == "uv":
        assert how["env"] == {"SSL_CERT_FILE": "/a", "UV_OFFLINE": "1"}


def test_bytecode_is_written_of_what_is_imported_even_within_functions(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    monkeypatch.syspath_prepend(tmp_path / "site")
    for name, text in {
        "site/used_here.py": "",
        "site/used_lazily/__init__.py": "def __getattr__(name):\n    import used_lazily.inner\n    return used_lazily.inner\n",
        "site/used_lazily/inner.py": "",
        "site/unused_here.py": "",
        "datagen/a.py": "import used_here, not_installed_here\ndef f():\n    from used_lazily import anything\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    install.compile_imports([tmp_path / "datagen"])
    assert {file.name.partition(".")[0] for file in tmp_path.rglob("*.pyc")} == {"used_here", "__init__", "inner"}
