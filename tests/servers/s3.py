"""Object stores: Ceph's own gateway over a monitor and an OSD in memory, and MinIO's code as JuiceFS's gateway."""

import json
import os
import socket
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.servers.processes import answers, free_port, need, running

KEY, SECRET, BUCKET = "pagewheel", "pagewheel-secret", "corpus"
JUICEFS = Path(__file__).parents[2] / ".venv/servers/bin/juicefs"
CEPH = """
[global]
fsid = 4f0a4d2e-5b7c-4d39-9f1a-2a1d3f2e8c12
keyring = {folder}/keyring
mon_host = v2:127.0.0.1:{monitor}
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_ipv6 = false
run_dir = {folder}
admin_socket =
log_file = {folder}/$name.log
mon_data = {folder}/mon
mon_data_avail_crit = 1
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000
osd_data = {folder}/osd
osd_objectstore = memstore
memstore_device_bytes = 1500000000
osd_class_dir = {classes}
osd_crush_chooseleaf_type = 0
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 8
rgw_data = {folder}/rgw
rgw_frontends = beast endpoint=127.0.0.1:{gateway}
"""
CAPS = {
    "mon.": {"mon": "allow *"},
    "client.admin": {"mon": "allow *", "osd": "allow *", "mgr": "allow *"},
    "osd.0": {"mon": "allow profile osd", "osd": "allow *"},
}


@contextmanager
def ceph(folder: Path) -> Iterator[str]:
    """The address of Ceph's gateway, with a monitor and an OSD in memory behind it. Its files are in `folder`."""
    need("ceph", "ceph-authtool", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin")
    monitor, gateway = free_port(), free_port()
    # Ceph looks for its object classes, which a gateway needs, below /usr/lib64.
    (classes,) = Path("/usr/lib").glob("*/rados-classes")
    (folder / "ceph.conf").write_text(CEPH.format(folder=folder, monitor=monitor, gateway=gateway, classes=classes))
    for name in ("mon", "osd", "rgw"):
        (folder / name).mkdir()

    def call(*command: str) -> str:
        conf = [] if command[0] in ("ceph-authtool", "monmaptool") else ["-c", "ceph.conf"]
        done = subprocess.run([*command, *conf], cwd=folder, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    (folder / "keyring").touch()
    for name, caps in CAPS.items():
        call("ceph-authtool", "keyring", "--gen-key", "-n", name, *[x for c in caps.items() for x in ("--cap", *c)])
    call(
        "monmaptool",
        "--create",
        "--fsid",
        "4f0a4d2e-5b7c-4d39-9f1a-2a1d3f2e8c12",
        "--addv",
        "a",
        f"[v2:127.0.0.1:{monitor}]",
        "monmap",
    )
    call("ceph-mon", "--mkfs", "-i", "a", "--monmap", "monmap", "--keyring", "keyring")
    common = ("-f", "-c", "ceph.conf")
    with ExitStack() as stack:
        stack.enter_context(running(["ceph-mon", *common, "-i", "a"], folder, lambda: is_open(monitor)))
        osd = str(uuid.uuid4())
        call("ceph", "osd", "new", osd)
        call("ceph-osd", "-i", "0", "--no-mon-config", "--mkfs", "--osd-uuid", osd)
        up = lambda: json.loads(call("ceph", "osd", "stat", "-f", "json"))["num_up_osds"] == 1
        stack.enter_context(running(["ceph-osd", *common, "-i", "0"], folder, up))
        keys = ("--access-key", KEY, "--secret-key", SECRET)
        call("radosgw-admin", "user", "create", "--uid=pagewheel", "--display-name=pagewheel", *keys)
        address = f"http://127.0.0.1:{gateway}"
        command = ["radosgw", *common, "-n", "client.admin", "--no-mon-config"]
        stack.enter_context(running(command, folder, lambda: answers(address)))
        yield address


@contextmanager
def juicefs(folder: Path) -> Iterator[str]:
    """The address of JuiceFS's gateway, which is MinIO's code, over files in `folder`."""
    if not JUICEFS.exists():
        pytest.skip(f"make setup-servers found no {JUICEFS.name} for this machine")
    port, meta = free_port(), f"sqlite3://{folder}/meta.db"
    env = os.environ | {"MINIO_ROOT_USER": KEY, "MINIO_ROOT_PASSWORD": SECRET, "HOME": str(folder)}
    create = [JUICEFS, "format", meta, BUCKET, "--storage", "file", "--bucket", f"{folder}/data/"]
    subprocess.run(create, env=env, cwd=folder, check=True, capture_output=True, timeout=60)
    options = ["--multi-buckets", "--no-usage-report", "--cache-dir", f"{folder}/cache", "--cache-size", "200"]
    command = [JUICEFS, "gateway", *options, meta, f"127.0.0.1:{port}"]
    address = f"http://127.0.0.1:{port}"
    with running(command, folder, lambda: answers(address), env=env):
        yield address
