from napari_bonescint.evaluation.best_and_worst import Extremes


def test_the_highest_in_each_respect_is_kept() -> None:
    extremes: Extremes[str] = Extremes()
    for name, dice in (("a", 0.8), ("b", 0.9), ("c", 0.9), ("d", 0.7)):
        extremes.add(name, {"best": dice, "worst": -dice})
    assert extremes.found == {"best": "b", "worst": "d"}


def test_one_item_is_all_of_them() -> None:
    extremes: Extremes[str] = Extremes()
    extremes.add("a", {"best": 0.0, "worst": 0.0})
    assert extremes.found == {"best": "a", "worst": "a"}
