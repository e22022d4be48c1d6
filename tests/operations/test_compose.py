"""docker-compose.yml, read by the real Compose program without an engine."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPO = Path(__file__).resolve().parents[2]
COMPOSE = Path(sys.executable).parent / "docker-compose"


def compose(file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMPOSE, "-f", file, *arguments], cwd=REPO, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    shown = compose(REPO / "docker-compose.yml", "config", "--format", "json")
    read: dict[str, dict[str, Any]] = json.loads(shown.stdout)["services"]
    return read


def test_compose_accepts_the_file() -> None:
    done = compose(REPO / "docker-compose.yml", "config", "-q")
    assert (done.returncode, done.stdout) == (0, "")


def test_compose_would_refuse_a_misspelt_key(tmp_path: Path) -> None:
    broken = tmp_path / "docker-compose.yml"
    text = (REPO / "docker-compose.yml").read_text("utf-8").replace("depends_on:", "dependson:")
    broken.write_text(text, encoding="utf-8")
    assert compose(broken, "config", "-q").returncode != 0


def test_it_has_the_six_services(services: dict[str, dict[str, Any]]) -> None:
    assert set(services) == {"postgres", "valkey", "migrate", "web", "worker", "beat"}


def test_every_service_that_stays_has_a_health_check(services: dict[str, dict[str, Any]]) -> None:
    staying = {name for name, service in services.items() if service["restart"] != "no"}
    assert staying == {"postgres", "valkey", "web", "worker", "beat"}
    assert all("healthcheck" in services[name] for name in staying)


def test_only_the_web_service_has_a_port_and_only_on_this_machine(
    services: dict[str, dict[str, Any]],
) -> None:
    assert {name for name, service in services.items() if service.get("ports")} == {"web"}
    assert [port["host_ip"] for port in services["web"]["ports"]] == ["127.0.0.1"]


def test_nothing_of_ours_starts_before_the_migrations_are_done(services: dict[str, dict[str, Any]]) -> None:
    for name in ("web", "worker", "beat"):
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_every_file_system_is_read_only(services: dict[str, dict[str, Any]]) -> None:
    assert all(service["read_only"] for service in services.values())


def test_no_secret_stands_in_an_environment_variable(services: dict[str, dict[str, Any]]) -> None:
    telling = ("PASSWORD", "SECRET", "KEYS", "_URL")
    for service in services.values():
        for name in service.get("environment", {}):
            assert name.endswith("_FILE") or not any(word in name for word in telling)


def test_the_image_runs_without_root_from_hashed_packages() -> None:
    lines = (REPO / "Dockerfile").read_text("utf-8").splitlines()
    assert "USER portal" in lines
    assert "RUN pip install --require-hashes -r requirements.txt" in lines
    assert any(line.startswith("HEALTHCHECK") for line in lines)
