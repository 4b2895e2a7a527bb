"""Envoy between users and servers: what its configuration says.

What it guarantees to users: they stay on their side (the header that names them is hashed; raising the share moves
nobody back), a server that refuses connections costs them a retry on another server and no answer, and only requests
that change nothing are ever mirrored.

Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/ (the file's keys are its protobuf messages' fields).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from crossfade.metrics import envoy as metrics
from crossfade.metrics.latency import envoy_bounds
from crossfade.model.resolve import TRANSFERS
from crossfade.traffic import runtime

Json = dict[str, Any]

USER_HEADER = "x-user"
_TRANSFERS_PATH = "/api/transfers"
_ABOVE_ANY_STATUS = 1000
_FLUSH = "0.2s"  # how old a reading of the arms can be
_HEALTH_CHECK_EVERY = "0.5s"
_TYPE = "type.googleapis.com/envoy.extensions"


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterLayout:
    """Where the router stands. `folder` is its own; `concurrency` is the number of its worker threads.

    `timeout` is how long a request may take in all: long enough to wait for the window of a switch. `user_header` is
    the request header that names the user. Copies of requests go to `mirror_ports`, or to the modern servers where
    there are none: of requests with one of `mirrored_methods`, and with any method of the paths `safe_routes`, which
    are declared free of side effects.
    """

    folder: Path
    listen_port: int
    admin_port: int
    legacy_ports: Sequence[int]
    modern_ports: Sequence[int]
    concurrency: int = 2
    timeout: timedelta = timedelta(seconds=10)
    user_header: str = USER_HEADER
    mirror_ports: Sequence[int] = ()
    mirrored_methods: Sequence[str] = ("GET", "HEAD")
    safe_routes: Sequence[str] = ()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listen_port}"

    @property
    def admin_url(self) -> str:
        return f"http://127.0.0.1:{self.admin_port}"

    @property
    def runtime_folder(self) -> Path:
        """Where `EnvoyRouter` writes the shares and Envoy reads them."""
        return self.folder / "runtime"


def bootstrap(layout: RouterLayout) -> Json:
    """Envoy's whole configuration as data."""
    legacy = _cluster(runtime.LEGACY, layout.legacy_ports)
    modern = _cluster(runtime.MODERN, layout.modern_ports)
    return {
        "admin": {"address": _address(layout.admin_port)},
        "layered_runtime": {"layers": [_runtime_layer(layout)]},
        "stats_flush_interval": _FLUSH,
        "stats_config": _stats(),
        "static_resources": {
            "clusters": [legacy, modern, _mirror_cluster(layout.mirror_ports or layout.modern_ports)],
            "listeners": [_listener(layout)],
        },
    }


def _runtime_layer(layout: RouterLayout) -> Json:
    """Shares come from disk alone: there is no admin layer that could hide what is written there."""
    link = str(layout.runtime_folder.resolve() / runtime.LINK)
    return {"name": "shares", "disk_layer": {"symlink_root": link}}


def _stats() -> Json:
    """Only what is read is counted: a scrape stays small, and so does the work for each request."""
    gauges = r"cluster\.[a-z]+\.(upstream_rq_active|upstream_rq_pending_active|membership_healthy|membership_total)"
    return {
        "stats_matcher": {
            "inclusion_list": {
                "patterns": [
                    {"prefix": f"{metrics.SCOPE}."},
                    {"prefix": "server."},
                    {"prefix": "runtime."},
                    {"safe_regex": {"regex": gauges}},
                ]
            }
        },
        "histogram_bucket_settings": [
            {"match": {"prefix": f"{metrics.SCOPE}.{ended}."}, "buckets": envoy_bounds(units)}
            for ended, units in metrics.UNITS_PER_MS.items()
        ]
        + [{"match": {"prefix": f"{metrics.SCOPE}.{TRANSFERS}."}, "buckets": [_ABOVE_ANY_STATUS]}],
    }


