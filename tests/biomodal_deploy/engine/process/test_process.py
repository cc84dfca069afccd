"""Children are drained, bounded, stopped in steps and reaped, also those at our terminal."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from biomodal_deploy.engine import process
from biomodal_deploy.engine.process import (
    Ended,
    InterruptSent,
    Line,
    LineSplitter,
    NotStarted,
    TooMuchOutput,
    capture,
    run,
    supervisor,
)
from biomodal_deploy.engine.process.stop_requests import stop_signals


def python(code: str) -> list[str]:
    """Return the arguments of a child that runs some Python."""
    return [sys.executable, "-I", "-S", "-c", code]


def run_lines(arguments: list[str], directory: Path) -> tuple[Ended, list[Line]]:
    """Run a program, and return how it ended and what it printed."""
    lines: list[Line] = []
    environment = dict(os.environ)
    return run(arguments, directory=directory, environment=environment, on_line=lines.append), lines


def lines_of(code: str, directory: Path) -> tuple[Ended, list[Line]]:
    """Run some Python, and return how it ended and what it printed."""
    return run_lines(python(code), directory)


class TestLines:
    """Chunks become lines."""

    def test_lines_are_whole_whatever_the_chunks(self) -> None:
        """A line is handed on once and whole, however its bytes arrive."""
        text = "one\r\ntwo ä\n\nlast".encode()
        for size in range(1, len(text) + 1):
            lines: list[Line] = []
            splitter = LineSplitter("stdout", lines.append)
            for start in range(0, len(text), size):
                splitter.feed(text[start : start + size])
            splitter.close()
            assert [line.text for line in lines] == ["one", "two ä", "", "last"]

    def test_a_long_line_is_cut_and_counted(self) -> None:
        """Of a line that is too long the beginning is kept, and what is missing is counted."""
        lines: list[Line] = []
        splitter = LineSplitter("stdout", lines.append, longest=4)
        for _ in range(3):
            splitter.feed(b"abc")
        splitter.feed(b"\nnext\n")
        assert lines == [Line("stdout", "abca", 5), Line("stdout", "next", 0)]

    def test_a_line_is_not_repeated_after_an_error(self) -> None:
        """A callback that raises does not see the same line again."""
        seen: list[str] = []

        def once(line: Line) -> None:
            seen.append(line.text)
            raise ValueError(line.text)

        splitter = LineSplitter("stdout", once)
        with pytest.raises(ValueError, match="first"):
            splitter.feed(b"first\n")
        with pytest.raises(ValueError, match="second"):
            splitter.feed(b"second\n")
        assert seen == ["first", "second"]


class TestRun:
    """A long call."""

    def test_both_pipes_and_the_exit_status(self, tmp_path: Path) -> None:
        """Each line comes with its pipe, and the exit status is the child's."""
        code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)"
        ended, lines = lines_of(code, tmp_path)
        assert ended == Ended(7)
        assert sorted(lines, key=lambda line: line.stream) == [
            Line("stderr", "err"),
            Line("stdout", "out"),
        ]

    def test_files_are_private(self, tmp_path: Path) -> None:
        """What the child writes can be read by its owner alone."""
        lines_of("open('plan', 'w').close()", tmp_path)
        assert (tmp_path / "plan").stat().st_mode & 0o777 == 0o600

    def test_stdin_is_closed(self, tmp_path: Path) -> None:
        """A child that asks a question gets no answer instead of waiting for one."""
        _, lines = lines_of("import sys; print(repr(sys.stdin.read()))", tmp_path)
        assert lines == [Line("stdout", "''")]

    def test_no_terminal_and_a_group_of_its_own(self, tmp_path: Path) -> None:
        """The terminal's signals cannot reach the child: it leads a session of its own."""
        _, lines = lines_of("import os; print(os.getsid(0) == os.getpid())", tmp_path)
        assert lines == [Line("stdout", "True")]

    def test_a_missing_program(self, tmp_path: Path) -> None:
        """A program that is not there is an error that names it, and no hang."""
        with pytest.raises(NotStarted, match="no-such-program"):
            capture(["no-such-program"], directory=tmp_path, environment={})

    def test_a_missing_program_behind_the_leash(self, tmp_path: Path) -> None:
        """Where a launcher starts the program, its own words name the missing one."""
        ended, lines = run_lines(["no-such-program"], tmp_path)
        assert ended.returncode == 127
        assert "no-such-program" in lines[0].text

    @pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
    def test_the_leash_leaves_no_trace_in_the_child(self, tmp_path: Path) -> None:
        """The program is our own child, with its own arguments and the default SIGPIPE."""
        code = 'echo $PPID "$@"; grep SigIgn /proc/self/status'
        _, lines = run_lines(["sh", "-c", code, "sh", "a b", ""], tmp_path)
        first, ignored = (line.text for line in lines)
        assert first == f"{os.getpid()} a b "
        assert not int(ignored.split()[1], 16) & 1 << (signal.SIGPIPE - 1)

    def test_an_open_pipe_of_a_grandchild_is_not_waited_for(self, tmp_path: Path) -> None:
        """A process that the child left behind cannot hold up its end."""
        code = (
            "import subprocess, sys; print('done', flush=True);"
            "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(30)'])"
        )
        began = time.monotonic()
        ended, lines = lines_of(code, tmp_path)
        assert (ended.returncode, lines) == (0, [Line("stdout", "done")])
        assert time.monotonic() - began < 25

    def test_nothing_is_lost_at_the_end(self, tmp_path: Path) -> None:
        """What was printed just before the end is still read."""
        ended, lines = lines_of("print('x' * 200_000 + '\\nlast')", tmp_path)
        assert ended.returncode == 0
        assert lines[-1].text == "last"

    def test_descriptors_are_given_back(self, tmp_path: Path) -> None:
        """Twenty calls leave no more open descriptors than one."""
        lines_of("", tmp_path)
        before = len(list(Path("/dev/fd").iterdir()))
        for _ in range(20):
            capture(["/bin/true"], directory=tmp_path, environment={})
        lines_of("", tmp_path)
        assert len(list(Path("/dev/fd").iterdir())) == before

    @pytest.mark.parametrize("watched_by", ["descriptor", "thread"])
    def test_the_end_is_noticed_at_once(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, watched_by: str
    ) -> None:
        """Also where the system has no descriptor for a process, nothing waits for a clock."""
        if watched_by == "thread":
            monkeypatch.setattr(supervisor, "_process_descriptor", lambda _: None)
        began = time.monotonic()
        ended, lines = lines_of(
            "import os; os.write(1, b'x'); os.close(1); os.close(2); os._exit(0)", tmp_path
        )
        assert (ended.returncode, len(lines)) == (0, 1)
        assert time.monotonic() - began < 20

    def test_in_another_thread(self, tmp_path: Path) -> None:
        """A call in another thread works; only there no signal is caught."""
        results: list[Ended] = []
        thread = threading.Thread(
            target=lambda: results.append(lines_of("print('x')", tmp_path)[0])
        )
        thread.start()
        thread.join(60)
        assert results == [Ended(0)]


