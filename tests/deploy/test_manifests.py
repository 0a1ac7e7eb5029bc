"""What a cluster would get: valid for every Kubernetes that is claimed, and as safe as it is said to be."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes_validate import ValidationError, utils, validate

from authz import __version__
from authz.config import Settings, load
from authz.content import SchemaValidators
from authz.policy import Compiler
from authz.server.running import GRACE
from tests.deploy.kustomize import Manifest, build

ROOT = Path(__file__).parents[2]
OVERLAYS = ROOT / "deploy" / "overlays"
FORMS = ("sidecar", "service")
VERSIONS = [f"1.{minor}" for minor in range(29, 38)]
BUILT = {form: build(OVERLAYS / form) for form in FORMS}


def kind(form: str, wanted: str) -> list[Manifest]:
    """Return the objects of a kind."""
    return [manifest for manifest in BUILT[form] if manifest["kind"] == wanted]


def named(form: str, wanted: str, name: str) -> Manifest:
    """Return one object."""
    return next(one for one in kind(form, wanted) if one["metadata"]["name"] == name)


PODS: dict[str, dict[str, Any]] = {
    f"{form}/{one['metadata']['name']}": one["spec"]["template"]["spec"]
    for form in FORMS
    for one in kind(form, "Deployment")
}


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    """Return all containers, sidecars first."""
    return [*pod.get("initContainers", []), *pod["containers"]]


CONTAINERS = {f"{name}/{one['name']}": one for name, pod in PODS.items() for one in containers(pod)}
AUTHZ = {name: one for name, one in CONTAINERS.items() if one["name"] == "authz"}
AUTHZ_PODS = {name: pod for name, pod in PODS.items() if any(one["name"] == "authz" for one in containers(pod))}


def settings(form: str) -> Settings:
    """Read the settings file of a form as the service would."""
    return load(file=OVERLAYS / form / "authz.yaml", environment={}, flags={}).settings


_schema = functools.cache(utils.schema_contents)


class TestSchemas:
    """Strict: a key that Kubernetes does not know is a fault."""

    @pytest.fixture(autouse=True)
    def schemas(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Read each schema once instead of once for every object."""
        monkeypatch.setattr(utils, "schema_contents", _schema)

    @pytest.mark.parametrize("version", VERSIONS)
    @pytest.mark.parametrize("form", FORMS)
    def test_every_object_is_valid(self, form: str, version: str) -> None:
        """Every object passes the strict schema of every version from 1.29 on."""
        for manifest in BUILT[form]:
            validate(manifest, version, strict=True)

    def test_a_misspelled_key_is_found(self) -> None:
        """The check has teeth: `restartPolic` on a sidecar is no valid manifest."""
        text = yaml.safe_dump(named("sidecar", "Deployment", "shop")).replace("restartPolicy:", "restartPolic:")
        with pytest.raises(ValidationError):
            validate(yaml.safe_load(text), VERSIONS[0], strict=True)


