"""The configuration of a VPN as AWS gives it, with what a test wants to be otherwise."""

from dataclasses import dataclass
from typing import Any

KEYS = ("first.Key_of_the_tunnel", "second.Key_of_the_tunnel")


@dataclass(frozen=True)
class Tunnel:
    outside: str
    inside: str
    aws_inside: str
    key: str
    ours: str = "203.0.113.10"
    asn: str = "65000"
    aws_asn: str = "64512"

    def xml(self) -> str:
        return f"""
  <ipsec_tunnel>
    <customer_gateway>
      <tunnel_outside_address><ip_address>{self.ours}</ip_address></tunnel_outside_address>
      <tunnel_inside_address>
        <ip_address>{self.inside}</ip_address>
        <network_mask>255.255.255.252</network_mask>
        <network_cidr>30</network_cidr>
      </tunnel_inside_address>
      <bgp><asn>{self.asn}</asn><hold_time>30</hold_time></bgp>
    </customer_gateway>
    <vpn_gateway>
      <tunnel_outside_address><ip_address>{self.outside}</ip_address></tunnel_outside_address>
      <tunnel_inside_address><ip_address>{self.aws_inside}</ip_address></tunnel_inside_address>
      <bgp><asn>{self.aws_asn}</asn><hold_time>30</hold_time></bgp>
    </vpn_gateway>
    <ike><authentication_protocol>sha1</authentication_protocol><pre_shared_key>{self.key}</pre_shared_key></ike>
    <ipsec><tcp_mss_adjustment>1379</tcp_mss_adjustment></ipsec>
  </ipsec_tunnel>"""


FIRST: dict[str, Any] = {
    "outside": "198.51.100.9",
    "inside": "169.254.21.2",
    "aws_inside": "169.254.21.1",
    "key": KEYS[0],
}
SECOND: dict[str, Any] = {
    "outside": "198.51.100.7",
    "inside": "169.254.21.6",
    "aws_inside": "169.254.21.5",
    "key": KEYS[1],
}


def configuration(*tunnels: dict[str, Any], within: str = "vpn_connection", before: str = "") -> bytes:
    """AWS lists tunnels by outside address, so that the reference case's second comes first."""
    bodies = "".join(Tunnel(**tunnel).xml() for tunnel in tunnels or (SECOND, FIRST))
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    return f'{head}\n{before}<{within} id="vpn-0123456789abcdef0">{bodies}\n</{within}>\n'.encode()
