from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, multiple, rule

from signaling import ServiceError
from signaling.control import ChannelDeleted, ChannelUpdated, ServiceQuotas, encode_response

from .service import Caller

ARN = "arn:aws:kinesisvideo:us-west-2:000000000000:channel/demo/1600000000250"
LONGEST_NAME = "n" * 256


def test_a_channel_is_described_as_it_was_made_with_members_in_the_services_order() -> None:
    caller = Caller()
    arn = caller.create("demo", SingleMasterConfiguration={"MessageTtlSeconds": 5})

    described = encode_response(
        caller.outcome("/describeSignalingChannel", ChannelARN=arn).response
    )

    assert arn == ARN
    assert described == (
        b'{"ChannelInfo":{"ChannelARN":"' + ARN.encode() + b'","ChannelName":"demo",'
        b'"ChannelStatus":"ACTIVE","ChannelType":"SINGLE_MASTER","CreationTime":1600000000.25,'
        b'"SingleMasterConfiguration":{"MessageTtlSeconds":5},"Version":"aaaaaaaaaaaaaaaaaaaa"}}'
    )


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"ChannelName": LONGEST_NAME}, id="longest-name"),
        pytest.param({"ChannelName": "aZ09_.-"}, id="every-kind-of-character"),
        pytest.param({"ChannelName": "a", "ChannelType": "SINGLE_MASTER"}, id="type"),
        pytest.param({"ChannelName": "a", "ChannelType": None}, id="null-is-absent"),
        pytest.param({"ChannelName": "a", "SingleMasterConfiguration": {}}, id="no-ttl"),
        pytest.param(
            {"ChannelName": "a", "SingleMasterConfiguration": {"MessageTtlSeconds": 120}},
            id="longest-ttl",
        ),
        pytest.param({"ChannelName": "a", "Tags": []}, id="no-tags"),
        pytest.param(
            {"ChannelName": "a", "Tags": [{"Key": f"k{n}", "Value": ""} for n in range(50)]},
            id="50-tags",
        ),
        pytest.param({"ChannelName": "a", "Unknown": 1}, id="unknown-member"),
    ],
)
def test_a_channel_is_created(members: dict[str, object]) -> None:
    arn = Caller().call("/createSignalingChannel", **members)["ChannelARN"]

    assert f":channel/{members['ChannelName']}/" in str(arn)


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({}, id="no-name"),
        pytest.param({"ChannelName": None}, id="null-name"),
        pytest.param({"ChannelName": ""}, id="empty-name"),
        pytest.param({"ChannelName": LONGEST_NAME + "n"}, id="257-characters"),
        pytest.param({"ChannelName": "a b"}, id="space"),
        pytest.param({"ChannelName": "a\n"}, id="newline"),
        pytest.param({"ChannelName": "ä"}, id="not-ascii"),
        pytest.param({"ChannelName": "a/b"}, id="slash"),
        pytest.param({"ChannelName": 1}, id="number-as-name"),
        pytest.param({"ChannelName": "a", "ChannelType": "FULL_MESH"}, id="full-mesh"),
        pytest.param({"ChannelName": "a", "ChannelType": "MASTER"}, id="unknown-type"),
        pytest.param(
            {"ChannelName": "a", "SingleMasterConfiguration": {"MessageTtlSeconds": 4}},
            id="ttl-4",
        ),
        pytest.param(
            {"ChannelName": "a", "SingleMasterConfiguration": {"MessageTtlSeconds": 121}},
            id="ttl-121",
        ),
        pytest.param(
            {"ChannelName": "a", "SingleMasterConfiguration": {"MessageTtlSeconds": "60"}},
            id="ttl-as-text",
        ),
        pytest.param({"ChannelName": "a", "SingleMasterConfiguration": []}, id="list"),
        pytest.param({"ChannelName": "a", "Tags": {"k": "v"}}, id="tags-as-map"),
        pytest.param({"ChannelName": "a", "Tags": [{"Key": "k"}]}, id="tag-without-value"),
        pytest.param(
            {"ChannelName": "a", "Tags": [{"Key": f"k{n}", "Value": ""} for n in range(51)]},
            id="51-tags",
        ),
    ],
)
def test_a_malformed_creation_is_an_invalid_argument(members: dict[str, object]) -> None:
    caller = Caller()

    with pytest.raises(ServiceError, match="InvalidArgumentException"):
        caller.call("/createSignalingChannel", **members)

    assert caller.call("/listSignalingChannels") == {"ChannelInfoList": []}


