"""Known risks by what they are about. `ALL` has each once."""

from crossfade.planning.risks.rules import data, link, people, schedule, traffic, unknown

ALL = (*data.RISKS, *link.RISKS, *people.RISKS, *schedule.RISKS, *traffic.RISKS, *unknown.RISKS)
