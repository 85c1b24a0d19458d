"""Word files drawn by LibreOffice, a program of its own, in the process that calls: the sandboxed child.

Each conversion has a profile of its own, in memory where there is room. It is a copy of a template that LibreOffice wrote when
this process converted first: LibreOffice starts with it in half the time, and several can start together. In the template macros,
updates of links, Java, crash reports and the network are off.

Landlock keeps LibreOffice from all files but its own, the system's programs and fonts, and those that it converts. Where the
kernel has no Landlock, a .doc, .rtf or .odt is refused, since it may name any file; a .docx comes here without its links
(`datagen.word.file.package`). The sandbox closes the network, caps the memory of each process, and ends whatever is left.
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
"""The processor seconds that LibreOffice may take for the files of one conversion."""
MEMORY_BYTES = 3 << 30
"""The least address space that LibreOffice starts in and draws large documents with."""

# What is tagged says where text, formulas and pictures are. Fields to be filled in are drawn as text, as a printer does. To make
# pictures smaller takes longer than to draw a document with few.
_PDF_OPTIONS = {"UseTaggedPDF": True, "ExportFormFields": False, "ReduceImageResolution": False}
_PDF_JSON = json.dumps({name: {"type": "boolean", "value": str(on).lower()} for name, on in _PDF_OPTIONS.items()})
FILTERS = {"pdf": f"pdf:writer_pdf_Export:{_PDF_JSON}", "docx": "docx:MS Word 2007 XML"}
"""What `--convert-to` is told, by the kind of file that is made."""

# DisableActiveContent isn't among them: formulas are active content to LibreOffice.
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
    ("/org.openoffice.Inet/Settings", "ooInetProxyType"): "1",  # a proxy at a port where nobody listens
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
_UNCLEANED = (".doc", ".rtf", ".odt")  # what comes here much as somebody else wrote it
_SOCKETS = "/tmp"  # where each LibreOffice has one, whatever TMPDIR says
_NEW_S = 60.0  # a socket that is younger may be one that nobody listens at yet
_NO_PROGRAMS = "/nonexistent"  # it would ask GnuPG for its version several times, which takes a tenth of a start
_RESTART = 81  # the code with which LibreOffice asks for another start of a new profile


def program() -> str:
    """The path of LibreOffice's program. Raises `ValueError`, saying how to install it, where there is none."""
    path = shutil.which("soffice")
    if path is None:
        raise ValueError("Word documents are drawn by LibreOffice, and there is no soffice here: `make setup-word` installs it")
    path = os.path.realpath(path)
    return f"{path}.bin" if os.path.exists(f"{path}.bin") else path  # without the scripts around it, a tenth is saved


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
    `folder` is made. A file's ending says its kind; names must differ in more than that.

    Raises `SampleError`: `not_contained` for a .doc, .rtf or .odt where Landlock can't be had; `timeout` after `deadline_s`
    processor seconds, or ten times that on the wall clock; `not_rendered` unless every file comes out. Nothing of LibreOffice
    runs on when it returns or raises. Raises `ValueError` as `program` does.
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
    """A profile that LibreOffice has written, for conversions to copy. It goes with the process."""
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
    """What a LibreOffice that was killed leaves: a socket named after its profile."""
    address = Path(profile).as_uri().encode("utf-16-le")
    digest = "".join(f"{byte:x}" for byte in hashlib.md5(address, usedforsecurity=False).digest())
    for path in Path(_SOCKETS).glob(f"OSL_PIPE_*_{digest}"):
        path.unlink(missing_ok=True)


def _sweep_sockets() -> None:
    """Remove the sockets of this user's LibreOffices that don't run any more: whoever was killed beside its own removed none."""
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
    """LibreOffice's exit code and what it printed last. Raises `SampleError` (`timeout`)."""
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
