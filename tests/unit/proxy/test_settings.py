"""Settings: read from the environment and a file, checked together, with all faults at once."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import pytest

from adapters.flags import MismatchPolicy
from proxy.environment import Address, SettingsError, names_of
from proxy.settings import Environment, LogLevel, Settings, TlsMode, is_local, load_settings

DEVELOPMENT = {"CROSSFADE_ENV": "development"}
PRODUCTION = {
    "CROSSFADE_MYSQL_PASSWORD": "a password",
    "CROSSFADE_JWT_SECRET": "s" * 32,
    "CROSSFADE_RPC_TOKEN": "a token",
}


def faults_of(environ: Mapping[str, str]) -> dict[str, str]:
    """The messages of the faults, by the names they are about."""
    with pytest.raises(SettingsError) as caught:
        load_settings(environ)
    return {" ".join(fault.names): fault.message for fault in caught.value.faults}


def test_load_settings_takes_defaults_where_nothing_is_given() -> None:
    """Outside production no setting needs to be given."""
    assert dataclasses.replace(Settings(), environment=Environment.DEVELOPMENT) == load_settings(DEVELOPMENT)


def test_load_settings_defaults_to_production() -> None:
    """Whoever does not say what the proxy is started for gets the careful answer."""
    assert Environment.PRODUCTION is load_settings(PRODUCTION).environment


def test_load_settings_reads_every_kind_of_value() -> None:
    """Addresses, numbers, choices, lists, flags and paths arrive typed."""
    settings = load_settings(
        {
            **DEVELOPMENT,
            "CROSSFADE_LISTEN": "[::1]:9000",
            "CROSSFADE_ADMIN_LISTEN": " example.org:0 ",
            "CROSSFADE_ALLOWED_HOSTS": "Shop.example, shop.example ,10.0.0.7",
            "CROSSFADE_CALL_DEADLINE_S": "7.5",
            "CROSSFADE_WORKERS": "4",
            "CROSSFADE_MYSQL_TLS": "VERIFY",
            "CROSSFADE_MYSQL_TLS_CA": "/etc/ca.pem",
            "CROSSFADE_DYNAMODB_ENDPOINT": "http://localhost:8000/",
            "CROSSFADE_ENTITIES": "cart,user",
            "CROSSFADE_LOG_LEVEL": "Debug",
            "CROSSFADE_LOG_DIFFERENCES": "no",
            "CROSSFADE_FIRST_MISMATCH_POLICY": "report",
        }
    )
    assert Address("::1", 9000) == settings.server.listen
    assert str(settings.server.listen) == "[::1]:9000"
    assert Address("example.org", 0) == settings.server.admin_listen
    assert settings.server.allowed_hosts == ("shop.example", "10.0.0.7")
    assert settings.limits.call_deadline_s == 7.5
    assert settings.server.workers == 4
    assert TlsMode.VERIFY is settings.mysql.tls
    assert Path("/etc/ca.pem") == settings.mysql.tls_ca
    assert settings.dynamodb.endpoint == "http://localhost:8000"
    assert settings.entities == ("user", "cart")
    assert LogLevel.DEBUG is settings.logs.level
    assert settings.logs.differences is False
    assert MismatchPolicy.REPORT is settings.first.mismatch_policy


def test_settings_have_one_name_each() -> None:
    """No two settings share a name, and all begin alike."""
    names = list(names_of(Settings))
    assert len(set(names)) == len(names)
    assert all(name.startswith("CROSSFADE_") for name in names)


def test_load_settings_takes_a_blank_value_as_not_given() -> None:
    """An empty variable, as compose files produce, is the default."""
    assert load_settings({**DEVELOPMENT, "CROSSFADE_WORKERS": " "}).server.workers == 1


def test_load_settings_keeps_blanks_of_a_secret() -> None:
    """A password may begin or end with a blank."""
    assert load_settings({**DEVELOPMENT, "CROSSFADE_MYSQL_PASSWORD": " p "}).mysql.password == " p "


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("CROSSFADE_ENV", "staging", "must be one of production, development, not 'staging'"),
        ("CROSSFADE_LISTEN", "8080", "must be host:port, such as 127.0.0.1:8080, not '8080'"),
        ("CROSSFADE_LISTEN", "localhost:65536", "must be host:port, such as 127.0.0.1:8080, not 'localhost:65536'"),
        ("CROSSFADE_LISTEN", "::1:80", "must be host:port, such as 127.0.0.1:8080, not '::1:80'"),
        ("CROSSFADE_WORKERS", "0", "must be a whole number from 1 to 64, not '0'"),
        ("CROSSFADE_WORKERS", "1.5", "must be a whole number from 1 to 64, not '1.5'"),
        ("CROSSFADE_WORKERS", "٣", "must be a whole number from 1 to 64, not '٣'"),
        ("CROSSFADE_CALL_DEADLINE_S", "nan", "must be a number from 0.1 to 60, not 'nan'"),
        ("CROSSFADE_CALL_DEADLINE_S", "soon", "must be a number from 0.1 to 60, not 'soon'"),
        (
            "CROSSFADE_ENTITIES",
            "user,basket",
            "must list some of user, product, order, category, cart, not 'user,basket'",
        ),
        ("CROSSFADE_ENTITIES", ",", "must list some of user, product, order, category, cart, not ','"),
        ("CROSSFADE_ALLOWED_HOSTS", ",", "must name at least one host"),
        ("CROSSFADE_LOG_DIFFERENCES", "maybe", "must be true or false, not 'maybe'"),
        (
            "CROSSFADE_DYNAMODB_ENDPOINT",
            "localhost:8000",
            "must be http://host:port or https://host, not 'localhost:8000'",
        ),
    ],
)
def test_load_settings_refuses_a_wrong_value(name: str, text: str, message: str) -> None:
    """The fault names the setting and says what it takes."""
    assert faults_of({**PRODUCTION, name: text}) == {name: message}


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"CROSSFADE_LISTEN": "127.0.0.1:8081"}, "CROSSFADE_LISTEN CROSSFADE_ADMIN_LISTEN"),
        ({"CROSSFADE_LOCK_WAIT_S": "5"}, "CROSSFADE_LOCK_WAIT_S CROSSFADE_CALL_DEADLINE_S"),
        (
            {"CROSSFADE_DYNAMODB_ATTEMPTS": "6"},
            "CROSSFADE_DYNAMODB_ATTEMPT_S CROSSFADE_DYNAMODB_ATTEMPTS CROSSFADE_CALL_DEADLINE_S",
        ),
        ({"CROSSFADE_CALL_DEADLINE_S": "15"}, "CROSSFADE_WRITE_SESSION_TIMEOUT_S CROSSFADE_CALL_DEADLINE_S"),
        ({"CROSSFADE_MYSQL_TLS_CA": "/ca.pem"}, "CROSSFADE_MYSQL_TLS_CA CROSSFADE_MYSQL_TLS"),
        (
            {"CROSSFADE_DYNAMODB_ACCESS_KEY_ID": "id"},
            "CROSSFADE_DYNAMODB_ACCESS_KEY_ID CROSSFADE_DYNAMODB_SECRET_ACCESS_KEY",
        ),
        (
            {"CROSSFADE_FIRST_WRITE_FAILURE_POLICY": "journal", "CROSSFADE_FIRST_PHASE": "4"},
            "CROSSFADE_FIRST_WRITE_FAILURE_POLICY CROSSFADE_FIRST_PHASE",
        ),
    ],
)
def test_load_settings_refuses_values_that_do_not_go_together(given: dict[str, str], names: str) -> None:
    """Relations between settings are checked, and the fault names all of them."""
    assert list(faults_of({**DEVELOPMENT, **given})) == [names]


def test_load_settings_allows_two_listeners_on_any_free_port() -> None:
    """Port 0 twice is two ports."""
    given = {"CROSSFADE_LISTEN": "127.0.0.1:0", "CROSSFADE_ADMIN_LISTEN": "127.0.0.1:0"}
    assert load_settings({**DEVELOPMENT, **given}).server.listen.port == 0


def test_load_settings_reports_all_faults_at_once() -> None:
    """A wrong value, an unknown name, a broken relation and a missing secret come in one error, one line each."""
    faults = faults_of(
        {
            "CROSSFADE_WORKERS": "many",
            "CROSSFADE_RPC_TOKENS": "t",
            "CROSSFADE_LOCK_WAIT_S": "9",
            "CROSSFADE_JWT_SECRET": "short",
            "CROSSFADE_MYSQL_PASSWORD": "p",
        }
    )
    assert list(faults) == [
        "CROSSFADE_RPC_TOKENS",
        "CROSSFADE_WORKERS",
        "CROSSFADE_LOCK_WAIT_S CROSSFADE_CALL_DEADLINE_S",
        "CROSSFADE_RPC_TOKEN",
        "CROSSFADE_JWT_SECRET",
    ]
    with pytest.raises(SettingsError) as caught:
        load_settings({"CROSSFADE_WORKERS": "many"})
    assert len(caught.value.faults) == len(str(caught.value).splitlines())


def test_load_settings_judges_no_relation_by_a_faulty_value() -> None:
    """A value that could not be read is reported once, not again through its default."""
    assert list(faults_of({**DEVELOPMENT, "CROSSFADE_CALL_DEADLINE_S": "x", "CROSSFADE_LOCK_WAIT_S": "30"})) == [
        "CROSSFADE_CALL_DEADLINE_S"
    ]


def test_load_settings_says_which_name_was_meant() -> None:
    """A misspelt name is refused with the nearest one, a strange one without."""
    assert faults_of({**DEVELOPMENT, "CROSSFADE_MYSQL_PASSWROD": "x", "CROSSFADE_ZZZZZZZZZZZ": "x"}) == {
        "CROSSFADE_MYSQL_PASSWROD": "there is no such setting; did you mean CROSSFADE_MYSQL_PASSWORD?",
        "CROSSFADE_ZZZZZZZZZZZ": "there is no such setting",
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CROSSFADE_TEST_MYSQL_URL", "mysql://root@localhost"),
        ("CROSSFADE_PROOF", "full"),
        ("CROSSFADE_SERVICE_HOST", "10.0.0.1"),
        ("CROSSFADE_ADMIN_SERVICE_PORT_HTTP", "80"),
        ("CROSSFADE_PORT", "tcp://10.0.0.1:8080"),
        ("CROSSFADE_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ("PATH", "/bin"),
    ],
)
def test_load_settings_leaves_names_of_others_alone(name: str, text: str) -> None:
    """Names of the tests, and those Kubernetes sets for a Service called crossfade, are no faults."""
    assert load_settings({**DEVELOPMENT, name: text}) == load_settings(DEVELOPMENT)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"CROSSFADE_MYSQL_PASSWORD": ""}, "CROSSFADE_MYSQL_PASSWORD"),
        ({"CROSSFADE_JWT_SECRET": ""}, "CROSSFADE_JWT_SECRET"),
        ({"CROSSFADE_JWT_SECRET": "s" * 31}, "CROSSFADE_JWT_SECRET"),
        ({"CROSSFADE_RPC_TOKEN": ""}, "CROSSFADE_RPC_TOKEN"),
        ({"CROSSFADE_DYNAMODB_ENDPOINT": "http://127.0.0.1:8000"}, "CROSSFADE_DYNAMODB_ENDPOINT"),
    ],
)
def test_load_settings_refuses_in_production(given: dict[str, str], name: str) -> None:
    """Production does not start without its secrets, nor on a local endpoint; development does."""
    assert list(faults_of({**PRODUCTION, **given})) == [name]
    assert load_settings({**PRODUCTION, **given, **DEVELOPMENT}).environment is Environment.DEVELOPMENT


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST.", "127.0.0.1", "127.1", "2130706433", "[::1]", "[::]", "0", "192.168.1.9",
     "dynamodb-local", "db.localhost", "host.docker.internal"],
)  # fmt: skip
def test_is_local_recognises_this_machine_and_its_containers(host: str) -> None:
    """However a local endpoint is spelt, it is one."""
    assert is_local(f"http://{host}:8000")


@pytest.mark.parametrize(
    "url", ["", "https://dynamodb.eu-west-1.amazonaws.com", "https://vpce-1.example.org", "https://8.8.8.8"]
)
def test_is_local_lets_remote_hosts_pass(url: str) -> None:
    """The region's own endpoint, and names and addresses of the world, are not local."""
    assert not is_local(url)


