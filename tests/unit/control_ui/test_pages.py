"""The page's templates, filled in with what the control plane says."""

from html.parser import HTMLParser

import pytest

from adapters.flags import Flags
from control_ui.forms import FLAGS, Form, written
from control_ui.ports import Refused
from control_ui.views import Routes, parts
from control_ui.visit import Missing
from proxy.admin.records import JobState, LogKind
from proxy.flags import model
from proxy.flags.model import with_phase
from tests import page_sample as sample
from tests.page_sample import NASTY

VOID = {"meta", "link", "input", "br", "hr", "img"}


def filled() -> dict[str, str]:
    """Every page, in the states that it can be in."""
    pages, visitor = sample.pages(), sample.Reader()
    missing = Missing("MySQL cannot be reached.")
    refusal = Refused(409, f"Refused for {NASTY}.", details=[NASTY], is_gate_closed=True)
    whole = {**parts(sample.status(), sample.RULES), **sample.overview()}
    lost = sample.overview(
        gates=dict.fromkeys(sample.PHASES, missing), mismatches=missing, audit=missing, admins=missing, done=None
    )
    half_known = sample.status(statistics=None, proxies=None, pending_intents=None, jobs=(), is_copy_stale=True)
    move = {"visitor": visitor, "target": 4, **parts(sample.status(), sample.RULES)}
    shut = {"visitor": visitor, "refusal": refusal, "repeated": {"to": "4", "version": "7"}, "action": "/x"}
    return {
        "overview": pages.text("overview.html", whole),
        "overview lost": pages.text("overview.html", {**parts(missing, sample.RULES), **lost}),
        "overview half known": pages.text("overview.html", {**whole, **parts(half_known, sample.RULES)}),
        "overview custom": pages.text(
            "overview.html", {**whole, **parts(sample.status(Flags(dual_write=True, dual_read=True)), sample.RULES)}
        ),
        "overview first phase": pages.text(
            "overview.html", {**whole, **parts(sample.status(Flags()), sample.RULES), "admins": []}
        ),
        "login": pages.text("login.html", {"refusal": None, "token": "t"}),
        "login refused": pages.text("login.html", {"refusal": refusal, "token": "t"}),
        "forbidden": pages.text("forbidden.html", {"refusal": refusal}),
        "closed": pages.text("closed.html", {"refusal": refusal}),
        "refused": pages.text("refused.html", {"visitor": visitor, "refusal": refusal}),
        "shut": pages.text("shut.html", {**shut, "form": Form({"reason": NASTY})}),
        "move": pages.text("move.html", {**move, "gate": sample.gate()}),
        "move open": pages.text("move.html", {**move, "gate": sample.gate(is_open=True)}),
        "move unknown": pages.text("move.html", {**move, "gate": missing}),
        "job": pages.text("job.html", {"visitor": visitor, "job": sample.job()}),
        "job done": pages.text("job.html", {"visitor": visitor, "job": sample.job(JobState.DONE)}),
        "log": pages.text("log.html", {"visitor": visitor, "kind": None, "log": sample.entries(*LogKind)}),
        "log empty": pages.text("log.html", {"visitor": visitor, "kind": "audit", "log": sample.entries()}),
    }


PAGES = filled()


class Reading(HTMLParser):
    """What stands in a page: its elements, closed in order, and their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember it."""
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember it."""
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Demand that it is the one opened last."""
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of all elements of a name."""
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.mark.parametrize("name", PAGES)
def test_page_has_no_style_and_no_script_in_it(name: str) -> None:
    """No style sheet, no styling attribute, no handler in an attribute, and no script but the file."""
    page = Reading(PAGES[name])
    assert page.open == []
    assert not {"style", "font", "center", "b", "i"} & {tag for tag, _ in page.elements}
    names = {name for _, attributes in page.elements for name in attributes}
    styling = {"style", "class", "align", "valign", "bgcolor", "border", "color", "fill", "stroke", "text-anchor"}
    assert not names & styling
    assert not [name for name in names if name.startswith("on")]
    assert all(script.get("src") for script in page.all("script"))


@pytest.mark.parametrize("name", PAGES)
def test_page_shows_names_of_users_as_text(name: str) -> None:
    """What a user is called, or gives as a reason, is never markup."""
    assert NASTY not in PAGES[name]
    assert "secret-hash" not in PAGES[name]


@pytest.mark.parametrize("name", PAGES)
def test_page_has_a_token_on_every_form_that_changes_something(name: str) -> None:
    """Each form that is posted carries the token; what every control is for stands in a label."""
    page = Reading(PAGES[name])
    posts = [form for form in page.all("form") if form.get("method") == "post"]
    tokens = [field for field in page.all("input") if field.get("name") == "csrf"]
    assert len(posts) == len(tokens)
    assert all(form["action"] for form in posts)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    controls = [field for tag in ("input", "select") for field in page.all(tag) if field.get("type") != "hidden"]
    assert {field["id"] for field in controls} <= {label["for"] for label in page.all("label")}


@pytest.mark.parametrize("phase", sorted(sample.PHASES))
def test_drawing_says_where_calls_go(phase: int) -> None:
    """An arrow for each way that calls take in the phase, and none besides."""
    routes = Routes(sample.status(with_phase(Flags(), phase)), sample.RULES)
    drawn = sample.pages().text("routes.html", {"routes": routes})
    arrows = {1: 2, 2: 3, 3: 4, 4: 3, 5: 2}
    assert arrows[phase] == drawn.count("<polygon")
    written = {1: "MySQL", 5: "DynamoDB"}.get(phase, "MySQL and DynamoDB")
    answering = "DynamoDB" if phase > 3 else "MySQL"
    compared = " and compared with DynamoDB" if phase == 3 else ""
    assert f"Writes go to {written}. Reads are answered by {answering}{compared}." == routes.sentence


def test_every_flag_has_its_form() -> None:
    """A flag that the proxy knows cannot be forgotten here, nor one of its values."""
    assert list(model.FLAGS) == [flag.name for flag in FLAGS]
    for flag in FLAGS:
        for value in flag.choices or ("7",):
            (given,) = Form({flag.name: value}).flags().values()
            assert value == written(model.FLAGS[flag.name].parse(given))


def test_form_leaves_a_flag_alone_when_its_field_is_empty() -> None:
    """Several flags at once: only those that were chosen."""
    form = Form({"dual_read_enabled": "false", "mismatch_policy": "", "compare_percent": " 50 "})
    assert {"dual_read_enabled": False, "compare_percent": 50} == form.flags()


@pytest.mark.parametrize("text", ["", "-1", "1.5", "x", "٣", "9" * 30])
def test_form_refuses_what_is_no_number(text: str) -> None:
    """A number that no form of ours would send is refused by name."""
    with pytest.raises(Refused, match="to must be a whole number") as refused:
        Form({"to": text}).number("to")
    assert 400 == refused.value.status


def test_gates_of_the_page_name_what_was_not_measured() -> None:
    """A check without evidence says so, and the form offers force."""
    assert "not yet measured" in PAGES["move"]
    assert 'name="force"' in PAGES["move"]
    assert 'name="force"' not in PAGES["move open"]
