"""Four eyes: the policy, proposals, and what approvals amount to. Evaluated from the log alone."""

from datetime import date, timedelta

from ledger import account, entries
from ledger.books import WHOLE_LOG, Books, Proposal
from ledger.command import Command, Draft, Effect, Proposable, check_text
from ledger.entries import By, PolicySet, Rule, Tier
from ledger.posting import parts
from ledger.refusals import Closed, DecisionRequired, Invalid, SamePerson
from ledger.roles import REQUIRED, Required

MAX_APPROVALS = 5
MAX_TIERS = 10
MAX_EXPIRES_DAYS = 3_660


class SetPolicy(Proposable, frozen=True, kw_only=True, tag="policy.set"):
    """The policy from now on; replaces the one before."""

    rules: tuple[Rule, ...] = ()
    agreement_from: int = -1
    expires_days: int = 0


class ApproveProposal(Command, frozen=True, kw_only=True, tag="proposal.approved"):
    """Yes; the last yes that is needed makes the effect happen."""

    proposal: int


class RejectProposal(Command, frozen=True, kw_only=True, tag="proposal.rejected"):
    """No."""

    proposal: int
    reason: str


class WithdrawProposal(Command, frozen=True, kw_only=True, tag="proposal.withdrawn"):
    """Its maker takes it back."""

    proposal: int


class ExpireProposal(Command, frozen=True, kw_only=True, tag="proposal.expired"):
    """Nobody decided in time."""

    proposal: int


def set_policy(command: SetPolicy) -> Effect:
    """Rules for kinds that can wait for approval; each kind once, tiers ascending."""
    kinds = [rule.kind for rule in command.rules]
    if len(set(kinds)) != len(kinds):
        raise Invalid("rules: each kind once", field="rules")
    for rule in command.rules:
        if not REQUIRED.get(rule.kind, _NOTHING).checker:
            raise Invalid(f"rules: {rule.kind} is no kind that waits for approval", field="rules")
        froms = [tier.from_qty for tier in rule.approvals]
        if froms != sorted(set(froms)) or any(not 0 <= qty <= account.MAX_POSITION for qty in froms):
            raise Invalid(f"rules: the tiers of {rule.kind} ascend from 0 or more", field="rules")
        if len(froms) > MAX_TIERS or any(not 0 <= tier.approvals <= MAX_APPROVALS for tier in rule.approvals):
            raise Invalid(f"rules: at most {MAX_TIERS} tiers of 0 to {MAX_APPROVALS} approvals", field="rules")
        if not -1 <= rule.decision_from <= account.MAX_POSITION:
            raise Invalid("rules: decision_from is an amount in fen, or -1 for never", field="rules")
        if rule.decision_from >= 0 and "decision" not in entries.KINDS[rule.kind].__struct_fields__:
            raise Invalid(f"rules: {rule.kind} names no decision document", field="rules")
    if type(command.expires_days) is not int or not 0 <= command.expires_days <= MAX_EXPIRES_DAYS:
        raise Invalid(f"expires_days: 0 (for ever) to {MAX_EXPIRES_DAYS}", field="expires_days")
    if type(command.agreement_from) is not int or not -1 <= command.agreement_from <= account.MAX_POSITION:
        raise Invalid("agreement_from: an amount in fen, or -1 for never", field="agreement_from")
    rules = tuple(sorted(command.rules, key=lambda rule: rule.kind))
    body = PolicySet(agreement_from=command.agreement_from, expires_days=command.expires_days, rules=rules)
    return Effect(body=body, org=WHOLE_LOG)


def needed(books: Books, kind: str, qty: int) -> int:
    """How many approvals an effect of this kind and size needs now."""
    rule = (books.policy or {}).get(kind)
    tiers: tuple[Tier, ...] = rule.approvals if rule else ()
    by_policy = [tier.approvals for tier in tiers if qty >= tier.from_qty]
    return max(REQUIRED[kind].approvals, by_policy[-1] if by_policy else 0)


