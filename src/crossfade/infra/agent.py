"""What the CloudWatch agent gathers on launched servers. Pure."""

from crossfade.infra.names import resource_name
from crossfade.model.file import MigrationFile

_SECONDS = 60
_LOGS = ("/var/log/messages", "/var/log/syslog")
"""Where distributions keep the system's log; what a server does not have is left out by the agent."""


def agent_parameter(file: MigrationFile) -> str:
    """The parameter of Systems Manager that holds the settings."""
    return f"/crossfade/{resource_name(file, 'metrics-agent')}"


def agent_settings(group: str) -> dict[str, object]:
    """Memory and disks, which EC2 does not tell of itself, and the system's log, to the log group `group`.

    Source: CloudWatch user guide, agent configuration file.
    """
    return {
        "agent": {"metrics_collection_interval": _SECONDS},
        "metrics": {
            "namespace": "CWAgent",
            "append_dimensions": {"InstanceId": "${aws:InstanceId}"},
            "metrics_collected": {
                "mem": {"measurement": ["mem_used_percent"]},
                "disk": {"measurement": ["used_percent"], "resources": ["*"], "ignore_file_system_types": ["tmpfs"]},
            },
        },
        "logs": {
            "logs_collected": {
                "files": {
                    "collect_list": [
                        {"file_path": path, "log_group_name": group, "log_stream_name": "{instance_id}" + path}
                        for path in _LOGS
                    ]
                }
            }
        },
    }