class TestErrors:
    """A callback that raises."""

    def test_a_callback_that_raises_stops_the_child(self, tmp_path: Path) -> None:
        """An error of ours interrupts the child, waits for it, and is handed back with its end."""
        code = (
            "import time\n"
            "try: print('ready', flush=True); time.sleep(30)\n"
            "except KeyboardInterrupt: print('tidied', flush=True)"
        )
        seen: list[str] = []

        def on_line(line: Line) -> None:
            seen.append(line.text)
            raise RuntimeError("ours")

        began = time.monotonic()
        ended = run(python(code), directory=tmp_path, environment=dict(os.environ), on_line=on_line)
        assert (ended.returncode, ended.steps, str(ended.error)) == (0, ("interrupt",), "ours")
        assert seen == ["ready", "tidied"]
        assert time.monotonic() - began < 20

    @pytest.mark.slow
    def test_a_wait_that_cannot_be_shown_is_no_second_wish(self, tmp_path: Path) -> None:
        """Failing to show the wait does not push the child one step further."""
        code = (
            "import time\n"
            "try: print('ready', flush=True); time.sleep(30)\n"
            "except KeyboardInterrupt: time.sleep(1.5)"
        )
        waits: list[InterruptSent] = []

        def on_wait(sent: InterruptSent) -> None:
            waits.append(sent)
            raise OSError("no terminal")

        def on_line(_: Line) -> None:
            raise RuntimeError("ours")

        ended = run(
            python(code),
            directory=tmp_path,
            environment=dict(os.environ),
            on_line=on_line,
            on_wait=on_wait,
        )
        assert ended.steps == ("interrupt",)
        assert isinstance(ended.error, RuntimeError)
        assert [round(wait.seconds_waited) for wait in waits] == [0, 1]


