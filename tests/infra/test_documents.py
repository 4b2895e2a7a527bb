"""What docs/deploy.md says of the reference case is so."""

from crossfade.infra.premises.firewall import as_markdown, openings
from crossfade.infra.premises.router import router
from crossfade.infra.routing import announcements
from tests.docs.documents import ROOT
from tests.infra.templates import Templates, reference

TEXT = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")


def test_every_port_of_the_data_center_is_listed() -> None:
    file = reference()
    assert as_markdown(openings(file, router(file))) in TEXT


def test_the_announcements_are_those_of_the_reference_case() -> None:
    for announcement in announcements(reference()):
        row = " and ".join(map(str, announcement.prefixes))
        assert f"| {row} | {announcement.local_preference} |" in TEXT


def test_what_costs_is_counted(built: Templates) -> None:
    endpoints = [e for e in built.properties("AWS::EC2::VPCEndpoint") if e["VpcEndpointType"] == "Interface"]
    assert f"| {len(endpoints)} endpoints in 3 zones |" in TEXT
    assert f"| {len(built.properties('AWS::KMS::Key'))} keys |" in TEXT
    addresses = sum(len(e["IpAddresses"]) for e in built.properties("AWS::Route53Resolver::ResolverEndpoint"))
    assert f"| {addresses} addresses |" in TEXT
