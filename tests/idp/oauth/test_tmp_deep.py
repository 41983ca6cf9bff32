import pytest
from tests.idp.oauth.pages import Visit
@pytest.mark.parametrize("depth", [100, 200, 320, 450, 700])
def test_deep(party, make, clock, depth):
    client = party.client(first_party=False, authorization_details_types=["pay"])
    d = '{"a":' * depth + "1" + "}" * depth
    b = party.browser(make.account())
    page = Visit(party, b, client, authorization_details='[{"type":"pay","x":%s}]' % d)
    print(depth, page.at, page.answer.status_code)
    page.press("/consent", consent="allow")
    print(page.at)