def _cluster(name: str, ports: Sequence[int]) -> Json:
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "lb_policy": "LEAST_REQUEST",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(port)}} for port in ports]}],
        },
        # Route to servers that look dead only when all do: on a stalled computer every check times out.
        "common_lb_config": {"healthy_panic_threshold": {"value": 1}},
        "health_checks": [_health_check()],
        "outlier_detection": _outlier_detection(),
        "circuit_breakers": {"thresholds": [_limits(4096)]},
        "typed_extension_protocol_options": _idle_timeout(),
    }


def _mirror_cluster(ports: Sequence[int]) -> Json:
    """Who gets the copies: with a small queue, so that one that hangs holds few of them."""
    cluster = _cluster(runtime.MIRROR, ports)
    del cluster["health_checks"]  # what nobody waits for needs none
    return {**cluster, "circuit_breakers": {"thresholds": [_limits(64)]}}


def _limits(most: int) -> Json:
    return {"max_connections": most, "max_pending_requests": most, "max_requests": most, "max_retries": 256}


def _health_check() -> Json:
    """Without the two shorter intervals a server would count as down for 15 s after it is up."""
    return {
        "timeout": "1s",
        "interval": "1s",
        "no_traffic_interval": _HEALTH_CHECK_EVERY,
        "unhealthy_interval": _HEALTH_CHECK_EVERY,
        "unhealthy_edge_interval": _HEALTH_CHECK_EVERY,
        "unhealthy_threshold": 2,
        "healthy_threshold": 1,
        "http_health_check": {"path": "/healthz"},
    }


def _outlier_detection() -> Json:
    """Servers that do not answer are set aside; ones that answer with errors are not: those the judge must see."""
    return {
        "split_external_local_origin_errors": True,
        "consecutive_local_origin_failure": 3,
        "enforcing_consecutive_local_origin_failure": 100,
        "enforcing_consecutive_5xx": 0,
        "enforcing_consecutive_gateway_failure": 0,
        "enforcing_success_rate": 0,
        "enforcing_local_origin_success_rate": 0,
        "interval": "1s",
        "base_ejection_time": "2s",
        "max_ejection_percent": 50,
    }


def _idle_timeout() -> Json:
    """Close idle connections before the servers do (after 5 s and more): a request sent into a closing one is lost."""
    options = {
        "@type": f"{_TYPE}.upstreams.http.v3.HttpProtocolOptions",
        "common_http_protocol_options": {"idle_timeout": "3s"},
        "explicit_http_config": {"http_protocol_options": {}},
    }
    return {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options}


def _listener(layout: RouterLayout) -> Json:
    connections = {
        "@type": f"{_TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "users",
        "codec_type": "HTTP1",
        # By it a copy is sampled, and both answers to it are a pair; a user's own stays.
        "generate_request_id": True,
        "preserve_external_request_id": True,
        "route_config": {"name": "users", "virtual_hosts": [_virtual_host(layout)]},
        "access_log": _access_logs(),
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{_TYPE}.filters.http.router.v3.Router", "suppress_envoy_headers": True},
            }
        ],
    }
    manager = {"name": "envoy.filters.network.http_connection_manager", "typed_config": connections}
    return {"name": "users", "address": _address(layout.listen_port), "filter_chains": [{"filters": [manager]}]}


def _virtual_host(layout: RouterLayout) -> Json:
    """Routes with the same shares: a write must never be mirrored, since its copy would be a second write."""
    methods = {"name": ":method", "string_match": {"safe_regex": {"regex": "|".join(layout.mirrored_methods)}}}
    safe: list[Json] = [{"path": path} for path in layout.safe_routes]
    mirror = {
        "cluster": runtime.MIRROR,
        "runtime_fraction": {
            "default_value": {"numerator": 0, "denominator": "MILLION"},
            "runtime_key": runtime.MIRROR_KEY,
        },
        "disable_shadow_host_suffix_append": True,
    }
    action = _route_action(layout)
    mirrored = {**action, "request_mirror_policies": [mirror]}
    matches = [{"prefix": "/", "headers": [methods]}, *safe]
    routes = [{"match": match, "route": mirrored} for match in matches]
    return {"name": "users", "domains": ["*"], "routes": [*routes, {"match": {"prefix": "/"}, "route": action}]}


