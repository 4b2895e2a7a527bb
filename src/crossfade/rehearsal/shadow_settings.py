"""What the rehearsal's collector of shadow answers is told: whom to ask, and the migration file's rules."""

from crossfade.model.file import MigrationFile
from crossfade.rehearsal.layout import Layout
from crossfade.shadow import ShadowSettings
from crossfade.shadowing.settings import CollectorSettings

_OF_A_SERVER = ("x-arm", "x-server")
"""In every answer of the ledger: which server gave it, on purpose another on each side."""


def collector_settings(layout: Layout, file: MigrationFile) -> CollectorSettings:
    """The legacy servers are the control, the test instances of their twins the candidate."""
    wanted, ports = file.shadow, layout.ports
    return CollectorSettings(
        mirror_port=ports.shadow_mirror,
        control_port=ports.shadow_control,
        control=tuple(f"http://127.0.0.1:{port}" for port in ports.legacy),
        candidate=tuple(f"http://127.0.0.1:{port}" for port in ports.test),
        sample_percent=wanted.sample_percent,
        repeat_percent=wanted.repeat_percent,
        methods=wanted.methods,
        safe_routes=wanted.safe_routes,
        timeout=wanted.timeout,
        max_in_flight=wanted.max_in_flight,
        mask_key=wanted.mask_key,
        comparison=ShadowSettings(
            ignore_fields=wanted.ignore_fields,
            ignore_headers=(*wanted.ignore_headers, *_OF_A_SERVER),
            mask_fields=wanted.mask_fields,
            unordered_lists=wanted.unordered_lists,
            numeric_tolerance=wanted.numeric_tolerance,
        ),
    )
