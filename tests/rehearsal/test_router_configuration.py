import json
from pathlib import Path

from crossfade.rehearsal.router_configuration import RouterLayout, bootstrap


def test_users_are_told_apart_by_the_header_that_the_file_names(tmp_path: Path) -> None:
    layout = RouterLayout(
        folder=tmp_path,
        listen_port=20_001,
        admin_port=20_002,
        legacy_ports=[20_003],
        modern_ports=[20_004],
        user_header="x-customer",
    )
    said = json.dumps(bootstrap(layout))
    assert said.count('{"header_name": "x-customer"}') == 2
    assert "x-user" not in said
