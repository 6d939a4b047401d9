"""What runs on the board, in POSIX shell; each is given its arguments as $1, $2, ..."""

from __future__ import annotations

import shlex

CACHE = "$HOME/.cache/edgekit"
BUSY, NO_CACHE, DAMAGED, NO_PYTHON = 75, 73, 74, 72
"""Exit codes: another bench is there; the cache cannot be written; what came is not what was sent;
there is no such Python."""

_ENTER = f'LC_ALL=C; export LC_ALL; mkdir -p "{CACHE}" && cd "{CACHE}" || exit {NO_CACHE}\n'
_PYTHON = """
case $python in "~/"*) python=$HOME/${python#"~/"} ;; esac
"""
_END = """
if [ -f run/worker ] && grep -q edgekit "/proc/$(cat run/worker)/cmdline" 2>/dev/null; then
    kill -KILL -- "-$(cat run/worker)" 2>/dev/null || kill -KILL "$(cat run/worker)"
fi
rm -f run/worker
"""

HOLD = (
    _ENTER
    + f"""
exec 9>>lock
mine() {{ read -r pid token < holder && [ "$token" = "$1" ]; }}
free() {{ mine "$1" && kill "$pid" && flock -w 10 9; }}
flock -n 9 || free "$1" 2>/dev/null || {{ echo busy; exit {BUSY}; }}
echo "$$ $1" > holder
{_END}
rm -rf run && mkdir run || exit {NO_CACHE}
find . -maxdepth 1 -type f -mtime +90 ! -name lock ! -name holder -exec rm -f {{}} +
echo "open $(pwd)"
exec timeout -k 5 "$2" cat >/dev/null
"""
)
"""$1: token of this bench, $2: seconds. Holds the board until its input ends; a holder that an
earlier connection of the same bench has left behind is ended, as is its worker."""

HAS = _ENTER + '[ -f "$1" ] || exit 0; touch -c "$1"; sha256sum < "$1"\n'
"""$1: hash. Prints the hash of what is stored under it."""

STORE = (
    _ENTER
    + f"""
cat > run/part || {{ rm -f run/part; exit {NO_CACHE}; }}
sum=$(sha256sum < run/part)
[ "${{sum%% *}}" = "$1" ] || {{ rm -f run/part; exit {DAMAGED}; }}
mv -f run/part "$1"
"""
)
"""$1: hash. Stores its input."""

TAKE = _ENTER + 'cat "$1"\n'
"""$1: path. Prints the file."""

END = _ENTER + _END
"""Ends a worker that runs on."""

CLEAR = _ENTER + _END + "rm -rf run\n"
"""Leaves the cache alone."""

PROBE = f"""
python=$1; {_PYTHON}
command -v "$python" >/dev/null || exit {NO_PYTHON}
exec timeout -k 5 60 "$python" -c "$2"
"""
"""$1: Python, $2: what it is to run."""

_WORKER = (
    _ENTER
    + f"""
echo $$ > run/worker
python=$1; seconds=$2; shift 2; {_PYTHON}
exec timeout -k 5 "$seconds" "$python" "$@"
"""
)
_WATCH = 'sh -c "$0" edgekit "$@"; exit $?'
"""A shell that stays tells a signal as 128 + its number; by itself ssh would only say 255."""


def worker(python: str, seconds: float, words: list[str]) -> str:
    """The command line of a worker that is ended after so many seconds."""
    return shlex.join(["sh", "-c", _WATCH, _WORKER, python, f"{seconds:.0f}", *words])


def line(script: str, *arguments: str) -> str:
    """The command line of a script, for whatever shell the user has there."""
    return shlex.join(["sh", "-c", script, "edgekit", *arguments])
