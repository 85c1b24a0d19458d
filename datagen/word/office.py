"""Word files drawn by LibreOffice, a separate program, which the sandboxed child starts.

Each conversion has a profile of its own, in memory if there is room. It is a copy of a template, which LibreOffice wrote at this
process's first conversion. So LibreOffice starts in half the time, and several can start together. The template turns off macros,
updates of links, Java, crash reports and the network.

Landlock keeps LibreOffice from all files but its own, the system's programs and fonts, and those to convert. A kernel without
Landlock refuses a .doc, .rtf or .odt, since it may name any file; a .docx comes here without its links
(`datagen.word.file.package`). The sandbox closes the network, caps the memory of each process, and ends what is left.
"""

import contextlib
import functools
import hashlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Literal
from xml.sax.saxutils import escape

from datagen.disk.temporary import in_memory, temporary_folder
from datagen.record import SampleError, clean_text
from datagen.sandbox import landlock
from datagen.sandbox.program import SYSTEM, ending, run_program

DEADLINE_S = 60.0
"""LibreOffice's seconds of processor time for the files of one conversion."""
MEMORY_BYTES = 3 << 30
"""The least address space in which LibreOffice starts and draws large documents."""

# Tags tell the places of text, formulas and pictures. Form fields are drawn as text, as on a printer. Reducing pictures takes
# longer than drawing a document with few.
_PDF_OPTIONS = {"UseTaggedPDF": True, "ExportFormFields": False, "ReduceImageResolution": False}
_PDF_JSON = json.dumps({name: {"type": "boolean", "value": str(on).lower()} for name, on in _PDF_OPTIONS.items()})
FILTERS = {"pdf": f"pdf:writer_pdf_Export:{_PDF_JSON}", "docx": "docx:MS Word 2007 XML"}
"""The value of `--convert-to`, by the kind of file that is made."""

# DisableActiveContent isn't set: formulas are active content to LibreOffice.
_OFFICE = "/org.openoffice.Office."
_SETTINGS = {
    (f"{_OFFICE}Common/Security/Scripting", "DisableMacrosExecution"): "true",
    (f"{_OFFICE}Common/Security/Scripting", "MacroSecurityLevel"): "3",
    (f"{_OFFICE}Common/Security/Scripting", "DisableOLEAutomation"): "true",
    (f"{_OFFICE}Common/Security/Scripting", "DisablePythonRuntime"): "true",
    (f"{_OFFICE}Common/Security/Scripting", "BlockUntrustedRefererLinks"): "true",
    (f"{_OFFICE}Common/Misc", "CrashReport"): "false",
    (f"{_OFFICE}Common/Misc", "FirstRun"): "false",
    (f"{_OFFICE}Common/Misc", "UseOpenCL"): "false",
    (f"{_OFFICE}Common/Save/Document", "CreateBackup"): "false",
    (f"{_OFFICE}Java/VirtualMachine", "Enable"): "false",
    (f"{_OFFICE}Recovery/AutoSave", "Enabled"): "false",
    (f"{_OFFICE}Recovery/RecoveryInfo", "Enabled"): "false",
    (f"{_OFFICE}Writer/Content/Update", "Link"): "0",  # never
    ("/org.openoffice.Inet/Settings", "ooInetProxyType"): "1",  # a proxy at a dead port
    ("/org.openoffice.Inet/Settings", "ooInetHTTPProxyName"): "127.0.0.1",
    ("/org.openoffice.Inet/Settings", "ooInetHTTPProxyPort"): "9",
    ("/org.openoffice.Inet/Settings", "ooInetHTTPSProxyName"): "127.0.0.1",
    ("/org.openoffice.Inet/Settings", "ooInetHTTPSProxyPort"): "9",
}
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<oor:items xmlns:oor="http://openoffice.org/2001/registry" '
    'xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'
)
_READABLE = ("/etc/fonts", "/etc/libreoffice", "/var/cache/fontconfig", "/var/lib/libreoffice", "/var/spool/libreoffice")
_WRITABLE = ("/dev/null", "/dev/urandom")
_UNCLEANED = (".doc", ".rtf", ".odt")  # these come here nearly unchanged
_SOCKETS = "/tmp"  # LibreOffice's sockets are here, whatever TMPDIR says
_NEW_S = 60.0  # a younger socket may not be listened at yet
_NO_PROGRAMS = "/nonexistent"  # LibreOffice would ask GnuPG for its version several times: a tenth of a start
_RESTART = 81  # LibreOffice's exit code when a new profile needs another start


def program() -> str:
    """The path of LibreOffice's program. Raises `ValueError` with the way to install it if there is none."""
    path = shutil.which("soffice")
    if path is None:
        raise ValueError("Word documents are drawn by LibreOffice, and there is no soffice here: `make setup-word` installs it")
    path = os.path.realpath(path)
    return f"{path}.bin" if os.path.exists(f"{path}.bin") else path  # a tenth faster without the scripts around it


@functools.cache
def versions() -> dict[str, str]:
    """The version of LibreOffice, by its name. Raises `ValueError` as `program` does."""
    with temporary_folder() as folder:
        done = subprocess.run([program(), _profile(folder), "--version"], capture_output=True, text=True, timeout=120)
    words = done.stdout.split()
    if len(words) < 2 or words[0] != "LibreOffice":
        raise ValueError(f"{program()} doesn't say which LibreOffice it is: {(done.stdout or done.stderr).strip()[-200:]}")
    return {"libreoffice": " ".join(words[1:])}


