"""One row that is changed again and again: `python -m crossfade.rehearsal.faults.hot_row --source DSN --target DSN`.

Two sessions of the application's role, each with its share of the changes a second, follow whoever takes writes.
Runs until it is ended.
"""

import argparse
import threading
import time
from collections.abc import Sequence

import psycopg

_SESSIONS = 2
_CHANGE = """
UPDATE ledger.customers
SET profile = jsonb_set(profile, '{visits}', to_jsonb(coalesce((profile->>'visits')::int, 0) + 1))
WHERE id = (SELECT max(id) FROM ledger.customers)
"""
_PAUSE_S = 0.02


def change_for_ever(dsns: Sequence[str], per_second: float) -> None:
    """Every due change is made once; those that are late because the row was locked are left out."""
    side, period = 0, 1.0 / per_second
    while True:
        try:
            with psycopg.connect(dsns[side], autocommit=True, connect_timeout=2) as connection:
                while True:
                    began = time.monotonic()
                    connection.execute(_CHANGE.encode())
                    time.sleep(max(0.0, period - (time.monotonic() - began)))
        except psycopg.Error:
            side = (side + 1) % len(dsns)
            time.sleep(_PAUSE_S)


def main() -> None:
    parser = argparse.ArgumentParser(description="One row that is changed again and again.")
    parser.add_argument("--source", required=True)
    parser.add_argument("--target", required=True)
    parser.add_argument("--per-second", type=float, default=300.0)
    words = parser.parse_args()
    rate = words.per_second / _SESSIONS
    sessions = [
        threading.Thread(target=change_for_ever, args=((words.source, words.target), rate), daemon=True)
        for _ in range(_SESSIONS)
    ]
    for session in sessions:
        session.start()
    for session in sessions:
        session.join()


if __name__ == "__main__":
    main()