def _route_action(layout: RouterLayout) -> Json:
    """The user's hash modulo the total weight picks the first cluster whose range holds it: modern comes first, so
    its range only grows when the share rises. Requests without a user are spread at random.
    """
    predicate = {"@type": f"{_TYPE}.retry.host.previous_hosts.v3.PreviousHostsPredicate"}
    return {
        "timeout": f"{layout.timeout.total_seconds():g}s",
        "weighted_clusters": {
            "runtime_key_prefix": runtime.WEIGHT_PREFIX,
            "use_hash_policy": True,
            "clusters": [
                {"name": runtime.MODERN, "weight": 0},
                {"name": runtime.LEGACY, "weight": runtime.TOTAL_WEIGHT},
            ],
        },
        "hash_policy": [{"header": {"header_name": layout.user_header}}],
        "retry_policy": {
            # Only what surely reached no server: anything else could write twice.
            "retry_on": "connect-failure,refused-stream,reset-before-request",
            "num_retries": 5,
            "retry_back_off": {"base_interval": "0.005s", "max_interval": "0.02s"},
            "retry_host_predicate": [{"name": "envoy.retry_host_predicates.previous_hosts", "typed_config": predicate}],
            # With fewer, the choice now and then falls on a server that has just refused.
            "host_selection_retry_max_attempts": 50,
        },
    }


def _access_logs() -> list[Json]:
    microseconds = "%COMMON_DURATION(DS_RX_BEG:DS_TX_END:us)%"
    return [
        _access_log(
            metrics.ANSWERED, {"and_filter": {"filters": [_status("GE", 100), _status("LE", 499)]}}, microseconds
        ),
        _access_log(metrics.FAILED, _status("GE", 500), microseconds),
        # There is no end of an answer that never was: only the whole duration is known.
        _access_log(metrics.UNANSWERED, _status("LE", 99), "%DURATION%"),
        _transfers_log(metrics.WENT_WELL, {"and_filter": {"filters": [_status("GE", 200), _status("LE", 299)]}}),
        _transfers_log(metrics.WENT_BADLY, {"or_filter": {"filters": [_status("LE", 199), _status("GE", 300)]}}),
    ]


def _transfers_log(went: str, statuses: Json) -> Json:
    """A status is what a histogram of one bin is filled with: all that is read of it is how many there were."""
    transfer = [_header(":method", {"exact": "POST"}), _header(":path", {"prefix": _TRANSFERS_PATH})]
    return _stats_log(
        metrics.business_scope(TRANSFERS, went),
        metrics.OUTCOMES,
        {"and_filter": {"filters": [*transfer, statuses]}},
        "%RESPONSE_CODE%",
    )


def _header(name: str, match: Json) -> Json:
    return {"header_filter": {"header": {"name": name, "string_match": match}}}


def _access_log(ended: str, which: Json, duration: str) -> Json:
    return _stats_log(f"{metrics.SCOPE}.{ended}", metrics.HISTOGRAM, which, duration)


def _stats_log(scope: str, name: str, which: Json, value: str) -> Json:
    histogram = {
        "stat": {"name": name, "tags": [{"name": metrics.ARM_TAG, "value_format": "%UPSTREAM_CLUSTER%"}]},
        "value_format": value,
        "unit": "Unspecified",
    }
    config = {
        "@type": f"{_TYPE}.access_loggers.stats.v3.Config",
        "stats_scope": {"prefix": scope},
        "histograms": [histogram],
    }
    return {"name": "envoy.access_loggers.stats", "filter": which, "typed_config": config}


def _status(comparison: str, status: int) -> Json:
    value = {"default_value": status, "runtime_key": f"{metrics.SCOPE}.status"}  # a key is required; nobody sets it
    return {"status_code_filter": {"comparison": {"op": comparison, "value": value}}}


def _address(port: int) -> Mapping[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
