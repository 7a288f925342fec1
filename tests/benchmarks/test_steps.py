from pathlib import Path

import steps


def test_the_planted_clusters_are_found(tmp_path: Path) -> None:
    planted = steps.make(tmp_path, 3_000)
    found = steps.run(tmp_path)
    assert found["rows"] == 3_000
    assert found["clusters"] == planted < 2_600
    assert 0 < found["kept"] <= planted