class TestPods:
    """Pod Security "restricted", and what a pod needs to live among others."""

    @pytest.mark.parametrize("pod", PODS.values(), ids=PODS)
    def test_pod_is_restricted(self, pod: dict[str, Any]) -> None:
        """No root, the runtime's seccomp profile, nothing of the host, no token, no variables from Services."""
        context = pod["securityContext"]
        assert context["runAsNonRoot"] is True
        assert context["runAsUser"] >= 1
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not pod.keys() & {"hostNetwork", "hostPID", "hostIPC", "hostUsers"}
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        kinds = {key for volume in pod.get("volumes", []) for key in volume.keys() - {"name"}}
        assert kinds <= {"configMap", "emptyDir", "projected", "secret"}

    @pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS)
    def test_container_is_restricted(self, container: dict[str, Any]) -> None:
        """No capability, no way to more rights, a root that can't be written."""
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context.keys() <= {"allowPrivilegeEscalation", "readOnlyRootFilesystem", "capabilities", "runAsUser"}
        assert all("hostPort" not in port for port in container.get("ports", []))

    @pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS)
    def test_container_is_probed_and_bounded(self, container: dict[str, Any]) -> None:
        """All three probes, memory that is asked for and never exceeded, and a bound on CPU."""
        assert {"startupProbe", "readinessProbe", "livenessProbe"} <= container.keys()
        resources = container["resources"]
        assert resources["requests"].keys() == resources["limits"].keys() == {"cpu", "memory"}

    @pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS)
    def test_image_has_a_version(self, container: dict[str, Any]) -> None:
        """No image moves under its tag's name."""
        _, _, tag = container["image"].partition(":")
        assert tag
        assert "latest" not in tag

    @pytest.mark.parametrize("pod", PODS.values(), ids=PODS)
    def test_mounts_and_volumes_belong_together(self, pod: dict[str, Any]) -> None:
        """Every mount has its volume and every volume is mounted."""
        mounted = {mount["name"] for one in containers(pod) for mount in one.get("volumeMounts", [])}
        assert mounted == {volume["name"] for volume in pod.get("volumes", [])}

    @pytest.mark.parametrize("form", FORMS)
    def test_namespace_demands_what_the_pods_keep(self, form: str) -> None:
        """The namespace enforces "restricted", and everything else is in it."""
        (namespace,) = kind(form, "Namespace")
        assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
        others = [one for one in BUILT[form] if one["kind"] != "Namespace"]
        assert {one["metadata"]["namespace"] for one in others} == {namespace["metadata"]["name"]}

    @pytest.mark.parametrize("form", FORMS)
    def test_names_lead_somewhere(self, form: str) -> None:
        """ConfigMaps that are mounted exist; selectors of Services, budgets and network policies select a pod."""
        maps = {one["metadata"]["name"] for one in kind(form, "ConfigMap")}
        deployments = kind(form, "Deployment")
        for deployment in deployments:
            assert set(_config_maps(deployment["spec"]["template"]["spec"])) <= maps
        labels = [one["spec"]["template"]["metadata"]["labels"] for one in deployments]
        selectors = [one["spec"]["selector"] for one in kind(form, "Service")]
        selectors += [one["spec"]["selector"]["matchLabels"] for one in kind(form, "PodDisruptionBudget")]
        selectors += [one["spec"]["podSelector"]["matchLabels"] for one in kind(form, "NetworkPolicy")]
        for selector in selectors:
            assert any(selector.items() <= one.items() for one in labels), selector