class TestSignals:
    """Whose signals they are."""

    def test_handlers_are_put_back(self, tmp_path: Path) -> None:
        """Before and after a call, signals do what they did."""

        def mine(*_: object) -> None:
            """Do nothing."""

        before = signal.signal(signal.SIGTERM, mine)
        try:
            lines_of("", tmp_path)
            assert signal.getsignal(signal.SIGTERM) is mine
            assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        finally:
            signal.signal(signal.SIGTERM, before)

    def test_a_signal_that_came_too_late_is_not_lost(self) -> None:
        """A request that nobody read before the child had ended reaches the command itself."""
        heard: list[int] = []
        before = signal.signal(signal.SIGTERM, lambda signum, _: heard.append(signum))
        try:
            with stop_signals():
                os.kill(os.getpid(), signal.SIGTERM)
                assert heard == []
            assert heard == [signal.SIGTERM]
        finally:
            signal.signal(signal.SIGTERM, before)


class TestCapture:
    """A short call."""

    def test_everything_is_returned(self, tmp_path: Path) -> None:
        """A short call returns all of both pipes, also more than a pipe holds."""
        code = "import sys; sys.stderr.write('e' * 300_000); sys.stdout.write('o' * 5_000_000)"
        captured = capture(python(code), directory=tmp_path, environment=dict(os.environ))
        assert (len(captured.stdout), len(captured.stderr)) == (5_000_000, 300_000)

    def test_more_than_the_limit_is_killed(self, tmp_path: Path) -> None:
        """A call that never stops printing is ended before it fills the memory."""
        code = "import sys\nwhile True: sys.stdout.write('x' * 65536)"
        with pytest.raises(TooMuchOutput):
            capture(python(code), directory=tmp_path, environment={}, limit=1_000_000)


class Told:
    """A command that keeps the signals it is sent."""

    def __init__(self) -> None:
        self.signals: list[int] = []

    def send_signal(self, signum: int) -> None:
        """Keep it."""
        self.signals.append(signum)


@pytest.mark.parametrize("terminal", [True, False])
def test_what_the_terminal_sends_is_not_sent_again(
    monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    """Ctrl-C at a terminal is not passed on, and all else is; then the handlers are as before."""
    monkeypatch.setattr(process, "_in_foreground", lambda: terminal)
    before, told = signal.getsignal(signal.SIGINT), Told()
    with process._forwarding() as to:
        signal.raise_signal(signal.SIGTERM)
        to(told)  # type: ignore[arg-type]
        for signum in (signal.SIGINT, signal.SIGHUP):
            signal.raise_signal(signum)
    interrupt = [] if terminal else [signal.SIGINT]
    assert told.signals == [signal.SIGTERM, *interrupt, signal.SIGHUP]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_signal_that_is_ignored_stays_so() -> None:
    """Under nohup a hang-up is nothing to pass on."""
    before, told = signal.signal(signal.SIGHUP, signal.SIG_IGN), Told()
    try:
        with process._forwarding() as to:
            to(told)  # type: ignore[arg-type]
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert told.signals == []


def test_what_it_prints_goes_where_it_is_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Where our own standard output is for a program, a command's is not mixed into it."""
    words = [sys.executable, "-c", "print('for people')"]
    with (tmp_path / "screen").open("w") as screen:
        status = process.run_in_foreground(
            words, directory=tmp_path, environment=os.environ, stdout=screen
        )
    assert status == 0
    assert (tmp_path / "screen").read_text() == "for people\n"
    assert capfd.readouterr().out == ""
