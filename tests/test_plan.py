"""What a build will do: passes, budget, and what can be refused before data are touched."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgekit.passes.base import from_mapping as pass_from_mapping
from edgekit.plan import Plan, make_plan
from edgekit.project import Project, from_mapping
from edgekit.target.profile import load_profile

DATA = {"calibration": ["c.npz"], "training": ["t.npz:x,y"], "evaluation": ["e.npz:x,y"]}


def plan_of(
    spec: str = "", quantized: bool = False, target: str = "rpi4", **tables: dict[str, Any]
) -> Plan:
    project = from_mapping({"data": DATA, **tables}, "test")
    project = project.with_compress(spec) if spec else project
    source = "tflite" if quantized else "keras"
    return make_plan(project, load_profile(target), source, quantized)


def test_passes_come_between_import_and_quantize() -> None:
    plan = plan_of("prune:0.6,cluster:16,qat", budget={"agreement": 98})
    assert [(step.kind, step.name) for step in plan.steps] == [
        ("import", "keras"),
        ("compress", "prune"),
        ("compress", "cluster"),
        ("compress", "quantize_aware"),
        ("quantize", "int8"),
        ("fidelity", "float"),
        ("guard", "budget"),
        *(("export", name) for name in load_profile("rpi4").exporters),
        ("fit", "rpi4"),
    ]
    assert [step.name for step in plan.compress] == ["prune", "cluster", "quantize_aware"]
    assert plan.problems == ()


def test_without_passes_and_budget_the_plan_is_as_it_was() -> None:
    kinds = [step.kind for step in plan_of().steps]
    assert "compress" not in kinds
    assert "guard" not in kinds


def test_a_step_holds_every_option_and_is_read_back() -> None:
    fine_tune = {"epochs": 9, "temperature": 2.0}
    (step,) = plan_of("prune:0.6:epochs=5", fine_tune=fine_tune).compress
    assert step.options["sparsity"] == 0.6
    assert step.options["schedule"]
    assert (step.options["fine_tune"]["epochs"], step.options["fine_tune"]["temperature"]) == (5, 2)
    options, tuned = pass_from_mapping(step.name, step.options, "plan")
    assert {**options.to_json(), "fine_tune": tuned} == step.options
    again = json.loads(json.dumps(step.options))
    assert pass_from_mapping(step.name, again, "manifest") == (options, tuned)


def test_lines_say_what_is_known_and_what_the_data_decide() -> None:
    text = "\n".join(plan_of("prune:0.6:epochs=5", budget={"accuracy_drop": 1}).lines())
    assert "2. compress prune (sparsity=0.6" in text
    assert "     fine-tuning (epochs=5, augment=auto" in text
    assert "; from the data: batch, patience)" in text
    assert "guard budget (accuracy_drop=1.0, strict=false, ladder=true)" in text
    assert "max_minutes" not in text


def test_all_of_fine_tuning_given_leaves_nothing_to_the_data() -> None:
    spec = "prune:epochs=5:batch=8:patience=2:label_weight=0"
    text = "\n".join(plan_of(spec).lines())
    assert "from the data" not in text
    assert "label_weight=0.0" in text


NO_LABELS = {"calibration": ["c.npz"]}
ERRORS = {
    "qat for another format": (
        ("qat", {"quantize": {"scheme": "float16"}}),
        "quantize_aware trains for int8, and the build is float16",
        "use --quantize int8, or leave quantize_aware out",
    ),
    "qat twice": (
        ("qat,prune,qat", {}),
        "quantize_aware learns ranges 2 times",
        "give it once: --compress prune,quantize_aware",
    ),
    "prune after qat": (
        ("qat,prune:0.5", {}),
        "prune after quantize_aware would undo what that learned",
        "put it last: --compress prune,quantize_aware",
    ),
    "cluster after qat": (
        ("prune,qat,cluster", {}),
        "cluster after quantize_aware would undo what that learned",
        "put it last: --compress prune,cluster,quantize_aware",
    ),
    "a student behind another pass": (
        ("prune,distill:student=small.keras", {}),
        "distill begins with another network, and prune is in front",
        "put distill first",
    ),
    "no data": (
        ("prune", {"data": {}, "quantize": {"scheme": "float16"}}),
        "compression needs data to learn from, and none is given",
        "give --training data.npz:x,y",
    ),
    "a budget without the comparison": (
        ("", {"budget": {"sqnr": 20}, "fidelity": {"enabled": False}}),
        "a budget is set, and the comparison with the float model is switched off",
        "leave --no-fidelity out",
    ),
    "a budget on accuracy without labels": (
        ("", {"budget": {"accuracy_drop": 1}, "data": NO_LABELS}),
        "a budget for the accuracy drop needs labelled data",
        "give --evaluation data.npz:x,y",
    ),
    "a budget without data": (
        ("", {"budget": {"sqnr": 9}, "data": {}, "quantize": {"scheme": "float16"}}),
        "a budget needs data to compare on",
        "give --evaluation data.npz:x",
    ),
}


@pytest.mark.parametrize(("given", "message", "hint"), ERRORS.values(), ids=ERRORS.keys())
def test_refused_before_any_work(
    given: tuple[str, dict[str, Any]], message: str, hint: str
) -> None:
    spec, tables = given
    (problem,) = plan_of(spec, **tables).problems
    assert problem.severity == "error"
    assert problem.message.startswith(message)
    assert problem.hint.startswith(hint)


def test_training_data_alone_calibrate_a_compressed_build_and_no_other() -> None:
    only = {"training": ["t.npz:x,y"]}
    assert plan_of("prune", data=only).problems == ()
    (problem,) = plan_of(data=only).problems
    assert problem.message == "int8 needs calibration data, and none is given"


def test_shared_values_before_zeros_are_refused_by_the_passes_themselves() -> None:
    (problem,) = plan_of("cluster,prune").problems
    assert problem.message.startswith("prune cannot follow")


def test_a_model_that_is_quantized_already() -> None:
    problems = plan_of("prune", quantized=True, budget={"agreement": 99}).problems
    assert [problem.message for problem in problems] == [
        "the model is quantized already, and cannot be compressed",
        "a budget is set, and the model is quantized already: nothing to compare it with",
    ]


def test_strict_without_a_budget_is_said() -> None:
    (problem,) = plan_of(budget={"strict": True}).problems
    assert (problem.severity, problem.where) == ("warning", "--strict")


@pytest.mark.parametrize("spec", ["prune,qat", "cluster,qat", "prune,cluster,qat", "distill,qat"])
def test_sensible_orders_are_taken(spec: str) -> None:
    assert plan_of(spec).problems == ()


def test_projects_without_the_new_tables_still_read() -> None:
    old = Project().to_json()
    for table in ("compress", "fine_tune", "budget"):
        del old[table]
    del old["quantize"]["sparse"]
    assert from_mapping(old, "manifest.json") == Project()
