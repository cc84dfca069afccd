"""Whether Nextflow can read a configuration: by itself, by Groovy, or by Groovy's grammar."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import tree_sitter
import tree_sitter_groovy

from tests.support.processes import run_program
from tests.support.project import ROOT

# Made by `make groovy`.
_JARS: Final = ROOT / ".groovy" / "lib"
# A configuration is evaluated as Nextflow does: a block is a scope, a closure waits for its task.
_EVALUATE: Final = """
import groovy.json.JsonOutput
import org.codehaus.groovy.control.CompilationFailedException
def tasks = [[attempt: 1, exitStatus: 0], [attempt: 1, exitStatus: 1],
             [attempt: 2, exitStatus: 143], [attempt: 3, exitStatus: 2147483647]]
def valued = { value ->
    if (!(value instanceof Closure)) return value
    tasks.collect { task ->
        def each = value.clone()
        each.delegate = [task: task]
        each.resolveStrategy = Closure.DELEGATE_FIRST
        each.call()
    }
}
args.each { name ->
    try {
        def read = new ConfigSlurper().parse(new File(name).getText('UTF-8'))
        println JsonOutput.toJson(read.flatten().collectEntries { [it.key, valued(it.value)] })
    } catch (CompilationFailedException refused) {
        println JsonOutput.toJson(refused.message)
    }
}
"""


def groovy_missing() -> str | None:
    """Return why Groovy itself cannot be run here; None where it can."""
    if shutil.which("java") is None:
        return "no Java on PATH"
    return None if any(_JARS.glob("groovy-4*.jar")) else "no Groovy: make groovy"


def groovy_reads(texts: Mapping[str, str], folder: Path) -> dict[str, dict[str, Any] | str]:
    """Return the options of each configuration as Groovy itself evaluates them, in one process.

    A closure becomes its values for a first attempt, one that failed by itself, and a second and
    third attempt that lost their host. What Groovy does not compile is its message instead.
    """
    script = folder / "Evaluate.groovy"
    script.write_text(_EVALUATE, encoding="utf-8")
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    done = run_program(
        ["java", "-cp", f"{_JARS}/*", "groovy.ui.GroovyMain", str(script), *texts],
        cwd=folder,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(texts, map(json.loads, done.stdout.splitlines()), strict=True))


def nextflow_reads(text: str, folder: Path) -> str | None:
    """Return the configuration as Nextflow reads it; None where there is no Nextflow here."""
    program = shutil.which("nextflow")
    if program is None:
        return None
    (folder / "nextflow.config").write_text(text, encoding="utf-8")
    done = run_program([program, "config", "-flat"], cwd=folder, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def groovy_errors(text: str) -> list[str]:
    """Return what Groovy's grammar does not take, each with its line.

    It is a grammar check and not Nextflow: whether an option exists is not its question.
    """
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_groovy.language()))
    found: list[str] = []
    waiting = [parser.parse(text.encode()).root_node]
    while waiting:
        node = waiting.pop()
        if node.is_error or node.is_missing:
            found.append(f"line {node.start_point[0] + 1}: {node.type}")
        waiting.extend(node.children)
    return found
