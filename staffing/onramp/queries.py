"""Where somebody stands on the on-ramp."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from firm.errors import NotFound
from staffing.onramp.model import STAGES, OnrampStage, PrecommitmentLetter, RunwayPlan
from staffing.onramp.rules import Criterion, Letter, readiness


@dataclass(frozen=True, slots=True)
class Onramp:
    """A maintainer's stages so far, letters, and the readiness list on a day."""

    maintainer_id: str
    on: date
    stages: list[OnrampStage]
    letters: list[PrecommitmentLetter]
    criteria: list[Criterion]

    @property
    def stage(self) -> str | None:
        return self.stages[-1].stage if self.stages else None

    @property
    def ready(self) -> bool:
        return all(criterion.met for criterion in self.criteria)


class LetterNotFound(NotFound):
    """There is no such pre-commitment letter."""


def find_letter(session: Session, letter_id: str) -> PrecommitmentLetter:
    """A letter, withdrawn or not. Raises `LetterNotFound`."""
    letter = session.get(PrecommitmentLetter, letter_id)
    if letter is None:
        raise LetterNotFound(f"There is no pre-commitment letter {letter_id!r}.")
    return letter


def onramp(session: Session, maintainer_id: str, *, on: date) -> Onramp:
    """Where a maintainer stands on a day."""
    entered = session.scalars(
        select(OnrampStage).where(OnrampStage.maintainer_id == maintainer_id, OnrampStage.entered_on <= on)
    )
    stages = sorted(entered, key=lambda entry: STAGES.index(entry.stage))
    letters = list(
        session.scalars(
            select(PrecommitmentLetter)
            .where(PrecommitmentLetter.maintainer_id == maintainer_id)
            .order_by(PrecommitmentLetter.id)
        )
    )
    plan = session.scalar(
        select(RunwayPlan).where(RunwayPlan.maintainer_id == maintainer_id).order_by(RunwayPlan.id.desc()).limit(1)
    )
    criteria = readiness(
        stage=stages[-1].stage if stages else None,
        letters=[Letter(l_.company, l_.signed_on, l_.expires_on, l_.withdrawn_on) for l_ in letters],
        runway_months=plan.months_covered if plan else None,
        on=on,
    )
    return Onramp(maintainer_id, on, stages, letters, criteria)


def papers_of(session: Session, maintainer_id: str) -> list[str]:
    """The ids of a maintainer's pre-commitment letters and runway plans."""
    letters = select(PrecommitmentLetter.id).where(PrecommitmentLetter.maintainer_id == maintainer_id)
    plans = select(RunwayPlan.id).where(RunwayPlan.maintainer_id == maintainer_id)
    return [*session.scalars(letters), *session.scalars(plans)]
