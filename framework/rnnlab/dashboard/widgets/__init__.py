"""Textual widgets for runs: `LineChart`, `Heatmap`, `RunTable` and `sparkline`.

They know nothing of the lab and need numpy and textual alone, so any Textual app may use them:

    chart = LineChart(title="loss", x_label="step")
    chart.set_series([Line("train", steps, losses)])

Every widget takes `glyphs` (see `glyphs.glyphs_for`); its colours follow the app's theme and NO_COLOR.
"""
