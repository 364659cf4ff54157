"""Agreements as ODRL of the Catena-X profile: what maps comes back, what does not is said.

The shape that is asserted here is that of the profile's published JSON schemas (catenax-eV/cx-odrl-profile, 2025-9).
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaingraph import ChaingraphError
from chaingraph.agreements import Terms, export_odrl, read_odrl
from schema.vocabularies import Aspects, AtEnd, Disclosure, Purpose
from tests.agreements.world import START, terms

OTHER = Terms.of("X", "Y", "cost", "oversight", START, dt.datetime(2100, 1, 1, tzinfo=dt.UTC))
ACCESS = {"Membership": ("eq",), "BusinessPartnerNumber": ("isAnyOf",), "BusinessPartnerGroup": ("isAnyOf",)}
USE = {
    "FrameworkAgreement": ("eq",), "UsagePurpose": ("isAnyOf",), "DataUsageEndDate": ("eq",),
    "DataUsageEndDefinition": ("eq",),
}  # fmt: skip

any_terms = st.builds(
    Terms.of,
    st.sampled_from(["S1", "供应商/1", "BPNL00000000001A"]),
    st.sampled_from(["L01", "consortium:C", "group:C/轴承", "everyone", "BPNL000000000ABC"]),
    st.lists(st.sampled_from(Aspects.codes()), min_size=1),
    st.lists(st.sampled_from(Purpose.codes()), min_size=1),
    st.just(START),
    st.integers(1, 10**9).map(lambda seconds: START + dt.timedelta(seconds=seconds)),
    st.sampled_from(["all", "part:L01/A 1;class:b&c=d", "subtree:L01/A%2F1;product:L01/M?x#y"]),
    st.booleans(),
    st.sampled_from(list(AtEnd)),
    st.sampled_from(list(Disclosure)),
)


@settings(max_examples=200, deadline=None)
@given(wanted=any_terms, accepted=st.booleans())
def test_what_maps_comes_back(wanted: Terms, accepted: bool) -> None:
    """All but the beginning, and that it may be passed on: those are listed."""
    found = export_odrl(wanted, "AG-1/1", START if accepted else None)
    unmapped = {name for name, _ in found.unmapped}
    assert unmapped == {"start"} | ({"onward"} if wanted.onward else set()) | (
        {"mode"} if wanted.mode is not Disclosure.SHOW else set()
    )
    back = read_odrl(json.loads(json.dumps(found.document)), OTHER)
    assert back.terms == replace(wanted, onward=False)
    assert not back.unread


@settings(max_examples=100, deadline=None)
@given(wanted=any_terms)
def test_only_constraints_of_the_profile(wanted: Terms) -> None:
    """CX-0152-CAC-001: none that it does not have, and only with the operators that it gives them."""
    access, usage = export_odrl(wanted, "AG-1/1").document["@graph"]
    for policy, action, known in ((access, "access", ACCESS), (usage, "use", USE)):
        (permission,) = policy["permission"]
        assert permission["action"] == action
        for each in permission["constraint"]:
            assert each.keys() == {"leftOperand", "operator", "rightOperand"}
            assert each["operator"] in known[each["leftOperand"]]
            assert isinstance(each["rightOperand"], list) == (each["operator"] != "eq")
    assert len(usage["permission"][0]["constraint"]) >= 2
    assert "prohibition" not in access
    assert ("obligation" in usage) == (wanted.at_end is AtEnd.KEEP)


def test_an_agreement_has_its_parties_and_time() -> None:
    _, usage = export_odrl(terms(), "AG-1/1", START).document["@graph"]
    assert (usage["@type"], usage["assigner"], usage["assignee"]) == ("Agreement", "S1", "L01")
    assert usage["timestamp"] == "2024-01-01T00:00:00Z"
    assert usage["target"].startswith("urn:chaingraph:data:S1?")


def test_a_note_and_passing_on_are_said_to_be_left_out() -> None:
    found = export_odrl(terms(note="as we spoke", onward=True), "AG-1/1")
    assert {name for name, _ in found.unmapped} == {"start", "onward", "note"}
    assert "spoke" not in json.dumps(found.document)
    assert all(why.zh and why.en for _, why in found.unmapped)


def policy(**more: Any) -> dict[str, Any]:
    """A usage policy of somebody else's."""
    return {
        "@context": ["https://w3id.org/catenax/2025/9/policy/odrl.jsonld"],
        "@type": "Set",
        "@id": "urn:uuid:1",
        "permission": [
            {
                "action": {"@id": "odrl:use"},
                "constraint": {
                    "and": [
                        constraint("cx-policy:UsagePurpose", "odrl:eq", "cx.quality.base:1"),
                        constraint("https://w3id.org/catenax/policy/Membership", "eq", "active"),
                    ]
                },
            }
        ],
        **more,
    }  # fmt: skip


