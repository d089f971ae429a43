"""The command itself: fast help, near names, and no traceback for a user's mistake."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from phasescope.cli.main import VERBS, command


def run(*args):
    return CliRunner().invoke(command, list(args))


def test_help_lists_every_verb_and_imports_none():
    code = (
        "import sys\n"
        "from phasescope.cli.main import main\n"
        "sys.argv = ['phasescope', '--help']\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'numpy', 'scipy', 'plotly', 'numba', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for verb in VERBS:
        assert verb in done.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_loads_no_torch(verb):
    code = (
        "import sys\n"
        "from phasescope.cli.main import main\n"
        f"sys.argv = ['phasescope', '{verb}', '--help']\n"
        "try: main()\n"
        "except SystemExit as end: assert end.code == 0\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)


def leaves(verb):
    if isinstance(verb, click.Group):
        return [leaf for name in verb.list_commands(None) for leaf in leaves(verb.get_command(None, name))]
    return [verb]


@pytest.mark.parametrize("verb", [leaf for name in VERBS for leaf in leaves(command.get_command(None, name))], ids=str)
def test_every_verb_takes_json_and_seed(verb):
    options = {option for parameter in verb.params for option in parameter.opts}
    assert {"--json", "--seed"} <= options


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, phasescope; assert not {'torch', 'numpy', 'scipy', 'plotly'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_public_name_is_where_the_package_says():
    code = "import phasescope as ps\nfor name in ps.__all__: getattr(ps, name)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_name_of_the_package_is_an_attribute_error():
    import phasescope

    with pytest.raises(AttributeError, match="has no attribute 'wacth'"):
        phasescope.wacth  # noqa: B018


def test_an_unknown_verb_suggests_the_nearest():
    result = run("rusn", "list")
    assert result.exit_code == 2
    assert "no verb named 'rusn'; closest names: ['runs']" in result.output


def test_trouble_is_a_sentence_and_an_exit_code(tmp_path):
    result = run("report", "nothing", "--store", str(tmp_path / "absent"))
    assert result.exit_code == 1
    assert result.output.startswith("phasescope: ")
    assert "Traceback" not in result.output


def test_the_traceback_is_there_for_those_who_ask(tmp_path):
    result = run("--traceback", "report", "nothing", "--store", str(tmp_path / "absent"))
    assert result.exception is not None
    assert not isinstance(result.exception, SystemExit)
