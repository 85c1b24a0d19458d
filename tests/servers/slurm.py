"""SLURM with two nodes on this machine, for as long as a block: munged, slurmctld and two slurmd, ports and key their own.

They run in a mount and a PID namespace of their own. In the first, the nodes' names resolve, by a hosts file that is bound over
the machine's: /etc stays as it is. With the second, what slurmd starts, which is no child of it, ends with the block.
"""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.programs import ROOT
from tests.servers.processes import free_port, need, running

NODES = "n1", "n2"
CREDENTIAL_S = 20  # so long a job that went back into the queue stays there; by default two minutes
CONF = """\
ClusterName=tests
FirstJobId={first}
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
AuthInfo=socket={folder}/munge.socket,cred_expire={credential_s}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
ReturnToService=2
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
GresTypes=gpu
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE
"""
NODE = "NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=2 RealMemory=16000 Gres=gpu:1\n"
# The first that ends ends all.
START = """\
mount --bind hosts /etc/hosts
munged --foreground --force --socket=$PWD/munge.socket --key-file=$PWD/munge.key --pid-file=$PWD/munged.pid \\
    --log-file=$PWD/munged.log --seed-file=$PWD/munged.seed &
until [ -S munge.socket ]; do sleep 0.1; done
slurmctld -D &
for node in $NODES; do slurmd -D -N $node & done
wait -n
"""
JOBQUEUE = """\
jobqueue:
  slurm:
    memory: 3 GB
    walltime: "00:30:00"
    python: {python}
    job-script-prologue: [cd {root}, export OMP_NUM_THREADS=1, export CUDA_VISIBLE_DEVICES=]
    log-directory: {folder}/logs
  slurm-train: {{job-cpu: 1}}
"""


@dataclass(frozen=True)
class Slurm:
    """A cluster that runs. `environ` is that of its commands, and of recipes that are to find it."""

    folder: Path
    environ: dict[str, str]

    def says(self, *command: str, check: bool = True) -> str:
        """What a command of SLURM prints. Raises `CalledProcessError` if it fails, unless nobody is to `check`."""
        return subprocess.run(command, env=self.environ, check=check, capture_output=True, text=True).stdout.strip()

    def recipe(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A recipe run by hand where jobs are submitted."""
        command = [sys.executable, "-m", "recipes", *words]
        return subprocess.run(command, cwd=ROOT, env=self.environ, capture_output=True, text=True, timeout=300)


@contextmanager
def slurm(folder: Path) -> Iterator[Slurm]:
    """Skips the test, saying why, where programs are missing, or where this user may not start SLURM."""
    need("unshare", "munged", "slurmctld", "slurmd", "srun", "sbatch", "scontrol")
    if os.getuid():
        pytest.skip("slurmd starts jobs, and names resolve in a namespace of their own, for root alone")
    host = socket.gethostname().partition(".")[0]
    nodes = [NODE.format(node=node, host=host, port=free_port()) for node in NODES]
    first = 1 + secrets.randbelow(9000)  # the port at which ranks meet follows from a job's number
    conf = CONF.format(host=host, port=free_port(), folder=folder, first=first, credential_s=CREDENTIAL_S)
    for name, text in {
        "slurm.conf": conf + "".join(nodes),
        "cgroup.conf": "CgroupPlugin=disabled\n",
        "gres.conf": "".join(f"NodeName={node} Name=gpu File=/dev/null\n" for node in NODES),
        "jobqueue.yaml": JOBQUEUE.format(python=sys.executable, root=ROOT, folder=folder),
        "hosts": f"127.0.0.1 localhost {host} {' '.join(NODES)}\n",
    }.items():
        (folder / name).write_text(text)
    (folder / "munge.key").write_bytes(secrets.token_bytes(64))
    (folder / "munge.key").chmod(0o400)
    for name in ("state", "logs", *(f"spool-{node}" for node in NODES)):
        (folder / name).mkdir()
    own = {"SLURM_CONF": f"{folder}/slurm.conf", "DASK_CONFIG": str(folder), "PYTHONPATH": str(ROOT), "NODES": " ".join(NODES)}
    one = Slurm(folder, os.environ | own)
    command = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "bash", "-c", START]
    asked = "sinfo", "--noheader", "--format=%T %D"
    with running(command, folder, lambda: one.says(*asked, check=False) == f"idle {len(NODES)}", 60, one.environ):
        yield one


def until(holds, log: Path, seconds: float = 240) -> None:
    """Wait until `holds()`. Fails with the end of `log` after so many seconds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, log.read_text()[-3000:] if log.exists() else log
        time.sleep(0.3)
