"""The edges of the latency histogram, and how Envoy must be asked for them.

Envoy keeps latencies in bins of two significant digits (12 to 13 ms is one bin), so edges lie on such values: any
other would be guessed at by interpolation. Asked for a bucket up to 200, Envoy gives everything below 210: it counts
the bin that begins there as well. `envoy_bounds` are therefore one bin below the edges that are meant.

Source: measured with Envoy 1.40.0 (tests/metrics/test_envoy.py shows it); libcircllhist, hist_approx_count_below.
"""

from decimal import Decimal

_DIGITS = (20, 22, 24, 27, 30, 33, 36, 40, 44, 48, 53, 58, 64, 70, 77, 85, 93)
_TENS = (*range(10, 21), 22, 24, 26, 28, 30, 33, 36, 39, 42, 46, 50, 55, 60, 66, 72, 79, 87, 95)
_HUNDREDS = (100, 110, 120, 140, 160, 180, 200, 250, 300, 350, 400, 500)
_TAIL = (1000, 2000, 5000, 10_000)

EDGES_MS: tuple[float, ...] = (*(tenths / 10 for tenths in _DIGITS), *map(float, (*_TENS, *_HUNDREDS, *_TAIL)))
"""Steps of about 10 % from 2 to 500 ms; 20 % and less of a service time of 12 ms move requests over several."""

_ABOVE_ALL = 10**9  # Envoy has no open last bucket here: this one stands for it


def envoy_bounds(units_per_ms: int) -> list[int | float]:
    """Bucket bounds for Envoy's configuration, of a histogram that counts 1/`units_per_ms` milliseconds."""
    bounds = [float(_bin_below(Decimal(str(edge)) * units_per_ms)) for edge in EDGES_MS]
    return [int(bound) if bound.is_integer() else bound for bound in (*bounds, float(_ABOVE_ALL * units_per_ms))]


def _bin_below(value: Decimal) -> Decimal:
    """Where the bin begins that ends at `value`, which has two significant digits: 10 -> 9.9, 11 -> 10, 220 -> 210."""
    exponent = value.adjusted() - 1
    digits = value.scaleb(-exponent)
    return value - (Decimal(1) if digits > 10 else Decimal("0.1")).scaleb(exponent)