def test_load_settings_reads_a_file_under_the_environment(tmp_path: Path) -> None:
    """The file gives values of every kind, and the environment wins over it."""
    file = tmp_path / "crossfade.toml"
    file.write_text(
        'CROSSFADE_ENV = "development"\nCROSSFADE_WORKERS = 3\nCROSSFADE_CALL_DEADLINE_S = 4.5\n'
        'CROSSFADE_LOG_DIFFERENCES = false\nCROSSFADE_ENTITIES = ["user", "cart"]\n',
        encoding="utf-8",
    )
    settings = load_settings({"CROSSFADE_CONFIG": str(file), "CROSSFADE_WORKERS": "2"})
    assert settings.server.workers == 2
    assert settings.limits.call_deadline_s == 4.5
    assert settings.logs.differences is False
    assert settings.entities == ("user", "cart")


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        ("CROSSFADE_WORKERS = ", "CROSSFADE_CONFIG", "cannot be read"),
        ("CROSSFADE_WORKERS = 0", "CROSSFADE_WORKERS", "must be a whole number"),
        ("WORKERS = 2", "WORKERS", "did you mean CROSSFADE_WORKERS?"),
        ("[CROSSFADE_MYSQL]\nHOST = 'x'", "CROSSFADE_MYSQL", "must give a text, a number"),
        ("CROSSFADE_ENTITIES = [1]", "CROSSFADE_ENTITIES", "a list of texts"),
    ],
)
def test_load_settings_reports_faults_of_the_file(tmp_path: Path, content: str, name: str, message: str) -> None:
    """A file that is no TOML, or holds a wrong name or value, is a fault like any other."""
    file = tmp_path / "crossfade.toml"
    file.write_text(content, encoding="utf-8")
    faults = faults_of({**DEVELOPMENT, "CROSSFADE_CONFIG": str(file)})
    assert list(faults) == [name]
    assert message in faults[name]


def test_load_settings_names_a_file_that_is_missing(tmp_path: Path) -> None:
    """The fault carries the path."""
    missing = tmp_path / "missing.toml"
    assert str(missing) in faults_of({**DEVELOPMENT, "CROSSFADE_CONFIG": str(missing)})["CROSSFADE_CONFIG"]


def test_settings_keep_secrets_out_of_repr() -> None:
    """Neither the settings' repr nor an error shows a secret's value."""
    names = (
        "CROSSFADE_MYSQL_PASSWORD",
        "CROSSFADE_DYNAMODB_SECRET_ACCESS_KEY",
        "CROSSFADE_JWT_SECRET",
        "CROSSFADE_RPC_TOKEN",
    )
    given = dict.fromkeys(names, "hunter2")
    settings = load_settings({**DEVELOPMENT, **given, "CROSSFADE_DYNAMODB_ACCESS_KEY_ID": "id"})
    assert settings.security.jwt_secret == "hunter2"
    assert "hunter2" not in repr(settings)
    with pytest.raises(SettingsError) as caught:
        load_settings(given)
    assert "hunter2" not in str(caught.value)
