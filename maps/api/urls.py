"""Addresses of the JSON interface, put together from the routers of those who have one."""

from __future__ import annotations

from django.urls import path

from maps.api import views
from maps.api.interface import api
from maps.blocks.api import router as blocks
from maps.capacities.api import router as capacities
from maps.imports.api import router as imports
from maps.measures.api import router as measures
from maps.needs.api import router as needs
from maps.scenarios.api import router as scenarios
from maps.workbench.api import router as workbench

for router in (workbench, imports, scenarios, measures, needs, capacities, blocks):
    api.add_router("", router)

urlpatterns = [
    path("api/v1/", api.urls),
    path("api/v1/<path:rest>", views.unknown, name="api-unknown"),
]
