"""Filling the form in by keyboard."""

from __future__ import annotations

from textual.events import Key


def test_a_field_changed_changes_the_command_and_back(app, at_desk):
    async def scene(stage, desk):
        assert desk.command == "digits"
        await desk.fill_in("hidden", "32")
        assert desk.command == "digits stack.hidden_size=32"
        await stage.see("stack.hidden_size  96 → 32")
        await stage.see("1,234 parameters · 50 steps")
        await stage.press("ctrl+z")
        assert desk.command == "digits"
        assert desk.rows["stack.hidden_size"].editor.value == "96"
        await stage.see("nothing differs from digits")

    at_desk(app, scene)


def test_the_side_pane_tells_about_the_field(app, at_desk):
    async def scene(stage, desk):
        await desk.go_to("hidden")
        await stage.see("hidden size  stack.hidden_size")
        await stage.see("an integer >= 1 and <= 16384; default 128")
        await stage.see("Units per layer and direction (H).")

    at_desk(app, scene)


def test_what_is_wrong_stands_under_its_field_and_nothing_starts(app, at_desk):
    expected = "expected an integer >= 1 and <= 16384, got 0"

    async def scene(stage, desk):
        await desk.fill_in("hidden", "0")
        await stage.until(lambda: desk.said("stack.hidden_size") == expected)
        await stage.see("not valid: stack.hidden_size")
        await desk.go_to("epochs")
        await stage.press("ctrl+r")
        assert desk.notices == [f"stack.hidden_size: {expected}"]
        await stage.until(lambda: desk.has_keyboard("stack.hidden_size"))
        await desk.type_over("x")
        await stage.until(lambda: desk.said("stack.hidden_size") == expected.removesuffix("0") + "'x'")
        await desk.type_over("8")
        await stage.until(lambda: desk.said("stack.hidden_size") == "")
        assert app.launches.plans == [] and app.opened == []

    at_desk(app, scene)


def test_another_plugin_builds_its_section_alone(app, at_desk):
    async def scene(stage, desk):
        await desk.fill_in("hidden", "32")
        before = desk.rows
        assert "cell.forget_bias" in before
        await desk.go_to("cell")
        await stage.press("left")
        await stage.see("cell · rnn")
        after = desk.rows
        assert desk.form.value("cell") == "rnn" and desk.has_keyboard("cell")
        assert "cell.forget_bias" not in after and "cell.nonlinearity" in after
        kept = [key for key in after if not key.startswith("cell.")]
        assert all(after[key] is before[key] for key in kept) and "training.epochs" in kept
        assert after["stack.hidden_size"].editor.value == "32"
        assert desk.command == "digits cell=rnn stack.hidden_size=32"

    at_desk(app, scene)


def test_a_choice_is_opened_and_chosen_from(app, at_desk):
    async def scene(stage, desk):
        await desk.go_to("backend")
        await stage.press("enter", "down", "enter")
        named = desk.form.value("backend")
        assert named in [entry.name for entry in app.catalogue.of("backend")]
        assert desk.command == f"digits backend={named}"

    at_desk(app, scene)


def test_a_choice_is_clicked(app, at_desk):
    async def scene(stage, desk):
        editor = desk.rows["cell"].editor
        await stage.pilot.click(editor)
        await stage.until(lambda: app.focused is editor.menu)
        assert any("▸ cell" in line and "▲" in line for line in stage.lines())
        await stage.press("escape")
        assert desk.has_keyboard("cell") and not editor.opened
        await stage.pilot.click(editor)
        await stage.until(lambda: app.focused is editor.menu)
        at = list(editor.known).index("rnn")
        await stage.pilot.click(editor.menu, offset=(2, at))
        await stage.until(lambda: desk.command == "digits cell=rnn")
        assert desk.has_keyboard("cell") and not editor.opened
        assert any("▸ cell" in line and "▼" in line for line in stage.lines())

    at_desk(app, scene)


def test_the_filter_shows_fields_by_name(app, at_desk):
    async def scene(stage, desk):
        everything = desk.reachable
        await stage.press("slash", *"drop")
        assert desk.reachable == ["task.dropout", "stack.dropout", "stack.recurrent_dropout"]
        await stage.press("down", "down")
        assert desk.has_keyboard("stack.dropout")
        await stage.press("slash")  # a number has no stroke
        assert app.focused is desk.screen.bench.side.line
        await stage.press("escape")
        await stage.until(lambda: desk.has_keyboard("stack.dropout"))
        assert desk.reachable == everything and len(everything) > 40

    at_desk(app, scene)


def test_arrows_and_pages_move_and_escape_frees_the_keys(app, at_desk):
    async def scene(stage, desk):
        assert desk.has_keyboard("from")
        await stage.press("down", "down", "tab")
        assert desk.has_keyboard("cell")
        await stage.press("up", "shift+tab")
        assert desk.has_keyboard("task")
        await stage.press("pagedown")
        assert desk.has_keyboard("name")
        await stage.press("pagedown", "down", "pageup")
        assert desk.has_keyboard("name")
        await stage.press("escape")
        assert app.focused is None
        await stage.press("down")
        assert desk.has_keyboard("name")
        await stage.press("escape", "1")
        await stage.until(lambda: app.current_mode == "runs")
        await stage.press("4")
        await stage.until(lambda: app.current_mode == "launch")
        assert desk.form.text("name") == "digits"

    at_desk(app, scene)


def test_keys_that_come_together_each_go_on_from_the_one_before(app, at_desk):
    async def scene(stage, desk):
        start = desk.reachable
        for key in ("down", "down", "down", "up", "down"):  # as a terminal gives a key that is held down
            app.post_message(Key(key, None))
        await stage.until(lambda: desk.has_keyboard(start[3]))

    at_desk(app, scene)
