"""Runs a .tflite where it lies and times it: JSON lines on standard output, commands on input.

One file, the standard library, numpy and `ai_edge_litert` or `tflite_runtime`, Python 3.8 or
later: it is copied to boards. `protocol.md` beside it says what is spoken.

SIGTERM keeps its default action: nothing here needs to be put away, and a handler would wait for
an inference that hangs.
"""

from __future__ import annotations

import argparse
import gc
import glob
import hashlib
import json
import os
import platform
import subprocess
import sys
import time
from typing import Any

SCHEMA = 1
FLUSH_NS = 200_000_000
SEED = 0
THROTTLED = ("under_voltage", "frequency_capped", "throttled", "soft_temperature_limit")
"""Bits 0 to 3 of the firmware's `get_throttled`, now; 16 to 19 since boot (Raspberry Pi docs)."""
_QUANTIZED = ("int8", "uint8", "int16", "uint16")


def say(event: str, **facts: Any) -> None:
    """Print one event; the process ends where nobody listens any more."""
    try:
        sys.stdout.write(json.dumps({"event": event, **facts}) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os._exit(1)


class Refused(Exception):
    """Why the model cannot be run: `kind` is `missing`, `memory`, `delegate` or `model`."""

    def __init__(self, kind: str, what: str) -> None:
        super().__init__(what)
        self.kind = kind


class Model:
    """A loaded model."""

    def __init__(self, path: str, threads: int, kernels: str, delegate: str | None) -> None:
        module, self.runtime = _runtime()
        resolver = module.OpResolverType
        kinds = {
            "default": resolver.AUTO,
            "reference": resolver.BUILTIN_REF,
            "plain": resolver.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        }
        self.sha256 = _sha256(path)
        began = time.monotonic_ns()
        try:
            self.interpreter = module.Interpreter(
                model_path=path,
                num_threads=threads,
                experimental_op_resolver_type=kinds[kernels],
                experimental_delegates=_delegates(module, delegate),
            )
            self.interpreter.allocate_tensors()
        except MemoryError:
            raise Refused("memory", "the model does not fit into memory") from None
        except (RuntimeError, ValueError, OSError) as error:
            raise Refused("model", str(error) or type(error).__name__) from None
        self.init_ns = time.monotonic_ns() - began
        self.inputs = self.interpreter.get_input_details()
        self.outputs = self.interpreter.get_output_details()

    def set_random(self) -> None:
        """Seeded inputs by dtype; integers that may be indices are 0 or 1, always in range."""
        import numpy as np

        random = np.random.RandomState(SEED)
        for detail in self.inputs:
            dtype, shape = np.dtype(detail["dtype"]), tuple(detail["shape"])
            value: Any
            if dtype.kind == "f":
                value = random.uniform(-1, 1, shape)
            elif dtype.name in _QUANTIZED:
                info = np.iinfo(dtype)
                value = random.randint(info.min, int(info.max) + 1, shape)
            else:
                value = random.randint(0, 2, shape)
            self.interpreter.set_tensor(detail["index"], np.asarray(value).astype(dtype))

    def vector(self, file: Any) -> bytes:
        """Outputs of the next vector of `file`, the state of the model reset before."""
        import numpy as np

        self.interpreter.reset_all_variables()
        for detail in self.inputs:
            dtype, shape = np.dtype(detail["dtype"]), tuple(detail["shape"])
            count = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
            array = np.frombuffer(file.read(count), dtype.newbyteorder("<")).reshape(shape)
            self.interpreter.set_tensor(detail["index"], array.astype(dtype))
        self.interpreter.invoke()
        values = [self.interpreter.get_tensor(detail["index"]) for detail in self.outputs]
        return b"".join(v.astype(v.dtype.newbyteorder("<")).tobytes() for v in values)


def _delegates(module: Any, path: str | None) -> Any:
    if not path:
        return None
    try:
        return [module.load_delegate(path)]
    except (RuntimeError, ValueError, OSError) as error:
        raise Refused("delegate", str(error) or type(error).__name__) from None


def _runtime() -> Any:
    """Module of the interpreter, and its package with version."""
    _importable("numpy")
    for package in ("ai_edge_litert", "tflite_runtime"):
        try:
            module = __import__(package + ".interpreter", fromlist=["Interpreter"])
        except ImportError as error:
            if getattr(error, "name", None) != package:
                raise Refused("missing", f"{package} does not load: {error}") from None
            continue
        return module, f"{package.replace('_', '-')} {_version(package)}"
    raise Refused("missing", "neither ai-edge-litert nor tflite-runtime is installed")


def _importable(module: str) -> None:
    try:
        __import__(module)
    except ImportError as error:
        absent = getattr(error, "name", None) == module
        what = "is not installed" if absent else f"does not load: {_last_line(error)}"
        raise Refused("missing", f"{module} {what}") from None


def _last_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [""])[-1]


def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package.replace("_", "-"))
    except PackageNotFoundError:  # unpacked without its metadata
        return str(getattr(__import__(package), "__version__", "unknown"))


def _sha256(path: str) -> str:
    found = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            for block in iter(lambda: file.read(1 << 20), b""):
                found.update(block)
    except OSError as error:
        raise Refused("model", str(error)) from None
    return found.hexdigest()


def golden(model: Model, source: str, target: str, count: int) -> None:
    """Run `count` vectors of raw tensors, one after another, and write their outputs likewise."""
    with open(source, "rb") as vectors, open(target, "wb") as results:
        for _ in range(count):
            results.write(model.vector(vectors))
    say("golden", vectors=count)