def convert(paths: list[str], folder: str, target: Literal["pdf", "docx"], deadline_s: float = DEADLINE_S) -> list[str]:
    """Converts files by one start of LibreOffice, to PDF with tags or to .docx; the paths of the results in `folder`, in order.
    `folder` is made. A file's ending tells its format; names must differ apart from endings.

    Raises `ValueError` as `program` does. Raises `SampleError`: `not_contained` for a .doc, .rtf or .odt without Landlock;
    `timeout` after `deadline_s` seconds of processor time, or ten times that on the wall clock; `not_rendered` unless every file
    comes out. No process of LibreOffice is left afterwards.
    """
    names = [f"{Path(path).stem}.{target}" for path in paths]
    if len(set(names)) < len(names):
        raise ValueError(f"files of one conversion need names of their own, and these share some: {' '.join(paths)}")
    if not landlock.holds() and (refused := [path for path in paths if path.lower().endswith(_UNCLEANED)]):
        detail = "this kernel has no Landlock, without which LibreOffice could put any file that you can read into it"
        raise SampleError("not_contained", f"{Path(refused[0]).suffix}: {detail}; convert it to .docx elsewhere")
    template = _template()
    os.makedirs(folder, exist_ok=True)
    with temporary_folder(in_memory()) as profile, temporary_folder() as scratch:
        shutil.copytree(template.name, profile, dirs_exist_ok=True, copy_function=shutil.copyfile)
        code, output = _run(profile, paths, scratch, target, deadline_s)
        made = set(os.listdir(scratch)) & set(names)
        for name in made:
            shutil.move(os.path.join(scratch, name), os.path.join(folder, name))
    missing = [name for name in names if name not in made]
    if missing or code:
        ended = f"LibreOffice {ending(code)}"
        detail = f"{ended}, and made no {' and no '.join(missing)}" if missing else ended
        last = output.strip().rpartition("\n")[2]
        raise SampleError("not_rendered", clean_text(f"{detail}: {last[-300:]}" if last else detail))
    return [os.path.join(folder, name) for name in names]


@functools.cache
def _template() -> tempfile.TemporaryDirectory:
    """A profile written by LibreOffice, for conversions to copy. It goes with the process."""
    _sweep_sockets()
    folder = temporary_folder()
    user = Path(folder.name) / "user"
    user.mkdir()
    (user / "registrymodifications.xcu").write_text(_HEAD + "".join(map(_item, _SETTINGS)) + "</oor:items>\n")
    with temporary_folder() as scratch:
        first = Path(scratch) / "first.rtf"
        first.write_text(r"{\rtf1 1}")
        code, output = _run(folder.name, [str(first)], scratch, "pdf", DEADLINE_S)
        if code == _RESTART:
            code, output = _run(folder.name, [str(first)], scratch, "pdf", DEADLINE_S)
        if not first.with_suffix(".pdf").exists():
            raise RuntimeError(f"LibreOffice can't write a profile: it ended with {code}: {output.strip()[-500:]}")
    return folder


def _item(setting: tuple[str, str]) -> str:
    path, name = setting
    value = f'<prop oor:name="{name}" oor:op="fuse"><value>{escape(_SETTINGS[setting])}</value></prop>'
    return f'<item oor:path="{path}">{value}</item>\n'


def _profile(folder: str) -> str:
    return f"-env:UserInstallation={Path(folder).as_uri()}"


def _remove_socket(profile: str) -> None:
    """Remove the socket of a killed LibreOffice, which is named after its profile."""
    address = Path(profile).as_uri().encode("utf-16-le")
    digest = "".join(f"{byte:x}" for byte in hashlib.md5(address, usedforsecurity=False).digest())
    for path in Path(_SOCKETS).glob(f"OSL_PIPE_*_{digest}"):
        path.unlink(missing_ok=True)


def _sweep_sockets() -> None:
    """Remove the sockets of this user's dead LibreOffices: a process that was killed with its own removed none."""
    for path in Path(_SOCKETS).glob(f"OSL_PIPE_{os.getuid()}_*"):
        with contextlib.suppress(OSError):  # another process sweeps, too
            if time.time() - path.stat().st_mtime < _NEW_S:
                continue
            with socket.socket(socket.AF_UNIX) as asking:
                asking.settimeout(1.0)
                try:
                    asking.connect(str(path))
                except ConnectionRefusedError:
                    path.unlink()


def _run(profile: str, paths: list[str], folder: str, target: str, deadline_s: float) -> tuple[int, str]:
    """LibreOffice's exit code and its last output. Raises `SampleError` (`timeout`)."""
    home = os.path.dirname(os.path.dirname(program()))
    arguments = ["--headless", "--norestore", "--nolockcheck", "--nologo", "--convert-to", FILTERS[target], "--outdir", folder]
    try:
        return run_program(
            "LibreOffice",
            [program(), _profile(profile), *arguments, *paths],
            deadline_s,
            {"SAL_USE_VCLPLUGIN": "svp", "HOME": profile, "TMPDIR": folder, "PATH": _NO_PROGRAMS},
            [*SYSTEM, *_READABLE, home, *paths],
            [*_WRITABLE, profile, folder],
            [_SOCKETS],
        )
    finally:
        _remove_socket(profile)
