"""Stripe's answers, read with what we use of them; the rest is ignored, and so is what comes with later versions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Protocol, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr, ValidationError

from firm.errors import Invalid
from firm.money import Money
from payouts.rails.stripe.amounts import from_stripe
from payouts.rails.stripe.errors import StripeUnclear
from payouts.rails.stripe.values import BalanceTransaction, Event, PayeePayout, Reversal, Transfer

V = TypeVar("V", covariant=True)
_YEAR_3000 = 32_503_680_000


class _Readable(Protocol[V]):
    """A model of an answer that can say what it means."""

    @classmethod
    def model_validate(cls, obj: Any) -> _Readable[V]: ...

    def value(self) -> V: ...


def read(model: type[_Readable[V]], answer: Any) -> V:
    """The answer as our value. Raises `StripeUnclear` when it is none: what it was about must be looked up."""
    try:
        return model.model_validate(plain(answer)).value()
    except (ValidationError, Invalid) as error:
        raise StripeUnclear("Stripe answered something that cannot be read; look it up.") from error


def plain(answer: Any) -> Any:
    """The answer as dictionaries and lists."""
    return answer.to_dict() if hasattr(answer, "to_dict") else answer


def _id_of(value: Any) -> Any:
    """Many fields hold an id, or the thing itself when it was asked for."""
    return value.get("id") if isinstance(value, dict) else value


def _moment_of(value: Any) -> Any:
    if type(value) is not int or not 0 <= value < _YEAR_3000:
        raise ValueError("a moment is a whole number of seconds")
    return datetime.fromtimestamp(value, UTC)


def _none_as_empty(value: Any) -> Any:
    return {} if value is None else value


Id = Annotated[StrictStr, BeforeValidator(_id_of), Field(min_length=1, max_length=255)]
Moment = Annotated[datetime, BeforeValidator(_moment_of)]
Metadata = Annotated[dict[str, str], BeforeValidator(_none_as_empty)]


class _Payload(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class TransferPayload(_Payload):
    id: Id
    created: Moment
    amount: StrictInt
    amount_reversed: StrictInt
    currency: StrictStr
    destination: Id
    transfer_group: StrictStr | None = None
    metadata: Metadata = Field(default_factory=dict)
    livemode: StrictBool
    balance_transaction: Id | None = None

    def value(self) -> Transfer:
        return Transfer(
            id=self.id,
            created_at=self.created,
            amount=from_stripe(self.amount, self.currency),
            reversed=from_stripe(self.amount_reversed, self.currency),
            destination=self.destination,
            group=self.transfer_group,
            metadata=self.metadata,
            live=self.livemode,
            balance_transaction=self.balance_transaction,
        )


class ReversalPayload(_Payload):
    id: Id
    transfer: Id
    created: Moment
    amount: StrictInt
    currency: StrictStr
    metadata: Metadata = Field(default_factory=dict)
    balance_transaction: Id | None = None

    def value(self) -> Reversal:
        amount = from_stripe(self.amount, self.currency)
        return Reversal(self.id, self.transfer, self.created, amount, self.metadata, self.balance_transaction)


class PayoutPayload(_Payload):
    id: Id
    created: Moment
    amount: StrictInt
    currency: StrictStr
    status: StrictStr
    arrival_date: Moment
    automatic: StrictBool
    failure_code: StrictStr | None = None
    livemode: StrictBool

    def value(self) -> PayeePayout:
        return PayeePayout(
            id=self.id,
            created_at=self.created,
            amount=from_stripe(self.amount, self.currency),
            status=self.status,
            arrives_on=self.arrival_date.date(),
            automatic=self.automatic,
            failure_code=self.failure_code,
            live=self.livemode,
        )


class BalanceTransactionPayload(_Payload):
    id: Id
    created: Moment
    available_on: Moment
    type: StrictStr
    reporting_category: StrictStr
    amount: StrictInt
    fee: StrictInt
    net: StrictInt
    currency: StrictStr
    source: Id | None = None
    exchange_rate: Decimal | None = None

    def value(self) -> BalanceTransaction:
        amount, fee, net = (from_stripe(each, self.currency) for each in (self.amount, self.fee, self.net))
        return BalanceTransaction(
            id=self.id,
            created_at=self.created,
            available_at=self.available_on,
            kind=self.type,
            category=self.reporting_category,
            amount=amount,
            fee=fee,
            net=net,
            source=self.source,
            exchange_rate=self.exchange_rate,
        )


class _EventData(_Payload):
    object: Mapping[str, Any]


class EventPayload(_Payload):
    id: Id
    type: StrictStr
    created: Moment
    account: StrictStr | None = None
    livemode: StrictBool
    api_version: StrictStr | None = None
    data: _EventData

    def value(self) -> Event:
        return Event(
            id=self.id,
            kind=self.type,
            created_at=self.created,
            account=self.account,
            live=self.livemode,
            object_id=_text(self.data.object.get("id")),
            object_kind=_text(self.data.object.get("object")),
            api_version=self.api_version,
        )


class _Amount(_Payload):
    amount: StrictInt
    currency: StrictStr


class BalancePayload(_Payload):
    """Only what is available: money that is still under way cannot be paid out."""

    available: list[_Amount]

    def value(self) -> dict[str, Money]:
        amounts = (from_stripe(each.amount, each.currency) for each in self.available)
        return {amount.currency: amount for amount in amounts}


class WholeBalancePayload(BalancePayload):
    """What is available, and what will be."""

    pending: list[_Amount] = Field(default_factory=list)

    def value(self) -> list[Money]:  # type: ignore[override]
        return [from_stripe(each.amount, each.currency) for each in (*self.available, *self.pending)]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