def run(model: Model, seconds: float, warmup: float, inferences: int, most: float) -> None:
    """Time inferences, and nothing but them; samples are told between two of them."""
    model.set_random()
    invoke, now = model.interpreter.invoke, time.monotonic_ns
    gc.collect()
    gc.disable()
    begin = now()
    last = begin + int(most * 1e9)
    invoke()
    first = now() - begin
    while now() - begin < warmup * 1e9 and now() < last:
        invoke()
    samples: list[int] = []
    done, start_real, start = 0, time.time_ns(), now()
    end = told = start
    least = start + int(seconds * 1e9)
    while (end < least or done < inferences) and (end < last or not done):
        before = now()
        invoke()
        end = now()
        samples.append(end - before)
        done += 1
        if end - told >= FLUSH_NS:
            say("samples", ns=samples)
            samples, told = [], now()
    end_real = time.time_ns() - (now() - end)
    if samples:
        say("samples", ns=samples)
    gc.enable()
    say(
        "window",
        inferences=done,
        start_ns=start,
        end_ns=end,
        first_ns=first,
        start_real_ns=start_real,
        end_real_ns=end_real,
    )


def state() -> dict[str, Any]:
    """What may change how fast this machine is; None for what it does not tell."""
    cpus = "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/"
    frequencies = [float(text) / 1000 for text in _read_all(cpus + "scaling_cur_freq")]
    held = _throttled()
    busy, processors = _busy()
    return {
        "t_ns": time.monotonic_ns(),
        "busy_ns": busy,
        "own_ns": time.process_time_ns(),
        "listed": processors,
        "load": os.getloadavg()[0],
        "processors": os.cpu_count(),
        "frequencies_mhz": frequencies or None,
        "governors": _read_all(cpus + "scaling_governor") or None,
        "temperatures_c": _temperatures() or None,
        "throttled": None if held is None else _names(held),
        "throttled_since_boot": None if held is None else _names(held >> 16),
        "charging": _charging(),
    }


def _busy() -> tuple[int | None, int]:
    """Time that all processors together have worked so far in ns, and how many there are.

    Source: proc(5), /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal, in ticks.
    """
    lines = [line.split() for line in (_read("/proc/stat") or "").splitlines()]
    processors = [line for line in lines if line and line[0].startswith("cpu")]
    if len(processors) < 2 or len(processors[0]) < 9:
        return None, 0
    ticks = [int(text) for text in processors[0][1:9]]
    worked = sum(ticks) - ticks[3] - ticks[4]
    return worked * (1_000_000_000 // os.sysconf("SC_CLK_TCK")), len(processors) - 1


def _names(bits: int) -> list[str]:
    return [name for place, name in enumerate(THROTTLED) if bits >> place & 1]


def _throttled() -> int | None:
    text = _read("/sys/devices/platform/soc/soc:firmware/get_throttled")
    try:
        if not text:
            said = subprocess.run(
                ["vcgencmd", "get_throttled"], stdout=subprocess.PIPE, timeout=5, check=False
            )
            text = said.stdout.decode().partition("=")[2].strip()
        return int(text, 16)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def _temperatures() -> dict[str, float]:
    found = {}
    for zone in sorted(glob.glob("/sys/class/thermal/thermal_zone*")):
        try:
            value = float(_read(zone + "/temp")) / 1000
        except ValueError:
            continue
        name = _read(zone + "/type") or os.path.basename(zone)
        found[name if name not in found else os.path.basename(zone)] = value
    return found


def _charging() -> bool | None:
    supplies = glob.glob("/sys/class/power_supply/*")
    batteries = [each for each in supplies if _read(each + "/type") == "Battery"]
    states = [_read(each + "/status") for each in batteries]
    return any(text == "Charging" for text in states) if states else None


def _read_all(pattern: str) -> list[str]:
    return [text for text in map(_read, sorted(glob.glob(pattern))) if text]


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


def serve(model: Model) -> None:
    """Obey commands, one a line, until `quit` or the end of input."""
    for line in sys.stdin:
        word, *rest = line.split() or [""]
        if word == "ping":
            say("pong", t_ns=time.monotonic_ns())
        elif word == "golden":
            golden(model, rest[0], rest[1], int(rest[2]))
        elif word == "run":
            run(model, float(rest[0]), float(rest[1]), int(rest[2]), float(rest[3]))
        elif word == "state":
            say("state", **state())
        elif word == "quit":
            return


def main() -> int:
    """Load the model that the command line names and serve it."""
    parser = argparse.ArgumentParser(description="Run and time a .tflite file.")
    parser.add_argument("--model", required=True, help="path of the flatbuffer")
    parser.add_argument("--threads", type=int, default=1, help="of the interpreter")
    parser.add_argument("--kernels", choices=("default", "reference", "plain"), default="default")
    parser.add_argument("--delegate", help="shared library of an external delegate")
    given = parser.parse_args()
    try:
        model = Model(given.model, given.threads, given.kernels, given.delegate)
        say(
            "ready",
            schema=SCHEMA,
            worker="python",
            runtime=model.runtime,
            model_sha256=model.sha256,
            machine=platform.machine(),
            init_ns=model.init_ns,
            python=platform.python_version(),
            system=platform.platform(),
        )
        serve(model)
    except Refused as refused:
        say("error", kind=refused.kind, what=str(refused))
        return 1
    except MemoryError:
        say("error", kind="memory", what="out of memory")
        return 1
    except Exception as error:
        say("error", kind="model", what=f"{type(error).__name__}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
