"""Names of operations: a verb and a noun, for the functions of a generated client (`approvePayoutRun`)."""

from __future__ import annotations

ACTIONS = {
    "approval": "approve",
    "cancellation": "cancel",
    "close": "close",
    "confirmation": "confirm",
    "correction": "correct",
    "ending": "end",
    "hold": "hold",
    "preview": "preview",
    "proposal": "propose",
    "refresh": "refresh",
    "rejection": "reject",
    "release": "release",
    "reopening": "reopen",
    "resumption": "resume",
    "replay": "replay",
    "return": "return",
    "reversal": "reverse",
    "revocation": "revoke",
    "rotation": "rotate",
    "settlement": "settle",
    "signature": "sign",
    "withdrawal": "withdraw",
}
"""What posting such a noun under a thing does to the thing."""

NAMED = {
    "principals.myself": "getMyself",
    "principals.enrolled": "enrollPrincipal",
    "tokens.issued": "issueToken",
    "tokens.issued_to": "issuePrincipalToken",
    "step_ups.proved": "provePresence",
    "clients.registered": "registerClient",
    "engagements.interests_named": "addEngagementInterests",
    "engagements.drafted": "draftEngagement",
    "packages.adopted": "adoptPackage",
    "assignments.made": "assignMaintainer",
    "on_ramps.shown": "getOnRamp",
    "on_ramps.stage_entered": "enterOnRampStage",
    "on_ramps.letter_recorded": "recordPreCommitmentLetter",
    "on_ramps.runway_recorded": "recordRunway",
    "provider_accounts.opened": "addProviderAccount",
    "provider_accounts.shown": "getProviderAccount",
    "provider_accounts.link_made": "issueOnboardingLink",
    "destinations.proposed": "proposeDestination",
    "notices.handed_over": "recordNoticeHandover",
    "pay_terms.set_": "setPayTerms",
    "pay_terms.corrected": "correctPayTerms",
    "pay_terms.shown": "getPayTerms",
    "allocation_plans.made": "setAllocationPlan",
    "exchange_rates.set_": "setExchangeRate",
    "ledger_exports.shown": "exportLedger",
    "receipts.recorded": "recordReceipt",
    "imports.taken_in": "importFile",
    "imports.template": "downloadImportTemplate",
    "invoices.issued": "issueInvoices",
    "payout_runs.drafted": "draftPayoutRun",
    "payout_runs.file": "downloadPayoutFile",
    "payout_policies.laid_down": "setPayoutPolicy",
    "reconciliation_differences.assigned": "assignReconciliationDifference",
    "reconciliation_differences.resolved": "resolveReconciliationDifference",
    "statements.paper": "renderStatement",
    "statements.corrected": "issueCorrectedStatement",
    "statements.papers_made": "renderStatementsOfMonth",
    "remittance_advices.issued": "issueRemittanceAdvice",
    "remittance_advices.paper": "renderRemittanceAdvice",
    "tax_forms.recorded": "recordTaxForm",
    "self_billing_agreements.agreed": "recordSelfBillingAgreement",
    "self_billed_invoices.issued": "issueSelfBilledInvoice",
    "self_billed_invoices.credited": "issueSelfBilledCreditNote",
    "self_billed_invoices.paper": "renderSelfBilledInvoice",
    "funded_work_reports.issued": "issueFundedWorkReport",
    "funded_work_reports.paper": "renderFundedWorkReport",
}
"""Those whose trade has a better word than the rule finds."""

_METHODS = {"put": "replace", "patch": "change", "delete": "remove"}


def operation_id(endpoint: str, method: str, path: str) -> str:
    """The operation's name: the trade's word where it has one, otherwise what its method and address say."""
    return NAMED.get(endpoint) or _by_rule(method, path)


def _by_rule(method: str, path: str) -> str:
    pieces = path.removeprefix("/v1/").split("/")
    nouns = [piece for piece in pieces if not piece.startswith("{")]
    one = pieces[-1].startswith("{")
    if nouns[-1] in ACTIONS and len(nouns) > 1:
        return ACTIONS[nouns[-1]] + _camel(_singular(nouns[-2]))
    owner = "".join(_camel(_singular(noun)) for noun in nouns[:-1])
    if method in _METHODS:
        return _METHODS[method] + owner + _camel(_singular(nouns[-1]))
    many = _singular(nouns[-1]) != nouns[-1] and not one
    if method == "get":
        return f"list{owner}{_camel(nouns[-1])}" if many else f"get{owner}{_camel(_singular(nouns[-1]))}"
    return ("add" if many else "set") + owner + _camel(_singular(nouns[-1]))


def _camel(noun: str) -> str:
    return "".join(part.capitalize() for part in noun.split("-"))


def _singular(noun: str) -> str:
    if noun.endswith("ies"):
        return noun[:-3] + "y"
    if noun.endswith("ases"):
        return noun[:-2]
    return noun[:-1] if noun.endswith("s") else noun
