import pytest
from tests.http import test_access as t
from tests.http.access_what_if_pages import what_if_page_rows
from tests.http.test_access import (test_everybody_gets_what_the_table_says, test_outsiders_are_answered_as_if_hidden_things_did_not_exist, test_no_answer_to_outsiders_has_a_hidden_word, world, clients)
pytestmark = pytest.mark.django_db
ROWS = what_if_page_rows(t.Ask, t.everybody)
t.TABLE.clear(); t.TABLE.update(ROWS)
