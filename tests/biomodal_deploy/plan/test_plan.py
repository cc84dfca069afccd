"""Tests for biomodal_deploy.plan, on plans of real Terraform."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from biomodal_deploy.plan import HIDDEN_TEXT, Action, read_plan
from tests.support.terraform import Engine, bare_engine

BEFORE = """
variable "password" {
  type      = string
  sensitive = true
  default   = "canary-of-a-variable"
}
variable "plain" { default = "p" }
resource "terraform_data" "updated" {
  input = {
    list = [{ k = var.password }, { k = "open" }]
    url  = "u:${nonsensitive(var.password)}"
    n    = 5
  }
}
resource "terraform_data" "replaced" { triggers_replace = ["v1"] }
resource "terraform_data" "created_first" {
  triggers_replace = ["v1"]
  lifecycle { create_before_destroy = true }
}
resource "terraform_data" "old" {}
resource "terraform_data" "gone" { input = "z" }
resource "terraform_data" "forgotten" {}
resource "terraform_data" "each" {
  for_each = toset(["a.b"])
}
module "inner" {
  source = "./inner"
  secret = "canary-of-a-module"
}
output "secret" {
  value     = var.password
  sensitive = true
}
output "leaky" { value = nonsensitive(terraform_data.updated.output) }
check "c" {
  assert {
    condition     = var.plain == "q"
    error_message = "plain is ${var.plain}, not ${nonsensitive(var.password)}"
  }
}
"""
INNER = """
variable "secret" {
  type      = string
  sensitive = true
}
resource "terraform_data" "in" { input = var.secret }
"""
AFTER = (
    BEFORE.replace('"v1"', '"v2"')
    .replace("n    = 5", "n    = 6")
    .replace('resource "terraform_data" "gone" { input = "z" }', "")
    .replace(
        'resource "terraform_data" "old" {}',
        'resource "terraform_data" "new" {}\n'
        "moved {\n  from = terraform_data.old\n  to   = terraform_data.new\n}",
    )
    .replace(
        'resource "terraform_data" "forgotten" {}',
        "removed {\n  from = terraform_data.forgotten\n  lifecycle {\n    destroy = false\n  }\n}\n"
        'import {\n  to = terraform_data.adopted\n  id = "the-id"\n}\n'
        'resource "terraform_data" "adopted" {}',
    )
)

NAMES = ("create", "change", "nothing", "refresh-only", "destroy", "target")


class Stack:
    """A stack of built-in resources."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder = engine, folder
        (folder / "inner").mkdir()
        (folder / "inner" / "main.tf").write_text(INNER)
        (folder / "main.tf").write_text(BEFORE)
        engine.must(folder, "init")

    def plan(self, *arguments: str) -> bytes:
        """Plan, and return the plan document."""
        self.engine.must(self.folder, "plan", "-out=tfplan", *arguments)
        return self.engine.must(self.folder, "show", "-json", "tfplan").encode()

    def apply(self) -> None:
        """Apply the last plan."""
        self.engine.must(self.folder, "apply", "tfplan")


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Documents of the life of a stack: create, change, nothing, refresh-only, destroy, target."""
    home = tmp_path_factory.mktemp("home")
    stack = Stack(bare_engine(home), tmp_path_factory.mktemp("stack"))
    documents = {"create": stack.plan()}
    stack.apply()
    (stack.folder / "main.tf").write_text(AFTER)
    documents["change"] = stack.plan()
    stack.apply()
    documents["nothing"] = stack.plan()
    documents["refresh-only"] = stack.plan("-refresh-only")
    documents["destroy"] = stack.plan("-destroy")
    documents["target"] = stack.plan(
        "-target=terraform_data.replaced", "-replace=terraform_data.replaced"
    )
    return documents


@pytest.mark.engine
class TestRealPlans:
    """What Terraform itself writes is read rightly."""

    def test_every_action_is_read(self, plans: dict[str, bytes]) -> None:
        """Update, both replacements, delete, forget, move and import."""
        plan = read_plan(plans["change"])[0]
        found = {each.address.removeprefix("terraform_data."): each for each in plan.changes}
        assert {name: each.action for name, each in found.items()} == {
            "updated": Action.UPDATE,
            "replaced": Action.REPLACE,
            "created_first": Action.REPLACE_CREATE_FIRST,
            "gone": Action.DELETE,
            "forgotten": Action.FORGET,
            "new": Action.NO_OP,
            "adopted": Action.NO_OP,
        }
        assert found["new"].previous_address == "terraform_data.old"
        assert found["adopted"].import_id == "the-id"
        assert found["replaced"].replace_paths == ("triggers_replace",)
        assert found["gone"].reason == "delete_because_no_resource_config"
        assert plan.counts.sentence() == (
            "1 to update, 2 to replace, 1 to delete, 1 to forget, 1 to import, 1 to move,"
            " 1 output changes"
        )

    @pytest.mark.parametrize("name", NAMES)
    def test_whether_there_are_changes(self, plans: dict[str, bytes], name: str) -> None:
        """As Terraform itself judges, whatever its exit status would say."""
        assert read_plan(plans[name])[0].has_changes is (name not in ("nothing", "refresh-only"))

    @pytest.mark.parametrize("name", NAMES)
    def test_no_secret_is_left(self, plans: dict[str, bytes], name: str) -> None:
        """Nor where Terraform loses the mark: variables, module arguments, outputs of resources."""
        assert b"canary" in plans[name]
        plan, redactor = read_plan(plans[name])
        assert b"canary" not in plan.to_changes()
        assert "canary" not in redactor.text("Error: canary-of-a-variable, canary-of-a-module")
        assert "canary" not in redactor.text(plans[name].decode())

    def test_an_update_is_shown_element_by_element(self, plans: dict[str, bytes]) -> None:
        """With the secret in it hidden."""
        plan = read_plan(plans["change"])[0]
        updated = next(c for c in plan.changes if c.address == "terraform_data.updated")
        shown = {each.path: (each.before, each.after) for each in updated.attributes}
        assert shown["input.n"] == (5, 6)
        assert updated.before is not None
        assert updated.before["output"] == {
            "list": [{"k": HIDDEN_TEXT}, {"k": "open"}],
            "n": 5,
            "url": f"u:{HIDDEN_TEXT}",
        }

    def test_a_failed_check_is_read(self, plans: dict[str, bytes]) -> None:
        """With its message, redacted."""
        check = read_plan(plans["change"])[0].failed_checks[0]
        assert check.address == "check.c"
        assert check.problems == (f"plain is p, not {HIDDEN_TEXT}",)

    def test_a_targeted_plan_is_not_whole(self, plans: dict[str, bytes]) -> None:
        """Terraform says so in the plan."""
        assert read_plan(plans["target"])[0].complete is False
        assert read_plan(plans["change"])[0].complete is True

    def test_a_destroy_plan_deletes_everything(self, plans: dict[str, bytes]) -> None:
        """Modules and keys included."""
        deletes = {change.address for change in read_plan(plans["destroy"])[0].deletes}
        assert {"module.inner.terraform_data.in", 'terraform_data.each["a.b"]'} <= deletes

    def test_nothing_but_addresses_is_read_from_the_configuration(
        self, plans: dict[str, bytes]
    ) -> None:
        """What a plan carries beyond the changes stays in Terraform's own file."""
        kept = json.loads(read_plan(plans["change"])[0].to_changes())
        assert not {"configuration", "prior_state", "planned_values"} & set(kept)
        assert re.fullmatch(r"1\.\d+", kept["format_version"])
