import subprocess
import sys

from fankeep import fanvue
from fankeep.fanvue import hosts, limits


def test_the_public_names_are_sorted_and_there():
    assert list(fanvue.__all__) == sorted(
        fanvue.__all__, key=lambda name: (not name.isupper(), name[0].islower(), name)
    )
    assert all(hasattr(fanvue, name) for name in fanvue.__all__)


def test_importing_reads_no_data_file():
    code = (
        "import sys; opened = []\n"
        "sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == 'open' else None)\n"
        "import fankeep.fanvue\n"
        "print([name for name in opened if name.endswith(('.toml', '.jsonl'))])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_address_is_https_and_every_path_absolute():
    assert hosts.ISSUER_URL.startswith("https://")
    assert hosts.API_URL.startswith("https://")
    for path in (hosts.AUTHORIZE_PATH, hosts.TOKEN_PATH, hosts.REVOKE_PATH, hosts.DISCOVERY_PATH):
        assert path.startswith("/")


def test_limits_agree_with_the_operations_that_state_them():
    send = fanvue.body_schema(fanvue.operation("sendMessage")).fields
    assert send["text"].node.maximum == limits.TEXT_MAX
    assert send["price"].node.minimum == limits.PRICE_MIN_CENTS
    size = fanvue.query_schema(fanvue.operation("listChats")).fields["size"]
    assert (size.node.maximum, size.default) == (limits.PAGE_SIZE_MAX, str(limits.PAGE_SIZE_DEFAULT))
    version = fanvue.COMPONENTS["parameters/ApiVersionHeader"]
    assert version == f"str={hosts.API_VERSION}"
