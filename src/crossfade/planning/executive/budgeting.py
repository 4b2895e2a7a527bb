"""The budget of a plan, each amount with the computation that it comes from. Pure."""

from collections.abc import Iterable, Iterator
from fractions import Fraction

from crossfade.planning.executive.budget import Budget, Line, Part
from crossfade.planning.executive.money import ROUNDING, Money, rounded, total
from crossfade.planning.executive.prices import Component, PriceList
from crossfade.planning.executive.span import DAYS_A_MONTH, Span
from crossfade.planning.executive.traced import Figure, Sources, Traces
from crossfade.planning.executive.work import Work
from crossfade.planning.risks.register import Register

_DOLLAR = "USD"


class Budgeting:
    """Makes the budget of one plan, with a trace of each amount."""

    def __init__(self, traces: Traces, sources: Sources, span: Span | None, prices: PriceList | None) -> None:
        self.traces, self.sources, self.span, self.prices = traces, sources, span, prices
        self.costs = sources.file.planning.costs
        self.currency = self.costs.currency

    def of(self, work: tuple[Work, ...], register: Register) -> Budget:
        told = (
            ("aws", "AWS while both sides run", tuple(self._aws())),
            ("source", "The data center meanwhile", tuple(self._data_center())),
            ("once", "Paid once", tuple(self._once())),
            ("people", "People", tuple(self._people(work))),
        )
        parts = tuple(self._part(key, title, lines) for key, title, lines in told if lines)
        lines = [line for part in parts for line in part.lines]
        lacks = tuple(line.what for line in lines if line.amount is None)
        subtotal = total((line.amount for line in lines if line.amount), self.currency)
        contingency = rounded(subtotal.whole * self._percent() / 100, self.currency)
        all_of_it = total((subtotal, contingency), self.currency)
        known = any(line.amount is not None for line in lines)
        kept = self._contingency(contingency, subtotal, known=known)
        without = f"; without {', '.join(lacks)}, of which no amount is known" if lacks else ""
        sums = " + ".join(f"{part.title} {part.figure.shown}" for part in parts if part.figure.known)
        whole = f"{sums} + contingency {contingency}{without}"
        says = "budget, as far as it is known" if lacks else "budget"
        return Budget(
            parts=parts,
            contingency=kept,
            kept_for=tuple(self._kept_for(contingency, register)) if known else (),
            total=self.traces.add("budget-total", says, str(all_of_it), whole)
            if known
            else self.traces.missing("budget-total", "budget", f"no amount is known{without}"),
            monthly=self._monthly(),
            lacks=lacks,
            assumptions=tuple(self._assumptions(work)),
        )

    def _contingency(self, contingency: Money, subtotal: Money, *, known: bool) -> Figure:
        places = [self.sources.place("planning.costs.contingency_percent")]
        computed = f"{float(self._percent()):g} % of "
        if not known:
            return self.traces.missing("budget-contingency", "contingency", f"{computed}what nobody knows", places)
        return self.traces.add("budget-contingency", "contingency", str(contingency), f"{computed}{subtotal}", places)

    def _percent(self) -> Fraction:
        return Fraction(str(self.costs.contingency_percent))

    def _part(self, key: str, title: str, lines: tuple[Line, ...]) -> Part:
        amounts = [line.amount for line in lines if line.amount is not None]
        says = f"{title}, sum"
        if not amounts:
            return Part(title=title, lines=lines, figure=self.traces.missing(f"budget-{key}", says, "no line is known"))
        shown = str(total(amounts, self.currency))
        computed = " + ".join(str(amount.whole) for amount in amounts)
        return Part(title=title, lines=lines, figure=self.traces.add(f"budget-{key}", says, shown, computed))

    def _aws(self) -> Iterator[Line]:
        if self.prices is None and not self.costs.monthly:
            why = "give --costs what `crossfade costs FILE --json` tells, or fill planning.costs.monthly"
            yield self._unknown("aws-components", "AWS components", why)
        for number, component in enumerate(self.prices.components if self.prices else ()):
            yield self._component(f"aws-{number}", component)
        for number, (name, amount) in enumerate(self.costs.monthly.items()):
            place = self.sources.near("planning.costs.monthly")
            yield self._while_both_run(f"monthly-{number}", name, Fraction(str(amount)), "", [place])

    def _component(self, key: str, component: Component) -> Line:
        rate, places = self._rate(), [component.place, *self._rate_place()]
        if component.amount is None:
            return self._unknown(key, component.name, "no price of it is pinned", [component.place])
        if rate is None:
            why = f"{float(component.amount):,.2f} USD; planning.costs.usd_rate says what a dollar costs"
            return self._unknown(key, component.name, why, [component.place])
        note = f"; {component.note}" if component.note else ""
        said = f"{component.price}{note}" + (f"; a dollar at {float(rate):g}" if rate != 1 else "")
        amount = component.amount * rate
        if component.once:
            return self._known(key, f"{component.name}, once", amount, f"once: {said}", places)
        return self._while_both_run(key, component.name, amount, said, places)

    def _while_both_run(self, key: str, name: str, monthly: Fraction, said: str, places: Iterable[str]) -> Line:
        if self.span is None:
            why = f"{float(monthly):,.2f} {self.currency} a month; how long is not known: no wave is planned"
            return self._unknown(key, name, why, places)
        told = f"{said}; " if said else ""
        computed = f"{told}{float(monthly):,.2f} {self.currency} a month, for {self.span.in_months}"
        return self._known(key, name, monthly * self.span.months, computed, places)

    def _data_center(self) -> Iterator[Line]:
        if self.costs.current_monthly is None:
            why = "planning.costs.current_monthly says what the data center costs a month"
            yield self._unknown("source", "the data center", why)
            return
        place = [self.sources.place("planning.costs.current_monthly")]
        monthly = Fraction(str(self.costs.current_monthly))
        yield self._while_both_run("source", "the data center", monthly, "", place)

    def _once(self) -> Iterator[Line]:
        for number, (name, amount) in enumerate(self.costs.once.items()):
            place = self.sources.near("planning.costs.once")
            yield self._known(f"once-{number}", name, Fraction(str(amount)), "as told", [place])

    def _people(self, work: tuple[Work, ...]) -> Iterator[Line]:
        if not work:
            why = "planning.teams says who moves what, how many they are, and what a day of one costs"
            yield self._unknown("people-none", "people", why)
        for one in work:
            what = f"team {one.name}"
            if one.days is None:
                yield self._unknown(f"people-{one.number}", what, one.days_figure.computed, one.places)
            elif not one.daily_rate:
                why = f"planning.teams[{one.number}].daily_rate is not given"
                yield self._unknown(f"people-{one.number}", what, why, one.places)
            else:
                rate = Fraction(str(one.daily_rate))
                computed = f"{one.people} people x {one.days:,} days x {float(rate):,g} {self.currency} a day"
                amount = one.people * one.days * rate
                yield self._known(f"people-{one.number}", what, amount, computed, one.places)

    def _kept_for(self, contingency: Money, register: Register) -> Iterator[Line]:
        """By what is left of each category's risks: a key to divide it by, and no forecast."""
        left = register.overall().residual
        for one in register.by_category():
            if one.residual:
                share = Fraction(str(one.residual)) / Fraction(str(left))
                computed = f"{contingency} x {one.residual:g} of {left:g}, the score that is left as planned"
                places = [f"risk {risk.id}" for risk in register.open if risk.category == one.name]
                yield self._known(f"kept-{one.name}", one.name, contingency.whole * share, computed, places)

    def _monthly(self) -> tuple[Figure, Figure, Figure]:
        add, missing = self.traces.add, self.traces.missing
        later = self._aws_monthly()
        aws = (
            missing("monthly-aws", "AWS, a month", "the components of AWS or their prices are not known")
            if later is None
            else add("monthly-aws", "AWS, a month", str(later[0]), later[1])
        )
        told, path = self.costs.current_monthly, "planning.costs.current_monthly"
        if told is None:
            today = missing("monthly-today", "data center, a month", f"{path} is not given")
        else:
            amount = rounded(Fraction(str(told)), self.currency)
            today = add("monthly-today", "data center, a month", str(amount), "as told", [self.sources.place(path)])
        says = "less a month, once the data center is empty"
        if later is None or told is None:
            return today, aws, missing("monthly-less", says, "one of both is not known")
        less = rounded(Fraction(str(told)), self.currency).whole - later[0].whole
        shown = str(Money(whole=less, currency=self.currency))
        return today, aws, add("monthly-less", says, shown, f"{today.shown} - {aws.shown}")

    def _aws_monthly(self) -> tuple[Money, str] | None:
        """What all components cost a month, and how that is computed; None when any of it is not known."""
        rate = self._rate()
        if self.prices is None or rate is None or any(one.amount is None for one in self.prices.components):
            return None
        amounts = [one.amount * rate for one in self.prices.components if one.amount is not None and not one.once]
        own = [Fraction(str(amount)) for amount in self.costs.monthly.values()]
        counted = f"{len(amounts)} components of {self.prices.name}, {len(own)} of planning.costs.monthly"
        return rounded(sum((*amounts, *own), Fraction()), self.currency), counted

    def _assumptions(self, work: tuple[Work, ...]) -> Iterator[str]:
        yield ROUNDING.format(currency=self.currency)
        if self.span is not None:
            yield (
                f"Both sides are paid for from the first copy to the last phase, {self.span.in_months}, and AWS whole "
                f"from the first day on, which is the dearest case; a month has {float(DAYS_A_MONTH):g} days."
            )
        if any(one.days is not None and not one.days_told for one in work):
            yield "A team works from Monday to Friday as long as its waves last, all of it, where no days are told."
        yield (
            "The contingency is a percentage that people chose. It is divided by the scores of the risks that are left,"
            " which is no forecast."
        )
        if self.prices is not None:
            yield from (f"AWS: {note}." for note in self.prices.notes)

    def _rate(self) -> Fraction | None:
        """What a unit of the price list's currency costs; None: nobody told."""
        if self.prices is None or self.prices.currency == self.currency:
            return Fraction(1)
        told = self.costs.usd_rate
        return Fraction(str(told)) if told is not None and self.prices.currency == _DOLLAR else None

    def _rate_place(self) -> tuple[str, ...]:
        if self.prices is None or self.prices.currency == self.currency or self.costs.usd_rate is None:
            return ()
        return (self.sources.place("planning.costs.usd_rate"),)

    def _known(self, key: str, what: str, amount: Fraction, computed: str, places: Iterable[str]) -> Line:
        money = rounded(amount, self.currency)
        shown = "under 1 " + self.currency if 0 < amount < Fraction(1, 2) else str(money)
        return Line(what=what, amount=money, figure=self.traces.add(f"line-{key}", what, shown, computed, places))

    def _unknown(self, key: str, what: str, why: str, places: Iterable[str] = ()) -> Line:
        return Line(what=what, amount=None, figure=self.traces.missing(f"line-{key}", what, why, places))
