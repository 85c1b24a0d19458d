"""How the Makefile installs packages: by uv with pip's settings, or by pip."""

import subprocess

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
