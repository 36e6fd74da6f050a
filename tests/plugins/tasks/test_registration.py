import subprocess
import sys

import rnnlab_plugins.tasks


def test_every_task_is_registered_with_a_primary_metric_of_its_own():
    specs = {spec.name: spec for spec in rnnlab_plugins.tasks.rnnlab_tasks()}
    assert {name: spec.mode for name, spec in specs.items()} == {
        "sequence_classification": "class",
        "sequence_labelling": "synchronous",
        "sequence_to_sequence": "asynchronous",
    }
    assert all(spec.primary in spec.metrics for spec in specs.values())
    assert [name for name, spec in specs.items() if spec.decoder] == ["sequence_to_sequence"]


def test_registration_and_options_import_no_torch():
    code = "import sys, rnnlab_plugins.tasks.config; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


def test_models_import_no_metric_library():
    code = (
        "import sys, rnnlab_plugins.tasks.sequence_to_sequence as s; "
        "print({'torchmetrics', 'sacrebleu'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