class TestAuthz:
    """The service's own container, in both forms."""

    @pytest.mark.parametrize("container", AUTHZ.values(), ids=AUTHZ)
    def test_probes_ask_the_admin_port(self, container: dict[str, Any]) -> None:
        """Rows G7, G8: it has started and is ready when policies can be served; it lives as long as it answers."""
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert ports["admin"] == 9192
        paths = {name: container[name]["httpGet"] for name in ("startupProbe", "readinessProbe", "livenessProbe")}
        assert [probe["path"] for probe in paths.values()] == ["/readyz", "/readyz", "/livez"]
        assert {probe["port"] for probe in paths.values()} == {"admin"}

    @pytest.mark.parametrize("container", AUTHZ.values(), ids=AUTHZ)
    def test_policies_are_mounted_as_a_folder(self, container: dict[str, Any]) -> None:
        """Row L2: a subPath mount would never be updated."""
        mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
        assert all("subPath" not in mount and "subPathExpr" not in mount for mount in mounts.values())
        policies = [mount for path, mount in mounts.items() if path.startswith("/etc/authz/policies")]
        assert policies
        assert all(mount["readOnly"] is True for mount in policies)

    @pytest.mark.parametrize("form", FORMS)
    def test_policies_stay_live(self, form: str) -> None:
        """Their names are fixed, and all that is in a ConfigMap is mounted."""
        generated = yaml.safe_load((ROOT / "deploy/base/kustomization.yaml").read_text())["configMapGenerator"]
        (pod,) = (pod for name, pod in AUTHZ_PODS.items() if name.startswith(form))
        mounted = [volume["configMap"] for volume in pod["volumes"] if volume["name"].startswith("authz-policies")]
        assert [one["name"] for one in mounted] == [one["name"] for one in generated]
        assert all(one["options"] == {"disableNameSuffixHash": True} for one in generated)
        assert all("items" not in one for one in mounted)

    @pytest.mark.parametrize("form", FORMS)
    def test_no_owner_can_replace_files_of_another(self, form: str) -> None:
        """L7: of two keys in one projected volume the later one's file is there, in silence: so there is none."""
        (pod,) = (pod for name, pod in AUTHZ_PODS.items() if name.startswith(form))
        (container,) = (one for one in containers(pod) if one["name"] == "authz")
        assert all("projected" not in volume for volume in pod["volumes"])
        owners = {volume["name"] for volume in pod["volumes"] if volume["name"].startswith("authz-policies")}
        folders = {one["name"]: Path(one["mountPath"]) for one in container["volumeMounts"] if one["name"] in owners}
        assert len(owners) == len(set(folders.values())) == 2
        assert not any(a != b and a.is_relative_to(b) for a in folders.values() for b in folders.values())
        assert settings(form).policies == tuple(folders.values())

    @pytest.mark.parametrize("form", FORMS)
    def test_policies_can_be_served(self, form: str) -> None:
        """What the ConfigMaps hold compiles, all of it together."""
        files = {
            f"{one['metadata']['name']}/{name}": text.encode()
            for one in kind(form, "ConfigMap")
            if one["metadata"]["name"].startswith("authz-policies")
            for name, text in one["data"].items()
        }
        policies = Compiler(validators=SchemaValidators()).compile(files)
        assert {document.name for document in policies.documents} >= {"catalog", "orders", "risky-networks"}

    @pytest.mark.parametrize("form", FORMS)
    def test_settings_fit_the_manifest(self, form: str) -> None:
        """What the settings name is mounted, and the port they open is the port that is declared."""
        read = settings(form)
        container = AUTHZ[f"{form}/{'shop' if form == 'sidecar' else 'authz'}/authz"]
        mounts = [Path(mount["mountPath"]) for mount in container["volumeMounts"]]
        assert container["args"] == ["serve", "--config", "/etc/authz/settings/authz.yaml"]
        assert list(named(form, "ConfigMap", "authz-settings")["data"]) == ["authz.yaml"]
        assert read.redis.password_file is not None
        assert read.admin == "0.0.0.0:9192"
        for path in (*read.policies, read.redis.password_file, Path("/etc/authz/settings/authz.yaml"), Path("/tmp/x")):  # noqa: S108
            assert any(path.is_relative_to(mount) for mount in mounts), path

    @pytest.mark.parametrize("name", AUTHZ_PODS)
    def test_kubernetes_waits_longer_than_the_drain(self, name: str) -> None:
        """Row G6: the grace period holds what comes before SIGTERM, the drain, and the checks under way."""
        pod = AUTHZ_PODS[name]
        before = [
            float(one["lifecycle"]["preStop"]["exec"]["command"][1]) for one in containers(pod) if "lifecycle" in one
        ]
        drain = settings(name.partition("/")[0]).drain
        assert pod["terminationGracePeriodSeconds"] > sum(before) + drain + GRACE

    @pytest.mark.parametrize("pod", AUTHZ_PODS.values(), ids=AUTHZ_PODS)
    def test_password_comes_from_a_secret(self, pod: dict[str, Any]) -> None:
        """The password is a mounted file, no variable and no argument, readable by the pod's group alone."""
        (volume,) = (one for one in pod["volumes"] if one["name"] == "authz-redis")
        assert volume["secret"] == {"secretName": "authz-redis", "defaultMode": 0o440}
        assert all("env" not in one for one in containers(pod))

    def test_both_forms_run_the_same(self) -> None:
        """The two containers differ in their address and in how much CPU is set aside, in nothing else."""
        different = {"ports", "resources", "restartPolicy", "securityContext", "volumeMounts"}
        sidecar, service = AUTHZ["sidecar/shop/authz"], AUTHZ["service/authz/authz"]
        assert {key: sidecar[key] for key in sidecar.keys() - different} == {
            key: service[key] for key in service.keys() - different
        }
        assert sidecar["image"] == f"envoy-cel-authz:{__version__}"
        assert [one for one in sidecar["volumeMounts"] if one["name"] != "authz-socket"] == service["volumeMounts"]


