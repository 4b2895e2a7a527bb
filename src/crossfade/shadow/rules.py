"""By which rules a place of an answer is compared."""

from dataclasses import dataclass
from datetime import timedelta

from crossfade.shadow.paths import STATUS, Parts, matches, parts_of
from crossfade.shadow.sensitive import is_sensitive
from crossfade.shadow.settings import ShadowSettings

# Of the connection, not of the answer (RFC 9110, 7.6.1), or said again by the body that is compared anyway.
_OF_CONNECTION = (
    "connection",
    "content-length",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
)
CONNECTION_HEADERS = frozenset((*_OF_CONNECTION, "upgrade", "via"))


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRule:
    """How one place is compared, and what may be shown of it.

    `masked`: only whether values are equal counts, for only their masks may be known. `sensitive`: never shown.
    `within`: not None where instants stand.
    """

    ignored: bool = False
    unordered: bool = False
    masked: bool = False
    sensitive: bool = False
    shown: bool = False
    keys_are_data: bool = False
    relative: float = 0.0
    absolute: float = 0.0
    within: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All rules of a comparison, asked once for each place."""

    ignored: tuple[Parts, ...]
    ignored_headers: frozenset[str]
    unordered: tuple[Parts, ...]
    masked: tuple[Parts, ...]
    shown: tuple[Parts, ...]
    maps: tuple[Parts, ...]
    relative: float
    tolerances: tuple[tuple[Parts, float, float], ...]
    instants: tuple[tuple[Parts, timedelta], ...]
    null_is_missing: bool

    @classmethod
    def of(cls, settings: ShadowSettings) -> "Rules":
        """The rules that settings ask for."""
        return cls(
            ignored=_patterns(settings.ignore_fields),
            ignored_headers=CONNECTION_HEADERS | {name.lower() for name in settings.ignore_headers},
            unordered=_patterns(settings.unordered_lists),
            masked=_patterns(settings.mask_fields),
            shown=_patterns(settings.show_fields),
            maps=_patterns(settings.maps),
            relative=settings.numeric_tolerance,
            tolerances=tuple((parts_of(each.path), each.relative, each.absolute) for each in settings.tolerances),
            instants=tuple((parts_of(each.path), each.tolerance) for each in settings.timestamps),
            null_is_missing=settings.null_is_missing,
        )

    def at(self, parts: Parts, above: FieldRule) -> FieldRule:
        """The rule of a place below another. Whatever stands in a masked or sensitive place is so as well."""
        masked = above.masked or _fits(self.masked, parts)
        relative, absolute = next(
            (
                (relative, absolute)
                for pattern, relative, absolute in reversed(self.tolerances)
                if matches(pattern, parts)
            ),
            (self.relative, 0.0),
        )
        within = next((span for pattern, span in reversed(self.instants) if matches(pattern, parts)), None)
        return FieldRule(
            ignored=_fits(self.ignored, parts),
            unordered=_fits(self.unordered, parts),
            masked=masked,
            sensitive=masked or above.sensitive or is_sensitive(parts[-1]),
            shown=above.shown or _fits(self.shown, parts) or parts == (STATUS,),
            keys_are_data=_fits(self.maps, parts),
            relative=0.0 if masked else relative,
            absolute=0.0 if masked else absolute,
            within=None if masked else within,
        )


def _patterns(paths: tuple[str, ...]) -> tuple[Parts, ...]:
    return tuple(parts_of(path) for path in paths)


def _fits(patterns: tuple[Parts, ...], parts: Parts) -> bool:
    return any(matches(pattern, parts) for pattern in patterns)