def test_a_name_is_used_once() -> None:
    caller = Caller()
    caller.create("demo")

    with pytest.raises(ServiceError, match="ResourceInUseException"):
        caller.create("demo")


def test_names_that_differ_in_case_are_different() -> None:
    caller = Caller()

    assert caller.create("demo") != caller.create("Demo")


def test_an_account_has_a_number_of_channels() -> None:
    caller = Caller(ServiceQuotas(channels=2))
    caller.create("a")
    arn = caller.create("b")
    with pytest.raises(ServiceError, match="AccountChannelLimitExceededException"):
        caller.create("c")

    caller.call("/deleteSignalingChannel", ChannelARN=arn)

    assert caller.create("c")


def test_a_channel_that_is_made_again_has_another_arn_even_in_the_same_millisecond() -> None:
    caller = Caller()
    first = caller.create("demo")
    caller.call("/deleteSignalingChannel", ChannelARN=first)

    second = caller.create("demo")

    assert second != first
    with pytest.raises(ServiceError, match="ResourceNotFoundException"):
        caller.call("/describeSignalingChannel", ChannelARN=first)


@pytest.mark.parametrize(
    ("members", "error"),
    [
        pytest.param({}, "InvalidArgumentException", id="neither"),
        pytest.param({"ChannelName": "none"}, "ResourceNotFoundException", id="unknown-name"),
        pytest.param({"ChannelName": "!"}, "InvalidArgumentException", id="bad-name"),
        pytest.param({"ChannelARN": ""}, "InvalidArgumentException", id="empty-arn"),
        pytest.param({"ChannelARN": "demo"}, "InvalidArgumentException", id="not-an-arn"),
        pytest.param({"ChannelARN": ARN + "0"}, "ResourceNotFoundException", id="other-time"),
        pytest.param(
            {"ChannelARN": ARN.replace("demo", "none")}, "ResourceNotFoundException", id="no-such"
        ),
        pytest.param(
            {"ChannelARN": ARN.replace("arn:aws:", "arn:aws-cn:")},
            "ResourceNotFoundException",
            id="other-partition",
        ),
        pytest.param(
            {"ChannelARN": ARN.replace("us-west-2", "eu-west-1")},
            "InvalidArgumentException",
            id="other-region",
        ),
        pytest.param(
            {"ChannelARN": ARN.replace("000000000000", "123456789012")},
            "InvalidArgumentException",
            id="other-account",
        ),
        pytest.param(
            {"ChannelARN": ARN.replace("channel/", "stream/")},
            "InvalidArgumentException",
            id="a-streams-arn",
        ),
        pytest.param(
            {"ChannelARN": ARN.replace("demo", "d" * 1024)},
            "InvalidArgumentException",
            id="too-long",
        ),
        pytest.param({"ChannelARN": ARN + "\n"}, "InvalidArgumentException", id="newline"),
        pytest.param(
            {"ChannelARN": ARN.replace("160", "١٦٠")}, "InvalidArgumentException", id="digits"
        ),
        pytest.param(
            {"ChannelARN": ARN, "ChannelName": "other"},
            "InvalidArgumentException",
            id="name-and-arn-disagree",
        ),
    ],
)
def test_what_names_no_channel_is_refused(members: dict[str, str], error: str) -> None:
    caller = Caller()
    caller.create("demo")

    with pytest.raises(ServiceError, match=error):
        caller.call("/describeSignalingChannel", **members)


def test_a_name_and_an_arn_that_agree_are_fine() -> None:
    caller = Caller()
    caller.create("demo")

    assert caller.call("/describeSignalingChannel", ChannelName="demo", ChannelARN=ARN)


def test_an_update_needs_the_latest_version_and_makes_a_new_one() -> None:
    caller = Caller()
    arn = caller.create("demo")
    version = caller.info("demo")["Version"]

    outcome = caller.outcome(
        "/updateSignalingChannel",
        ChannelARN=arn,
        CurrentVersion=version,
        SingleMasterConfiguration={"MessageTtlSeconds": 90},
    )

    changed = caller.info("demo")
    assert changed["SingleMasterConfiguration"] == {"MessageTtlSeconds": 90}
    assert changed["Version"] != version
    assert [type(event) for event in outcome.events] == [ChannelUpdated]
    with pytest.raises(ServiceError, match="VersionMismatchException"):
        caller.call("/updateSignalingChannel", ChannelARN=arn, CurrentVersion=version)


