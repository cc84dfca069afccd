"""A destroy at the command line: what there is, before the question; what is left, at the end."""

from __future__ import annotations

from biomodal_deploy.aws.ledger.model import Ledger, Remains
from biomodal_deploy.cli.render.console import message_console
from biomodal_deploy.cli.render.ledger import show_ledger
from biomodal_deploy.cli.session import Session
from biomodal_deploy.errors import EngineError
from biomodal_deploy.plan import Plan, PlanKind
from biomodal_deploy.plan.sealed import Bundle
from biomodal_deploy.workflow.applying import Applied, Confirm, apply_bundle
from biomodal_deploy.workflow.destroying import look_after, take_ledger
from biomodal_deploy.workflow.stack import Stack


class Destroying:
    """What goes around the apply of a destroy plan; around any other, nothing.

    Args:
        work: The command at work.
        stack: The deployment.
        ask: What asks for the stack's name.
        ledger: The ledger, where it was taken and shown already.

    Attributes:
        ledger: What the deployment held, once that is known.
    """

    def __init__(
        self, work: Session, stack: Stack, ask: Confirm, ledger: Ledger | None = None
    ) -> None:
        self._work, self._stack, self._ask = work, stack, ask
        self.ledger = ledger

    def apply(self, bundle: Bundle, *, expect_sha256: str | None = None) -> Applied:
        """Apply the plan, having shown what the deployment holds.

        Args:
            bundle: The sealed plan.
            expect_sha256: The digest that was approved elsewhere.

        Raises:
            BundleRefused: Something differs from what was sealed.
            GuardRefused: A guard refused the plan, or the loss was not confirmed.
            EngineError: Terraform failed.
            Interrupted: It was asked to stop.
        """
        try:
            return apply_bundle(
                self._stack,
                bundle,
                confirm=self._confirm,
                listen=self._work.listen,
                expect_sha256=expect_sha256,
            )
        except EngineError:
            if self.ledger:
                line = f"What it held, and what solves it: biomodal-aws show {bundle.id}"
                self._work.progress.notice(line)
            raise

    def left(self, done: Applied) -> Remains | None:
        """Return what is left; None where nothing was destroyed as a whole."""
        if done.bundle.manifest.kind is not PlanKind.DESTROY:
            return None
        # Only where something is destroyed, as below: nothing else should wait for the ledger.

        return look_after(self._stack, done.bundle, done.bundle.plan(), self._work.listen)

    def _confirm(self, bundle: Bundle, plan: Plan) -> None:
        """Show what the deployment holds, then ask.

        Only here, behind all checks: before them, the credentials may be another account's.
        """
        if bundle.manifest.kind is PlanKind.DESTROY and self.ledger is None:
            self.ledger = take_ledger(self._stack, bundle, plan, self._work.listen)
            self._work.progress.pause()
            show_ledger(message_console(), self.ledger)
        self._ask(bundle, plan)
