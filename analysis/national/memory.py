"""How much memory this process has taken, and giving back what it does not need."""

from __future__ import annotations

import ctypes
import resource
import sys
from pathlib import Path
from typing import Final

_STATUS: Final = Path("/proc/self/status")
_CLEAR: Final = Path("/proc/self/clear_refs")
_PEAK: Final = "5"


def memory_peak_reset() -> None:
    """Begin to count anew; where the system cannot, the peak is that of the whole life of the process."""
    try:
        _CLEAR.write_text(_PEAK)
    except OSError:
        return


def memory_peak_mb() -> float:
    """Return the most memory the process had since `memory_peak_reset`, in megabytes.

    Examples
    --------
    >>> memory_peak_mb() > 1
    True
    """
    try:
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1000 * 1.024
    except (OSError, StopIteration):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / 1e6 if sys.platform == "darwin" else peak / 1000 * 1.024


def memory_return() -> None:
    """Give the memory of arrays that are gone back to the system, where the C library can."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