def test_an_update_without_a_ttl_keeps_it_and_makes_a_new_version() -> None:
    caller = Caller()
    arn = caller.create("demo", SingleMasterConfiguration={"MessageTtlSeconds": 7})
    version = caller.info("demo")["Version"]

    assert caller.call("/updateSignalingChannel", ChannelARN=arn, CurrentVersion=version) == {}

    assert caller.info("demo")["SingleMasterConfiguration"] == {"MessageTtlSeconds": 7}
    assert caller.info("demo")["Version"] != version


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"ChannelARN": ARN}, id="no-version"),
        pytest.param({"CurrentVersion": "a"}, id="no-arn"),
        pytest.param({"ChannelARN": ARN, "CurrentVersion": ""}, id="empty-version"),
        pytest.param({"ChannelARN": ARN, "CurrentVersion": "a" * 65}, id="long-version"),
        pytest.param({"ChannelARN": ARN, "CurrentVersion": "a-b"}, id="version-with-hyphen"),
        pytest.param(
            {
                "ChannelARN": ARN,
                "CurrentVersion": "a" * 20,
                "SingleMasterConfiguration": {"MessageTtlSeconds": 121},
            },
            id="ttl",
        ),
    ],
)
def test_a_malformed_update_is_an_invalid_argument(members: dict[str, object]) -> None:
    caller = Caller()
    caller.create("demo")
    before = caller.info("demo")

    with pytest.raises(ServiceError, match="InvalidArgumentException"):
        caller.call("/updateSignalingChannel", **members)

    assert caller.info("demo") == before


def test_a_deletion_of_another_version_is_refused() -> None:
    caller = Caller()
    arn = caller.create("demo")

    with pytest.raises(ServiceError, match="VersionMismatchException"):
        caller.call("/deleteSignalingChannel", ChannelARN=arn, CurrentVersion="other")

    assert caller.info("demo")


@pytest.mark.parametrize("with_version", [True, False])
def test_a_deleted_channel_is_not_found(with_version: bool) -> None:
    caller = Caller()
    arn = caller.create("demo")
    version = {"CurrentVersion": caller.info("demo")["Version"]} if with_version else {}

    outcome = caller.outcome("/deleteSignalingChannel", ChannelARN=arn, **version)

    assert [type(event) for event in outcome.events] == [ChannelDeleted]
    for path in ("/describeSignalingChannel", "/deleteSignalingChannel"):
        with pytest.raises(ServiceError, match="not found or not active"):
            caller.call(path, ChannelARN=arn)


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"MaxResults": 0}, id="none"),
        pytest.param({"MaxResults": 10_001}, id="more-than-the-most"),
        pytest.param({"MaxResults": "1"}, id="text"),
        pytest.param({"MaxResults": 1.5}, id="fraction"),
        pytest.param({"NextToken": "!"}, id="not-base64"),
        pytest.param({"NextToken": "AAAA"}, id="invented"),
        pytest.param({"NextToken": "A" * 1025}, id="too-long"),
        pytest.param(
            {"ChannelNameCondition": {"ComparisonOperator": "ENDS_WITH", "ComparisonValue": "a"}},
            id="operator",
        ),
        pytest.param({"ChannelNameCondition": {"ComparisonValue": ""}}, id="empty-value"),
        pytest.param({"ChannelNameCondition": {"ComparisonValue": "a b"}}, id="bad-value"),
        pytest.param({"ChannelNameCondition": "a"}, id="text-as-condition"),
    ],
)
def test_a_malformed_listing_is_an_invalid_argument(members: dict[str, object]) -> None:
    with pytest.raises(ServiceError, match="InvalidArgumentException"):
        Caller().call("/listSignalingChannels", **members)


def pages(caller: Caller, size: int, prefix: str | None) -> list[list[str]]:
    """The names on each page of a listing."""
    condition = {"ComparisonOperator": "BEGINS_WITH", "ComparisonValue": prefix}
    members: dict[str, object] = {"MaxResults": size}
    if prefix:
        members["ChannelNameCondition"] = condition
    found = []
    while True:
        page = caller.call("/listSignalingChannels", **members)
        infos = page["ChannelInfoList"]
        assert isinstance(infos, list)
        found.append([info["ChannelName"] for info in infos])
        if "NextToken" not in page:
            return found
        members["NextToken"] = page["NextToken"]


names = st.sets(st.text("abB.-", min_size=1, max_size=3), max_size=12)