class TestSidecar:
    """An application, with Envoy and authz in its pod."""

    def test_authz_starts_before_envoy_before_the_application(self) -> None:
        """Row G7: both are native sidecars, in this order, so Envoy takes no request before policies are loaded."""
        pod = PODS["sidecar/shop"]
        assert [one["name"] for one in pod["initContainers"]] == ["authz", "envoy"]
        assert {one["restartPolicy"] for one in pod["initContainers"]} == {"Always"}
        assert [one["name"] for one in pod["containers"]] == ["shop"]

    def test_they_meet_at_a_socket_by_group(self) -> None:
        """Row G14: different users share a folder in memory by its group; Envoy can't replace what is in it."""
        pod = PODS["sidecar/shop"]
        authz, envoy = pod["initContainers"]
        users = {one["securityContext"]["runAsUser"] for one in (authz, envoy)} | {pod["securityContext"]["runAsUser"]}
        assert len(users) == 3
        assert pod["securityContext"]["fsGroup"] == pod["securityContext"]["runAsGroup"]
        (volume,) = (one for one in pod["volumes"] if one["name"] == "authz-socket")
        assert volume["emptyDir"]["medium"] == "Memory"
        mounts = {one["name"]: one["volumeMounts"] for one in (authz, envoy)}
        assert {"name": "authz-socket", "mountPath": "/run/authz"} in mounts["authz"]
        assert {"name": "authz-socket", "mountPath": "/run/authz", "readOnly": True} in mounts["envoy"]
        assert settings("sidecar").listen == ("unix:///run/authz/authz.sock",)

    def test_envoy_runs_the_files_that_were_validated(self) -> None:
        """The ConfigMap holds envoy/sidecar.yaml, and Envoy is told to read it."""
        text = (ROOT / "envoy/sidecar.yaml").read_text()
        assert named("sidecar", "ConfigMap", "envoy-sidecar")["data"] == {"sidecar.yaml": text}
        envoy = CONTAINERS["sidecar/shop/envoy"]
        assert envoy["args"][:2] == ["--config-path", "/etc/envoy/sidecar.yaml"]
        assert {"name": "envoy", "mountPath": "/etc/envoy", "readOnly": True} in envoy["volumeMounts"]
        port = yaml.safe_load(text)["static_resources"]["listeners"][0]["address"]["socket_address"]["port_value"]
        assert [one["containerPort"] for one in envoy["ports"]] == [port]

    def test_nobody_goes_round_envoy(self) -> None:
        """The Service leads to Envoy, the application listens on loopback, and no other port is open to the network."""
        assert [port["targetPort"] for port in named("sidecar", "Service", "shop")["spec"]["ports"]] == [10000]
        assert "listen 127.0.0.1:8080;" in named("sidecar", "ConfigMap", "app")["data"]["default.conf"]
        policy = named("sidecar", "NetworkPolicy", "authz-sidecar")["spec"]
        assert policy["policyTypes"] == ["Ingress"]
        requests, admin = policy["ingress"]
        assert requests == {"ports": [{"port": 10000}]}
        assert admin["ports"] == [{"port": 9192}]
        assert admin["from"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]


class TestService:
    """authz by itself."""

    def test_pods_come_and_go_without_harm(self) -> None:
        """One at a time is taken away, one that is not ready never holds up a node, and there are always several."""
        budget = named("service", "PodDisruptionBudget", "authz")["spec"]
        assert budget["maxUnavailable"] == 1
        assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
        scaler = named("service", "HorizontalPodAutoscaler", "authz")["spec"]
        assert scaler["minReplicas"] >= 2
        deployment = named("service", "Deployment", "authz")["spec"]
        assert "replicas" not in deployment, "an apply would undo the HorizontalPodAutoscaler"
        spread = deployment["template"]["spec"]["topologySpreadConstraints"]
        assert [one["topologyKey"] for one in spread] == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]

    def test_envoy_sees_every_pod(self) -> None:
        """The Service is headless and lists only pods that are ready."""
        service = named("service", "Service", "authz")["spec"]
        assert service["clusterIP"] == "None"
        assert "publishNotReadyAddresses" not in service
        assert settings("service").listen == ("0.0.0.0:9191",)

    def test_only_those_who_need_it_reach_it(self) -> None:
        """Gateways ask, Prometheus looks; it goes out to Redis and DNS. Nothing is open to everybody."""
        policy = named("service", "NetworkPolicy", "authz")["spec"]
        assert policy["policyTypes"] == ["Ingress", "Egress"]
        assert [[port["port"] for port in rule["ports"]] for rule in policy["ingress"]] == [[9191], [9192]]
        assert all(rule["from"] for rule in policy["ingress"])
        assert [[port["port"] for port in rule["ports"]] for rule in policy["egress"]] == [[6379], [53, 53]]
        assert all(rule["to"] for rule in policy["egress"])


def _config_maps(pod: dict[str, Any]) -> list[str]:
    volumes = pod.get("volumes", [])
    names = [one["configMap"]["name"] for one in volumes if "configMap" in one]
    return names + [
        source["configMap"]["name"] for one in volumes for source in one.get("projected", {}).get("sources", [])
    ]
