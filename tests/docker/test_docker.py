"""Images, compose file and RayJob as far as they can be checked without an engine: linted, held to schemas, and true.

The compose file is held to the Compose Specification's own schema; the RayJob to the fields that KubeRay documents, as
its schema is in no package. Nothing is built or started here.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer import Context
from typer.main import get_command

from sprachbund.cli import app

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
IMAGES = {"service": ("service",), "workers": ("adapters_zoo", "workers")}
"""The extra an image installs, and the rooms it holds beside the command line and the ground floor."""


def tool(name: str, *arguments: str) -> None:
    done = subprocess.run([Path(sys.executable).with_name(name), *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def instructions(image: str) -> list[tuple[str, str]]:
    """What a Dockerfile does, as (instruction, arguments), continued lines joined."""
    text = re.sub(r"\\\n\s*", "", (DOCKER / f"{image}.Dockerfile").read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in lines]


def arguments(image: str, instruction: str) -> list[str]:
    return [given for name, given in instructions(image) if name == instruction]


def pinned(package: str) -> str:
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    found = re.search(rf"^{package}==(\S+)$", constraints, re.MULTILINE)
    assert found is not None
    return found[1]


def parses(command: list[str]) -> None:
    """Fails unless the command line takes these arguments; runs nothing."""
    program, *arguments = command
    assert program == "sprachbund"
    group: Any = get_command(app)
    name, found, rest = group.resolve_command(Context(group), arguments)
    found.make_context(name, rest)


@pytest.mark.parametrize("image", IMAGES)
class TestImages:
    def test_dockerfile_is_linted(self, image: str) -> None:
        tool("hadolint", str(DOCKER / f"{image}.Dockerfile"))

    def test_all_it_copies_is_there_and_sent_to_the_engine(self, image: str) -> None:
        sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
        copied = [path for given in arguments(image, "COPY") if "--from" not in given for path in given.split()[:-1]]
        assert copied
        for path in copied:
            assert (ROOT / path).exists()
            assert path in sent

    def test_it_holds_its_own_rooms_and_installs_its_own_extra(self, image: str) -> None:
        copied = {path for given in arguments(image, "COPY") for path in given.split()[:-1]}
        rooms = {"sprachbund", "matrices", "adapters_zoo", "workers", "service"}
        assert copied & rooms == {"sprachbund", "matrices", *IMAGES[image]}
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        installs = [found for run in arguments(image, "RUN") for found in re.findall(r"'\.\[(\w+)\]'", run)]
        assert installs == [image]
        assert image in project["optional-dependencies"]
        assert all("-c constraints.txt" in run for run in arguments(image, "RUN") if "'.[" in run)

    def test_what_runs_is_built_elsewhere_and_is_not_root(self, image: str) -> None:
        stages = [place for place, (name, _) in enumerate(instructions(image)) if name == "FROM"]
        assert len(stages) == 2
        last = instructions(image)[stages[-1] :]
        assert not any("pip" in given for name, given in last if name == "RUN")
        (user,) = (given for name, given in last if name == "USER")
        assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)

    def test_its_command_is_one_of_the_command_line(self, image: str) -> None:
        entry = [part for given in arguments(image, "ENTRYPOINT") for part in yaml.safe_load(given)]
        (command,) = (yaml.safe_load(given) for given in arguments(image, "CMD"))
        if command[-1] != "--help":
            parses([*entry, *command])


def test_the_workers_image_has_the_pinned_torch() -> None:
    assert f"TORCH=torch=={pinned('torch')}" in arguments("workers", "ARG")


class TestCompose:
    @pytest.fixture
    def compose(self) -> dict[str, Any]:
        loaded: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
        return loaded

    def test_it_follows_the_compose_specification(self) -> None:
        tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(DOCKER / "compose.yaml"))

    def test_only_the_service_is_published_and_only_to_this_machine(self, compose: dict[str, Any]) -> None:
        ports = {name: service.get("ports", []) for name, service in compose["services"].items()}
        assert ports == {"service": ["127.0.0.1:8000:8000"], "head": [], "worker": []}

    def test_objects_fit_into_shared_memory(self, compose: dict[str, Any]) -> None:
        for name in ("head", "worker"):
            service = compose["services"][name]
            (objects,) = re.findall(r"--object-store-memory=(\d+)", service["command"])
            assert service["shm_size"] == "1gb"
            assert int(objects) < 1 << 30

    def test_nodes_start_with_options_that_ray_has_and_share_one_token(self, compose: dict[str, Any]) -> None:
        from ray.scripts.scripts import start

        known = {option for parameter in start.params for option in parameter.opts}
        for name in ("head", "worker"):
            service = compose["services"][name]
            words = shlex.split(re.sub(r"\$\{\w+:-(\w+)\}", r"\1", service["command"]))
            assert words[:2] == ["ray", "start"]
            assert {word.partition("=")[0] for word in words[2:]} <= known
            assert service["environment"]["RAY_AUTH_MODE"] == "token"
            assert service["environment"]["RAY_AUTH_TOKEN"].startswith("${RAY_AUTH_TOKEN:?")

    def test_everything_gives_up_privileges_and_says_whether_it_is_well(self, compose: dict[str, Any]) -> None:
        for name, service in compose["services"].items():
            assert service["cap_drop"] == ["ALL"], name
            assert service["security_opt"] == ["no-new-privileges:true"], name
            assert service["mem_limit"], name
            assert "healthcheck" in service or arguments(name, "HEALTHCHECK"), name
        assert compose["services"]["worker"]["depends_on"] == {"head": {"condition": "service_healthy"}}


class TestRayJob:
    @pytest.fixture
    def job(self) -> dict[str, Any]:
        loaded: dict[str, Any] = yaml.safe_load((DOCKER / "rayjob.yaml").read_text(encoding="utf-8"))
        return loaded

    def test_its_fields_are_documented_ones(self, job: dict[str, Any]) -> None:
        assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
        cluster = job["spec"]["rayClusterSpec"]
        assert set(job["spec"]) <= {
            *("entrypoint", "backoffLimit", "activeDeadlineSeconds", "shutdownAfterJobFinishes"),
            *("ttlSecondsAfterFinished", "submitterPodTemplate", "rayClusterSpec", "submissionMode", "runtimeEnvYAML"),
        }
        assert set(cluster) <= {"rayVersion", "authOptions", "headGroupSpec", "workerGroupSpecs"}
        assert set(cluster["headGroupSpec"]) <= {"serviceType", "rayStartParams", "template"}
        for group in cluster["workerGroupSpecs"]:
            assert set(group) <= {"groupName", "replicas", "minReplicas", "maxReplicas", "rayStartParams", "template"}

    def test_it_ends_and_cleans_up(self, job: dict[str, Any]) -> None:
        spec = job["spec"]
        assert spec["shutdownAfterJobFinishes"] is True
        assert spec["activeDeadlineSeconds"] > 0
        assert spec["ttlSecondsAfterFinished"] > 0

    def test_it_runs_a_command_of_the_command_line_on_the_pinned_ray(self, job: dict[str, Any]) -> None:
        parses(shlex.split(job["spec"]["entrypoint"]))
        assert job["spec"]["rayClusterSpec"]["rayVersion"] == pinned("ray")
        assert job["spec"]["rayClusterSpec"]["authOptions"] == {"mode": "token"}
        version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
        assert {container["image"] for _, container in containers(job)} == {f"sprachbund-workers:{version}"}

    def test_no_pod_is_root_or_without_limits(self, job: dict[str, Any]) -> None:
        for pod, container in containers(job):
            assert pod["securityContext"]["runAsNonRoot"] is True
            assert f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}" in arguments(
                "workers", "USER"
            )
            assert pod["automountServiceAccountToken"] is False
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
            }
            assert set(container["resources"]) == {"requests", "limits"}
            assert {"cpu", "memory"} <= set(container["resources"]["limits"])

    def test_what_is_mounted_is_a_volume_of_its_pod_and_objects_fit(self, job: dict[str, Any]) -> None:
        cluster = job["spec"]["rayClusterSpec"]
        for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
            spec = group["template"]["spec"]
            volumes = {volume["name"] for volume in spec["volumes"]}
            (container,) = spec["containers"]
            assert {mount["name"] for mount in container["volumeMounts"]} == volumes
            assert all(isinstance(value, str) for value in group["rayStartParams"].values())
            assert int(group["rayStartParams"]["object-store-memory"]) < 1 << 30


def containers(job: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Every container with the pod it is in."""
    cluster = job["spec"]["rayClusterSpec"]
    templates = [job["spec"]["submitterPodTemplate"], cluster["headGroupSpec"]["template"]]
    templates += [group["template"] for group in cluster["workerGroupSpecs"]]
    for template in templates:
        for container in template["spec"]["containers"]:
            yield template["spec"], container