def constraint(left: str, operator: str, right: Any) -> dict[str, Any]:
    return {"odrl:leftOperand": {"@id": left}, "odrl:operator": {"@id": operator}, "odrl:rightOperand": right}


def test_prefixes_wrappers_and_single_values_are_understood() -> None:
    found = read_odrl({"@type": "PolicyDefinition", "policy": policy()}, OTHER)
    assert found.terms == replace(OTHER, purposes=("quality",))
    assert found.said == ("purposes",)
    assert not found.unread


def test_plain_odrl_dates_are_understood() -> None:
    both = policy()
    both["permission"][0]["constraint"]["and"] += [
        constraint("odrl:dateTime", "gteq", {"@value": "2025-01-01T00:00:00+08:00"}),
        constraint("odrl:dateTime", "lt", "2026-01-01T00:00:00Z"),
    ]
    found = read_odrl([both], OTHER).terms
    assert (found.start, found.end) == (
        dt.datetime(2024, 12, 31, 16, tzinfo=dt.UTC),
        dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    )


def test_of_two_ends_the_earlier_counts() -> None:
    end = {"action": "use", "constraint": constraint("DataProvisioningEndDate", "eq", "2026-01-01T00:00:00Z")}
    one = policy(obligation=[end])
    one["permission"][0]["constraint"]["and"] += [constraint("DataUsageEndDate", "eq", "2026-06-01T00:00:00Z")]
    found = read_odrl(one, OTHER).terms
    assert (found.end, found.at_end) == (dt.datetime(2026, 1, 1, tzinfo=dt.UTC), AtEnd.DELETE)


@pytest.mark.parametrize(
    "odd",
    [
        constraint("AffiliatesRegion", "isAnyOf", ["cx.region.europe:1"]),
        constraint("UsagePurpose", "isAnyOf", ["cx.pcf.base:1"]),
        constraint("BusinessPartnerNumber", "isNoneOf", ["BPNL000000000ABC"]),
        constraint("DataUsageEndDate", "eq", "tomorrow"),
        {"or": [constraint("Membership", "eq", "active")]},
    ],
)
def test_what_is_not_understood_is_listed(odd: dict[str, Any]) -> None:
    one = policy()
    one["permission"][0]["constraint"]["and"].append(odd)
    found = read_odrl(one, OTHER)
    assert len(found.unread) == 1
    assert found.terms == replace(OTHER, purposes=("quality",))


def test_what_has_other_conditions_is_not_mixed_in() -> None:
    """A second permission to use is another agreement; duties and other actions are not ours to read."""
    one = policy()
    second = {"action": "use", "constraint": [constraint("UsagePurpose", "isAnyOf", ["cx.puris.base:1"])]}
    one["permission"] += [second, {"action": "odrl:sell"}]
    one["permission"][0]["duty"] = [{"action": "odrl:compensate"}]
    found = read_odrl(one, OTHER)
    assert found.terms.purposes == ("quality",)
    assert [place for place, _ in found.unread] == ["permission[0].duty", "permission[1]", "permission[2].action"]


def test_passing_on_is_never_allowed_by_what_is_not_said() -> None:
    assert not read_odrl(policy(), OTHER).terms.onward


@pytest.mark.parametrize("none", [{}, [], "text", 3, {"policy": {}}, {"permission": "use"}])
def test_no_policy(none: Any) -> None:
    with pytest.raises(ChaingraphError) as refused:
        read_odrl(none, OTHER)
    assert refused.value.code == "agreement.odrl"


def test_terms_that_none_may_have_are_refused() -> None:
    one = policy(
        obligation=[{"action": "use", "constraint": constraint("DataProvisioningEndDate", "eq", "2020-01-01")}]
    )
    with pytest.raises(ChaingraphError) as refused:
        read_odrl(one, OTHER)
    assert refused.value.code == "agreement.terms"
