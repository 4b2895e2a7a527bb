"""Known risks by what they are about. `ALL` has each once."""

from crossfade.planning.risks.rules import data, link, people, traffic, unknown

ALL = (*data.RISKS, *link.RISKS, *people.RISKS, *traffic.RISKS, *unknown.RISKS)
