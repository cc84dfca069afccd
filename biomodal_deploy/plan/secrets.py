"""Where the secrets lie in a plan document."""

from __future__ import annotations

import re
from collections.abc import Iterator

from biomodal_deploy.config.credentials import is_key_like
from biomodal_deploy.plan.document import (
    Change,
    Configuration,
    Module,
    ModuleConfiguration,
    PlanDocument,
    ResourceChange,
    Values,
)
from biomodal_deploy.plan.redactor import HIDDEN_ATTRIBUTES, leaves, marks_any

_SECRET_ARGUMENT = re.compile(
    r"secret|password|passwd|token|private_key|credential|api_key", re.IGNORECASE
)


def secrets_of(plan: PlanDocument) -> Iterator[str]:
    """Yield every value in the document that something marks as sensitive."""
    for resource in all_changes(plan):
        yield from _of_change(resource.change)
    for output in plan.output_changes.values():
        yield from _of_change(output)
    yield from _of_values(plan.planned_values)
    yield from _of_values(plan.prior_state.values)
    for name in sensitive_variables(plan):
        yield from leaves(plan.variables[name].value)
    if plan.configuration:
        yield from _of_configuration(plan.configuration)


def all_changes(plan: PlanDocument) -> Iterator[ResourceChange]:
    """Yield planned, drifted and deferred changes."""
    yield from plan.resource_changes
    yield from plan.resource_drift
    for deferred in plan.deferred_changes:
        yield deferred.resource_change


def sensitive_variables(plan: PlanDocument) -> frozenset[str]:
    """Name the root variables whose value is secret.

    The mark is in the declaration, not beside the value. A variable without a declaration here is
    taken for a secret.
    """
    declared = plan.configuration.root_module.variables if plan.configuration else {}
    return frozenset(
        name
        for name in plan.variables
        if name not in declared
        or declared[name].sensitive
        or declared[name].ephemeral
        or is_key_like(name)
    )


def marked(value: object, marks: object) -> Iterator[str]:
    """Yield the strings and numbers under a mark; marks that do not fit take all of them."""
    if isinstance(marks, dict) and isinstance(value, dict):
        for key, mark in marks.items():
            yield from marked(value.get(key), mark)
    elif isinstance(marks, list) and isinstance(value, list) and len(marks) <= len(value):
        for item, mark in zip(value, marks, strict=False):
            yield from marked(item, mark)
    elif marks_any(marks):
        yield from leaves(value)


def _of_change(change: Change) -> Iterator[str]:
    for value, marks in (
        (change.before, change.before_sensitive),
        (change.after, change.after_sensitive),
    ):
        yield from marked(value, marks)
        yield from _hidden_attributes(value)


def _of_values(values: Values) -> Iterator[str]:
    for output in values.outputs.values():
        if output.sensitive:
            yield from leaves(output.value)
    yield from _of_module(values.root_module)


def _of_module(module: Module) -> Iterator[str]:
    for resource in module.resources:
        yield from marked(resource.values, resource.sensitive_values)
        yield from _hidden_attributes(resource.values)
    for child in module.child_modules:
        yield from _of_module(child)


def _hidden_attributes(values: object) -> Iterator[str]:
    if isinstance(values, dict):
        for key, value in values.items():
            if key in HIDDEN_ATTRIBUTES and isinstance(value, str):
                yield value
            elif isinstance(value, dict | list):
                yield from _hidden_attributes(value)
    elif isinstance(values, list):
        for value in values:
            yield from _hidden_attributes(value)


def _of_configuration(configuration: Configuration) -> Iterator[str]:
    for provider in configuration.provider_config.values():
        for name, expression in provider.expressions.items():
            if _SECRET_ARGUMENT.search(name):
                yield from leaves(_constants(expression))
    yield from _of_module_configuration(configuration.root_module)


def _of_module_configuration(module: ModuleConfiguration) -> Iterator[str]:
    for variable in module.variables.values():
        if variable.sensitive or variable.ephemeral:
            yield from leaves(variable.default)
    for call in module.module_calls.values():
        if call.module is None:
            continue
        for name, expression in call.expressions.items():
            declaration = call.module.variables.get(name)
            if declaration is not None and (declaration.sensitive or declaration.ephemeral):
                yield from leaves(_constants(expression))
        yield from _of_module_configuration(call.module)


def _constants(expression: object) -> object:
    """Return what an expression says literally; its references are names, not secrets."""
    if isinstance(expression, dict):
        if "constant_value" in expression:
            return expression["constant_value"]
        return {key: _constants(item) for key, item in expression.items() if key != "references"}
    if isinstance(expression, list):
        return [_constants(item) for item in expression]
    return None