def check_decision(books: Books, effect: Effect) -> None:
    """三重一大: from the policy's amount on, the body names the decision document. Raises DecisionRequired."""
    rule = (books.policy or {}).get(entries.kind_of(effect.body))
    if rule and 0 <= rule.decision_from <= effect.qty and not getattr(effect.body, "decision", "-"):
        raise DecisionRequired(
            f"a decision document is needed from {rule.decision_from} fen", decision_from=rule.decision_from
        )


def propose(command: Command, effect: Effect, salt: str) -> list[Draft]:
    """What the log says of a command that waits: holds and a commitment, not its text."""
    kind = entries.kind_of(effect.body)
    commitment = entries.commitment(effect.body, salt)
    runs = parts(effect.holds())
    return [
        Draft(
            entries.ProposalMade(
                command=kind,
                commitment=commitment,
                holds=run,
                into=tuple(dict.fromkeys(effect.destinations)),
                org=effect.org,
                part=(i, len(runs)) if len(runs) > 1 else (),
            ),
            By(maker=command.maker),
        )
        for i, run in enumerate(runs, 1)
    ]


def approve(command: ApproveProposal, books: Books, today: str) -> tuple[Proposal, Draft]:
    """One approval, in time. Raises SamePerson for the maker or a second yes of one checker, Closed when it is late."""
    proposal = find(books, command.proposal)
    if is_late(proposal, books, today):
        until = last_day(proposal, books)
        raise Closed(f"proposal {command.proposal} could be approved until {until}", proposal=command.proposal)
    if command.maker == proposal.maker:
        raise SamePerson("the maker of a proposal does not approve it")
    if command.maker in proposal.approvals:
        raise SamePerson("one person approves once")
    for org in sorted(proposal.orgs):
        books.require(command.maker, REQUIRED[proposal.command].checker, org)
    body = entries.ProposalApproved(proposal=command.proposal, org=proposal.org)
    return proposal, Draft(body, By(maker=command.maker))


def reject(command: RejectProposal, books: Books) -> Draft:
    """A checker's no."""
    proposal = find(books, command.proposal)
    check_text("reason", command.reason)
    if command.maker == proposal.maker:
        raise SamePerson("the maker of a proposal withdraws it, and does not reject it")
    books.require(command.maker, REQUIRED[proposal.command].checker, proposal.org)
    body = entries.ProposalRejected(proposal=command.proposal, reason=command.reason, org=proposal.org)
    return Draft(body, By(maker=command.maker))


def withdraw(command: WithdrawProposal, books: Books) -> Draft:
    """Only the maker."""
    proposal = find(books, command.proposal)
    if command.maker != proposal.maker:
        raise SamePerson("only its maker withdraws a proposal")
    return Draft(entries.ProposalWithdrawn(proposal=command.proposal, org=proposal.org), By(maker=command.maker))


def expire(command: ExpireProposal, books: Books, today: str) -> Draft:
    """By anybody who could have made or checked it, once its days are over. Raises Invalid before."""
    proposal = find(books, command.proposal)
    until = last_day(proposal, books)
    if not until or today <= until:
        raise Invalid(f"proposal: may be approved {f'until {until}' if until else 'for ever'}", field="proposal")
    required = REQUIRED[proposal.command]
    books.require(command.maker, (*required.maker, *required.checker), proposal.org)
    return Draft(entries.ProposalExpired(proposal=command.proposal, org=proposal.org), By(maker=command.maker))


def is_late(proposal: Proposal, books: Books, today: str) -> bool:
    """Whether it can be approved no more, though nobody has said so in the log yet."""
    until = last_day(proposal, books)
    return bool(until) and today > until


def last_day(proposal: Proposal, books: Books) -> str:
    """The last day on which it may be approved, by the policy of now; empty: there is none."""
    if not books.expires_days:
        return ""
    return (date.fromisoformat(proposal.on) + timedelta(days=books.expires_days)).isoformat()


def find(books: Books, number: int) -> Proposal:
    """An open proposal. Raises Closed."""
    if number not in books.proposals:
        raise Closed(f"proposal {number} is not open", proposal=number)
    return books.proposals[number]


_NOTHING = Required(())
