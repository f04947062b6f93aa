"""Start the workers of lesson 13, and say in their own words what went wrong."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

LAST_LINES = 12  # of what a program wrote, where it left no traceback
TRACEBACKS = ("Traceback (most recent call last)", "Fatal Python error")


def run(count, script, *arguments, limit=240):
    """Start `count` copies of a program with torchrun, in its folder, and wait for their end.

    script: a Python file. arguments: strings, handed to each copy. limit: seconds.
    Raises RuntimeError with the workers' own last words if one fails, or if they take too long.
    """
    script = Path(script).resolve()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as logs:
        # The workers meet at this machine's own address, so no name has to be looked up.
        line = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        line += ["--local-addr=127.0.0.1", f"--nproc-per-node={count}", "--redirects=2"]
        line += [f"--log-dir={logs}", str(script), *map(str, arguments)]
        settings = {"cwd": script.parent, "env": _environment(), "stderr": subprocess.PIPE}
        torchrun = subprocess.Popen(line, **settings)
        try:
            said = torchrun.communicate(timeout=limit)[1].decode(errors="replace")
        except subprocess.TimeoutExpired:
            _stop(torchrun)
            raise RuntimeError(_too_long(limit, _last_words(logs))) from None
        except BaseException:  # interrupted: leave no worker behind
            _stop(torchrun)
            raise
        if torchrun.returncode:
            raise RuntimeError(_failure(said, _last_words(logs)))


def _environment():
    # A core for each worker; no libuv, which Windows lacks; a traceback of a crash, too.
    settings = {"OMP_NUM_THREADS": "1", "USE_LIBUV": "0", "PYTHONFAULTHANDLER": "1"}
    return {**os.environ, **settings}


def _stop(torchrun):
    """End torchrun, which ends its workers first."""
    torchrun.terminate()
    try:
        torchrun.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        torchrun.kill()
        torchrun.communicate()


def _last_words(logs):
    """{rank: the end of what it wrote}. The worker that fell silent first is the first.

    One that breaks off takes the others' connection with it, and they complain after it.
    """
    paths = sorted(Path(logs).glob("*/attempt_*/*/stderr.log"), key=lambda p: p.stat().st_mtime_ns)
    return {int(path.parent.name): _end(path.read_text("utf-8", "replace")) for path in paths}


def _end(text):
    """The last traceback and what follows it, or the last lines."""
    text = re.sub(r"^\[rank\d+\]: ?", "", text, flags=re.MULTILINE).rstrip()  # torch's prefix
    start = max(text.rfind(first) for first in TRACEBACKS)
    if start >= 0:
        return text[start:].partition("\n\nExtension modules:")[0]
    return "\n".join(text.splitlines()[-LAST_LINES:])


def _how(code):
    """How a process with this exit code ended, in words; None: torchrun did not wait for it."""
    if code is None:
        return "failed"
    if code >= 0:
        return f"failed (exit code {code})"
    known = -code in set(signal.Signals)
    name = f"{signal.Signals(-code).name}, {signal.strsignal(-code)}" if known else "unnamed"
    return f"was ended by signal {-code} ({name})"


def _failure(said, words):
    """Those that failed, each with its own words. said: what torchrun wrote."""
    listed = re.findall(r"rank +: (\d+) .*\n +exitcode +: (-?\d+)", said)
    codes = {int(rank): int(code) for rank, code in listed}
    # When one fails, torchrun ends the others by SIGTERM. It may list them, too ...
    own = {rank: code for rank, code in codes.items() if code != -signal.SIGTERM} or codes
    # ... and miss one that has failed and is still on its way out.
    failed = [rank for rank in words if rank in own or words[rank].startswith(TRACEBACKS)]
    if not failed:
        last = "\n".join(said.rstrip().splitlines()[-LAST_LINES:])
        return f"The workers did not start. torchrun wrote last:\n{last}"
    ranks_of = {}
    for rank in failed:
        ranks_of.setdefault((_how(own.get(rank)), words[rank]), []).append(f"worker {rank}")
    parts = [f"{' and '.join(ranks)} {how}:\n{text}" for (how, text), ranks in ranks_of.items()]
    return "\n\n".join(part if part[-2:] != ":\n" else part[:-2] for part in parts)


def _too_long(limit, words):
    written = [f"worker {rank} wrote last:\n{text}" for rank, text in words.items() if text]
    advice = (
        f"the workers had not ended after {limit} s, and were stopped: run it again with a larger "
        "limit, or look for an exchange in which one of them takes no part"
    )
    return "\n\n".join([advice, *written])
