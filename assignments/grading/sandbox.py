"""Start students' kernels with little within their reach.

    python sandbox.py CONNECTION_FILE   one kernel; the environment variable SANDBOX has its order
    python sandbox.py --serve           one for each line on stdin, where the system can fork

An order is JSON: `folder` to work in, `readable` and `writable` folders, `memory` and `file_size`
in bytes, and with `--serve` `connection_file` and `log`; the answer is the new process's number. A
server has PyTorch in memory already and knows no test and no student, so each kernel starts at
once, and as clean as by itself.

On Linux 5.13 and newer, Landlock (https://docs.kernel.org/userspace-api/landlock.html) closes
everything but those folders, to this process and all it starts, root included; from 6.7 on TCP too,
from 6.12 on signals to other processes. On other systems only the limits of `resource` hold.
"""

import contextlib
import ctypes
import json
import os
import signal
import struct
import sys

CREATE, ADD_RULE, RESTRICT = 444, 445, 446  # system calls, the same on all of today's processors
PATH_BENEATH, NO_NEW_PRIVILEGES = 1, 38
# Rights on files, by bit, in the order of linux/landlock.h.
EXECUTE, WRITE, READ, LIST = 1 << 0, 1 << 1, 1 << 2, 1 << 3
FIRST_RIGHTS = (1 << 13) - 1
# What each later version of Landlock can close as well: moving, truncating, devices' commands.
LATER_RIGHTS = {2: 1 << 13, 3: 1 << 14, 5: 1 << 15}


def landlock_version():
    """Which version of Landlock the kernel has; 0 if none."""
    if not sys.platform.startswith("linux"):
        return 0
    return max(0, ctypes.CDLL(None).syscall(CREATE, None, 0, 1))


def isolation():
    """What keeps a student's code from the rest of this computer, in a sentence."""
    version = landlock_version()
    if not version:
        return (
            "no isolation of files on this system: a student's code can read and write what you "
            "can. Grade on Linux, or in a container or a virtual machine"
        )
    closed = ["files outside its own folder"]
    closed += ["TCP connections"] * (version >= 4) + ["signals to other processes"] * (version >= 6)
    return f"Landlock {version} closes {', '.join(closed)} to a student's code"


def restrict(readable, writable):
    """Close all files but these folders to this process, for good."""
    version = landlock_version()
    if not version:
        return
    call = ctypes.CDLL(None, use_errno=True).syscall
    rights = FIRST_RIGHTS | sum(bit for since, bit in LATER_RIGHTS.items() if version >= since)
    network, scope = (0b11 if version >= 4 else 0), (0b11 if version >= 6 else 0)
    wanted = struct.pack("QQQ", rights, network, scope)[
        : 8 if version < 4 else 16 if version < 6 else 24
    ]
    rules = call(CREATE, wanted, len(wanted), 0)
    if rules < 0:
        raise OSError(ctypes.get_errno(), "Landlock refused its rules")
    everything = rights & ~LATER_RIGHTS[5]
    for folder, allowed in [
        *((folder, EXECUTE | READ | LIST) for folder in readable),
        *((folder, everything) for folder in writable),
    ]:
        with contextlib.suppress(FileNotFoundError):
            place = os.open(folder, os.O_PATH | os.O_CLOEXEC)
            if not os.path.isdir(folder):
                allowed &= EXECUTE | READ | WRITE | LATER_RIGHTS[3]
            if call(ADD_RULE, rules, PATH_BENEATH, struct.pack("=Qi", allowed, place), 0):
                raise OSError(ctypes.get_errno(), f"Landlock refused {folder}")
            os.close(place)
    ctypes.CDLL(None).prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if call(RESTRICT, rules, 0):
        raise OSError(ctypes.get_errno(), "Landlock was refused")
    os.close(rules)


def limit(memory, file_size):
    """Bound what this process and each of its children may take, where the system can."""
    try:
        import resource
    except ImportError:  # Windows
        return
    for kind, size in (("RLIMIT_DATA", memory), ("RLIMIT_FSIZE", file_size), ("RLIMIT_CORE", 0)):
        with contextlib.suppress(ValueError, OSError, AttributeError):
            resource.setrlimit(getattr(resource, kind), (size, size))


def run_kernel(order, connection_file):
    """Become a student's kernel, until it ends."""
    limit(order["memory"], order["file_size"])
    restrict(order["readable"], order["writable"])
    os.chdir(order["folder"])
    from ipykernel.kernelapp import IPKernelApp

    student_side.prepare()
    sys.argv = ["ipykernel", "-f", connection_file, "--HistoryManager.enabled=False"]
    IPKernelApp.launch_instance()


def serve():
    """Fork a kernel for each order on stdin."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children's exit codes
    student_side.load()
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if not child:
            _be_apart(order)
            run_kernel(order, order["connection_file"])
            os._exit(0)
        print(child, flush=True)


def _be_apart(order):
    """In a new process: its own group, its own output, none of the server's pipes."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing, log = os.open(os.devnull, os.O_RDONLY), os.open(order["log"], os.O_WRONLY | os.O_CREAT)
    for number, target in enumerate((nothing, log, log)):
        os.dup2(target, number)
    os.closerange(3, 1000)
    os.environ.update(order["environment"])


if __name__ == "__main__":
    import student_side

    if sys.argv[1:] == ["--serve"]:
        serve()
    else:
        run_kernel(json.loads(os.environ.pop("SANDBOX")), sys.argv[1])
