"""Every scenario three times: straight to the provider, through the gateway, and the two compared."""

import pytest
from scenarios import SCENARIOS

every_scenario = pytest.mark.parametrize("name", SCENARIOS)


@every_scenario
def test_the_provider_answers_as_documented(name, direct):
    SCENARIOS[name].expect(SCENARIOS[name].run(direct))


@every_scenario
def test_the_gateway_answers_as_documented(name, proxy):
    SCENARIOS[name].expect(SCENARIOS[name].run(proxy))


@every_scenario
def test_a_user_sees_what_they_would_see_without_the_gateway(name, direct, proxy):
    scenario = SCENARIOS[name]
    assert scenario.comparable(scenario.run(proxy)) == scenario.comparable(scenario.run(direct))
