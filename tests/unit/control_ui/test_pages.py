"""The page's templates, filled in with what the control plane says."""

import re
from html.parser import HTMLParser

import pytest
from markupsafe import escape

from adapters.flags import Flags
from control_ui.forms import FLAGS, Form, written
from control_ui.ports import Refused
from control_ui.views import Routes
from proxy.flags import model
from proxy.flags.model import with_phase
from tests import page_sample as sample
from tests.page_sample import NASTY

VOID = {"meta", "link", "input", "br", "hr", "img"}


PAGES = sample.filled()


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


def test_mismatches_are_shown_with_both_values() -> None:
    """The attribute, what each database says of it, and the call that saw it."""
    table = PAGES["overview"].partition("Latest mismatches, an attribute each")[2].partition("</table>")[0]
    cells = [cell.strip() for cell in re.findall(r"<td>(.*?)</td>", table, re.DOTALL)]
    assert ["None", "first_name", escape(NASTY), "none", "call-1"] == cells[1:]


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
