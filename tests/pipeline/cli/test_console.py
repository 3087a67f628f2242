import os
import pty
import subprocess
import sys
from contextlib import suppress

COLUMNS = 80
SENTENCE = (
    "units=128: parity close: largest difference 1.3e-06, above 1e-06, but classes and F1 are "
    "equal and both sides are as near to 64 bits as rounding lets them be."
)
LINK = "http://127.0.0.1:5000/#/experiments/1/runs?workflowType=machine_learning&share=6c20405c94"
PRINT = f"""
from pipeline.cli.console import print_faults, print_line, say
say({SENTENCE!r})
say({SENTENCE!r}, indent=2)
print_line({LINK!r})
print_faults([{SENTENCE!r}])
"""


def on_a_terminal(code):
    """What a program writes to a terminal of 80 columns, without colour, as lines."""
    ours, its = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key != "COLUMNS"}
    environment |= {"TERM": "xterm", "NO_COLOR": "1", "LINES": "24"}
    subprocess.run(["stty", "cols", str(COLUMNS), "rows", "24"], stdin=its, check=True)
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=its, stdout=its, stderr=its, env=environment
    ) as process:
        os.close(its)
        written = b""
        with suppress(OSError):  # which is how Linux tells that the other side was closed
            while read := os.read(ours, 4096):
                written += read
    os.close(ours)
    assert process.returncode == 0
    return written.decode().splitlines()


def test_a_terminal_breaks_sentences_between_words_and_links_nowhere():
    lines = on_a_terminal(PRINT)
    assert LINK in lines
    prose = [line for line in lines if line != LINK]
    assert max(map(len, prose)) <= COLUMNS
    assert " ".join(line.strip() for line in prose) == " ".join([SENTENCE] * 3)
    indented = lines[2:4]
    assert all(line.startswith("  ") for line in indented)


def test_elsewhere_each_is_one_line():
    done = subprocess.run([sys.executable, "-c", PRINT], capture_output=True, text=True)
    assert done.stdout.splitlines() == [SENTENCE, f"  {SENTENCE}", LINK]
    assert done.stderr.splitlines() == [SENTENCE]
