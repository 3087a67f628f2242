from pipeline.cli.console import console, plain, print_line, say
from pipeline.data.printable import printable

HOSTILE = "bad\x00\x1b[2J\r\x9b\ud800\uffff"
SHOWN = "bad␀␛[2J␍\ufffd\ufffd\ufffd"


def test_a_terminal_is_given_no_control_character():
    with console.capture() as printed:
        console.print(plain(f"[bold]{HOSTILE}"))
        say(HOSTILE)
        print_line(HOSTILE)
    assert printed.get() == f"[bold]{SHOWN}\n{SHOWN}\n{SHOWN}\n"


def test_other_text_is_left_alone():
    assert printable("Bahasa, 日本語, 🙂\tand\nlines") == "Bahasa, 日本語, 🙂\tand\nlines"