@given(names, st.integers(1, 13), st.text("abB.-", max_size=2))
def test_pages_hold_every_channel_once_in_order(found: set[str], size: int, prefix: str) -> None:
    caller = Caller()
    for name in found:
        caller.create(name)

    listed = pages(caller, size, prefix)

    expected = sorted(name for name in found if name.startswith(prefix))
    assert [name for page in listed for name in page] == expected
    assert all(len(page) == size for page in listed[:-1])
    assert len(listed[-1]) > 0 or not expected


def test_a_listing_goes_on_where_it_was_when_channels_come_and_go() -> None:
    caller = Caller()
    arns = {name: caller.create(name) for name in "abcdef"}
    page = caller.call("/listSignalingChannels", MaxResults=3)
    caller.call("/deleteSignalingChannel", ChannelARN=arns["c"])
    caller.create("ab")
    caller.create("cd")

    rest = caller.call("/listSignalingChannels", NextToken=page["NextToken"])

    infos = rest["ChannelInfoList"]
    assert isinstance(infos, list)
    assert [info["ChannelName"] for info in infos] == ["cd", "d", "e", "f"]


def test_a_token_is_only_good_for_the_condition_it_came_from() -> None:
    caller = Caller()
    for name in ("a1", "a2", "b1"):
        caller.create(name)
    page = caller.call(
        "/listSignalingChannels", MaxResults=1, ChannelNameCondition={"ComparisonValue": "a"}
    )

    with pytest.raises(ServiceError, match="InvalidArgumentException"):
        caller.call("/listSignalingChannels", NextToken=page["NextToken"])


@dataclasses.dataclass
class Known:
    """What the model knows of a channel."""

    arn: str
    version: str
    ttl: int


class ChannelLives(RuleBasedStateMachine):
    """Creation, update and deletion against a dictionary."""

    arns = Bundle("arns")
    versions = Bundle("versions")

    def __init__(self) -> None:
        super().__init__()
        self.caller = Caller()
        self.model: dict[str, Known] = {}
        self.seen: set[str] = set()

    @rule(target=arns, name=st.sampled_from("abc"))
    def create(self, name: str) -> object:
        if name in self.model:
            with pytest.raises(ServiceError, match="ResourceInUseException"):
                self.caller.create(name)
            return multiple()
        arn = self.caller.create(name)
        assert arn not in self.seen
        self.seen.add(arn)
        self.model[name] = Known(arn, self.version_of(name), 60)
        return arn

    @rule(target=versions, name=st.sampled_from("abc"))
    def look(self, name: str) -> object:
        return self.model[name].version if name in self.model else multiple()

    @rule(arn=arns, version=versions, ttl=st.integers(5, 120))
    def update(self, arn: str, version: str, ttl: int) -> None:
        known = self.known(arn)
        call = {
            "ChannelARN": arn,
            "CurrentVersion": version,
            "SingleMasterConfiguration": {"MessageTtlSeconds": ttl},
        }
        if known is None or known.version != version:
            error = "VersionMismatch" if known else "ResourceNotFound"
            with pytest.raises(ServiceError, match=error):
                self.caller.call("/updateSignalingChannel", **call)
            return
        self.caller.call("/updateSignalingChannel", **call)
        name = arn.split("/")[1]
        assert self.version_of(name) != version
        self.model[name] = Known(arn, self.version_of(name), ttl)

    @rule(arn=arns, version=st.none() | versions)
    def delete(self, arn: str, version: str | None) -> None:
        known = self.known(arn)
        if known is None or version not in (None, known.version):
            with pytest.raises(ServiceError):
                self.caller.call("/deleteSignalingChannel", ChannelARN=arn, CurrentVersion=version)
            return
        self.caller.call("/deleteSignalingChannel", ChannelARN=arn, CurrentVersion=version)
        del self.model[arn.split("/")[1]]

    @rule()
    def listing_agrees(self) -> None:
        infos = self.caller.call("/listSignalingChannels")["ChannelInfoList"]
        assert isinstance(infos, list)
        assert [
            (
                info["ChannelName"],
                Known(
                    info["ChannelARN"],
                    info["Version"],
                    info["SingleMasterConfiguration"]["MessageTtlSeconds"],
                ),
            )
            for info in infos
        ] == sorted(self.model.items())

    def known(self, arn: str) -> Known | None:
        known = self.model.get(arn.split("/")[1])
        return known if known is not None and known.arn == arn else None

    def version_of(self, name: str) -> str:
        return str(self.caller.info(name)["Version"])


TestChannelLives = ChannelLives.TestCase
TestChannelLives.settings = settings(stateful_step_count=20)
